"""Modality Performed Procedure Step: N-CREATE and N-SET from modalities, N-GET for who asks (PS3.4 F.7, F.8;
IHE RAD-6, RAD-7).

What table F.7.2-1 wants a value of (type 1) has to be there; what may be empty (type 2) may be missing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from pacs_core.dicom.civil import civil_date, civil_time
from pacs_core.dicom.dictionary import TAG, name_of
from pacs_core.dicom.headers import Header
from pacs_core.dicom.json import data_set_from_json, header_to_json
from pacs_core.dicom.sources import read_data_set
from pacs_core.dicom.transfer_syntaxes import is_implicit
from pacs_core.dimse import commands, status
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.association import Association, Message
from pacs_core.dimse.auditing import Audit, changing
from pacs_core.domain.errors import Denied, EmptyValue, InvalidValue, MissingValue, ReadingRoomError
from pacs_core.domain.identifiers import PatientIdentifier, is_tolerable_uid, new_uid
from pacs_core.domain.order import Code
from pacs_core.domain.performed import (
    STATUS,
    PerformedChange,
    PerformedProcedureStep,
    PerformedSeries,
    PerformedState,
    ScheduledStepReference,
)
from pacs_core.services.bundle import Services

log = logging.getLogger("reading_room.dimse")

SERVED = {
    sop.PERFORMED_PROCEDURE_STEP: (commands.N_CREATE_RQ, commands.N_SET_RQ),
    sop.PERFORMED_PROCEDURE_STEP_RETRIEVE: (commands.N_GET_RQ,),
}
"""Which services of which SOP class are served."""

ONLY_CREATED = (
    "ScheduledStepAttributesSequence", "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "PerformedStationAETitle", "PerformedStationName", "PerformedLocation", "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime", "PerformedProcedureStepID", "Modality", "StudyID",
)  # fmt: skip
"""What an N-SET may not change (PS3.4 table F.7.2-1)."""

IDENTIFYING = {
    "AE": "PerformedStationAETitle",
    "CS": "Modality PatientSex",
    "SH": "PerformedProcedureStepID PerformedStationName PerformedLocation StudyID AccessionNumber "
    "ScheduledProcedureStepID RequestedProcedureID",
    "LO": "PatientID IssuerOfPatientID",
    "PN": "PatientName",
    "UI": "StudyInstanceUID SeriesInstanceUID ReferencedSOPInstanceUID",
}
"""By VR what is held to its length and to one value (PS3.5 table 6.2-1), in sequences too; descriptions that
are too long are taken as they come, since no exam is found by them."""

LONGEST = {"AE": 16, "CS": 16, "SH": 16, "LO": 64, "PN": 64}

OBJECTS = (
    TAG["ReferencedImageSequence"],
    0x00400220,  # Referenced Non-Image Composite SOP Instance Sequence
)


_CHECKED = {TAG[keyword]: vr for vr, keywords in IDENTIFYING.items() for keyword in keywords.split()}


class PerformedSCP:
    """Answers the N- requests on performed procedure steps."""

    def __init__(self, services: Services, audit: Audit) -> None:
        self._performed = services.performed_procedures
        self._audit = audit

    def serves(self, sop_class: str) -> tuple[int, ...]:
        """The command fields served for a SOP class."""
        return SERVED[sop_class]

    def answer(self, association: Association, message: Message) -> None:
        """Carry out the request, commit, and respond."""
        command = message.command
        answers: dict[int, Callable[[Association, Message], None]] = {
            commands.N_CREATE_RQ: self._create,
            commands.N_SET_RQ: self._set,
            commands.N_GET_RQ: self._get,
        }
        try:
            answers[command.field](association, message)
        except ReadingRoomError as error:
            response = status.normalized_failure(command, error)
            log.warning(
                "%s: %s refused with %04XH: %s", association.name, command.name, response.status, error.where
            )
            association.send(message.context.id, response)

    def _create(self, association: Association, message: Message) -> None:
        uid = message.command.text(commands.AFFECTED_INSTANCE) or new_uid()
        if not is_tolerable_uid(uid):
            response = message.command.response(status.INVALID_INSTANCE, comment="this is no UID")
            association.send(message.context.id, response)
            return
        header = _header(message)
        step = replace(begun(header, uid), calling_aet=association.calling)
        _check_values(header)
        with changing(association, "begin performed step", f"performed:{uid}"):
            self._performed.begin(step)
        response = message.command.response(status.SUCCESS)
        response.values[commands.AFFECTED_INSTANCE] = uid
        association.send(message.context.id, response)

    def _set(self, association: Association, message: Message) -> None:
        uid = message.command.text(commands.REQUESTED_INSTANCE)
        header = _header(message)
        known = self._performed.get(uid)
        with changing(association, "change performed step", f"performed:{uid}"):
            _check_maker(known, association.calling)
            _check_untouched(header, known)
            _check_values(header)
            self._performed.change(uid, change_of(header), association.calling)
        association.send(message.context.id, message.command.response(status.SUCCESS))

    def _get(self, association: Association, message: Message) -> None:
        step = self._performed.get(message.command.text(commands.REQUESTED_INSTANCE))
        wanted = message.command.values.get(commands.ATTRIBUTES)
        data = _encoded(
            step, wanted if isinstance(wanted, tuple) else (), message.context.transfer_syntaxes[0]
        )
        self._audit.viewed(association, f"performed:{step.sop_instance_uid}", "N-GET")
        association.send(message.context.id, message.command.response(status.SUCCESS, data_set=True), data)


def begun(header: Header, uid: str) -> PerformedProcedureStep:
    """The step of an N-CREATE; raises MissingValue, EmptyValue or InvalidValue naming the attribute."""
    state = _state(header)
    if state is None:
        raise MissingValue("the status is missing", STATUS)
    return PerformedProcedureStep(
        sop_instance_uid=uid,
        state=state,
        performed_id=_needed(header, "PerformedProcedureStepID"),
        station_aet=_needed(header, "PerformedStationAETitle"),
        start_date=_civil(header, "PerformedProcedureStepStartDate", civil_date, needed=True),
        start_time=_civil(header, "PerformedProcedureStepStartTime", civil_time, needed=True),
        modality=_needed(header, "Modality"),
        patient=PatientIdentifier(header.text(TAG["PatientID"]), header.text(TAG["IssuerOfPatientID"])),
        patient_name=header.text(TAG["PatientName"]),
        station_name=header.text(TAG["PerformedStationName"]),
        end_date=_civil(header, "PerformedProcedureStepEndDate", civil_date),
        end_time=_civil(header, "PerformedProcedureStepEndTime", civil_time),
        description=header.text(TAG["PerformedProcedureStepDescription"]),
        series=_series(header),
        scheduled=_scheduled(header),
        attributes=header_to_json(header),
    )


def change_of(header: Header) -> PerformedChange:
    """What an N-SET says; raises as `begun`."""
    said = dict.fromkeys(header.tags(), True)

    def text(keyword: str, read: Callable[[str], str | None] | None = None) -> str | None:
        if TAG[keyword] not in said:
            return None
        return _civil(header, keyword, read) if read else header.text(TAG[keyword])

    reason = TAG["PerformedProcedureStepDiscontinuationReasonCodeSequence"]
    return PerformedChange(
        state=_state(header),
        end_date=text("PerformedProcedureStepEndDate", civil_date),
        end_time=text("PerformedProcedureStepEndTime", civil_time),
        description=text("PerformedProcedureStepDescription"),
        reason=_code(header, reason) if reason in said else None,
        series=_series(header) if TAG["PerformedSeriesSequence"] in said else None,
        attributes=header_to_json(header),
    )


def _header(message: Message) -> Header:
    if not message.command.has_data_set:
        raise MissingValue(f"the {message.command.name} has no attributes")
    return read_data_set(message.data, 0, message.context.transfer_syntaxes[0]).header


def _needed(header: Header, keyword: str) -> str:
    """A value of type 1."""
    tag = TAG[keyword]
    if tag not in header:
        raise MissingValue(f"{keyword} is missing", name_of(tag))
    value = header.text(tag)
    if not value:
        raise EmptyValue(f"{keyword} is empty", name_of(tag))
    return value


def _civil(header: Header, keyword: str, read: Callable[[str], str | None], needed: bool = False) -> str:
    text = _needed(header, keyword) if needed else header.text(TAG[keyword])
    found = read(text)
    if found is None:
        raise InvalidValue(f"{keyword}: {text[:32]!r} is no date or time", name_of(TAG[keyword]))
    return found


def _state(header: Header) -> PerformedState | None:
    text = header.text(TAG["PerformedProcedureStepStatus"])
    if TAG["PerformedProcedureStepStatus"] not in header:
        return None
    try:
        return PerformedState(_needed(header, "PerformedProcedureStepStatus"))
    except ValueError:
        raise InvalidValue(f"{text[:16]!r} is no status of a performed procedure step", STATUS) from None


def _scheduled(header: Header) -> tuple[ScheduledStepReference, ...]:
    """What was scheduled: at least one item, each with a study; the group case has several (IHE RAD-6)."""
    keyword = "ScheduledStepAttributesSequence"
    if TAG[keyword] not in header:
        raise MissingValue(f"{keyword} is missing", name_of(TAG[keyword]))
    items = header.items(TAG[keyword])
    if not items:
        raise EmptyValue(f"{keyword} has no item", name_of(TAG[keyword]))
    return tuple(
        ScheduledStepReference(
            _needed(one, "StudyInstanceUID"),
            one.text(TAG["AccessionNumber"]),
            one.text(TAG["RequestedProcedureID"]),
            one.text(TAG["ScheduledProcedureStepID"]),
        )
        for one in items
    )


def _series(header: Header) -> tuple[PerformedSeries, ...]:
    return tuple(
        PerformedSeries(
            _needed(one, "SeriesInstanceUID"),
            one.text(TAG["SeriesDescription"]),
            one.text(TAG["ProtocolName"]),
            tuple(
                uid
                for tag in OBJECTS
                for made in one.items(tag)
                if (uid := made.text(TAG["ReferencedSOPInstanceUID"]))
            ),
        )
        for one in header.items(TAG["PerformedSeriesSequence"])
    )


def _code(header: Header, tag: int) -> Code:
    for one in header.items(tag):
        names = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
        return Code(*(one.text(TAG[name]) for name in names))
    return Code()


def _check_maker(known: PerformedProcedureStep, calling: str) -> None:
    """A step is updated by the AE that created it alone (PS3.4 F.7.2.2: the same SCU); raises Denied."""
    if known.calling_aet != calling:
        raise Denied("another AE made this step, and it alone may update it")


def _check_values(header: Header) -> None:
    """Raise InvalidValue naming the first identifying attribute that its VR cannot hold, at any depth."""
    for tag in header.tags():
        for item in header.items(tag):
            _check_values(item)
        vr = _CHECKED.get(tag, "")
        if vr and not _held_by(header.text(tag), vr):
            raise InvalidValue(f"{name_of(tag)} does not fit its VR {vr}", name_of(tag))


def _held_by(value: str, vr: str) -> bool:
    """Whether it is one value, or none, of a VR."""
    if "\\" in value or any(ord(c) < 32 and c != "\x1b" for c in value):
        return False
    if vr == "UI":
        return not value or is_tolerable_uid(value)
    groups = value.split("=") if vr == "PN" else [value]
    return len(groups) <= 3 and all(len(group) <= LONGEST[vr] for group in groups)


def _check_untouched(header: Header, known: PerformedProcedureStep) -> None:
    """An N-SET may repeat what was created, but not change it; raises InvalidValue naming the attribute."""
    said = header_to_json(header)
    for keyword in ONLY_CREATED:
        key = f"{TAG[keyword]:08X}"
        if key in said and said[key] != known.attributes.get(key, said[key]):
            raise InvalidValue(f"{keyword} cannot be changed any more", name_of(TAG[keyword]))


def _encoded(step: PerformedProcedureStep, wanted: tuple[int, ...], syntax: str) -> bytes:
    """The attributes asked for, or all of them, as a data set."""
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    chosen = {key: value for key, value in step.attributes.items() if not wanted or int(key, 16) in wanted}
    data_set = data_set_from_json(chosen, {})
    if any(not str(value).isascii() for value in chosen.values()):
        data_set.SpecificCharacterSet = "ISO_IR 192"
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, is_implicit(syntax)
    write_dataset(out, data_set)
    return out.getvalue()
