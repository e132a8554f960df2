"""Corrected identity laid over a stored object on its way out; stored bytes are never touched (PS3.3
C.12.1.1.9).

Only the corrected top-level attributes (a sequence can be emptied) and the Original Attributes Sequence
change, and the length of a group that says its length. Where a corrected value cannot be expressed in the
object's character set, its texts are given in ISO_IR 192; private texts that came without a value
representation keep their bytes then.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pacs_core.dicom.charset import (
    NAME_DELIMITERS,
    UTF8,
    VALUE_DELIMITERS,
    can_express,
    canonical_name,
    encode_text,
)
from pacs_core.dicom.dictionary import KEYWORDS, TAG, VR
from pacs_core.dicom.encoding import element, item
from pacs_core.dicom.headers import ScannedHeader, Surprise, scan
from pacs_core.dicom.part10 import locate
from pacs_core.dicom.quiet import quiet_pydicom
from pacs_core.dicom.recoding import element_start, to_utf8
from pacs_core.dicom.scan_fallback import Pixels
from pacs_core.dicom.sources import inflate
from pacs_core.dicom.transfer_syntaxes import BIG_ENDIAN, DEFLATED_DATA_SETS, is_implicit
from pacs_core.domain.times import dicom_date

ORIGINAL = TAG["OriginalAttributesSequence"]
MODIFIED = 0x04000550


@dataclass(frozen=True, slots=True)
class Correction:
    """New values by keyword of top-level text attributes, and why: COERCE or CORRECT, when (UTC) and by what.

    Dates may be civil or as DICOM writes them.
    """

    values: Mapping[str, str]
    at: datetime
    reason: str = "COERCE"
    system: str = "READING ROOM"
    source: str = ""

    def texts(self) -> dict[int, str]:
        """The values by tag, as DICOM writes them."""
        return {
            TAG[keyword]: dicom_date(value) if KEYWORDS[keyword][1] == "DA" else value
            for keyword, value in self.values.items()
        }


def overlay(part10: bytes, correction: Correction) -> bytes:
    """The corrected object; the very same bytes where every value is there already. Raises NotDicom or
    Damaged."""
    place = locate(part10)
    uid = place.transfer_syntax_uid
    if not correction.values:
        return part10
    if uid in DEFLATED_DATA_SETS:
        plain = inflate(part10, place.start)
        edited = _edit(plain, 0, len(plain), False, correction)
        return part10 if edited == plain else part10[: place.start] + _deflate(edited)
    try:
        if uid == BIG_ENDIAN:
            return _by_pydicom(part10, correction)
        return _edit(part10, place.start, len(part10), is_implicit(uid), correction)
    except Surprise:
        return _by_pydicom(part10, correction)


def overlay_head(path: Path, pixel_offset: int | None, correction: Correction) -> tuple[bytes, int]:
    """The corrected beginning of a stored file, and the offset from which its own bytes follow.

    Large pixel data is thus never read. `pixel_offset` is where the pixel data's value begins, None to
    read all.
    """
    whole = path.stat().st_size
    with path.open("rb") as file:
        if pixel_offset is None or pixel_offset > whole:
            return overlay(file.read(), correction), whole
        head = file.read(pixel_offset)
    place = locate(head)
    implicit = is_implicit(place.transfer_syntax_uid)
    end = pixel_offset - (8 if implicit else 12)
    try:
        return _edit(head[:end], place.start, end, implicit, correction), end
    except Surprise:
        return overlay(path.read_bytes(), correction), whole


def _deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    out = machine.compress(data) + machine.flush()
    return out + b"\0" * (len(out) % 2)


def _edit(data: bytes, start: int, end: int, implicit: bool, correction: Correction) -> bytes:
    elements, pixels = scan(data, start, end, implicit)
    header = ScannedHeader(data, elements, implicit)
    changed = {tag: text for tag, text in correction.texts().items() if _differs(header, tag, text)}
    if not changed:
        return data
    declared = header.character_set
    if not can_express(list(changed.values()), declared):
        data = data[:start] + to_utf8(data, start, end, implicit, declared) + data[end:]
        end = len(data)
        elements, pixels = scan(data, start, end, implicit)
        header, declared = ScannedHeader(data, elements, implicit), UTF8
    edits = {tag: _encoded(tag, text, declared, implicit) for tag, text in changed.items()}
    edits[ORIGINAL] = _original_attributes(header, changed, declared, correction)
    return _spliced(data, start, end, header, pixels, edits)


def _differs(header: ScannedHeader, tag: int, text: str) -> bool:
    if not text:
        return bool((header.raw(tag) or b"").strip(b" \0"))
    present = header.text(tag)
    if VR[tag] == "PN":
        return canonical_name(present) != canonical_name(text)
    return present != text


def _encoded(tag: int, text: str, declared: str, implicit: bool) -> bytes:
    vr = VR[tag]
    delimiters = NAME_DELIMITERS if vr == "PN" else VALUE_DELIMITERS
    return element(tag, vr, encode_text(text, declared, delimiters), implicit)


def _original_attributes(
    header: ScannedHeader, changed: Mapping[int, str], declared: str, correction: Correction
) -> bytes:
    """The Original Attributes Sequence with its items so far and one more (PS3.3 C.12.1.1.9)."""
    implicit = header.implicit
    tags = set(changed)
    if TAG["PatientID"] in tags and TAG["IssuerOfPatientID"] in header:
        tags.add(TAG["IssuerOfPatientID"])
    prior = b"".join(_prior(header, tag) for tag in sorted(tags))
    content = (
        element(MODIFIED, "SQ", item(prior), implicit)
        + element(0x04000562, "DT", f"{correction.at:%Y%m%d%H%M%S.%f}+0000".encode(), implicit)
        + element(0x04000563, "LO", encode_text(correction.system, declared), implicit)
        + element(0x04000564, "LO", encode_text(correction.source, declared), implicit)
        + element(0x04000565, "CS", correction.reason.encode(), implicit)
    )
    return element(ORIGINAL, "SQ", _earlier_items(header) + item(content), implicit)


def _prior(header: ScannedHeader, tag: int) -> bytes:
    vr = "UN" if tag in header and header.elements[tag][0] == "UN" else VR[tag]
    return element(tag, vr, header.raw(tag) or b"", header.implicit)


def _earlier_items(header: ScannedHeader) -> bytes:
    place = header.place(ORIGINAL)
    return b"" if place is None else bytes(header.data[place[0] : place[0] + place[1]])


def _spliced(
    data: bytes, start: int, end: int, header: ScannedHeader, pixels: Pixels | None, edits: dict[int, bytes]
) -> bytes:
    """Put the edited elements in place of the old ones, or where their tags belong."""
    spans = {
        tag: (element_start(data, place[1], header.implicit, tag), _element_end(data, place[1], place[2]))
        for tag, place in header.elements.items()
    }
    first_pixel = element_start(data, pixels[2], header.implicit, pixels[0]) if pixels else end
    grown: dict[int, int] = {}
    pieces: list[tuple[int, int, bytes]] = []
    for tag, new in edits.items():
        at, stop = spans.get(tag) or (_place_for(tag, spans, first_pixel),) * 2
        pieces.append((at, stop, new))
        grown[tag >> 16] = grown.get(tag >> 16, 0) + len(new) - (stop - at)
    for group, growth in grown.items():
        said = header.elements.get(group << 16)
        if said and said[2] == 4:
            (length,) = struct.unpack("<I", data[said[1] : said[1] + 4])
            pieces.append((said[1], said[1] + 4, struct.pack("<I", max(0, length + growth))))
    out, at = [], 0
    for first, stop, new in sorted(pieces, key=lambda piece: piece[:2]):
        out += [data[at:first], new]
        at = stop
    return b"".join([*out, data[at:]])


def _place_for(tag: int, spans: Mapping[int, tuple[int, int]], first_pixel: int) -> int:
    return min([at for other, (at, _) in spans.items() if other > tag] + [first_pixel])


def _element_end(data: bytes, value: int, length: int) -> int:
    undefined = data[value - 4 : value] == b"\xff\xff\xff\xff"
    return value + length + (8 if undefined else 0)


def _by_pydicom(part10: bytes, correction: Correction) -> bytes:
    """Big endian, and what the scan cannot follow: rewritten element by element."""
    from io import BytesIO

    from pydicom.dataset import Dataset
    from pydicom.filereader import dcmread
    from pydicom.sequence import Sequence

    quiet_pydicom()
    found = dcmread(BytesIO(part10), force=True)
    prior = Dataset()
    for keyword, text in correction.values.items():
        vr = KEYWORDS[keyword][1]
        new = dicom_date(text) if vr == "DA" else text
        present = found.get(keyword)
        if (present or new) and str(present or "") != new:
            setattr(prior, keyword, present)
            setattr(found, keyword, [] if vr == "SQ" else new or None)
    if not prior:
        return part10
    if not can_express(list(correction.values.values()), _declared(found)):
        found.decode()
        found.SpecificCharacterSet = UTF8
    note = Dataset()
    note.ModifiedAttributesSequence = Sequence([prior])
    note.AttributeModificationDateTime = f"{correction.at:%Y%m%d%H%M%S.%f}+0000"
    note.ModifyingSystem = correction.system
    note.SourceOfPreviousValues = correction.source
    note.ReasonForTheAttributeModification = correction.reason
    found.OriginalAttributesSequence = Sequence([*found.get("OriginalAttributesSequence", ()), note])
    out = BytesIO()
    found.save_as(out, enforce_file_format=False)
    return out.getvalue()


def _declared(found: object) -> str:
    value = getattr(found, "SpecificCharacterSet", "") or ""
    return value if isinstance(value, str) else "\\".join(value)
