"""What we ask of other application entities, an association each: for the command line, the simulated
scanner, tests.

Raises Busy where nobody answers, Refused where we are turned away or a query fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pacs_core.dicom.intake import intake_file
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.client import MOST_CONTEXTS, Proposal, connect, storage_proposals
from pacs_core.dimse.pdu import Role
from pacs_core.dimse.requesting import Answer, Client, KeyMapping, Moved, Sent
from pacs_core.dimse.sending import Outgoing
from pacs_core.domain.errors import InvalidValue

OUR_TITLE = "READINGROOM"

COMMON_STORAGE = tuple(
    f"1.2.840.10008.5.1.4.1.1.{n}"
    for n in (
        "1", "1.1", "1.2", "1.3", "2", "2.1", "3.1", "4", "4.1", "4.2", "4.3", "6.1", "6.2", "7", "7.1",
        "7.2",
        "7.3", "7.4", "9.1.1", "11.1", "12.1", "12.2", "13.1.3", "20", "30", "66", "66.4", "67", "88.11",
        "88.22",
        "88.33", "88.59", "88.67", "104.1", "128", "130", "481.1", "481.2", "481.3", "481.5",
    )
)  # fmt: skip
"""Storage classes proposed for C-GET where no others are named."""

MODELS = {
    ("find", "patient"): sop.PATIENT_ROOT_FIND,
    ("find", "study"): sop.STUDY_ROOT_FIND,
    ("move", "patient"): sop.PATIENT_ROOT_MOVE,
    ("move", "study"): sop.STUDY_ROOT_MOVE,
    ("get", "patient"): sop.PATIENT_ROOT_GET,
    ("get", "study"): sop.STUDY_ROOT_GET,
}


def outgoing_of(path: Path) -> Outgoing:
    """A file as it lies on the disk, to be sent; raises NotDicom, Damaged, NotStorable or OSError."""
    taken = intake_file(path)
    header = taken.header
    return Outgoing(
        path, header.sop_class_uid, header.sop_instance_uid, header.transfer_syntax_uid, taken.source_offset
    )


def echo(host: str, port: int, called: str, calling: str = OUR_TITLE, *, timeout_s: float = 10.0) -> None:
    """C-ECHO an application entity."""
    with Client(
        connect(host, port, called, calling, [_plain(sop.VERIFICATION)], timeout_s=timeout_s)
    ) as client:
        client.echo()


def store(
    host: str,
    port: int,
    called: str,
    objects: Iterable[Path | Outgoing],
    calling: str = OUR_TITLE,
    *,
    timeout_s: float = 15.0,
) -> Iterator[Sent]:
    """C-STORE files in their own transfer syntax, over as few associations as their classes allow.

    Yields what became of each as the peer answers. Raises NotDicom, Damaged or NotStorable before anything is
    sent where a file is none to be sent.
    """
    outgoing = [o if isinstance(o, Outgoing) else outgoing_of(o) for o in objects]
    for group in storage_proposals(outgoing):
        classes = {abstract for abstract, _ in group}
        with Client(connect(host, port, called, calling, group, timeout_s=timeout_s)) as client:
            for one in outgoing:
                if one.sop_class_uid in classes:
                    yield client.store(one)


def find(
    host: str,
    port: int,
    called: str,
    keys: KeyMapping,
    calling: str = OUR_TITLE,
    *,
    level: str = "STUDY",
    root: str = "study",
    character_set: str = "ISO_IR 192",
    relational: bool = False,
) -> list[Answer]:
    """C-FIND in the Study Root or Patient Root model."""
    model = _model("find", root)
    extended = {model: b"\1"} if relational else {}
    with Client(connect(host, port, called, calling, [_plain(model)], extended=extended)) as client:
        return client.find(model, {"QueryRetrieveLevel": level, **keys}, character_set=character_set)


WORKLIST_KEYS: Mapping[str, str] = dict.fromkeys(
    (
        "AccessionNumber", "ReferringPhysicianName", "PatientName", "PatientID", "IssuerOfPatientID",
        "PatientBirthDate", "PatientSex", "PatientWeight", "MedicalAlerts", "Allergies", "PregnancyStatus",
        "StudyInstanceUID", "RequestingPhysician", "RequestedProcedureDescription", "RequestedProcedureID",
        "RequestedProcedurePriority", "ReasonForTheRequestedProcedure", "AdmissionID",
    ),
    "",
)  # fmt: skip
STEP_KEYS: Mapping[str, str] = dict.fromkeys(
    (
        "Modality", "ScheduledStationAETitle", "ScheduledProcedureStepStartDate",
        "ScheduledProcedureStepStartTime",
        "ScheduledPerformingPhysicianName", "ScheduledProcedureStepDescription", "ScheduledProcedureStepID",
        "ScheduledStationName", "ScheduledProcedureStepLocation",
    ),
    "",
)  # fmt: skip
"""What a scanner asks for of an item and of its step."""


def worklist(
    host: str,
    port: int,
    called: str,
    calling: str = OUR_TITLE,
    *,
    keys: KeyMapping | None = None,
    step: KeyMapping | None = None,
    character_set: str = "ISO_IR 192",
) -> list[Answer]:
    """Modality worklist C-FIND; `step` are keys inside the Scheduled Procedure Step Sequence.

    Each answer holds the step's values in ``answer["ScheduledProcedureStepSequence"][0]``.
    """
    wanted: dict[str, object] = {**WORKLIST_KEYS, **(keys or {})}
    wanted["ScheduledProcedureStepSequence"] = [{**STEP_KEYS, **(step or {})}]
    with Client(connect(host, port, called, calling, [_plain(sop.MODALITY_WORKLIST)])) as client:
        return client.find(sop.MODALITY_WORKLIST, wanted, character_set=character_set)


def move(
    host: str,
    port: int,
    called: str,
    destination: str,
    keys: KeyMapping,
    calling: str = OUR_TITLE,
    *,
    level: str = "STUDY",
    root: str = "study",
) -> Moved:
    """C-MOVE to an application entity that the peer knows; how it ended is in the answer."""
    model = _model("move", root)
    with Client(connect(host, port, called, calling, [_plain(model)])) as client:
        return client.move(model, {"QueryRetrieveLevel": level, **keys}, destination)


def get(
    host: str,
    port: int,
    called: str,
    keys: KeyMapping,
    folder: Path,
    calling: str = OUR_TITLE,
    *,
    level: str = "STUDY",
    root: str = "study",
    storage: Iterable[Proposal] | None = None,
) -> Moved:
    """C-GET into a folder; how it ended is in the answer.

    `storage` are the (SOP class, transfer syntaxes) taken; by default common classes uncompressed.
    """
    model = _model("get", root)
    taken = list(storage) if storage is not None else [_plain(uid) for uid in COMMON_STORAGE]
    proposals = [_plain(model), *taken][:MOST_CONTEXTS]
    roles = [Role(uid, scu=False, scp=True) for uid in dict.fromkeys(uid for uid, _ in taken)]
    with Client(connect(host, port, called, calling, proposals, roles=roles)) as client:
        return client.get(model, {"QueryRetrieveLevel": level, **keys}, folder)


def _plain(sop_class: str) -> Proposal:
    return sop_class, sop.PLAIN_SYNTAXES


def _model(service: str, root: str) -> str:
    if (service, root) not in MODELS:
        raise InvalidValue(f"{root!r} is no information model: study or patient", "root")
    return MODELS[service, root]
