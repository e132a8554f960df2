"""The file around a data set (PS3.10 7.1): finding it, and writing our own."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from pacs_core.dicom.scan_fallback import Buffer, Surprise, Walk
from pacs_core.dicom.transfer_syntaxes import BIG_ENDIAN, EXPLICIT, IMPLICIT
from pacs_core.domain.errors import NotDicom

IMPLEMENTATION_CLASS_UID = "2.25.93275871029387566150329183749918273645"
IMPLEMENTATION_VERSION = "READINGROOM_1"

MEDIA_SOP_CLASS = 0x00020002
MEDIA_SOP_INSTANCE = 0x00020003
TRANSFER_SYNTAX = 0x00020010
SOURCE_TITLE = 0x00020016


@dataclass(frozen=True, slots=True)
class Part10:
    """Where a data set begins in the bytes and how it is encoded; `meta` holds the file meta texts by tag.

    `complete` is false where preamble, prefix or the transfer syntax is missing, so that a file meta has
    to be written; `guessed` where the transfer syntax had to be guessed from the first element.
    """

    start: int
    transfer_syntax_uid: str
    meta: dict[int, str] = field(default_factory=dict)
    complete: bool = True
    guessed: bool = False


def locate(data: Buffer, name: str = "") -> Part10:
    """Find the data set in the bytes of a file; raises NotDicom."""
    if len(data) == 0:
        raise NotDicom("The file is empty", name)
    head = bytes(data[:8])
    if bytes(data[128:132]) == b"DICM" and (
        _begins_meta(bytes(data[132:138])) or guess_transfer_syntax(head) is None
    ):
        return _after_meta(data, 132, name, complete=True)
    if head[:4] == b"DICM":
        return _after_meta(data, 4, name, complete=False)
    if _begins_meta(head):
        return _after_meta(data, 0, name, complete=False)
    guess = guess_transfer_syntax(head)
    if guess is None:
        raise NotDicom("No DICM prefix at byte 128 and no DICOM data set at byte 0", name)
    return Part10(0, guess, complete=False, guessed=True)


def _begins_meta(head: bytes) -> bool:
    return head[:2] == b"\x02\x00" and head[4:6].isalpha() and head[4:6].isupper()


def _after_meta(data: Buffer, start: int, name: str, complete: bool) -> Part10:
    meta, at = read_meta(data, start)
    if at >= len(data):
        raise NotDicom(f"Nothing follows the file meta information (the file ends at byte {len(data)})", name)
    syntax = meta.get(TRANSFER_SYNTAX, "")
    if syntax:
        return Part10(at, syntax, meta, complete)
    guess = guess_transfer_syntax(bytes(data[at : at + 8]))
    if guess is None:
        raise NotDicom(f"No transfer syntax in the file meta, and no data set at byte {at}", name)
    return Part10(at, guess, meta, complete=False, guessed=True)


def read_meta(data: Buffer, start: int) -> tuple[dict[int, str], int]:
    """Read the group 0002 elements from `start`; answers their texts and where the data set begins.

    The group length is not trusted: elements are read for as long as they belong to the group.
    """
    walk = Walk(data, start, len(data))
    meta: dict[int, str] = {}
    while walk.at + 8 <= walk.end and bytes(data[walk.at : walk.at + 2]) == b"\x02\x00":
        at = walk.at
        try:
            tag, vr, length = walk.header(implicit=False)
            value = walk.at
            walk.jump(tag, length)
        except Surprise:
            return meta, at
        if vr in ("UI", "AE", "SH"):
            meta[tag] = bytes(data[value : value + length]).decode("latin_1").strip(" \0")
    return meta, walk.at


def guess_transfer_syntax(head: bytes) -> str | None:
    """Guess the encoding from the first element of a bare data set; None where it cannot be one.

    Data sets begin with a group of 0x0008 in practice (0x0000 to 0x0010 are taken), and tags ascend.
    """
    if len(head) < 8:
        return None
    group, _ = struct.unpack("<HH", head[:4])
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    if group in (0x0800, 0x1000) and explicit:
        return BIG_ENDIAN
    if group not in (0x0004, 0x0008, 0x0010):
        return None
    if explicit:
        return EXPLICIT
    return IMPLICIT if struct.unpack("<I", head[4:8])[0] < 0x10000 else None


def part10_prefix(
    sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str, source_aet: str = ""
) -> bytes:
    """Write preamble, prefix and file meta information for a data set in that transfer syntax (PS3.10
    7.1)."""
    body = struct.pack("<HH2sHI", 0x0002, 0x0001, b"OB", 0, 2) + b"\0\1"
    body += _element(0x0002, b"UI", sop_class_uid)
    body += _element(0x0003, b"UI", sop_instance_uid)
    body += _element(0x0010, b"UI", transfer_syntax_uid)
    body += _element(0x0012, b"UI", IMPLEMENTATION_CLASS_UID)
    body += _element(0x0013, b"SH", IMPLEMENTATION_VERSION)
    if source_aet:
        body += _element(0x0016, b"AE", source_aet)
    return b"\0" * 128 + b"DICM" + struct.pack("<HH2sHI", 0x0002, 0, b"UL", 4, len(body)) + body


def _element(element: int, vr: bytes, text: str) -> bytes:
    raw = text.encode("ascii", "replace")
    if len(raw) % 2:
        raw += b"\0" if vr == b"UI" else b" "
    return struct.pack("<HH2sH", 0x0002, element, vr, len(raw)) + raw
