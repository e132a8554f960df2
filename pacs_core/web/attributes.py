"""Attributes in DICOM JSON, from what the index knows (PS3.18 F.2), and named in queries (PS3.18 8.3.4.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pacs_core.dicom.dictionary import KEYWORDS
from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.times import dicom_date, dicom_time

DICOM_JSON = "application/dicom+json"

JsonAttributes = dict[str, dict[str, Any]]

_MORE: dict[str, tuple[int, str]] = {
    "SOPClassesInStudy": (0x00080062, "UI"),
    "ReferencedSOPSequence": (0x00081199, "SQ"),
    "FailedSOPSequence": (0x00081198, "SQ"),
    "FailureReason": (0x00081197, "US"),
    "WarningReason": (0x00081196, "US"),
    "OtherFailuresSequence": (0x0008119A, "SQ"),
    "RetrieveURL": (0x00081190, "UR"),
    "NumberOfStudyRelatedSeries": (0x00201206, "IS"),
    "NumberOfStudyRelatedInstances": (0x00201208, "IS"),
    "NumberOfSeriesRelatedInstances": (0x00201209, "IS"),
    "ErrorComment": (0x00000902, "LO"),
}
_ALL = {**KEYWORDS, **_MORE}
_BY_TAG = {tag: keyword for keyword, (tag, _) in _ALL.items()}
_HEX = re.compile(r"[0-9A-Fa-f]{8}")
_KEYWORD = re.compile(r"[A-Z][A-Za-z0-9]{1,63}")

_INTEGERS = frozenset({"IS", "US", "SS", "UL", "SL", "UV", "SV"})
_DECIMALS = frozenset({"DS", "FL", "FD"})


def tag_of(keyword: str) -> str:
    """The eight hexadecimal digits of a keyword's tag."""
    return f"{_ALL[keyword][0]:08X}"


def put(into: JsonAttributes, keyword: str, value: object) -> None:
    """Add one attribute; None and "" make it empty (no ``Value``), a list makes it multi-valued."""
    tag, vr = _ALL[keyword]
    element: dict[str, Any] = {"vr": vr}
    values = [v for v in (value if isinstance(value, list | tuple) else [value]) if v not in (None, "")]
    if values:
        element["Value"] = [_json_value(vr, v) for v in values]
    into[f"{tag:08X}"] = element


def put_known(into: JsonAttributes, attributes: Mapping[str, object], wanted: Iterable[str] | None) -> None:
    """Add what a header's further attributes hold, all or those wanted; codes and tables are left out."""
    for keyword in attributes if wanted is None else wanted:
        value = attributes.get(keyword)
        if value is None or keyword not in _ALL or tag_of(keyword) in into:
            continue
        if all(isinstance(v, str | int | float) for v in (value if isinstance(value, list) else [value])):
            put(into, keyword, value)


def _json_value(vr: str, value: object) -> object:
    if vr == "PN":
        return _person(str(value))
    if vr == "DA":
        return dicom_date(str(value))
    if vr == "TM":
        return dicom_time(str(value))
    if vr in _INTEGERS:
        return int(str(value)) if isinstance(value, str) else value
    if vr in _DECIMALS:
        return float(str(value)) if isinstance(value, str) else value
    return value if isinstance(value, dict) else str(value)


def _person(name: str) -> dict[str, str]:
    """A person name by its groups (PS3.18 F.2.2)."""
    groups = ("Alphabetic", "Ideographic", "Phonetic")
    return {group: text for group, text in zip(groups, name.split("="), strict=False) if text}


def keyword_of(name: str) -> str:
    """The keyword behind a keyword, eight hexadecimal digits or a dotted path; "" where we do not know it.

    Raises InvalidValue where it is no way to name an attribute at all.
    """
    parts = name.split(".")
    if not all(_HEX.fullmatch(p) or _KEYWORD.fullmatch(p) for p in parts):
        raise InvalidValue(f"{name[:80]!r} is no keyword, tag or path of them", name[:80])
    found = [_keyword_of_one(p) for p in parts]
    return ".".join(found) if all(found) else ""


def _keyword_of_one(name: str) -> str:
    if _HEX.fullmatch(name):
        return _BY_TAG.get(int(name, 16), "")
    return name if name in _ALL else ""
