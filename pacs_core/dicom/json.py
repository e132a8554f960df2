"""DICOM JSON (PS3.18 annex F): from stored objects, with references instead of bulk data, and back.

Texts are Unicode (Specific Character Set says ISO_IR 192); group lengths and file meta information are
left out.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pacs_core.dicom import charset
from pacs_core.dicom.dictionary import SIGNED_BY_PIXELS, VR
from pacs_core.dicom.headers import CHARACTER_SET, NUMBER_FORMATS, Header, ScannedHeader
from pacs_core.dicom.part10 import locate
from pacs_core.dicom.quiet import quiet_pydicom
from pacs_core.dicom.scan_fallback import Buffer
from pacs_core.dicom.sources import DataSet, opened, read_data_set
from pacs_core.domain.errors import InvalidValue, NotFound

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Json = dict[str, object]
BulkDataUri = Callable[[str], str]

INLINE = 1024
"""Binary values up to this many bytes are given inline."""

BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
STRINGS = frozenset({"AE", "AS", "CS", "DA", "DT", "LO", "SH", "TM", "UC", "UI"})
WHOLE_TEXTS = frozenset({"LT", "ST", "UR", "UT"})
GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
UNDEFINED = b"\xff\xff\xff\xff"


def data_set_to_json(source: Path | bytes, bulk_data_uri: BulkDataUri) -> Json:
    """A stored object as DICOM JSON; pixel data and large binary values become ``BulkDataURI``.

    `bulk_data_uri` makes the address from the value's path: ``7FE00010``, or ``00880200/1/7FE00010`` inside
    sequences (items counted from 1). Raises NotDicom or Damaged.
    """
    with _bytes_of(source) as data:
        found = _read(data)
        out = _attributes(found.header, "", bulk_data_uri)
    if found.pixels is not None:
        tag, vr = f"{found.pixels[0]:08X}", found.pixels[1] or ("OW" if found.pixels[4] is None else "OB")
        out[tag] = {"vr": vr, "BulkDataURI": bulk_data_uri(tag)}
    return dict(sorted(out.items()))


def header_to_json(header: Header) -> Json:
    """The attributes of a header as DICOM JSON, large binary values left out."""
    return _attributes(header, "", lambda path: path)


def bulk_data(source: Path | bytes, path: str) -> bytes:
    """The bytes of a value by the path that `data_set_to_json` gave; raises NotFound."""
    with _bytes_of(source) as data:
        return _value_at(_read(data), path)


def _value_at(found: DataSet, path: str) -> bytes:
    *nested, last = path.split("/")
    header = found.header
    try:
        for tag, number in zip(nested[::2], nested[1::2], strict=True):
            header = header.items(int(tag, 16))[int(number) - 1]
        tag_number = int(last, 16)
    except (ValueError, IndexError) as error:
        raise NotFound(f"no bulk data {path}", path) from error
    if not nested and found.pixels is not None and found.pixels[0] == tag_number:
        return bytes(found.data[found.pixels[2] : found.pixels[2] + found.pixels[3]])
    raw = header.raw(tag_number)
    if raw is None:
        raise NotFound(f"no bulk data {path}", path)
    return raw


def _bytes_of(source: Path | bytes) -> AbstractContextManager[Buffer]:
    return nullcontext(source) if isinstance(source, bytes) else opened(source)


def _read(data: Buffer) -> DataSet:
    place = locate(data)
    return read_data_set(data, place.start, place.transfer_syntax_uid, place.guessed)


def _attributes(header: Header, path: str, uri: BulkDataUri) -> Json:
    out: Json = {}
    for tag in header.tags():
        if tag & 0xFFFF == 0 or (tag >> 16) < 0x0008:
            continue
        out[f"{tag:08X}"] = _element(header, tag, path, uri)
    return out


def _element(header: Header, tag: int, path: str, uri: BulkDataUri) -> Json:
    vr = value_representation(header, tag)
    if tag == CHARACTER_SET:
        return {"vr": "CS", "Value": [charset.UTF8]}
    if vr == "SQ":
        items = [
            _attributes(item, f"{path}{tag:08X}/{number}/", uri)
            for number, item in enumerate(header.items(tag), 1)
        ]
        return {"vr": vr, "Value": items} if items else {"vr": vr}
    if vr in BINARY:
        return _binary(header.raw(tag) or b"", vr, f"{path}{tag:08X}", uri)
    values = _values(header, tag, vr)
    return {"vr": vr, "Value": values} if values else {"vr": vr}


def _binary(raw: bytes, vr: str, path: str, uri: BulkDataUri) -> Json:
    if not raw:
        return {"vr": vr}
    if len(raw) > INLINE:
        return {"vr": vr, "BulkDataURI": uri(path)}
    return {"vr": vr, "InlineBinary": base64.b64encode(raw).decode("ascii")}


def value_representation(header: Header, tag: int) -> str:
    """The VR of an element: as it says, by the dictionary, or a sequence by its undefined length."""
    said = _said(header, tag)
    if said and said != "UN":
        return said
    if isinstance(header, ScannedHeader):
        place = header.place(tag)
        if place and bytes(header.data[place[0] - 4 : place[0]]) == UNDEFINED:
            return "SQ"
    vr = dictionary_vr(tag)
    if vr == "US" and tag in SIGNED_BY_PIXELS and header.raw(0x00280103) == b"\1\0":
        return "SS"
    return vr


def _said(header: Header, tag: int) -> str:
    if isinstance(header, ScannedHeader):
        return header.elements[tag][0]
    return header.vr(tag)


@lru_cache(maxsize=8192)
def dictionary_vr(tag: int) -> str:
    """The VR by PS3.6, UN where it has none; of alternatives the one implicit VR data sets use."""
    if tag in VR:
        return VR[tag]
    from pydicom.datadict import dictionary_VR

    try:
        return dictionary_VR(tag).split(" or ")[-1]
    except KeyError:
        return "LO" if (tag >> 16) % 2 and 0x10 <= tag & 0xFFFF <= 0xFF else "UN"


def _values(header: Header, tag: int, vr: str) -> list[object]:
    raw = header.raw(tag)
    if not raw:
        return []
    if vr == "PN":
        return [_name(part) for part in _decoded(header, tag, raw, charset.NAME_DELIMITERS).split("\\")]
    if vr in WHOLE_TEXTS:
        return [_decoded(header, tag, raw, b"").rstrip(" \0")]
    if vr in STRINGS:
        parts = [p.strip(" \0") for p in _decoded(header, tag, raw, charset.VALUE_DELIMITERS).split("\\")]
        return [part or None for part in parts] if any(parts) else []
    if vr in ("DS", "IS"):
        return (
            [_decimal(part) for part in raw.decode("latin_1").strip(" \0").split("\\")]
            if raw.strip(b" \0")
            else []
        )
    if vr == "AT":
        return [f"{a:04X}{b:04X}" for a, b in struct.iter_unpack("<HH", raw[: len(raw) // 4 * 4])]
    code = NUMBER_FORMATS[vr]
    size = struct.calcsize(code)
    return [_finite(value) for (value,) in struct.iter_unpack(f"<{code}", raw[: len(raw) // size * size])]


def _decoded(header: Header, tag: int, raw: bytes, delimiters: bytes) -> str:
    return charset.decode_text(raw, header.character_set, delimiters)


def _decimal(text: str) -> object:
    """DS and IS as numbers; what is none stays a string (PS3.18 F.2.3)."""
    bare = text.strip(" \0")
    if not bare:
        return None
    try:
        return int(bare)
    except ValueError:
        pass  # perhaps a decimal
    try:
        return _finite(float(bare))
    except ValueError:
        return bare


def _finite(value: float) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _name(text: str) -> Json | None:
    groups = {
        key: part.strip()
        for key, part in zip(GROUPS, text.strip(" \0").split("="), strict=False)
        if part.strip()
    }
    return dict(groups) or None


def data_set_from_json(attributes: Mapping[str, object], bulk: Mapping[str, bytes]) -> Dataset:
    """A data set from DICOM JSON as STOW-RS brings it; `bulk` holds the parts that BulkDataURI names.

    Raises InvalidValue naming the attribute, or NotFound for bulk data that did not come.
    """
    from pydicom.dataset import Dataset

    quiet_pydicom()

    def fetch(tag: str, vr: str, value: object) -> bytes:
        if str(value) not in bulk:
            raise NotFound(f"no part of the message is the bulk data {value}", tag)
        return bulk[str(value)]

    out = Dataset()
    for tag, content in attributes.items():
        try:
            out.update(Dataset.from_json({tag: content}, bulk_data_uri_handler=fetch))
        except NotFound:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InvalidValue(f"{tag} is no DICOM JSON attribute: {error}", tag) from error
    return out
