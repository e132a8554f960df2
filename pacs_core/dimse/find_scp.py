"""C-FIND of the Patient Root and Study Root models (PS3.4 C.4.1, C.6.1, C.6.2): hierarchical and
relational."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from pacs_core.dicom.dictionary import KEYWORD, TAG, VR, name_of
from pacs_core.dimse import commands, status
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.association import Association, Message
from pacs_core.dimse.auditing import Audit
from pacs_core.dimse.identifiers import LEVEL, Answer, Keys, encode_answer, read_keys
from pacs_core.domain.errors import InvalidValue, MissingValue, ReadingRoomError
from pacs_core.domain.matching import folded_name
from pacs_core.domain.patient import Patient, fitted_name
from pacs_core.domain.records import InstanceRecord, SeriesRecord, StudyKeys
from pacs_core.domain.times import dicom_date, dicom_time
from pacs_core.services.bundle import Services
from pacs_core.services.querying import InstanceAnswer, SeriesAnswer, StudyAnswer

log = logging.getLogger("reading_room.dimse")

LEVELS = ("PATIENT", "STUDY", "SERIES", "IMAGE")
BATCH = 32
"""Answers given to the system at once; a C-CANCEL is looked for between batches."""

MATCHED = frozenset(
    TAG[k]
    for k in (
        "PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate",
        "StudyTime", "AccessionNumber", "StudyID", "StudyInstanceUID", "StudyDescription",
        "ReferringPhysicianName",
        "ModalitiesInStudy", "Modality", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription",
        "BodyPartExamined",
        "SOPInstanceUID", "SOPClassUID", "InstanceNumber",
    )
)  # fmt: skip
"""Keys that are matched; others with a value are returned but not matched (status FF01)."""


def level_of(keys: Keys, abstract: str) -> str:
    """The Query/Retrieve Level; raises MissingValue or InvalidValue where the model has no such level."""
    level = keys.header.text(LEVEL).upper()
    if not level:
        raise MissingValue(f"{name_of(LEVEL)} is missing", name_of(LEVEL))
    if level not in LEVELS or (level == "PATIENT" and abstract not in sop.PATIENT_ROOT):
        raise InvalidValue(f"{name_of(LEVEL)}: {level[:16]!r} is no level of this model", name_of(LEVEL))
    return level


def study_keys(keys: Keys) -> StudyKeys:
    """The search keys of an identifier; raises InvalidValue naming a key that cannot be read."""
    return StudyKeys(
        patient_id=keys.text(TAG["PatientID"]),
        issuer=keys.text(TAG["IssuerOfPatientID"]),
        patient_name=keys.text(TAG["PatientName"]),
        birth_date=keys.dates(TAG["PatientBirthDate"]),
        sex=keys.text(TAG["PatientSex"]),
        accession=keys.text(TAG["AccessionNumber"]),
        study_uids=keys.texts(TAG["StudyInstanceUID"]),
        series_uids=keys.texts(TAG["SeriesInstanceUID"]),
        instance_uids=keys.texts(TAG["SOPInstanceUID"]),
        study_date=keys.dates(TAG["StudyDate"]),
        study_time=keys.times(TAG["StudyTime"]),
        study_id=keys.text(TAG["StudyID"]),
        study_description=keys.text(TAG["StudyDescription"]),
        referring_physician=keys.text(TAG["ReferringPhysicianName"]),
        modalities=keys.texts(TAG["ModalitiesInStudy"]),
        modality=keys.text(TAG["Modality"]),
        series_number=keys.text(TAG["SeriesNumber"]),
        series_description=keys.text(TAG["SeriesDescription"]),
        body_part=keys.text(TAG["BodyPartExamined"]),
        sop_classes=keys.texts(TAG["SOPClassUID"]),
        instance_number=keys.text(TAG["InstanceNumber"]),
    )


def unmatched(keys: Keys) -> bool:
    """Say whether a value was given for a key that is not matched."""
    return any(keys.text(tag) for tag in keys.tags() if tag not in MATCHED)


@dataclass(slots=True)
class Details:
    """What the index keeps beside its search keys, fetched only where an answer asks for it."""

    services: Services
    counts: dict[int, tuple[int, int]] = field(default_factory=dict)

    def attributes(self, study_id: int, series_id: int | None = None) -> dict[int, object]:
        """Attributes of the first instance of a study or series."""
        with self.services.index.read() as tx:
            found = tx.studies.instances_of(study_id, series_id)
        return attributes_of(found[0]) if found else {}

    def sop_classes(self, study_id: int) -> list[str]:
        """The SOP classes of a study's instances."""
        with self.services.index.read() as tx:
            return sorted({i.sop_class_uid for i in tx.studies.instances_of(study_id)})

    def of_patient(self, patient_id: int) -> tuple[int, int, int]:
        """How many studies, series and instances a patient has."""
        with self.services.index.read() as tx:
            studies = tx.studies.of_patient(patient_id)
        return len(studies), sum(s.series_count for s in studies), sum(s.instance_count for s in studies)


