"""STOW-RS: storing objects from a multipart body, each streamed to the store as it comes (PS3.18 10.5).

200 where all were stored, 202 where some failed, 409 where none was; the answer names each with its reason.
An object counts as stored once its file and its row are synced, whatever becomes of the rest of the body.
While one is being synced the next ones come in, so that one commit serves several.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from pacs_core.archive import codec
from pacs_core.archive.importing import import_file
from pacs_core.dicom.intake import Intake, intake_file
from pacs_core.domain import errors as e
from pacs_core.domain.access import Actor, Verb
from pacs_core.domain.study import InstanceHeader, Origin
from pacs_core.ports import BlobWriter
from pacs_core.services.storing import ReceivedObject
from pacs_core.web import bodies
from pacs_core.web.attributes import DICOM_JSON
from pacs_core.web.blocking import Blocking
from pacs_core.web.callers import actor_of, caller_of
from pacs_core.web.media import MULTIPART, MediaType, parse_media_type
from pacs_core.web.multipart import Event, MultipartReader, PartBegins, PartData
from pacs_core.web.node import WebNode
from pacs_core.web.paths import ROOT, accepted, base_url, path_uids
from pacs_core.web.problems import HttpProblem, not_acceptable, unsupported
from pacs_core.web.representations import DICOM
from pacs_core.web.routing import At
from pacs_core.web.stow_answer import Answer, Failure, Stored

log = logging.getLogger("reading_room.web")

WRITE_FROM = 1 << 20
IN_FLIGHT = 8
_ANSWERS = (DICOM_JSON, "application/json", "application/*", "*/*")


@dataclass
class _Part:
    """One object on its way in: its writer, what is not written yet, and why it is refused if it is."""

    number: int
    headers: dict[str, str]
    writer: BlobWriter | None = None
    waiting: bytearray = field(default_factory=bytearray)
    size: int = 0
    whole: bool = False
    refusal: e.ReadingRoomError | None = None


class Stow:
    """The storage resources."""

    def __init__(self, node: WebNode, blocking: Blocking, max_object: int) -> None:
        self._node = node
        self._blocking = blocking
        self._max_object = max_object

    def endpoints(self) -> list[At]:
        """Storing anywhere, and storing into one study."""
        return [
            At(f"{ROOT}/studies", "POST", self._store),
            At(f"{ROOT}/studies/{{study}}", "POST", self._store),
        ]

    async def _store(self, request: Request) -> Response:
        actor, study = actor_of(request), path_uids(request).get("study", "")
        if not any(one.full in _ANSWERS for one in accepted(request)):
            raise not_acceptable(f"what was stored is told as {DICOM_JSON}")
        body_type = bodies.content_type(request)
        await self._blocking.run(
            self._node.access.require, actor, Verb.STORE, f"study:{study}" if study else ""
        )
        origin = Origin("stow", actor.name, address=caller_of(request).address)
        reception = _Reception(self._node, self._blocking, origin, study, self._max_object)
        await reception.take(request, body_type)
        answer = Answer(base_url(request), study, reception.stored, reception.failed)
        await self._blocking.run(_note, self._node, actor, answer)
        return Response(codec.dump(answer.attributes()), answer.status, media_type=DICOM_JSON)


def _note(node: WebNode, actor: Actor, answer: Answer) -> None:
    for study in sorted({one.study_uid for one in answer.stored}):
        count = sum(one.study_uid == study for one in answer.stored)
        node.access.note(actor, "store", f"study:{study}", detail=f"{count} by STOW-RS")


class _Reception:
    """One request's objects, taken in one after another."""

    def __init__(
        self, node: WebNode, blocking: Blocking, origin: Origin, study: str, max_object: int
    ) -> None:
        self._storing = node.storing
        self._blocking = blocking
        self._origin = origin
        self._study = study
        self._max_object = max_object
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._keeping: list[asyncio.Task[None]] = []
        self._stored: list[tuple[int, Stored]] = []
        self._failed: list[Failure] = []

    @property
    def stored(self) -> list[Stored]:
        """What was stored, in the order it came."""
        return [one for _, one in sorted(self._stored, key=lambda numbered: numbered[0])]

    @property
    def failed(self) -> list[Failure]:
        """What was not, in the order it came."""
        return sorted(self._failed, key=lambda failure: failure.number)

    async def take(self, request: Request, body_type: MediaType) -> None:
        """Take the whole body; raises what is wrong with the body as such, saying what was stored before."""
        if body_type.full == DICOM:
            await self._take_one(request)
        elif body_type.full == MULTIPART:
            await self._take_parts(request, _reader(body_type))
        else:
            raise unsupported(f'objects come as {MULTIPART}; type="{DICOM}", or one as {DICOM}')
        for task in self._keeping:
            task.result()  # a failure nobody foresaw is not passed over

    async def _take_one(self, request: Request) -> None:
        part = _Part(1, {"content-type": DICOM})
        try:
            await self._begin(part)
            async for chunk in bodies.stream(request):
                await self._more(part, chunk)
            await self._finish(part)
        finally:
            await self._end(part)

    async def _take_parts(self, request: Request, reader: MultipartReader) -> None:
        part: _Part | None = None
        try:
            async for event in _events(request, reader):
                if isinstance(event, PartBegins):
                    part = _Part(event.number, event.headers)
                    await self._begin(part)
                elif isinstance(event, PartData):
                    assert part is not None
                    await self._more(part, event.data)
                else:
                    assert part is not None
                    await self._finish(part)
                    part = None
        except e.InvalidValue as error:
            await self._end(part)
            raise HttpProblem(
                400, "Broken multipart", f"{error.message}; {self._so_far()}", error.where
            ) from None
        finally:
            await self._end(part)
        if not reader.parts:
            raise e.InvalidValue("the multipart body has no part", "body")

    async def _end(self, part: _Part | None) -> None:
        """Throw away what is not whole, and wait for what is being kept."""
        if part is not None and not part.whole:
            await self._blocking.run(_drop, part)
        await asyncio.gather(*self._keeping, return_exceptions=True)

    def _so_far(self) -> str:
        count = len(self._stored)
        return f"{count} of the objects before it were stored" if count else "nothing was stored"

    async def _begin(self, part: _Part) -> None:
        part.refusal = _wrong_type(part)
        if part.refusal is None:
            try:
                part.writer = await self._blocking.run(self._storing.begin, self._origin.door)
            except e.ReadingRoomError as error:
                part.refusal = error

    async def _more(self, part: _Part, data: bytes) -> None:
        part.size += len(data)
        if part.size > self._max_object and part.refusal is None:
            words = f"the object is larger than {self._max_object} bytes"
            part.refusal = e.Refused(words, f"part {part.number}")
        if part.refusal is not None:
            return
        part.waiting += data
        if len(part.waiting) >= WRITE_FROM:
            await self._write(part)

    async def _write(self, part: _Part) -> None:
        assert part.writer is not None
        data, part.waiting = bytes(part.waiting), bytearray()
        try:
            await self._blocking.run(part.writer.write, data)
        except e.ReadingRoomError as error:
            part.refusal = error

    async def _finish(self, part: _Part) -> None:
        part.refusal = part.refusal or _lying_length(part)
        if part.refusal is None and part.waiting:
            await self._write(part)
        if part.refusal is not None:
            await self._blocking.run(_drop, part)
            self._failed.append(Failure(part.number, part.refusal))
            return
        part.whole = True
        await self._slots.acquire()
        task = asyncio.create_task(self._keep_whole(part))
        task.add_done_callback(lambda _: self._slots.release())
        self._keeping.append(task)

    async def _keep_whole(self, part: _Part) -> None:
        try:
            self._stored.append((part.number, await self._blocking.run(self._keep, part)))
        except _NotKept as refused:
            self._failed.append(Failure(part.number, refused.error, refused.header))
        except e.Busy as busy:
            _drop(part)
            self._failed.append(Failure(part.number, busy))

    def _keep(self, part: _Part) -> Stored:
        """Check what was written and make it part of the archive; blocks until it is synced."""
        assert part.writer is not None
        header: InstanceHeader | None = None
        try:
            taken = intake_file(part.writer.path)
            header = taken.header
            self._check_study(header)
            self._keep_checked(part.writer, taken)
            part.writer = None
        except e.ReadingRoomError as error:
            raise _NotKept(error, header) from None
        except OSError as error:
            raise _NotKept(e.StorageFailure(f"the store failed: {error.strerror}"), header) from None
        finally:
            _drop(part)
        return Stored(
            header.study_instance_uid,
            header.series_instance_uid,
            header.sop_instance_uid,
            header.sop_class_uid,
        )

    def _check_study(self, header: InstanceHeader) -> None:
        if self._study and header.study_instance_uid != self._study:
            raise e.Conflict(
                f"the object is of study {header.study_instance_uid}, not of the path's {self._study}",
                "StudyInstanceUID",
            )

    def _keep_checked(self, writer: BlobWriter, taken: Intake) -> None:
        if _starts_with(writer, taken.prefix):
            received = ReceivedObject(taken.header, taken.digest, taken.size, taken.data_set_offset)
            self._storing.keep(writer, received, self._origin)
            return
        # a bare data set: the stored file gets the file meta information it came without
        import_file(self._storing, writer.path, self._origin)
        writer.abort()


