"""C-MOVE to known peers and C-GET on the same association (PS3.4 C.4.2, C.4.3)."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from pacs_core.dicom.dictionary import TAG, name_of
from pacs_core.dicom.encoding import element
from pacs_core.dicom.transfer_syntaxes import is_implicit
from pacs_core.dimse import commands, status
from pacs_core.dimse.association import Association, Message, Released
from pacs_core.dimse.auditing import Audit
from pacs_core.dimse.client import connect, storage_proposals
from pacs_core.dimse.commands import BadCommand, Command
from pacs_core.dimse.connection import Gone, Stopping
from pacs_core.dimse.find_scp import LEVELS, level_of
from pacs_core.dimse.identifiers import Keys, read_keys
from pacs_core.dimse.pdu import BadPdu
from pacs_core.dimse.sending import Originator, Outgoing, store
from pacs_core.domain.errors import InvalidValue, MissingValue, NotFound, ReadingRoomError, StorageFailure
from pacs_core.domain.records import PeerRecord, StudyKeys
from pacs_core.services.bundle import Services
from pacs_core.services.retrieving import StoredFile

log = logging.getLogger("reading_room.dimse")

UNIQUE = {
    "PATIENT": "PatientID", "STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}  # fmt: skip
MOST = 0xFFFF
"""Sub-operation counts are US: beyond this they stay at it (PS3.7 9.1.3)."""

PENDING_EVERY_S = 0.25
SUB_OPERATION_S = 120.0
"""Seconds a receiver has to answer one C-STORE."""

FAILED_LIST = TAG["FailedSOPInstanceUIDList"]


def retrieve_keys(keys: Keys, level: str) -> StudyKeys:
    """What is to be retrieved: the unique key of the level, those above it where they are given.

    Raises MissingValue or InvalidValue naming the key; wildcards select nothing here (PS3.4 C.4.2.2.1).
    """
    for name in LEVELS[: LEVELS.index(level) + 1]:
        tag = TAG[UNIQUE[name]]
        value = keys.header.text(tag)
        if name == level and not value:
            raise MissingValue(f"{name_of(tag)} is missing", name_of(tag))
        if any(c in value for c in "*?"):
            raise InvalidValue(f"{name_of(tag)}: a retrieval takes no wildcards", name_of(tag))
    return StudyKeys(
        patient_id=keys.text(TAG["PatientID"]),
        issuer=keys.text(TAG["IssuerOfPatientID"]),
        study_uids=keys.texts(TAG["StudyInstanceUID"]),
        series_uids=keys.texts(TAG["SeriesInstanceUID"]),
        instance_uids=keys.texts(TAG["SOPInstanceUID"]),
    )


@dataclass(slots=True)
class Progress:
    """How far the sub-operations are."""

    total: int
    completed: int = 0
    warned: int = 0
    failed_uids: list[str] = field(default_factory=list)

    def note(self, uid: str, kind: str) -> None:
        """Count one sub-operation by the kind of its status."""
        if kind == "success":
            self.completed += 1
        elif kind == "warning":
            self.warned += 1
        else:
            self.failed_uids.append(uid)

    @property
    def remaining(self) -> int:
        """Sub-operations not begun."""
        return self.total - self.completed - self.warned - len(self.failed_uids)

    def counts(self, *, final: bool) -> dict[str, int]:
        """The counts of a response; the remaining ones only where some can remain (PS3.7 9.1.3.2)."""
        found = {"completed": self.completed, "failed": len(self.failed_uids), "warning": self.warned}
        if not final:
            found["remaining"] = self.remaining
        return {name: min(number, MOST) for name, number in found.items()}

    def final_status(self) -> int:
        """Success, warning or failure of the whole (PS3.4 C.4.2.1.5)."""
        if not self.failed_uids and not self.warned:
            return status.SUCCESS
        if self.failed_uids and not self.completed and not self.warned:
            return status.CANNOT_PERFORM
        return status.SUB_OPERATIONS_FAILED


Outcomes = Generator[tuple[StoredFile, str], None, None]


class Cancelled(Exception):
    """The requestor cancelled."""


class RetrieveSCP:
    """Answers C-MOVE and C-GET requests."""

    def __init__(self, services: Services, title: str, audit: Audit) -> None:
        self._services = services
        self._title = title
        self._audit = audit

    def move(self, association: Association, message: Message) -> None:
        """Send what is asked for to a known peer, telling the requestor how far it is."""
        command = message.command
        title = command.text(commands.DESTINATION)
        try:
            files = self._files(message)
            peer = self._services.configuring.peer(title)
            if peer is None:
                raise NotFound(f"the move destination {title!r} is no peer")
        except ReadingRoomError as error:
            self._refuse(association, message, error)
            return
        originator = Originator(association.calling, command.message_id)
        task = _Retrieval(association, message, files)
        self._run(task, _to_peer(task, peer, self._title, originator), f"by C-MOVE to {title}")

    def get(self, association: Association, message: Message) -> None:
        """Send what is asked for on the association itself."""
        try:
            files = self._files(message)
        except ReadingRoomError as error:
            self._refuse(association, message, error)
            return
        task = _Retrieval(association, message, files)
        self._run(task, _on_association(task), "by C-GET")

    def _files(self, message: Message) -> list[tuple[StoredFile, Outgoing]]:
        keys = read_keys(message.data, message.context.transfer_syntaxes[0])
        level = level_of(keys, message.context.abstract_syntax)
        now = self._services.clock.now()
        found = self._services.retrieving.files(retrieve_keys(keys, level))
        return [(file, outgoing_of(file, now, self._title)) for file in found]

    def _refuse(self, association: Association, message: Message, error: ReadingRoomError) -> None:
        response = status.failure(message.command, error, status.RETRIEVE)
        name = message.command.name
        log.warning("%s: %s refused with %04XH: %s", association.name, name, response.status, error.where)
        association.send(message.context.id, response)

    def _run(self, task: _Retrieval, outcomes: Outcomes, how: str) -> None:
        """Each study that left is an export in the audit, also where the requestor broke off."""
        try:
            task.run(outcomes)
        finally:
            for study_uid, count in task.sent.items():
                self._audit.exported(task.association, study_uid, count, how)


def outgoing_of(file: StoredFile, now: datetime, system: str) -> Outgoing:
    """A stored file to be sent, corrections and all; raises StorageFailure where it does not lie on this
    machine."""
    if file.path is None:
        raise StorageFailure("the stored file does not lie on this machine", "data folder")
    instance = file.instance
    return Outgoing(
        path=file.path,
        sop_class_uid=instance.sop_class_uid,
        sop_instance_uid=instance.sop_instance_uid,
        transfer_syntax_uid=instance.transfer_syntax_uid,
        data_set_offset=instance.dataset_offset,
        pixel_offset=instance.pixel_offset,
        corrections=file.corrections,
        corrected_at=now,
        system=system,
    )


class _Retrieval:
    """One request: its objects, how far it is, and what the requestor is told meanwhile."""

    def __init__(
        self, association: Association, message: Message, files: Sequence[tuple[StoredFile, Outgoing]]
    ) -> None:
        self.association = association
        self.message = message
        self.files = files
        self.progress = Progress(len(files))
        self.sent: Counter[str] = Counter()
        self._told = 0.0

    def run(self, outcomes: Outcomes) -> None:
        """Follow the sub-operations to their end and send the final response."""
        try:
            with closing(outcomes):
                for file, kind in outcomes:
                    self.progress.note(file.instance.sop_instance_uid, kind)
                    if kind in ("success", "warning"):
                        self.sent[file.study_uid] += 1
                    self._tell()
        except Cancelled:
            self._end(status.CANCELLED)
            return
        self._end(self.progress.final_status())

    def _tell(self) -> None:
        """A pending response now and then, and a look for a C-CANCEL after every sub-operation."""
        command = self.message.command
        if self.association.poll_cancel(command.message_id):
            raise Cancelled
        if self.association.connection.stopping:
            raise Stopping("shutting down")
        now = time.monotonic()
        if self.progress.remaining and now - self._told >= PENDING_EVERY_S:
            self._told = now
            self.association.send(self.message.context.id, self._response(status.PENDING, final=False))

    def _response(self, code: int, *, final: bool, data_set: bool = False) -> Command:
        counts = self.progress.counts(final=final and code != status.CANCELLED)
        return self.message.command.response(code, data_set=data_set, **counts)

    def _end(self, code: int) -> None:
        failed = self.progress.failed_uids
        context = self.message.context
        listed = code != status.SUCCESS and bool(failed)
        response = self._response(code, final=True, data_set=listed)
        data = failed_list(failed, context.transfer_syntaxes[0]) if listed else None
        self.association.send(context.id, response, data)
        sent = self.progress.completed + self.progress.warned
        log.info(
            "%s: %s ended with %04XH: %d of %d sent, %d failed",
            self.association.name,
            self.message.command.name,
            code,
            sent,
            self.progress.total,
            len(failed),
        )


def failed_list(uids: Sequence[str], transfer_syntax_uid: str) -> bytes:
    """The identifier of a final response: Failed SOP Instance UID List (PS3.4 C.4.2.1.4.2).

    Longer than a UI element can say with explicit VR, it goes as UN (PS3.5 6.2.2).
    """
    value = "\\".join(uids).encode("ascii", "replace")
    implicit = is_implicit(transfer_syntax_uid)
    return element(FAILED_LIST, "UN" if len(value) > 0xFFFE else "UI", value, implicit)


def _attempt(association: Association, outgoing: Outgoing, originator: Originator | None) -> str:
    """Send one object; the kind of the receiver's status, or failure where it could not be sent."""
    try:
        answer = store(association, outgoing, originator, SUB_OPERATION_S)
    except (ReadingRoomError, OSError) as error:
        words = error.message if isinstance(error, ReadingRoomError) else error.strerror
        log.warning("%s: an object could not be sent: %s", association.name, words)
        return "failure"
    return status.meaning(answer.command.status).kind


