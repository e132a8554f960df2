"""Modality worklist C-FIND: scheduled steps with the matching and return keys of PS3.4 annex K and IHE
RAD-5."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from pacs_core.dicom.dictionary import TAG, VR
from pacs_core.dimse import status
from pacs_core.dimse.association import Association, Message
from pacs_core.dimse.auditing import Audit
from pacs_core.dimse.find_scp import send_matches
from pacs_core.dimse.identifiers import Answer, Keys, encode_answer, read_keys
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.order import Code, Order, ScheduledProcedureStep
from pacs_core.domain.patient import Demographics, fitted_name
from pacs_core.domain.records import WorklistKeys
from pacs_core.domain.times import dicom_date, dicom_time
from pacs_core.services.bundle import Services
from pacs_core.services.modality_worklist import WorklistItem, step_status

log = logging.getLogger("reading_room.dimse")

STEPS = TAG["ScheduledProcedureStepSequence"]
REMEMBERED = 1024
"""Encoded answers."""

LONGEST = {"SH": 16, "LO": 64, "CS": 16, "AE": 16}

MATCHED = {
    "PatientName": "patient_name",
    "PatientID": "patient_id",
    "IssuerOfPatientID": "issuer",
    "PatientBirthDate": "birth_date",
    "PatientSex": "sex",
    "AccessionNumber": "accession",
    "RequestedProcedureID": "procedure_id",
    "RequestedProcedurePriority": "priority",
    "StudyInstanceUID": "study_uids",
    "ReferringPhysicianName": "referring_physician",
    "RequestingPhysician": "requesting_physician",
    "AdmissionID": "admission_id",
    "PlacerOrderNumberImagingServiceRequest": "placer_number",
    "FillerOrderNumberImagingServiceRequest": "filler_number",
}
"""Keys that are matched, and what the worklist calls them; those of a step beside them."""

MATCHED_IN_STEP = {
    "ScheduledStationAETitle": "station_aet",
    "ScheduledProcedureStepStartDate": "start_date",
    "ScheduledProcedureStepStartTime": "start_time",
    "Modality": "modalities",
    "ScheduledPerformingPhysicianName": "performing_physician",
    "ScheduledProcedureStepID": "step_id",
    "ScheduledProcedureStepStatus": "step_status",
    "ScheduledStationName": "station_name",
    "ScheduledProcedureStepLocation": "location",
}

_TAGS = frozenset(TAG[name] for name in MATCHED)
_TAGS_IN_STEP = frozenset(TAG[name] for name in MATCHED_IN_STEP)
_READERS: dict[str, Callable[[Keys, int], object]] = {
    "UI": Keys.texts, "CS": Keys.text, "DA": Keys.dates, "TM": Keys.times,
}  # fmt: skip


def _values(keys: Keys | None, matched: Mapping[str, str]) -> dict[str, Any]:
    if keys is None:
        return {}
    readers = _READERS | {"Modality": Keys.texts}
    return {
        name: readers.get(keyword, readers.get(VR[TAG[keyword]], Keys.text))(keys, TAG[keyword])
        for keyword, name in matched.items()
    }


def worklist_keys(keys: Keys, asker: str) -> WorklistKeys:
    """The search keys of a worklist identifier; raises InvalidValue naming a key that cannot be read."""
    step = _values(keys.item(STEPS), MATCHED_IN_STEP)
    issuer_item = keys.item(TAG["IssuerOfAccessionNumberSequence"])
    return WorklistKeys(
        asker=asker,
        accession_issuer=issuer_item.text(TAG["LocalNamespaceEntityID"]) if issuer_item else "",
        **_values(keys, MATCHED),
        **step,
    )


def unmatched(keys: Keys) -> bool:
    """Say whether a value was given for a key that is not matched."""
    step = keys.item(STEPS)
    outer = any(keys.text(tag) for tag in keys.tags() if tag not in _TAGS and tag != STEPS)
    return outer or bool(step and any(step.text(tag) for tag in step.tags() if tag not in _TAGS_IN_STEP))


def step_values(step: ScheduledProcedureStep, order: Order, station_aet: str) -> dict[int, object]:
    """The item of the Scheduled Procedure Step Sequence (PS3.4 table K.6-1)."""
    return {
        TAG["Modality"]: step.modality,
        TAG["ScheduledStationAETitle"]: station_aet,
        TAG["ScheduledProcedureStepStartDate"]: dicom_date(step.start_date),
        TAG["ScheduledProcedureStepStartTime"]: dicom_time(step.start_time),
        TAG["ScheduledPerformingPhysicianName"]: fitted_name(step.performing_physician),
        TAG["ScheduledProcedureStepDescription"]: fitting(
            step.description or order.procedure_description, "LO"
        ),
        TAG["ScheduledProtocolCodeSequence"]: codes(step.protocol_code),
        TAG["ScheduledProcedureStepID"]: step.step_id,
        TAG["ScheduledStationName"]: fitting(step.station_name, "SH"),
        TAG["ScheduledProcedureStepLocation"]: fitting(step.location, "SH"),
        TAG["ScheduledProcedureStepStatus"]: step_status(step),
        TAG["RequestedContrastAgent"]: fitting(order.contrast, "LO"),
        TAG["PreMedication"]: "",
        TAG["CommentsOnTheScheduledProcedureStep"]: order.technologist_note,
    }


def item_values(found: WorklistItem) -> dict[int, object]:
    """All attributes of a worklist item by tag (PS3.4 table K.6-1)."""
    order = found.order
    return patient_values(found) | {
        STEPS: [step_values(found.step, order, found.station_aet)],
        TAG["AccessionNumber"]: order.accession.value,
        TAG["IssuerOfAccessionNumberSequence"]: issuer(order.accession.issuer),
        TAG["ReferringPhysicianName"]: fitted_name(order.referring_physician),
        TAG["RequestingPhysician"]: fitted_name(order.requesting_physician),
        TAG["StudyInstanceUID"]: order.study_uid,
        TAG["RequestedProcedureID"]: order.procedure_id,
        TAG["RequestedProcedureDescription"]: fitting(
            order.procedure_description or order.procedure_code.meaning, "LO"
        ),
        TAG["RequestedProcedureCodeSequence"]: codes(order.procedure_code),
        TAG["RequestedProcedurePriority"]: order.priority.value,
        TAG["ReasonForTheRequestedProcedure"]: fitting(order.indication, "LO"),
        TAG["RequestedProcedureComments"]: order.question,
        TAG["PatientTransportArrangements"]: fitting(order.transport, "LO"),
        TAG["PlacerOrderNumberImagingServiceRequest"]: fitting(order.placer_number, "LO"),
        TAG["FillerOrderNumberImagingServiceRequest"]: fitting(order.filler_number, "LO"),
        TAG["OrderPlacerIdentifierSequence"]: giver(order.placer_issuer),
        TAG["OrderFillerIdentifierSequence"]: giver(order.filler_issuer),
        TAG["AdmissionID"]: fitting(order.admission_id, "LO"),
        TAG["ReferencedStudySequence"]: [],
        TAG["ReferencedPatientSequence"]: [],
    }


def patient_values(found: WorklistItem) -> dict[int, object]:
    """Patient identification, demographics and medical attributes of an item."""
    patient, order = found.patient, found.order
    person = patient.demographics
    return {
        TAG["PatientName"]: fitted_name(person.name),
        TAG["PatientID"]: patient.identifier.value,
        TAG["IssuerOfPatientID"]: patient.identifier.issuer,
        TAG["PatientBirthDate"]: dicom_date(person.birth_date),
        TAG["PatientSex"]: person.sex,
        TAG["OtherPatientIDs"]: [other.value for other in patient.other_identifiers],
        TAG["PatientAddress"]: fitting(person.address, "LO"),
        TAG["PatientSize"]: person.height_m,
        TAG["PatientWeight"]: person.weight_kg,
        TAG["MedicalAlerts"]: fitting(order.alerts or person.alerts, "LO"),
        TAG["Allergies"]: fitting(order.allergies or person.allergies, "LO"),
        TAG["PregnancyStatus"]: pregnancy_status(order, person),
        TAG["PatientState"]: fitting(order.patient_state, "LO"),
        TAG["SpecialNeeds"]: "",
        TAG["ConfidentialityConstraintOnPatientDataDescription"]: "",
    }


def codes(code: Code) -> list[dict[int, object]]:
    """A code sequence with one item, or none where there is no code."""
    if not code.value:
        return []
    return [{
        TAG["CodeValue"]: code.value,
        TAG["CodingSchemeDesignator"]: code.scheme,
        TAG["CodeMeaning"]: fitting(code.meaning, "LO"),
    }]  # fmt: skip


def issuer(name: str) -> list[dict[int, object]]:
    """The Issuer of Accession Number Sequence."""
    return [{TAG["LocalNamespaceEntityID"]: name}] if name else []


def giver(said: str) -> list[dict[int, object]]:
    """Who gave an order number (PS3.3 table 10-17), from ``namespace^universal ID^type`` (EI.2 to EI.4)."""
    namespace, universal, kind, *_ = *said.split("^"), "", ""
    item: dict[int, object] = {TAG["LocalNamespaceEntityID"]: namespace} if namespace else {}
    if universal and kind:
        item |= {TAG["UniversalEntityID"]: universal, TAG["UniversalEntityIDType"]: kind}
    return [item] if item else []


def pregnancy_status(order: Order, person: Demographics) -> int | None:
    """Pregnancy Status (0010,21C0): 1 not, 2 possibly, 3 definitely, 4 unknown; None where nothing is
    said."""
    said = (order.pregnancy or person.pregnancy).strip().casefold()
    if not said:
        return None
    known = {"1": 1, "2": 2, "3": 3, "4": 4, "n": 1, "no": 1, "not pregnant": 1, "possibly": 2, "possible": 2,
             "y": 3, "yes": 3, "b6": 3, "pregnant": 3}  # fmt: skip
    return known.get(said, 4)


def fitting(text: str, vr: str) -> str:
    """A description as its VR can hold it; what is too long is cut visibly and said in the log (PS3.5
    6.2)."""
    limit = LONGEST[vr]
    plain = " ".join(text.replace("\\", "/").split())
    if len(plain) <= limit:
        return plain
    log.info("a worklist text of %d characters is shown shortened to %d", len(plain), limit)
    return plain[: limit - 3].rstrip() + "..."


@dataclass(frozen=True, slots=True)
class _Question:
    """An identifier as it came, and its keys."""

    data: bytes
    transfer_syntax_uid: str
    keys: Keys = field(compare=False)


def _encoded(question: _Question, found: WorklistItem) -> bytes:
    keys = question.keys
    answer = Answer(item_values(found))
    return encode_answer(keys, answer, question.transfer_syntax_uid, keys.header.character_set)


class WorklistSCP:
    """Answers C-FIND requests on the modality worklist.

    A scanner asks the same all day: the same item in answer to the same bytes is encoded once.
    """

    def __init__(self, services: Services, audit: Audit) -> None:
        self._services = services
        self._audit = audit
        self._encoded = lru_cache(maxsize=REMEMBERED)(_encoded)

    def answer(self, association: Association, message: Message) -> None:
        """Send a pending response per step, then the final one."""
        context, command = message.context, message.command
        syntax = context.transfer_syntaxes[0]
        try:
            keys = read_keys(message.data, syntax)
            found = self._services.modality_worklist.query(worklist_keys(keys, association.calling))
        except ReadingRoomError as error:
            response = status.failure(command, error, status.QUERY)
            log.warning("%s: worklist refused with %04XH: %s", association.name, response.status, error.where)
            association.send(context.id, response)
            return
        question = _Question(message.data, syntax, keys)
        pending = status.PENDING_WITHOUT_OPTIONAL_KEYS if unmatched(keys) else status.PENDING
        encoded = (self._encoded(question, item) for item in found)
        noted = partial(self._audit.polled, association, "modality worklist", keys)
        send_matches(association, message, encoded, pending, noted)
