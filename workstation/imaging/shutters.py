"""Display shutters: what of an image is covered because it is no anatomy (PS3.3 C.7.6.11, C.7.6.15).

Rows and columns of the standard count from 1; masks here are bool (rows, columns), true where the image
stays open. An image may have several shapes at once: what any of them covers is covered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.imaging.values import integer, number, numbers, texts

Mask = npt.NDArray[np.bool_]
P_VALUES = 65535.0


@dataclass(frozen=True, slots=True)
class Shutter:
    """The shapes of one image, None where it has none of that shape.

    `rectangle` is (left, right, upper, lower), `circle` (row, column, radius), `polygon` (row, column)
    pairs, all counted from 1; `overlay_group` the group of the overlay whose ones are covered (bitmap).
    `p_value` 0..1 is what covers.
    """

    rectangle: tuple[int, int, int, int] | None = None
    circle: tuple[int, int, int] | None = None
    polygon: tuple[tuple[int, int], ...] = ()
    overlay_group: int | None = None
    p_value: float = 0.0

    def open(self, rows: int, columns: int, bitmap: Mask | None = None) -> Mask:
        """What stays visible, (rows, columns); `bitmap` is the overlay plane of `overlay_group`."""
        found = np.ones((rows, columns), dtype=np.bool_)
        row, column = np.arange(1, rows + 1)[:, None], np.arange(1, columns + 1)
        if self.rectangle is not None:
            left, right, upper, lower = self.rectangle
            found &= (column > left) & (column < right) & (row > upper) & (row < lower)
        if self.circle is not None:
            y, x, radius = self.circle
            found &= (row - y) ** 2 + (column - x) ** 2 <= radius**2
        if self.polygon:
            found &= inside_polygon(self.polygon, row, column)
        if bitmap is not None:
            found &= ~bitmap
        return found


def inside_polygon(
    vertices: tuple[tuple[float, float], ...], row: npt.NDArray[Any], column: npt.NDArray[Any]
) -> Mask:
    """Which places lie inside (or on an edge drawn through them), by the even-odd rule; closed by itself."""
    found = np.zeros(np.broadcast_shapes(row.shape, column.shape), dtype=np.bool_)
    on = np.zeros_like(found)
    for (y0, x0), (y1, x1) in zip(vertices, vertices[1:] + vertices[:1], strict=True):
        if y0 != y1:
            crossing = (row < max(y0, y1)) & (row >= min(y0, y1))
            found ^= crossing & (column < x0 + (row - y0) * ((x1 - x0) / (y1 - y0)))
        along = (column - x0) * (y1 - y0) - (row - y0) * (x1 - x0)
        between = (row >= min(y0, y1)) & (row <= max(y0, y1))
        between = between & (column >= min(x0, x1)) & (column <= max(x0, x1))
        on |= (np.abs(along) < 1e-9) & between
    return found | on


def shutter_of(attributes: Mapping[str, object]) -> tuple[Shutter | None, tuple[str, ...]]:
    """The shutter of an image's (or presentation state's) attributes, and in words what of it is unusable."""
    shapes = {s.upper() for s in texts(attributes.get("ShutterShape")) if s}
    if not shapes:
        return None, ()
    warnings = [f"unknown shutter shape {s[:20]!r}" for s in sorted(shapes - KNOWN)]
    rectangle = _rectangle(attributes, warnings) if "RECTANGULAR" in shapes else None
    circle = _circle(attributes, warnings) if "CIRCULAR" in shapes else None
    polygon = _polygon(attributes, warnings) if "POLYGONAL" in shapes else ()
    group = number(attributes.get("ShutterOverlayGroup")) if "BITMAP" in shapes else None
    if "BITMAP" in shapes and group is None:
        warnings.append("a bitmap shutter without its overlay group")
    level = min(max(number(attributes.get("ShutterPresentationValue")) or 0.0, 0.0), P_VALUES) / P_VALUES
    if rectangle is None and circle is None and not polygon and group is None:
        return None, tuple(warnings)
    found = Shutter(rectangle, circle, polygon, None if group is None else int(group), level)
    return found, tuple(warnings)


KNOWN = frozenset({"RECTANGULAR", "CIRCULAR", "POLYGONAL", "BITMAP"})
EDGES = ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")


def _rectangle(attributes: Mapping[str, object], warnings: list[str]) -> tuple[int, int, int, int] | None:
    edges = [number(attributes.get(f"Shutter{name}Edge")) for name in EDGES]
    left, right, upper, lower = edges
    if left is None or right is None or upper is None or lower is None:
        warnings.append("a rectangular shutter without its four edges")
        return None
    if right <= left or lower <= upper:
        warnings.append("a rectangular shutter whose edges leave nothing open")
        return None
    return int(left), int(right), int(upper), int(lower)


def _circle(attributes: Mapping[str, object], warnings: list[str]) -> tuple[int, int, int] | None:
    centre = numbers(attributes.get("CenterOfCircularShutter"))
    radius = integer(attributes.get("RadiusOfCircularShutter"))
    if len(centre) != 2 or radius <= 0:
        warnings.append("a circular shutter without centre or radius")
        return None
    return int(centre[0]), int(centre[1]), radius


def _polygon(attributes: Mapping[str, object], warnings: list[str]) -> tuple[tuple[int, int], ...]:
    flat = numbers(attributes.get("VerticesOfThePolygonalShutter"))
    if len(flat) < 6 or len(flat) % 2:
        warnings.append("a polygonal shutter without at least three whole vertices")
        return ()
    return tuple((int(r), int(c)) for r, c in zip(flat[::2], flat[1::2], strict=True))