def _on_association(task: _Retrieval) -> Outcomes:
    for file, outgoing in task.files:
        yield file, _attempt(task.association, outgoing, None)


def _to_peer(task: _Retrieval, peer: PeerRecord, title: str, originator: Originator) -> Outcomes:
    """Sub-operations over associations of ours with the destination; one that breaks fails what is left
    for it."""
    for group in storage_proposals(outgoing for _, outgoing in task.files):
        classes = {abstract for abstract, _ in group}
        waiting = [(f, o) for f, o in task.files if o.sop_class_uid in classes]
        try:
            receiver = connect(peer.host, peer.port, peer.title, title, group)
        except ReadingRoomError as error:
            log.warning("%s: %s", task.association.name, error.message)
            yield from ((file, "failure") for file, _ in waiting)
            continue
        yield from _over(receiver, waiting, originator)


def _over(
    receiver: Association, waiting: Sequence[tuple[StoredFile, Outgoing]], originator: Originator
) -> Outcomes:
    done = 0
    try:
        for file, outgoing in waiting:
            kind = _attempt(receiver, outgoing, originator)
            done += 1
            yield file, kind
    except (Gone, Released, BadPdu, BadCommand) as found:
        log.warning("%s: the receiver is gone: %s", receiver.name, found)
        receiver.abort()
        yield from ((file, "failure") for file, _ in waiting[done:])
        return
    except GeneratorExit:  # cancelled, or the requestor is gone
        receiver.release(2.0)
        raise
    receiver.release()
