"""Writing elements byte by byte, little endian (PS3.5 7.1): what is edited or answered without pydicom."""

from __future__ import annotations

import struct

LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
ITEM = struct.pack("<HH", 0xFFFE, 0xE000)


def element(tag: int, vr: str, value: bytes, implicit: bool) -> bytes:
    """One element with its header; the value is padded to even length by its VR's rule (PS3.5 6.2)."""
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB", "UN") else b" "
    return header(tag, vr, len(value), implicit) + value


def header(tag: int, vr: str, length: int, implicit: bool) -> bytes:
    """Tag, VR and length of an element."""
    number = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return number + struct.pack("<I", length)
    if vr in LONG_VRS:
        return number + vr.encode() + b"\0\0" + struct.pack("<I", length)
    return number + vr.encode() + struct.pack("<H", length)


def item(content: bytes) -> bytes:
    """A sequence item of defined length."""
    return ITEM + struct.pack("<I", len(content)) + content
