"""From the bytes of a data set to its header and pixel data, whatever the encoding.

The scan first; what surprises it is tried in the other value representation mode (wrongly labelled files are
common), then read by pydicom, which also reads big endian.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacs_core.dicom.dictionary import name_of as name_of_tag
from pacs_core.dicom.headers import Header, ParsedHeader, ScannedHeader, Surprise, describe, scan
from pacs_core.dicom.quiet import quiet_pydicom
from pacs_core.dicom.scan_fallback import UNDEFINED, Buffer, FileBytes, Pixels, Walk
from pacs_core.dicom.transfer_syntaxes import (
    BIG_ENDIAN,
    DEFLATED_DATA_SETS,
    NAMES,
    is_implicit,
    name_of,
)
from pacs_core.domain.errors import Damaged

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

LARGEST_INFLATED = 1 << 30
"""Bytes to which a deflated data set may grow."""

WHOLE_IN_MEMORY = 16 << 20
"""Files up to this many bytes are read at once; larger ones are sliced from the disk."""

SOP_INSTANCE_UID = 0x00080018
PIXEL_TAGS = (0x7FE00010, 0x7FE00008, 0x7FE00009)


@contextmanager
def opened(path: Path) -> Iterator[Buffer]:
    """A file's bytes, in memory or to be sliced from the disk where it is large; raises OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        yield file.read() if size <= WHOLE_IN_MEMORY else FileBytes(file, size)


@dataclass(frozen=True, slots=True)
class DataSet:
    """A readable data set: its header, its pixel data, and the bytes their offsets point into.

    `located` says whether these bytes are the source's own, so that offsets are valid in the file.
    """

    header: Header
    pixels: Pixels | None
    data: Buffer
    transfer_syntax_uid: str
    located: bool = True
    warnings: list[str] = field(default_factory=list)


def read_data_set(data: Buffer, start: int, transfer_syntax_uid: str, guessed: bool = False) -> DataSet:
    """Read header and pixel data place; raises Damaged saying which element and where."""
    warnings: list[str] = []
    if guessed:
        warnings.append(f"The transfer syntax is not said; read as {name_of(transfer_syntax_uid)}")
    elif transfer_syntax_uid not in NAMES:
        warnings.append(f"{transfer_syntax_uid[:64]!r} is no transfer syntax of the standard")
    if transfer_syntax_uid in DEFLATED_DATA_SETS:
        inflated = inflate(data, start)
        return _scanned(inflated, 0, transfer_syntax_uid, False, warnings, located=False)
    if transfer_syntax_uid == BIG_ENDIAN:
        return _parsed(data, start, transfer_syntax_uid, warnings, None)
    return _scan_or_parse(data, start, transfer_syntax_uid, warnings)


def _scan_or_parse(data: Buffer, start: int, uid: str, warnings: list[str]) -> DataSet:
    implicit = is_implicit(uid)
    try:
        return _scanned(data, start, uid, implicit, warnings)
    except Surprise as first:
        trouble = first
    try:
        other = _scanned(data, start, uid, not implicit, [])
        if SOP_INSTANCE_UID in other.header:
            mode = "explicit" if implicit else "implicit"
            other.header.warnings[:0] = [*warnings, f"Encoded with {mode} VR, against its transfer syntax"]
            return other
    except Surprise:
        pass  # neither mode fits; the first trouble is the one to tell
    warnings.append(f"Read leniently: {describe(trouble)}")
    found = _parsed(data, start, uid, warnings, trouble)
    if SOP_INSTANCE_UID not in found.header:
        raise Damaged(f"Not readable: {describe(trouble)}", describe(trouble).split(" has ")[0])
    return found


def _scanned(
    data: Buffer, start: int, uid: str, implicit: bool, warnings: list[str], located: bool = True
) -> DataSet:
    elements, pixels = scan(data, start, len(data), implicit)
    header = ScannedHeader(data, elements, implicit, warnings=warnings)
    return DataSet(header, pixels, data, uid, located, header.warnings)


def inflate(data: Buffer, start: int) -> bytes:
    """Inflate a deflated data set (PS3.5 A.5), up to LARGEST_INFLATED; raises Damaged."""
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        out = machine.decompress(bytes(data[start : len(data)]), LARGEST_INFLATED)
    except zlib.error as found:
        raise Damaged(f"The deflated data set cannot be inflated ({found})", f"byte {start}") from found
    if machine.unconsumed_tail:
        raise Damaged(f"The deflated data set inflates beyond {LARGEST_INFLATED} bytes", f"byte {start}")
    if not machine.eof:
        raise Damaged("The deflated data set ends before its stream does", f"byte {len(data)}")
    return out


def _parsed(data: Buffer, start: int, uid: str, warnings: list[str], trouble: ValueError | None) -> DataSet:
    if trouble is not None and trouble.args[0] == "truncated":
        raise Damaged(
            f"Truncated: {describe(trouble)} ({len(data)} bytes)", describe(trouble).split(" says ")[0]
        )
    data_set = _parse(data, start, uid, trouble)
    header = ParsedHeader(data_set, warnings=warnings)
    pixels = _parsed_pixels(data_set, data, start)
    return DataSet(header, pixels, data, uid, True, header.warnings)


def _parse(data: Buffer, start: int, uid: str, trouble: ValueError | None) -> Dataset:
    from pydicom.filereader import read_dataset

    quiet_pydicom()
    what = describe(trouble) if trouble else "the big-endian data set cannot be read"
    try:
        found = read_dataset(
            BytesIO(bytes(data[start : len(data)])),
            is_implicit_VR=is_implicit(uid),
            is_little_endian=uid != BIG_ENDIAN,
        )
        if not found:
            raise Damaged(f"No element can be read: {what}", f"byte {start}")
    except (ValueError, TypeError, KeyError, AttributeError, EOFError, OSError, NotImplementedError) as error:
        raise Damaged(f"Not readable: {what}; {error}", what.split(" says ")[0]) from error
    return found


def _parsed_pixels(data_set: Dataset, data: Buffer, start: int) -> Pixels | None:
    for tag in PIXEL_TAGS:
        if tag not in data_set:
            continue
        element: Any = data_set.get_item(tag)
        at, length = start + (element.value_tell or 0), len(element.value or b"")
        if element.length == UNDEFINED:
            return _parsed_fragments(data, at)
        if element.length != length:
            there = f"{length} are there ({len(data)} bytes in all)"
            raise Damaged(f"Truncated: the pixel data says {element.length} bytes, {there}", name_of_tag(tag))
        return tag, str(element.VR or "OW"), at, length, None
    return None


def _parsed_fragments(data: Buffer, at: int) -> Pixels:
    walk = Walk(data, at, len(data))
    try:
        fragments = walk.fragments(PIXEL_TAGS[0])
    except Surprise as found:
        raise Damaged(
            f"The pixel data cannot be followed: {describe(found)}", "PixelData (7FE0,0010)"
        ) from found
    return PIXEL_TAGS[0], "OB", at, walk.at - 8 - at, fragments
