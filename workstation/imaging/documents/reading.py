"""Reading a document's data set with pydicom, tolerant: what is absent or unusable is an empty text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from workstation.imaging.documents.model import Facts

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

UNUSABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, NotImplementedError)
"""What pydicom raises for values that are not what they say."""

UNITS = {"1": "", "{ratio}": "", "no units": "", "[hnsf'U]": "HU", "mm2": "mm²", "mm3": "mm³", "cm2": "cm²"}


def read(content: bytes) -> Dataset:
    """The data set of a Part 10 file; raises `UNUSABLE`, EOFError or OSError for what is none."""
    from pydicom import dcmread

    return dcmread(BytesIO(content), force=True)


def value(data: Dataset, keyword: str) -> Any:
    """The value, or None where it is absent or cannot be read."""
    try:
        return data.get(keyword)
    except UNUSABLE:
        return None


def text(data: Dataset, keyword: str) -> str:
    """The value in words; several are joined, names are written for people, dates with dashes."""
    found = value(data, keyword)
    if found is None:
        return ""
    many = found if _is_many(found) else [found]
    return ", ".join(_words(keyword, one) for one in many if one not in (None, ""))


def _is_many(found: object) -> bool:
    from pydicom.multival import MultiValue

    return isinstance(found, MultiValue | list | tuple)


def _words(keyword: str, one: object) -> str:
    said = str(one).strip(" \0")
    if re.fullmatch(r"\d{8}", said) and "Date" in keyword:
        return f"{said[:4]}-{said[4:6]}-{said[6:]}"
    if re.fullmatch(r"\d{6}(\.\d+)?", said) and "Time" in keyword and "Date" not in keyword:
        return f"{said[:2]}:{said[2:4]}:{said[4:6]}"
    if re.fullmatch(r"\d{4}", said) and keyword.endswith("Time") and "Date" not in keyword:
        return f"{said[:2]}:{said[2:]}"
    if re.fullmatch(r"\d{14}(\.\d+)?([+-]\d{4})?", said):
        return f"{said[:4]}-{said[4:6]}-{said[6:8]} {said[8:10]}:{said[10:12]}:{said[12:14]}"
    if "^" in said and ("Name" in keyword or "Observer" in keyword):
        parts = [p for p in said.split("=", maxsplit=1)[0].split("^") if p]
        return f"{parts[0]}, {' '.join(parts[1:])}" if len(parts) > 1 else parts[0]
    return said


def number(data: Dataset, keyword: str) -> float | None:
    """The first number of a value, or None."""
    found = value(data, keyword)
    try:
        return float(found[0] if _is_many(found) and found else found)
    except (TypeError, ValueError):
        return None


def items(data: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; none where it is absent or is no sequence."""
    from pydicom.sequence import Sequence

    found = value(data, keyword)
    return list(found) if isinstance(found, Sequence) else []


def meaning(data: Dataset, keyword: str) -> str:
    """The meaning of a code sequence's first item, else its value."""
    for item in items(data, keyword):
        return text(item, "CodeMeaning") or text(item, "CodeValue") or text(item, "LongCodeValue")
    return ""


def unit(data: Dataset, keyword: str = "MeasurementUnitsCodeSequence") -> str:
    """The unit's UCUM code as it is written beside a number."""
    for item in items(data, keyword):
        code = text(item, "CodeValue")
        return UNITS.get(code, code)
    return ""


def facts(data: Dataset, names: Iterable[tuple[str, str]], title: str = "") -> Facts:
    """The named attributes that have a value, each with the words for it."""
    rows = ((words, text(data, keyword)) for words, keyword in names)
    return Facts(tuple((words, said) for words, said in rows if said), title)


def references(data: Dataset) -> Iterator[tuple[str, int]]:
    """(SOP Instance UID, frame) of every object that a data set refers to by series and study."""
    for keyword in ("ReferencedStudySequence", "ReferencedSeriesSequence",
                    "CurrentRequestedProcedureEvidenceSequence"):  # fmt: skip
        for item in items(data, keyword):
            yield from references(item)
    for keyword in ("ReferencedSOPSequence", "ReferencedImageSequence", "ReferencedInstanceSequence"):
        for item in items(data, keyword):
            uid = text(item, "ReferencedSOPInstanceUID")
            if uid:
                yield uid, int(number(item, "ReferencedFrameNumber") or 0)
