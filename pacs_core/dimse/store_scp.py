"""C-STORE as receiver: bytes kept as they come, Success only when they are safe (PS3.4 annex B; PS3.7
9.1.1)."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from pacs_core.dicom.intake import Intake, intake_data_set, intake_file, part10_prefix
from pacs_core.dimse import commands, status
from pacs_core.dimse.association import Association, Message
from pacs_core.dimse.commands import Command
from pacs_core.dimse.pdu import Context
from pacs_core.domain.errors import Damaged, Denied, NotDicom, ReadingRoomError, StorageFailure
from pacs_core.domain.study import Origin
from pacs_core.ports import BlobWriter
from pacs_core.services.storing import ReceivedObject, Storing

log = logging.getLogger("reading_room.dimse")

IN_MEMORY = 4 << 20
"""Objects up to this many bytes are written at once, larger ones as they come."""

DOOR = "dimse"


class IncomingObject:
    """The sink of one C-STORE: digests as it goes, in memory until it grows, then in the store's own file.

    In memory it is as it will be in the file, meta information first, in the association's scratch bytes. A
    failure of the store is kept until the data set has passed, so that the sender hears it as a status.
    """

    def __init__(
        self, storing: Storing, association: Association, context: Context, command: Command
    ) -> None:
        self._storing = storing
        self.syntax = context.transfer_syntaxes[0]
        self.sop_class = command.text(commands.AFFECTED_CLASS)
        self.sop_instance = command.text(commands.AFFECTED_INSTANCE)
        self.prefix = part10_prefix(self.sop_class, self.sop_instance, self.syntax, association.calling)
        self.size = 0
        self.error: ReadingRoomError | None = None
        if not association.may_store:
            self.error = Denied(f"{association.calling} may not store here")
        self._digest = hashlib.sha256()
        self._association = association
        self._start = self._end = len(self.prefix)
        self._writer: BlobWriter | None = None

    def write(self, data: memoryview) -> None:
        """Take the next bytes of the data set."""
        self.size += len(data)
        if self.error is not None:
            return
        self._digest.update(data)
        try:
            if self._writer is None:
                room = self.room(len(data))
                if room is not None:
                    room[:] = data
                    self._end += len(data)
                    return
                self._spill()
            if self._writer is not None:
                self._writer.write(data)
        except ReadingRoomError as error:
            self.drop()
            self.error = error

    def room(self, count: int) -> memoryview | None:
        """Where the next bytes may be put at once; None where they are to be written."""
        end = self._end + count
        if self._writer is not None or self.error is not None or end - self._start > IN_MEMORY:
            return None
        if end > len(self._association.scratch):
            larger = bytearray(2 * end)
            larger[self._start : self._end] = self._held()[self._start :]
            self._association.scratch = larger
        return memoryview(self._association.scratch)[self._end : end]

    def filled(self, room: memoryview) -> None:
        """The bytes are in the room that was given."""
        self.size += len(room)
        self._end += len(room)
        self._digest.update(room)

    def _held(self) -> memoryview:
        """What came so far, behind its meta information."""
        return memoryview(self._association.scratch)[: self._end]

    def _spill(self, digest: str = "") -> None:
        self._writer = writer = self._storing.begin("dimse", digest)
        self._association.scratch[: self._start] = self.prefix
        writer.write(self._held())

    def take(self) -> tuple[BlobWriter, Intake]:
        """Check the whole object and have it in a writer, not committed; raises what is wrong with it or
        the store."""
        if self.error is not None:
            raise self.error
        digest = self._digest.hexdigest()
        if self._writer is None:
            taken = intake_data_set(
                self._held()[self._start :], self.syntax, sop_class_uid=self.sop_class,
                sop_instance_uid=self.sop_instance,
                digest=digest, prefix=self.prefix,
            )  # fmt: skip
            self._spill(digest)
        else:
            taken = self._check_file(self._writer.path, digest)
        assert self._writer is not None
        return self._writer, taken

    def _check_file(self, path: Path, digest: str) -> Intake:
        try:
            taken = intake_file(path, digest)
        except OSError as error:
            raise StorageFailure(
                f"the received file cannot be read: {error.strerror}", "data folder"
            ) from error
        inside = taken.header.sop_instance_uid
        if self.sop_instance and inside != self.sop_instance:
            raise Damaged(
                f"The data set's SOP Instance UID {inside} is not the request's {self.sop_instance}"
            )
        return taken

    def drop(self) -> None:
        """Forget the object."""
        if self._writer is not None:
            self._writer.abort()
            self._writer = None


class StoreSCP:
    """Answers C-STORE requests."""

    def __init__(self, storing: Storing) -> None:
        self._storing = storing

    def sink(self, association: Association, context: Context, command: Command) -> IncomingObject:
        """Where the data set of a C-STORE goes."""
        return IncomingObject(self._storing, association, context, command)

    def answer(self, association: Association, message: Message) -> None:
        """Keep the object and send the response."""
        command = message.command
        incoming = message.sink
        try:
            if not isinstance(incoming, IncomingObject):
                raise NotDicom("A C-STORE without a data set")
            self._keep(association, incoming)
        except ReadingRoomError as error:
            if isinstance(incoming, IncomingObject):
                incoming.drop()
            response = status.failure(command, error, status.STORE)
            log.warning(
                "%s: C-STORE refused with %04XH: %s", association.name, response.status, type(error).__name__
            )
            log.debug("%s: %s", association.name, error.message)
            association.send(message.context.id, response)
            return
        association.send(message.context.id, command.response(status.SUCCESS))

    def _keep(self, association: Association, incoming: IncomingObject) -> None:
        writer, taken = incoming.take()
        received = ReceivedObject(taken.header, taken.digest, incoming.size, taken.data_set_offset)
        origin = Origin(DOOR, association.calling, association.called, association.address, association.name)
        self._storing.keep(writer, received, origin)
        for words in taken.header.warnings:
            log.debug("%s: tolerated: %s", association.name, words)
