"""A stroke as the shapes that DICOM knows: polylines, ellipses and points (PS3.3 C.18.6.1.2, C.10.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Place = tuple[float, ...]

TWO_LINES = frozenset({"bidirectional", "cobb_angle", "open_angle", "cardiothoracic_ratio"})
OUTLINES = frozenset({"rectangle_roi", "polygon_roi", "freehand_roi"})
REGIONS = OUTLINES | {"ellipse_roi"}
SPOTS = frozenset({"probe", "text", "spine_label"})


@dataclass(frozen=True, slots=True)
class Shape:
    """POLYLINE (closed where its last point is its first), ELLIPSE (ends of the major, then of the minor
    axis) or POINT.
    """

    kind: str
    points: tuple[Place, ...]


def shapes_of(kind: str, points: Sequence[Place]) -> tuple[Shape, ...]:
    """What a stroke is drawn of; points in whatever coordinates they came in."""
    whole = tuple(points)
    if len(whole) == 1 or kind in SPOTS:
        return tuple(Shape("POINT", (p,)) for p in whole[:1])
    if kind in TWO_LINES and len(whole) == 4:
        return Shape("POLYLINE", whole[:2]), Shape("POLYLINE", whole[2:])
    if kind == "ellipse_roi" and len(whole) == 4:
        longer_first = _square(whole[0], whole[1]) >= _square(whole[2], whole[3])
        return (Shape("ELLIPSE", whole if longer_first else (*whole[2:], *whole[:2])),)
    if kind in OUTLINES:
        return (Shape("POLYLINE", (*whole, whole[0])),)
    return (Shape("POLYLINE", whole),) if whole else ()


def points_of(kind: str, shapes: Sequence[Shape]) -> tuple[Place, ...]:
    """Back from the shapes to the points of a stroke of that kind."""
    if kind in OUTLINES and shapes:
        return shapes[0].points[:-1]
    return tuple(p for shape in shapes for p in shape.points)


def _square(a: Place, b: Place) -> float:
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