def attributes_of(instance: InstanceRecord) -> dict[int, object]:
    """The header attributes kept with an instance, by tag, as DICOM writes them."""
    found: dict[int, object] = {}
    for keyword, value in json.loads(instance.attributes or "{}").items():
        nested = isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict))
        if keyword in TAG and not nested:
            found[TAG[keyword]] = _as_dicom(keyword, value)
    return found


def _as_dicom(keyword: str, value: object) -> object:
    """Civil dates and times as VR DA and TM write them."""
    if isinstance(value, str) and VR[TAG[keyword]] == "DA":
        return dicom_date(value)
    if isinstance(value, str) and VR[TAG[keyword]] == "TM":
        return dicom_time(value)
    return value


def patient_values(patient: Patient) -> dict[int, object]:
    """Patient level attributes (PS3.4 C.6.1.1.2)."""
    person = patient.demographics
    return {
        TAG["PatientName"]: fitted_name(person.name),
        TAG["PatientID"]: patient.identifier.value,
        TAG["IssuerOfPatientID"]: patient.identifier.issuer,
        TAG["PatientBirthDate"]: dicom_date(person.birth_date),
        TAG["PatientSex"]: person.sex,
        TAG["OtherPatientIDs"]: [other.value for other in patient.other_identifiers],
    }


def study_values(found: StudyAnswer) -> dict[int, object]:
    """Study level attributes (PS3.4 C.6.2.1.2) with the patient's."""
    study, person = found.study, found.person
    return patient_values(found.patient) | {
        TAG["PatientName"]: fitted_name(person.name),
        TAG["PatientBirthDate"]: dicom_date(person.birth_date),
        TAG["PatientSex"]: person.sex,
        TAG["StudyInstanceUID"]: study.study_uid,
        TAG["StudyDate"]: dicom_date(study.study_date),
        TAG["StudyTime"]: dicom_time(study.study_time),
        TAG["AccessionNumber"]: found.accession,
        TAG["StudyID"]: study.study_id,
        TAG["StudyDescription"]: study.description,
        TAG["ReferringPhysicianName"]: fitted_name(study.referring_physician),
        TAG["ModalitiesInStudy"]: study.modalities,
        TAG["InstitutionName"]: study.institution,
        TAG["NumberOfStudyRelatedSeries"]: study.series_count,
        TAG["NumberOfStudyRelatedInstances"]: study.instance_count,
    }


def series_values(series: SeriesRecord) -> dict[int, object]:
    """Series level attributes (PS3.4 C.6.1.1.4)."""
    return {
        TAG["SeriesInstanceUID"]: series.series_uid,
        TAG["Modality"]: series.modality,
        TAG["SeriesNumber"]: series.series_number,
        TAG["SeriesDescription"]: series.description,
        TAG["SeriesDate"]: dicom_date(series.series_date),
        TAG["SeriesTime"]: dicom_time(series.series_time),
        TAG["BodyPartExamined"]: series.body_part,
        TAG["Laterality"]: series.laterality,
        TAG["StationName"]: series.station,
        TAG["Manufacturer"]: series.manufacturer,
        TAG["NumberOfSeriesRelatedInstances"]: series.instance_count,
    }


def instance_values(instance: InstanceRecord) -> dict[int, object]:
    """Image level attributes (PS3.4 C.6.1.1.5)."""
    return attributes_of(instance) | {
        TAG["SOPInstanceUID"]: instance.sop_instance_uid,
        TAG["SOPClassUID"]: instance.sop_class_uid,
        TAG["InstanceNumber"]: instance.instance_number,
        TAG["Rows"]: instance.rows or None,
        TAG["Columns"]: instance.columns or None,
        TAG["NumberOfFrames"]: instance.number_of_frames,
    }


