"""Numbers for strokes: points on a scene to a `Measurement`, or one with a refusal instead of a number.

Dragging a handle later makes the same measurement anew from the moved points (`remeasured`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from pacs_core.domain.measurement import Measurement
from workstation.imaging.geometry import Vector, add, subtract
from workstation.tools.numbers import (
    Numbers,
    angle_numbers,
    bidirectional_numbers,
    calibration_numbers,
    cobb_numbers,
    ellipse_numbers,
    heart_numbers,
    length_numbers,
    no_numbers,
    open_angle_numbers,
    outline_numbers,
    path_numbers,
    probe_numbers,
    value_under,
)
from workstation.tools.tool import Scene, measurement

__all__ = [
    "MEASURES",
    "OUTLINES",
    "handles_of",
    "measured",
    "moved_by",
    "remeasured",
    "unfinished",
    "value_under",
    "with_handle_moved",
]

MEASURES: dict[str, Callable[[Scene, tuple[Vector, ...]], Numbers]] = {
    "length": length_numbers,
    "path": path_numbers,
    "bidirectional": bidirectional_numbers,
    "angle": angle_numbers,
    "open_angle": open_angle_numbers,
    "cobb_angle": cobb_numbers,
    "cardiothoracic_ratio": heart_numbers,
    "ellipse_roi": ellipse_numbers,
    "rectangle_roi": outline_numbers,
    "polygon_roi": outline_numbers,
    "freehand_roi": outline_numbers,
    "probe": probe_numbers,
    "calibration": calibration_numbers,
    "arrow": no_numbers,
    "text": no_numbers,
    "spine_label": no_numbers,
}
MOST_HANDLES = 12
OUTLINES = ("rectangle_roi", "polygon_roi", "freehand_roi")
"""Kinds whose points are a closed outline."""


def measured(
    scene: Scene,
    kind: str,
    points: tuple[Vector, ...],
    tracking_uid: str = "",
    details: dict[str, str] | None = None,
) -> Measurement:
    """The numbers of a stroke; where there can be none, the measurement carries its refusal.

    `details` go with it, such as the known length of a calibration.
    """
    quantities, refusal = MEASURES[kind](scene, points)
    found = measurement(scene, kind, points, quantities, refusal, tracking_uid)
    return replace(found, details=dict(details)) if details else found


def unfinished(scene: Scene, kind: str, points: tuple[Vector, ...], tracking_uid: str) -> Measurement:
    """A stroke under way that has too few points for a number: to be shown, never kept."""
    return measurement(scene, kind, points, (), "", tracking_uid)


def remeasured(scene: Scene, old: Measurement, points: tuple[Vector, ...]) -> Measurement:
    """The same measurement (identity, label, author, pairing) with its points moved and its numbers made
    anew.
    """
    fresh = measured(scene, old.kind, points, old.tracking_uid)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return replace(
        old, points=fresh.points, quantities=fresh.quantities, refusal=fresh.refusal, changed_at=now
    )


def with_handle_moved(scene: Scene, old: Measurement, handle: int, to: Vector) -> Measurement:
    """One handle dragged to a point. The axis ends of an ellipse move the opposite side not at all, nor do
    the corners of a rectangle; a freehand line gives way softly.
    """
    points = list(old.points)
    if old.kind == "freehand_roi":
        return remeasured(scene, old, _line_bent(old.points, handle, to))
    if old.kind == "rectangle_roi" and len(points) == 4:
        return remeasured(scene, old, _rectangle_stretched(old.points, handle, to))
    if old.kind == "ellipse_roi":
        return remeasured(scene, old, _ellipse_stretched(old.points, handle, to))
    points[handle] = to
    return remeasured(scene, old, tuple(points))


def handles_of(kind: str, count: int) -> tuple[int, ...]:
    """Which points of a stroke are handles: all, but of a line drawn by hand a few, evenly along it."""
    if kind != "freehand_roi" or count <= MOST_HANDLES:
        return tuple(range(count))
    return tuple(round(n * count / MOST_HANDLES) for n in range(MOST_HANDLES))


def _line_bent(points: tuple[Vector, ...], handle: int, to: Vector) -> tuple[Vector, ...]:
    """A closed line of many points pulled at one of them: its neighbours follow less."""
    count = len(points)
    reach = max(1.0, count / MOST_HANDLES)
    by = subtract(to, points[handle])

    def share(number: int) -> float:
        away = abs(number - handle)
        return max(0.0, 1.0 - min(away, count - away) / reach)

    return tuple(add(p, by, share(n)) for n, p in enumerate(points))


def _ellipse_stretched(points: tuple[Vector, ...], handle: int, to: Vector) -> tuple[Vector, ...]:
    """Move one end along its axis, the far end held, the other axis kept through the new middle."""
    far = points[handle ^ 1]
    axis = subtract(points[handle], far)
    square = sum(c * c for c in axis)
    along = sum(a * b for a, b in zip(subtract(to, far), axis, strict=True)) / square if square else 1.0
    moved = add(far, axis, along if abs(along) > 1e-3 else 1e-3)
    shift = tuple((m - p) / 2 for m, p in zip(moved, points[handle], strict=True))
    found = [add(p, (shift[0], shift[1], shift[2])) for p in points]
    found[handle], found[handle ^ 1] = moved, far
    return tuple(found)


def _rectangle_stretched(points: tuple[Vector, ...], handle: int, to: Vector) -> tuple[Vector, ...]:
    """Move one corner, the far one held; the sides keep their directions."""
    far, beside = points[(handle + 2) % 4], points[(handle + 1) % 4]
    side = subtract(beside, far)
    square = sum(c * c for c in side)
    along = sum(a * b for a, b in zip(subtract(to, far), side, strict=True)) / square if square else 0.0
    found = list(points)
    found[handle], found[(handle + 1) % 4] = to, add(far, side, along)
    found[(handle + 3) % 4] = add(to, side, -along)
    return tuple(found)


def moved_by(scene: Scene, old: Measurement, by: Vector) -> Measurement:
    """The whole measurement shifted."""
    return remeasured(scene, old, tuple(add(p, by) for p in old.points))
