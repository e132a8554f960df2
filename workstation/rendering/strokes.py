"""The reader's measurements over a picture: lines, ellipses, handles and their labels, where they lie in
the patient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from pacs_core.domain.measurement import Measurement
from pacs_core.domain.measurement_words import label_lines
from workstation.imaging.geometry import Vector
from workstation.imaging.view_frame import ViewFrame
from workstation.rendering.display_list import DisplayList, Ellipse, Handle, Item, Line, Polyline, Role, Text
from workstation.tools.measuring import OUTLINES, handles_of

Flat = tuple[float, float]
LABEL_GAP = 10.0
ARROW_HEAD = 14.0
LABEL_KEY = "label_at"  # Measurement.details: where its label was dragged to, "x y z" in its own coordinates


def measurement_list(
    frame: ViewFrame, measurements: Iterable[Measurement], selected: str = "", prior: bool = False
) -> DisplayList:
    """All measurements that lie on this picture; `selected` is a tracking UID, whose handles are shown."""
    items: list[Item] = []
    for one in measurements:
        if not one.deleted and lies_on(frame, one):
            role: Role = "selected" if one.tracking_uid == selected else "prior" if prior else "current"
            items += _drawn(frame, one, role)
    return DisplayList(tuple(items))


def lies_on(frame: ViewFrame, one: Measurement) -> bool:
    """On its own image always; on another plane of the same frame of reference within half its thickness."""
    if frame.instance_uid and one.instance_uid == frame.instance_uid:
        return one.frame == frame.frame
    return not one.in_pixels and in_plane(frame, one.frame_of_reference_uid, one.points)


def in_plane(frame: ViewFrame, frame_of_reference_uid: str, points: Sequence[Vector]) -> bool:
    """Whether points of a frame of reference lie in a picture's plane, within half its thickness."""
    if not frame.in_patient or not frame.frame_of_reference_uid or not points:
        return False
    if frame_of_reference_uid != frame.frame_of_reference_uid:
        return False
    reach = max(frame.thickness / 2, 0.5)
    return all(abs(frame.viewport(point)[2]) <= reach for point in points)


def _drawn(frame: ViewFrame, one: Measurement, role: Role) -> list[Item]:
    points = [_flat(frame, p) for p in one.points]
    shape = _shape(one, points, role)
    handles: list[Item] = [
        Handle(points[n], role, owner=one.tracking_uid, number=n)
        for n in handles_of(one.kind, len(points))
        if role == "selected"
    ]
    return [*shape, *handles, *_label(frame, one, points, role)]


def _flat(frame: ViewFrame, point: Vector) -> Flat:
    x, y, _ = frame.viewport(point)
    return x, y


def _shape(one: Measurement, points: list[Flat], role: Role) -> list[Item]:
    """What is drawn of a stroke; one under way, with too few points, as a line through them."""
    draw, needed = SHAPES.get(one.kind, (_line, 2))
    if len(points) >= needed:
        return draw(points, role)
    return _line(points, role)


def _line(points: list[Flat], role: Role) -> list[Item]:
    return [Polyline(tuple(points), role)] if len(points) > 1 else []


def _calliper(points: list[Flat], role: Role) -> list[Item]:
    return [Line(points[0], points[1], role), *_ends(points[:2], role)]


def _two_lines(points: list[Flat], role: Role) -> list[Item]:
    return [
        Line(points[0], points[1], role),
        *([Line(points[2], points[3], role)] if len(points) > 3 else []),
    ]


def _two_callipers(points: list[Flat], role: Role) -> list[Item]:
    return [*_calliper(points, role), *(_calliper(points[2:], role) if len(points) > 3 else [])]


def _tied_lines(points: list[Flat], role: Role) -> list[Item]:
    """Two lines of one angle: what belongs together is joined by a quiet dashed line."""
    if len(points) < 4:
        return _two_lines(points, role)
    middles = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in (points[:2], points[2:4])]
    return [*_two_lines(points, role), Line(middles[0], middles[1], role, 1.0, True)]