class FindSCP:
    """Answers C-FIND requests on studies."""

    def __init__(self, services: Services, title: str, audit: Audit) -> None:
        self._services = services
        self._title = title
        self._audit = audit

    def answer(self, association: Association, message: Message) -> None:
        """Send a pending response per match, then the final one."""
        context, command = message.context, message.command
        syntax = context.transfer_syntaxes[0]
        try:
            keys = read_keys(message.data, syntax)
            level = level_of(keys, context.abstract_syntax)
            preferred = keys.header.character_set
            found = self._matches(level, keys)
        except ReadingRoomError as error:
            response = status.failure(command, error, status.QUERY)
            log.warning("%s: C-FIND refused with %04XH: %s", association.name, response.status, error.where)
            association.send(context.id, response)
            return
        pending = status.PENDING_WITHOUT_OPTIONAL_KEYS if unmatched(keys) else status.PENDING
        encoded = (encode_answer(keys, answer, syntax, preferred) for answer in found)
        noted = partial(self._audit.queried, association, f"C-FIND {level}", keys)
        send_matches(association, message, encoded, pending, noted)

    def _matches(self, level: str, keys: Keys) -> Iterator[Answer]:
        wanted, asked, details = study_keys(keys), set(keys.tags()), Details(self._services)
        fixed: dict[int, object] = {LEVEL: level, TAG["RetrieveAETitle"]: self._title}
        available = {TAG["InstanceAvailability"]: "ONLINE", TAG["RetrieveAETitle"]: self._title}
        querying = self._services.querying
        values: Iterator[dict[int, object]]
        if level == "PATIENT":
            values = (self._patient(same, asked, details) for same in _persons(querying.patients(wanted)))
        elif level == "STUDY":
            values = (self._study(s, asked, details) for s in querying.studies(wanted))
        elif level == "SERIES":
            values = (self._series(s, asked, details) for s in querying.series(wanted))
        else:
            values = (_instance(i) for i in querying.instances(wanted))
        return (Answer(v | available, fixed) for v in values)

    def _patient(self, same: list[Patient], asked: set[int], details: Details) -> dict[int, object]:
        values = patient_values(same[0])
        if asked & PATIENT_COUNTS:
            totals = [sum(counts) for counts in zip(*(details.of_patient(p.id) for p in same), strict=True)]
            values |= dict(zip(_ORDERED_COUNTS, totals, strict=True))
        return values

    def _study(self, found: StudyAnswer, asked: set[int], details: Details) -> dict[int, object]:
        values = study_values(found)
        return _completed(values, asked, details, found, partial(details.attributes, found.study.id))

    def _series(self, found: SeriesAnswer, asked: set[int], details: Details) -> dict[int, object]:
        values = study_values(found.of) | series_values(found.series)
        more = partial(details.attributes, found.of.study.id, found.series.id)
        return _completed(values, asked, details, found.of, more)


def _persons(found: list[tuple[Patient, int]]) -> list[list[Patient]]:
    """Rows of one person together: the known one's, and those of images that nobody vouched for."""
    persons: dict[tuple[object, ...], list[Patient]] = {}
    for patient, _ in found:
        who = patient.demographics
        same = (patient.identifier, folded_name(who.name), who.birth_date, who.sex)
        persons.setdefault(same, []).append(patient)
    return list(persons.values())


_ORDERED_COUNTS = tuple(
    TAG[k]
    for k in (
        "NumberOfPatientRelatedStudies",
        "NumberOfPatientRelatedSeries",
        "NumberOfPatientRelatedInstances",
    )
)
PATIENT_COUNTS = frozenset(_ORDERED_COUNTS)
ALWAYS_KNOWN = frozenset({TAG["InstanceAvailability"], TAG["RetrieveAETitle"], TAG["RetrieveURL"]})


def _completed(
    values: dict[int, object],
    asked: set[int],
    details: Details,
    found: StudyAnswer,
    more: Callable[[], dict[int, object]],
) -> dict[int, object]:
    """The values with what else was asked: counts of the patient, SOP classes, attributes of an instance."""
    missing = asked - set(values) - ALWAYS_KNOWN
    if missing & PATIENT_COUNTS:
        values |= dict(zip(_ORDERED_COUNTS, details.of_patient(found.patient.id), strict=True))
    if TAG["SOPClassesInStudy"] in missing:
        values[TAG["SOPClassesInStudy"]] = details.sop_classes(found.study.id)
    if any(tag in KEYWORD for tag in missing - set(values)):
        values = more() | values
    return values


def _instance(found: InstanceAnswer) -> dict[int, object]:
    return instance_values(found.instance) | study_values(found.of.of) | series_values(found.of.series)


def send_matches(
    association: Association,
    message: Message,
    encoded: Iterator[bytes],
    pending: int,
    noted: Callable[[int], None],
) -> None:
    """Send the answers as pending responses and then success, or cancel where it was asked for.

    `noted` hears how many were sent before the requestor hears of the end, and where it is gone.
    """
    context, command = message.context, message.command
    response = command.response(pending, data_set=True)
    response.values.pop(commands.AFFECTED_INSTANCE, None)
    count, end = 0, status.SUCCESS
    try:
        for batch in _batches(encoded):
            if association.poll_cancel(command.message_id):
                end = status.CANCELLED
                break
            association.send_many(context.id, response, batch)
            count += len(batch)
    finally:
        noted(count)
    association.send(context.id, command.response(end))
    log.info("%s: C-FIND ended with %04XH after %d answers", association.name, end, count)


def _batches(encoded: Iterator[bytes]) -> Iterator[Sequence[bytes]]:
    batch: list[bytes] = []
    for one in encoded:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
