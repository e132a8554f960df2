"""WADO-RS metadata and bulk data: every attribute but the bulk, as DICOM JSON (PS3.18 10.4.1.1.2, .5)."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import AsyncIterator, Sequence

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pacs_core.archive import codec
from pacs_core.archive.routes import JSON
from pacs_core.dicom.json import bulk_data, data_set_to_json
from pacs_core.dicom.transfer_syntaxes import EXPLICIT, VIDEO
from pacs_core.services.retrieving import StoredFile
from pacs_core.web.attributes import DICOM_JSON
from pacs_core.web.blocking import Blocking
from pacs_core.web.callers import actor_of
from pacs_core.web.corrected import header_bytes, whole
from pacs_core.web.media import MULTIPART
from pacs_core.web.multipart import MultipartWriter
from pacs_core.web.node import WebNode
from pacs_core.web.paths import accepted, base_url, path_uids
from pacs_core.web.problems import not_acceptable
from pacs_core.web.representations import OCTETS
from pacs_core.web.responses import LEVEL, has_tag, takes_gzip
from pacs_core.web.routing import At
from pacs_core.web.views import Views
from pacs_core.web.wado import INSTANCE_PATH, SERIES_PATH, STUDY_PATH, instance_url

BATCH = 16
PIXEL_DATA = "7FE00010"


class Metadata:
    """Metadata at three levels, and the bulk data it refers to."""

    def __init__(self, node: WebNode, blocking: Blocking, views: Views) -> None:
        self._node = node
        self._blocking = blocking
        self._views = views

    def endpoints(self) -> list[At]:
        """Metadata of study, series and instance; bulk data of an instance."""
        levels = (STUDY_PATH, SERIES_PATH, INSTANCE_PATH)
        found = [At(f"{path}/metadata", "GET", self._metadata) for path in levels]
        return [*found, At(INSTANCE_PATH + "/bulkdata/{path:path}", "GET", self._bulk)]

    async def _metadata(self, request: Request) -> Response:
        media_type = _media_type(request)
        files = await self._blocking.run(self._views.files, actor_of(request), path_uids(request), "view")
        tag = _tag(files)
        headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
        if has_tag(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        body = self._documents(files, base_url(request))
        if takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
            body = _gzipped(body)
        return StreamingResponse(body, headers=headers, media_type=media_type)

    async def _documents(self, files: Sequence[StoredFile], base: str) -> AsyncIterator[bytes]:
        for start in range(0, len(files), BATCH):
            batch = await self._blocking.run(self._batch, files[start : start + BATCH], base)
            yield (b"," if start else b"[") + batch
        yield b"]"

    def _batch(self, files: Sequence[StoredFile], base: str) -> bytes:
        return b",".join(self._document(file, f"{instance_url(base, file)}/bulkdata") for file in files)

    def _document(self, file: StoredFile, bulk_url: str) -> bytes:
        head, pixel_vr = header_bytes(self._node.retrieving, file)
        found = data_set_to_json(head, lambda path: f"{bulk_url}/{path}")
        if pixel_vr:
            found[PIXEL_DATA] = {"vr": pixel_vr, "BulkDataURI": f"{bulk_url}/{PIXEL_DATA}"}
        return codec.dump(found)

    async def _bulk(self, request: Request) -> Response:
        alone = _alone(request)
        files = await self._blocking.run(self._views.files, actor_of(request), path_uids(request), "view")
        data = await self._blocking.run(self._bulk_bytes, files[0], request.path_params["path"])
        if alone:
            return Response(data, media_type=OCTETS)
        writer = MultipartWriter(OCTETS)
        return Response(writer.begin(OCTETS) + data + writer.end(), media_type=writer.media_type)

    def _bulk_bytes(self, file: StoredFile, path: str) -> bytes:
        """A value's bytes; pixel data as plain little-endian values, except of video, which goes as it is."""
        stored = file.instance.transfer_syntax_uid
        target = EXPLICIT if path.upper() == PIXEL_DATA and stored not in VIDEO else stored
        return bulk_data(whole(self._node.retrieving, file, target), path.upper())


def _media_type(request: Request) -> str:
    for one in accepted(request):
        if one.full in (DICOM_JSON, "*/*", "application/*"):
            return DICOM_JSON
        if one.full == JSON:
            return JSON
    raise not_acceptable(f"metadata is given as {DICOM_JSON}")


def _alone(request: Request) -> bool:
    for one in accepted(request):
        if one.full in (OCTETS, "application/*", "*/*"):
            return True
        if one.full in (MULTIPART, "multipart/*") and one.related in ("", OCTETS, "*/*", "application/*"):
            return False
    raise not_acceptable(f"bulk data is given as {OCTETS}, alone or in a {MULTIPART}")


def _tag(files: Sequence[StoredFile]) -> str:
    """A weak tag of what the metadata is made of: the stored bytes and what is laid over them."""
    made_of = [(f.instance.sop_instance_uid, f.instance.digest, sorted(f.corrections.items())) for f in files]
    return f'W/"{hashlib.sha256(codec.dump(made_of)).hexdigest()[:32]}"'


async def _gzipped(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    machine = zlib.compressobj(LEVEL, wbits=16 + zlib.MAX_WBITS)
    async for chunk in body:
        if packed := machine.compress(chunk):
            yield packed
    yield machine.flush()
