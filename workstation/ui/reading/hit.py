"""What of a stroke lies under the pointer: a handle, its label, or its line. In viewport pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QRectF

from pacs_core.domain.measurement import Measurement
from workstation.imaging.view_frame import ViewFrame
from workstation.rendering.display_list import Ellipse, Handle, Item, Line, Polyline, Position, ScaleBar, Text
from workstation.rendering.strokes import measurement_list

REACH = 6.0
HANDLE_REACH = 12.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A stroke under the pointer: `part` is handle, label or line; `number` the handle's."""

    stroke: Measurement
    part: str
    number: int = 0


def hit(
    frame: ViewFrame,
    strokes: tuple[Measurement, ...],
    selected: str,
    where: Position,
    unit: float,
    labels: Mapping[str, QRectF],
) -> Hit | None:
    """The nearest part of a stroke; handles before labels before lines, the selected stroke before others.

    `labels` are where their words were painted.
    """
    ordered = sorted(strokes, key=lambda m: m.tracking_uid != selected)
    for part in ("handle", "label", "line"):
        for stroke in ordered:
            items = measurement_list(frame, (stroke,), selected=stroke.tracking_uid).items
            found = _part(stroke, part, items, where, unit, labels.get(stroke.tracking_uid))
            if found is not None:
                return found
    return None


def _part(
    stroke: Measurement,
    part: str,
    items: tuple[Item, ...],
    where: Position,
    unit: float,
    label: QRectF | None,
) -> Hit | None:
    for item in items:
        if (
            part == "handle"
            and isinstance(item, Handle)
            and math.dist(item.position, where) <= HANDLE_REACH * unit
        ):
            return Hit(stroke, part, item.number)
        if part == "label" and isinstance(item, Text) and label is not None and label.contains(*where):
            return Hit(stroke, part)
        if (
            part == "line"
            and not isinstance(item, Handle | Text | ScaleBar)
            and distance(item, where) <= REACH * unit
        ):
            return Hit(stroke, part)
    return None


def distance(item: Line | Polyline | Ellipse, where: Position) -> float:
    """How far a position lies from what is drawn, in viewport pixels."""
    if isinstance(item, Line):
        return _to_segment(item.start, item.end, where)
    if isinstance(item, Polyline):
        points = (*item.points, item.points[0]) if item.closed else item.points
        return min(_to_segment(a, b, where) for a, b in pairwise(points))
    return _to_ellipse(item, where)


def _to_segment(a: Position, b: Position, p: Position) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    square = dx * dx + dy * dy
    along = 0.0 if square == 0 else min(1.0, max(0.0, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square))
    return math.hypot(p[0] - a[0] - along * dx, p[1] - a[1] - along * dy)


def _to_ellipse(item: Ellipse, p: Position) -> float:
    turn = math.radians(-item.degrees)
    x, y = p[0] - item.centre[0], p[1] - item.centre[1]
    u, v = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
    a, b = max(item.radii[0], 1e-6), max(item.radii[1], 1e-6)
    reach = math.hypot(u / a, v / b)
    return abs(reach - 1.0) * math.hypot(u, v) / max(reach, 1e-6)
