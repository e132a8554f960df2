"""WADO-RS frames: compressed as stored, or as plain little-endian values (PS3.18 10.4.1.1.6, 8.7.3.3)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pacs_core.archive.models import FramePixels
from pacs_core.archive.protocol import Archive
from pacs_core.dicom.transfer_syntaxes import BIG_ENDIAN, GE_PRIVATE, NATIVE, name_of
from pacs_core.domain.errors import InvalidValue, NotFound
from pacs_core.services.retrieving import StoredFile
from pacs_core.web.blocking import Blocking
from pacs_core.web.callers import actor_of
from pacs_core.web.multipart import MultipartWriter
from pacs_core.web.node import WebNode
from pacs_core.web.paths import accepted, base_url, path_uids
from pacs_core.web.problems import not_acceptable
from pacs_core.web.representations import FRAME_TYPES, OCTETS, Form, frame_form
from pacs_core.web.routing import At
from pacs_core.web.views import Views
from pacs_core.web.wado import INSTANCE_PATH, instance_url

MAX_FRAMES = 10_000


class Frames:
    """Frames of one instance, one part each."""

    def __init__(self, node: WebNode, blocking: Blocking, views: Views) -> None:
        self._node = node
        self._blocking = blocking
        self._views = views

    def endpoints(self) -> list[At]:
        """The one resource."""
        return [At(INSTANCE_PATH + "/frames/{frames}", "GET", self._frames)]

    async def _frames(self, request: Request) -> Response:
        actor, uids = actor_of(request), path_uids(request)
        numbers = frame_numbers(request.path_params["frames"])
        file = (await self._blocking.run(self._views.files, actor, uids, "view"))[0]
        _check_numbers(file, numbers)
        stored = file.instance.transfer_syntax_uid
        form = frame_form(accepted(request), stored, single=len(numbers) == 1)
        if form is None:
            raise not_acceptable(f"the frames are stored as {name_of(stored)}: {_choices(stored)}")
        archive = self._node.archive(actor, False)
        first = await self._blocking.run(_frame, archive, file, numbers[0], form)
        part_type = f"{form.media_type}; transfer-syntax={form.transfer_syntax}"
        if not form.multipart:
            return Response(first, media_type=part_type)
        writer = MultipartWriter(form.media_type)
        url = f"{instance_url(base_url(request), file)}/frames"

        async def parts() -> AsyncIterator[bytes]:
            for index, number in enumerate(numbers):
                data = await self._blocking.run(_frame, archive, file, number, form) if index else first
                yield writer.begin(part_type, f"{url}/{number}") + data
            yield writer.end()

        return StreamingResponse(parts(), media_type=writer.media_type)


def _choices(stored: str) -> str:
    own = FRAME_TYPES.get(stored)
    return f"ask for {own} or uncompressed {OCTETS}" if own else f"ask for {OCTETS}"


def frame_numbers(text: str) -> list[int]:
    """The frame list of a path, from 1; raises InvalidValue naming what is no number."""
    parts = text.split(",")
    if len(parts) > MAX_FRAMES:
        raise InvalidValue(f"at most {MAX_FRAMES} frames are given at once", "frames")
    for part in parts:
        if not (part.isascii() and part.isdecimal() and len(part) < 10 and int(part) > 0):
            raise InvalidValue(f"frames: {part[:40]!r} is no frame number from 1", "frames")
    return [int(part) for part in parts]


def _check_numbers(file: StoredFile, numbers: list[int]) -> None:
    count = file.instance.number_of_frames if file.instance.rows else 0
    for number in numbers:
        if number > count:
            raise NotFound(f"there is no frame {number}, the instance has {count}", "frames")


def _frame(archive: Archive, file: StoredFile, number: int, form: Form) -> bytes:
    pixels = archive.studies.frame(file.instance.sop_instance_uid, number)
    if form.media_type != OCTETS:
        return b"".join(pixels.fragments)
    return plain_values(file, number, pixels)


def plain_values(file: StoredFile, number: int, pixels: FramePixels) -> bytes:
    """A frame's values as Explicit VR Little Endian holds them; raises Damaged where they do not decode."""
    from pacs_core.dicom.pixels import decode_frame, format_of

    attributes = json.loads(file.instance.attributes) if file.instance.attributes else {}
    form = format_of(file.instance.rows, file.instance.columns, attributes)
    syntax = pixels.transfer_syntax
    single_bits = form.bits_allocated == 1
    if syntax in NATIVE - {BIG_ENDIAN, GE_PRIVATE} and not single_bits:
        return b"".join(pixels.fragments)
    bit_offset = (number - 1) * form.bits_per_frame % 8 if syntax in NATIVE and single_bits else 0
    values = decode_frame(
        pixels.fragments, syntax, form.rows, form.columns, form.samples, form.bits_allocated,
        form.bits_stored, form.pixel_representation, form.photometric, form.planar, bit_offset=bit_offset,
        float_kind=form.float_kind, words_swapped=form.words_swapped,
    )  # fmt: skip
    if single_bits:
        import numpy as np

        return np.packbits(values.reshape(-1), bitorder="little").tobytes()
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
