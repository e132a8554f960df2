"""WADO-RS: studies, series and instances as DICOM files, streamed one after another (PS3.18 10.4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pacs_core.services.retrieving import StoredFile
from pacs_core.web.blocking import Blocking
from pacs_core.web.callers import actor_of
from pacs_core.web.corrected import Source, opened
from pacs_core.web.multipart import MultipartWriter
from pacs_core.web.node import WebNode
from pacs_core.web.paths import ROOT, accepted, base_url, path_uids
from pacs_core.web.problems import not_acceptable
from pacs_core.web.representations import DICOM, Form, object_forms, object_syntax
from pacs_core.web.routing import At
from pacs_core.web.views import Views

CHUNK = 1 << 20

STUDY_PATH = f"{ROOT}/studies/{{study}}"
SERIES_PATH = f"{STUDY_PATH}/series/{{series}}"
INSTANCE_PATH = f"{SERIES_PATH}/instances/{{instance}}"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file that is to go out, and the transfer syntax it goes in."""

    file: StoredFile
    transfer_syntax: str


class Wado:
    """Whole objects; nothing but one chunk, or one corrected or unpacked instance, is in memory."""

    def __init__(self, node: WebNode, blocking: Blocking, views: Views) -> None:
        self._node = node
        self._blocking = blocking
        self._views = views

    def endpoints(self) -> list[At]:
        """The three levels."""
        return [At(path, "GET", self._objects) for path in (STUDY_PATH, SERIES_PATH, INSTANCE_PATH)]

    async def _objects(self, request: Request) -> Response:
        uids = path_uids(request)
        forms = object_forms(accepted(request), single="instance" in uids)
        if not forms:
            raise not_acceptable(f'objects are given as multipart/related; type="{DICOM}"')
        files = await self._blocking.run(self._views.files, actor_of(request), uids, "export")
        form, outgoing = _choose(forms, files)
        first = await self._blocking.run(self._open, outgoing[0])
        status = 200 if len(outgoing) == len(files) else 206
        if not form.multipart:
            media_type = f"{DICOM}; transfer-syntax={outgoing[0].transfer_syntax}"
            return StreamingResponse(self._chunks(first), status, media_type=media_type)
        writer = MultipartWriter(DICOM)
        body = self._parts(writer, outgoing, first, base_url(request))
        return StreamingResponse(body, status, media_type=writer.media_type)

    async def _parts(
        self, writer: MultipartWriter, outgoing: Sequence[Outgoing], first: Source, base: str
    ) -> AsyncIterator[bytes]:
        for index, one in enumerate(outgoing):
            source = await self._blocking.run(self._open, one) if index else first
            content_type = f"{DICOM}; transfer-syntax={one.transfer_syntax}"
            yield writer.begin(content_type, instance_url(base, one.file))
            async for chunk in self._chunks(source):
                yield chunk
        yield writer.end()

    def _open(self, one: Outgoing) -> Source:
        return opened(self._node.retrieving, one.file, one.transfer_syntax)

    async def _chunks(self, source: Source) -> AsyncIterator[bytes]:
        with closing(source):
            while chunk := await self._blocking.run(source.read, CHUNK):
                yield chunk


def instance_url(base: str, file: StoredFile) -> str:
    """Where an instance is retrieved."""
    return (
        f"{base}/studies/{file.study_uid}/series/{file.series_uid}/instances/{file.instance.sop_instance_uid}"
    )


def _choose(forms: Sequence[Form], files: Sequence[StoredFile]) -> tuple[Form, list[Outgoing]]:
    """Each file in its best form, the envelope being that of the best form that fits any; else a 406."""
    for envelope in forms:
        fitting = [f for f in forms if f.multipart == envelope.multipart]
        outgoing = [out for file in files if (out := _outgoing(fitting, file)) is not None]
        if outgoing:
            return envelope, outgoing
    stored = sorted({f.instance.transfer_syntax_uid for f in files})
    raise not_acceptable(f"it is stored as {', '.join(stored)} and cannot be given in what was asked for")


def _outgoing(forms: Sequence[Form], file: StoredFile) -> Outgoing | None:
    for form in forms:
        syntax = object_syntax(form, file.instance.transfer_syntax_uid)
        if syntax is not None:
            return Outgoing(file, syntax)
    return None
