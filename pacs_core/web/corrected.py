"""A stored object as it leaves: corrected identity laid over it, then the transfer syntax asked for."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import BinaryIO, Protocol

from pacs_core.dicom.coercion import Correction, overlay, overlay_head
from pacs_core.dicom.transfer_syntaxes import DEFLATED_DATA_SETS, is_implicit
from pacs_core.services.retrieving import Retrieving, StoredFile


def correction_of(file: StoredFile) -> Correction:
    """What is to be laid over a file, said to be done now."""
    return Correction(file.corrections, datetime.now(UTC))


def opened(retrieving: Retrieving, file: StoredFile, transfer_syntax: str) -> Source:
    """The file as it leaves, to be read in chunks; the caller closes it. Blocks.

    A corrected object in its own transfer syntax is its corrected head, then the stored file from there on.
    """
    if transfer_syntax != file.instance.transfer_syntax_uid:
        return io.BytesIO(whole(retrieving, file, transfer_syntax))
    if not file.corrections:
        return retrieving.open(file)
    if file.path is None or file.instance.transfer_syntax_uid in DEFLATED_DATA_SETS:
        return io.BytesIO(whole(retrieving, file, transfer_syntax))
    head, rest_at = overlay_head(file.path, file.instance.pixel_offset, correction_of(file))
    return HeadAndRest(head, retrieving.open(file), rest_at)


def whole(retrieving: Retrieving, file: StoredFile, transfer_syntax: str) -> bytes:
    """The whole file in memory, overlaid and transcoded where needed (contract, promise 2). Blocks.

    Raises what ``dicom.coercion`` and ``dicom.transcoding`` raise for an object that cannot be read.
    """
    data = retrieving.read(file)
    if file.corrections:
        data = overlay(data, correction_of(file))
    if transfer_syntax != file.instance.transfer_syntax_uid:
        from pacs_core.dicom.transcoding import transcode

        data = transcode(data, transfer_syntax)
    return data


def header_bytes(retrieving: Retrieving, file: StoredFile) -> tuple[bytes, str]:
    """A Part-10 file up to its pixel data, overlaid, and the pixel data's VR; "" where all of it is there.

    Blocks. Pixel data, nearly all of a study, is not read where the index knows its place.
    """
    instance = file.instance
    syntax = instance.transfer_syntax_uid
    if instance.pixel_offset is None or file.path is None or syntax in DEFLATED_DATA_SETS:
        return whole(retrieving, file, syntax), ""
    size = 8 if is_implicit(syntax) else 12
    end = instance.pixel_offset - size
    head = retrieving.read(file, 0, instance.pixel_offset)
    said = head[end + 4 : end + 6].decode("latin-1") if size == 12 else "OW"
    if not file.corrections:
        return head[:end], said
    corrected, rest_at = overlay_head(file.path, instance.pixel_offset, correction_of(file))
    return corrected, said if rest_at == end else ""


class Source(Protocol):
    """Something to read chunks from and close."""

    def read(self, size: int = -1, /) -> bytes: ...
    def close(self) -> None: ...


class HeadAndRest:
    """Bytes held in memory, then a file from an offset on, as one source."""

    def __init__(self, head: bytes, rest: BinaryIO, rest_at: int) -> None:
        self._head = io.BytesIO(head)
        self._rest = rest
        self._rest.seek(rest_at)

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, fewer at the seam; all of them where it is negative."""
        if size < 0:
            return self._head.read() + self._rest.read()
        return self._head.read(size) or self._rest.read(size)

    def close(self) -> None:
        """Close the file behind it."""
        self._rest.close()
