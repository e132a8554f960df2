"""The header of an object that is like the one before it: what is equal is taken over, the rest decoded.

Images of a series differ in a handful of values. Whoever reads one after the other in a thread (a C-STORE
association, an import) pays for those alone. Taken over is only from a header without a warning, of one frame
and native pixel data; where anything else differs than a value that stands for itself, the header is read
whole, so that both ways answer the same.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any

from pacs_core.dicom.attributes import PLAN
from pacs_core.dicom.dictionary import KEYWORD, TAG
from pacs_core.dicom.headers import Header, ScannedHeader, differing
from pacs_core.dicom.instance_header import FIELDS
from pacs_core.dicom.modules import PRIVATE
from pacs_core.dicom.scan_fallback import Element, FileBytes, Pixels
from pacs_core.dicom.sources import DataSet
from pacs_core.domain.identifiers import is_uid
from pacs_core.domain.study import InstanceHeader, PixelLocation

LONGEST = 1 << 16
"""Bytes before the pixel data that are remembered; a longer header is read whole."""

_FIELD_OF = {tag: (name, read) for name, (read, tag) in FIELDS.items()}
_UIDS = frozenset(TAG[k] for k in ("SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID"))
_ELSEWHERE = frozenset(
    TAG[keyword]
    for keyword in (
        "SpecificCharacterSet", "ImageLaterality", "SamplesPerPixel", "PhotometricInterpretation",
        "BitsAllocated", "PixelRepresentation",
    )
)  # fmt: skip
"""Values by which others are read, too."""

_ALONE = (PLAN.keys() | _FIELD_OF.keys()) - _ELSEWHERE
"""Values that nothing else is read by."""

_PLACED = ("Overlays", "EncapsulatedDocument")
"""Attributes that hold offsets."""


@dataclass(frozen=True, slots=True)
class _Before:
    data: bytes
    elements: dict[int, Element]
    pixels: Pixels
    transfer_syntax_uid: str
    shift: int
    header: InstanceHeader


class _Memory(threading.local):
    before: _Before | None = None


_memory = _Memory()


def remember(found: DataSet, header: InstanceHeader, shift: int) -> None:
    """Keep what the next object in this thread may be like."""
    _memory.before = None
    scanned, pixels = found.header, found.pixels
    if not isinstance(scanned, ScannedHeader) or isinstance(scanned.data, FileBytes) or pixels is None:
        return
    end = pixels[2]
    if pixels[4] is not None or not found.located or end > LONGEST or header.warnings:
        return
    if header.number_of_frames > 1 or any(name in header.attributes for name in _PLACED):
        return
    if all(offset + length <= end for _, offset, length in scanned.elements.values()):
        _memory.before = _Before(
            bytes(scanned.data[:end]), scanned.elements, pixels, found.transfer_syntax_uid, shift, header
        )


def header_like_before(found: DataSet, shift: int) -> InstanceHeader | None:
    """The header of a data set that is like the one before in this thread; None where it is not."""
    before, scanned = _memory.before, found.header
    if before is None or not isinstance(scanned, ScannedHeader) or isinstance(scanned.data, FileBytes):
        return None
    place = _same_pixels(before, found)
    if place is None or found.transfer_syntax_uid != before.transfer_syntax_uid or scanned.warnings:
        return None
    tags = differing(scanned.data, scanned.elements, before.data, before.elements)
    changes = None if tags is None else _changes(before.header, scanned, tags)
    if changes is None or scanned.warnings:
        scanned.warnings.clear()  # whoever reads it whole finds them again, in their order
        return None
    moved = place + shift - before.pixels[2] - before.shift
    if moved:
        changes["pixel_offset"] = place + shift
        changes["frames"] = tuple(PixelLocation(f.offset + moved, f.length) for f in before.header.frames)
    return replace(before.header, **changes)


def _same_pixels(before: _Before, found: DataSet) -> int | None:
    """Where the pixel data lies, which is of the same kind and length; None where it is not."""
    was, now = before.pixels, found.pixels
    if now is None or not found.located or now[:2] != was[:2] or now[3:] != was[3:]:
        return None
    return now[2]


def _changes(was: InstanceHeader, header: Header, tags: list[int]) -> dict[str, Any] | None:
    changes: dict[str, Any] = {}
    values: dict[str, object] = {}
    for tag in tags:
        if tag not in _ALONE:
            if tag in KEYWORD or tag in PRIVATE or 0x6000 <= tag >> 16 < 0x6020:
                return None
            continue
        if tag in _FIELD_OF:
            name, read = _FIELD_OF[tag]
            changes[name] = value = read(header, tag)
            if tag in _UIDS and not is_uid(str(value)):
                return None
        if tag in PLAN:
            value, keyword = PLAN[tag](header, tag), KEYWORD[tag]
            if (value is not None and value not in ("", [])) != (keyword in was.attributes):
                return None
            if keyword in was.attributes:
                values[keyword] = value
    if values:
        changes["attributes"] = {**was.attributes, **values}
    return changes
