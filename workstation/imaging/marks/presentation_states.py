"""The graphics and texts of a presentation state (PS3.3 C.10.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workstation.imaging.documents.reading import items, references, text, value
from workstation.imaging.marks.model import Form, Mark, Place, Space

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

FORMS = {
    "POINT": Form.POINT,
    "POLYLINE": Form.LINE,
    "INTERPOLATED": Form.LINE,
    "CIRCLE": Form.CIRCLE,
    "ELLIPSE": Form.ELLIPSE,
}
HALF = 0.5


def marks(data: Dataset, maker: str) -> Iterator[Mark]:
    """Every graphic and text object, on the images its annotation is for: those of the whole state where it
    names none.
    """
    every = frozenset(references(data))
    for annotation in items(data, "GraphicAnnotationSequence"):
        own = frozenset(references(annotation)) or every
        for one in items(annotation, "GraphicObjectSequence"):
            yield from _graphic(one, own, maker)
        for one in items(annotation, "TextObjectSequence"):
            yield from _text(one, own, maker)


def _graphic(item: Dataset, images: frozenset[tuple[str, int]], maker: str) -> Iterator[Mark]:
    form, unit = FORMS.get(text(item, "GraphicType")), text(item, "GraphicAnnotationUnits")
    points = _points([float(v) for v in value(item, "GraphicData") or ()], unit)
    if form is not None and points:
        uid = text(item, "TrackingUID")
        yield Mark(form, points, _space(unit), images, "", (), maker, uid)


def _text(item: Dataset, images: frozenset[tuple[str, int]], maker: str) -> Iterator[Mark]:
    """Words at their anchor, or at the middle of the left edge of their box."""
    said = tuple(str(value(item, "UnformattedTextValue") or "").splitlines())
    unit = text(item, "AnchorPointAnnotationUnits")
    place = [float(v) for v in value(item, "AnchorPoint") or ()]
    corner, other = (
        value(item, "BoundingBoxTopLeftHandCorner"),
        value(item, "BoundingBoxBottomRightHandCorner"),
    )
    if not place and corner and other:
        unit = text(item, "BoundingBoxAnnotationUnits")
        place = [min(float(corner[0]), float(other[0])), (float(corner[1]) + float(other[1])) / 2]
    points = _points(place, unit)
    if said and points:
        uid = text(item, "TrackingUID")
        yield Mark(Form.WORDS, points, _space(unit), images, "", said, maker, uid)


def _space(unit: str) -> Space:
    return Space.DISPLAY if unit == "DISPLAY" else Space.IMAGE


def _points(values: list[float], unit: str) -> tuple[Place, ...]:
    by = 0.0 if unit == "DISPLAY" else HALF
    return tuple((x - by, y - by) for x, y in zip(values[::2], values[1::2], strict=False))
