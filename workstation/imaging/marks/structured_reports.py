"""Where a structured report's content lies: every SCOORD and SCOORD3D, with the numbers it belongs to
(PS3.3 C.18.6, C.18.9; PS3.16 TID 1500, 1410, 1501 and others built alike).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pacs_core.dicom.annotations.coding import kind_of, quantity_name
from pacs_core.domain.measurement import Quantity
from pacs_core.domain.measurement_words import label_lines_of
from workstation.imaging.documents.reading import items, number, text, value
from workstation.imaging.marks.model import Form, Mark, Place, Space
from workstation.imaging.marks.presentation_states import FORMS, HALF

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

DEEPEST = 64
PLACED = ("SCOORD", "SCOORD3D")
TRACKING_IDENTIFIER, TRACKING_UID = "112039", "112040"
METHOD, DERIVATION = "370129005", "121401"


def marks(data: Dataset, maker: str) -> Iterator[Mark]:
    """The marks of a report, each with the numbers of its own measurement, or of its group where it is a
    region.
    """
    for shape, numbers, group in _shapes(data, None, None, 0):
        mark = _mark(shape, maker)
        if mark is not None:
            label, uid, kind = _tracked(group) if group is not None else ("", "", "")
            said = label if label and label.replace(" ", "_") != kind else ""
            words = label_lines_of(said, numbers)
            yield replace(mark, words=words, tracking_uid=uid, kind=kind)


def _shapes(
    item: Dataset, over: Dataset | None, group: Dataset | None, depth: int, is_first: bool = True
) -> Iterator[tuple[Dataset, tuple[Quantity, ...], Dataset | None]]:
    """(Coordinates, their numbers, their measurement group) in order; `over` is the parent, whose numbers are
    told at the first of its shapes.
    """
    kind = text(item, "ValueType")
    if kind in PLACED:
        own = [over] if over is not None and text(over, "ValueType") == "NUM" else _numbers_below(over)
        yield item, tuple(q for n in own if is_first and (q := _quantity(n)) is not None), group
    if kind == "CONTAINER":
        group = item
    first = True
    for child in items(item, "ContentSequence") if depth < DEEPEST else []:
        yield from _shapes(child, item, group, depth + 1, first)
        first = first and text(child, "ValueType") not in PLACED


def _numbers_below(item: Dataset | None) -> list[Dataset]:
    if item is None:
        return []
    return [child for child in items(item, "ContentSequence") if text(child, "ValueType") == "NUM"]


def _quantity(item: Dataset) -> Quantity | None:
    for measured in items(item, "MeasuredValueSequence"):
        exact = number(measured, "FloatingPointValue")
        found = exact if exact is not None else number(measured, "NumericValue")
        units = items(measured, "MeasurementUnitsCodeSequence")
        unit = code(units[0]) if units else "1"
        if found is not None:
            return Quantity(_name(item), found, unit)
    return None


def _name(item: Dataset) -> str:
    concept = next(iter(items(item, "ConceptNameCodeSequence")), None)
    derivation = _code_under(item, DERIVATION)
    if concept is None:
        return "Value"
    codes = (code(concept), text(concept, "CodingSchemeDesignator"))
    derived = code(derivation) if derivation is not None else ""
    return quantity_name(*codes, text(concept, "CodeMeaning"), derived)


def _code_under(item: Dataset, concept: str) -> Dataset | None:
    """The code that a child of that concept carries."""
    for child in items(item, "ContentSequence"):
        names = items(child, "ConceptNameCodeSequence")
        if names and code(names[0]) == concept:
            return next(iter(items(child, "ConceptCodeSequence")), None)
    return None


def code(item: Dataset) -> str:
    """The value of a code, a long one too (PS3.3 8.1)."""
    return text(item, "CodeValue") or text(item, "LongCodeValue") or text(item, "URNCodeValue")


def _tracked(group: Dataset) -> tuple[str, str, str]:
    """(Tracking identifier, tracking UID, our kind) of a measurement group."""
    label = uid = ""
    for child in items(group, "ContentSequence"):
        names = items(child, "ConceptNameCodeSequence")
        said = code(names[0]) if names else ""
        if said == TRACKING_IDENTIFIER:
            label = text(child, "TextValue")
        elif said == TRACKING_UID:
            uid = text(child, "UID")
    way = _code_under(group, METHOD)
    kind = kind_of(code(way), text(way, "CodingSchemeDesignator")) if way is not None else ""
    return label, uid, kind


def _mark(item: Dataset, maker: str) -> Mark | None:
    values = [float(v) for v in value(item, "GraphicData") or ()]
    if text(item, "ValueType") == "SCOORD":
        form = FORMS.get(text(item, "GraphicType"), Form.LINE)
        points: tuple[Place, ...] = tuple(
            (x - HALF, y - HALF) for x, y in zip(values[::2], values[1::2], strict=False)
        )
        images = frozenset(_images(item))
        return Mark(form, points, Space.IMAGE, images, "", (), maker) if points and images else None
    points = tuple(zip(values[::3], values[1::3], values[2::3], strict=False))
    space, said = text(item, "ReferencedFrameOfReferenceUID"), text(item, "GraphicType")
    form = Form.ELLIPSE if said == "ELLIPSE" else Form.POINT if len(points) == 1 else Form.LINE
    if said == "POLYGON" and points and points[0] != points[-1]:
        points = (*points, points[0])
    return Mark(form, points, Space.PATIENT, frozenset(), space, (), maker) if points and space else None


def _images(item: Dataset) -> Iterator[tuple[str, int]]:
    """The images that coordinates were selected from."""
    for child in items(item, "ContentSequence"):
        for one in items(child, "ReferencedSOPSequence"):
            yield text(one, "ReferencedSOPInstanceUID"), int(number(one, "ReferencedFrameNumber") or 0)