def _outline(points: list[Flat], role: Role) -> list[Item]:
    return [Polyline(tuple(points), role, closed=True)]


def _cross(points: list[Flat], role: Role) -> list[Item]:
    x, y = points[0]
    return [Line((x - 6, y), (x + 6, y), role), Line((x, y - 6), (x, y + 6), role)]


def _arrow(points: list[Flat], role: Role) -> list[Item]:
    """From the tail to the tip (the first point), with a head that keeps its size."""
    (x, y), (tail_x, tail_y) = points[:2]
    size = math.hypot(tail_x - x, tail_y - y)
    if size < 1e-6:
        return []
    ux, uy = (tail_x - x) / size, (tail_y - y) / size
    long, wide = min(ARROW_HEAD, size / 2), min(ARROW_HEAD, size / 2) * 0.45
    foot = (x + ux * long, y + uy * long)
    sides = ((foot[0] - uy * wide, foot[1] + ux * wide), (foot[0] + uy * wide, foot[1] - ux * wide))
    return [Line((x, y), (tail_x, tail_y), role), Polyline((sides[0], (x, y), sides[1]), role)]


def _nothing(points: list[Flat], role: Role) -> list[Item]:
    return []


def _ends(points: list[Flat], role: Role) -> list[Item]:
    """Short bars across the ends of a length, so that its ends are seen on any ground."""
    (ax, ay), (bx, by) = points
    size = math.hypot(bx - ax, by - ay)
    if size < 1e-6:
        return []
    nx, ny = -(by - ay) / size * 5.0, (bx - ax) / size * 5.0
    return [Line((x - nx, y - ny), (x + nx, y + ny), role) for x, y in points]


def _ellipse(points: list[Flat], role: Role) -> list[Item]:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[:4]
    radii = (math.hypot(bx - ax, by - ay) / 2, math.hypot(dx - cx, dy - cy) / 2)
    turn = math.degrees(math.atan2(by - ay, bx - ax))
    return [Ellipse(((ax + bx) / 2, (ay + by) / 2), radii, turn, role)]


SHAPES: dict[str, tuple[Callable[[list[Flat], Role], list[Item]], int]] = {
    "length": (_calliper, 2),
    "calibration": (_calliper, 2),
    "bidirectional": (_two_lines, 2),
    "open_angle": (_tied_lines, 2),
    "cobb_angle": (_tied_lines, 2),
    "cardiothoracic_ratio": (_two_callipers, 2),
    "ellipse_roi": (_ellipse, 4),
    "probe": (_cross, 1),
    "spine_label": (_cross, 1),
    "arrow": (_arrow, 2),
    "text": (_nothing, 1),
    **dict.fromkeys(OUTLINES, (_outline, 3)),
}
"""How a kind of stroke is drawn, and from how many points on; others are lines through their points."""


def _label(frame: ViewFrame, one: Measurement, points: list[Flat], role: Role) -> list[Item]:
    lines = label_lines(one)
    if not lines or not points:
        return []
    if one.kind == "text":
        return [Text(lines, points[0], "left", role, 0.9, one.tracking_uid)]
    if one.kind == "arrow" and len(points) > 1:
        points = points[1:2]
    near, far = max(points, key=lambda p: p[0]), min(points, key=lambda p: p[0])
    at, otherwise = (near[0] + LABEL_GAP, near[1]), (far[0] - LABEL_GAP, far[1])
    moved = _moved_label(one)
    if moved is None:
        return [Text(lines, at, "left", role, 0.9, one.tracking_uid, otherwise)]
    place = _flat(frame, moved)
    return [Line(near, place, role, 1.0, True), Text(lines, place, "left", role, 0.9, one.tracking_uid)]


def _moved_label(one: Measurement) -> Vector | None:
    parts = one.details.get(LABEL_KEY, "").split()
    try:
        x, y, z = (float(part) for part in parts)
    except ValueError:
        return None
    return x, y, z