class _NotKept(Exception):
    """One object was refused, with the header as far as it was read."""

    def __init__(self, error: e.ReadingRoomError, header: InstanceHeader | None) -> None:
        super().__init__(error.message)
        self.error = error
        self.header = header


def _starts_with(writer: BlobWriter, prefix: bytes) -> bool:
    with writer.path.open("rb") as source:
        return source.read(len(prefix)) == prefix


def _drop(part: _Part) -> None:
    if part.writer is not None:
        part.writer.abort()
        part.writer = None


def _wrong_type(part: _Part) -> e.ReadingRoomError | None:
    where = f"part {part.number}"
    text = part.headers.get("content-type", DICOM)
    try:
        full = parse_media_type(text, where).full
    except e.InvalidValue as error:
        return error
    if full != DICOM:
        return e.NotDicom(f"a part of type {full} is not stored, only {DICOM}", where)
    encoding = part.headers.get("content-transfer-encoding", "binary").lower()
    if encoding not in ("binary", "8bit", "7bit"):
        return e.Damaged(f"the transfer encoding {encoding[:20]!r} is not read", where)
    return None


def _lying_length(part: _Part) -> e.ReadingRoomError | None:
    """A part needs no length; where it says one, it has to be its own."""
    said = part.headers.get("content-length", "")
    if not said or (said.isdecimal() and int(said) == part.size):
        return None
    where = f"part {part.number}"
    return e.Damaged(f"its Content-Length says {said[:20]}, {part.size} bytes came", where)


def _reader(body_type: MediaType) -> MultipartReader:
    if body_type.related not in (DICOM, ""):
        raise unsupported(f'the multipart is to be of type="{DICOM}", not {body_type.related}')
    return MultipartReader(body_type.parameters.get("boundary", ""))


async def _events(request: Request, reader: MultipartReader) -> AsyncIterator[Event]:
    """The parts' events; raises InvalidValue where the form is broken."""
    async for chunk in bodies.stream(request):
        for event in reader.feed(chunk):
            yield event
    reader.close()
