"""The texts of an encoded data set in ISO_IR 192, everything else byte for byte as it is."""

from __future__ import annotations

from pacs_core.dicom import charset
from pacs_core.dicom.dictionary import VR
from pacs_core.dicom.encoding import LONG_VRS, element, item
from pacs_core.dicom.headers import CHARACTER_SET, CHARACTER_SET_VRS, TEXT, scan
from pacs_core.dicom.scan_fallback import items as items_of


def element_start(data: bytes, value: int, implicit: bool, tag: int) -> int:
    """Where the element begins whose value begins there."""
    if implicit:
        return value - 8
    number = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")
    short = (
        data[value - 8 : value - 4] == number
        and data[value - 4 : value - 2].decode("latin_1") not in LONG_VRS
    )
    return value - 8 if short else value - 12


def to_utf8(data: bytes, start: int, end: int, implicit: bool, declared: str, top: bool = True) -> bytes:
    """The data set with its texts in UTF-8; items that declare a character set of their own are left
    alone."""
    elements, _ = scan(data, start, end, implicit)
    out: list[bytes] = []
    at = start
    if top and CHARACTER_SET not in elements:
        first = min((p[1] for t, p in elements.items() if t > CHARACTER_SET), default=end)
        tag = next((t for t, p in elements.items() if p[1] == first), 0)
        at = element_start(data, first, implicit, tag) if first != end else end
        out += [data[start:at], element(CHARACTER_SET, "CS", charset.UTF8.encode(), implicit)]
    for tag, (vr, value, length) in elements.items():
        begin = element_start(data, value, implicit, tag)
        if begin < at:
            continue
        new = _recoded(data, tag, vr or _vr(tag), value, length, implicit, declared)
        if new is not None:
            stop = value + length + (8 if data[value - 4 : value] == b"\xff\xff\xff\xff" else 0)
            out += [data[at:begin], new]
            at = stop
    return b"".join([*out, data[at:end]])


def _vr(tag: int) -> str:
    if tag in VR:
        return VR[tag]
    from pydicom.datadict import dictionary_VR

    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


def _recoded(
    data: bytes, tag: int, vr: str, value: int, length: int, implicit: bool, declared: str
) -> bytes | None:
    """The element's new bytes, or None where it stays as it is."""
    raw = data[value : value + length]
    if tag == CHARACTER_SET:
        return element(tag, "CS", charset.UTF8.encode(), implicit)
    if vr == "SQ" or (vr == "UN" and data[value - 4 : value] == b"\xff\xff\xff\xff"):
        return _recoded_sequence(data, tag, value, length, implicit or vr == "UN", declared, implicit)
    if vr not in CHARACTER_SET_VRS or (raw.isascii() and b"\x1b" not in raw):
        return None
    delimiters = charset.NAME_DELIMITERS if vr == "PN" else b"" if vr in TEXT else charset.VALUE_DELIMITERS
    text = charset.decode_text(raw.rstrip(b" \0"), declared, delimiters)
    return element(tag, vr, text.encode("utf-8"), implicit)


def _recoded_sequence(
    data: bytes, tag: int, value: int, length: int, inside_implicit: bool, declared: str, implicit: bool
) -> bytes | None:
    parts: list[bytes] = []
    changed = False
    for at, size in items_of(data, value, value + length, inside_implicit):
        elements, _ = scan(data, at, at + size, inside_implicit)
        old = data[at : at + size]
        own = CHARACTER_SET in elements
        new = old if own else to_utf8(data, at, at + size, inside_implicit, declared, top=False)
        changed = changed or new != old
        parts.append(item(new))
    if not changed:
        return None
    return element(tag, "UN" if inside_implicit and not implicit else "SQ", b"".join(parts), implicit)
