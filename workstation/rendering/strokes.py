"""The reader's measurements over a picture: lines, ellipses, handles and their labels, where they lie in
the patient.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from pacs_core.domain.measurement import Measurement
from workstation.imaging.geometry import Vector
from workstation.imaging.view_frame import ViewFrame
from workstation.rendering.display_list import DisplayList, Ellipse, Handle, Item, Line, Polyline, Role, Text
from workstation.tools.measuring import OUTLINES
from workstation.tools.words import label_lines

LABEL_GAP = 10.0
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
    if one.in_pixels or not frame.in_patient or not frame.frame_of_reference_uid:
        return False
    if one.frame_of_reference_uid != frame.frame_of_reference_uid or not one.points:
        return False
    reach = max(frame.thickness / 2, 0.5)
    return all(abs(frame.viewport(point)[2]) <= reach for point in one.points)


def _drawn(frame: ViewFrame, one: Measurement, role: Role) -> list[Item]:
    points = [_flat(frame, p) for p in one.points]
    shape = _shape(one, points, role)
    handles: list[Item] = [
        Handle(p, role, owner=one.tracking_uid, number=n) for n, p in enumerate(points) if role == "selected"
    ]
    return [*shape, *handles, *_label(frame, one, points, role)]


def _flat(frame: ViewFrame, point: Vector) -> tuple[float, float]:
    x, y, _ = frame.viewport(point)
    return x, y


def _shape(one: Measurement, points: list[tuple[float, float]], role: Role) -> list[Item]:
    if one.kind == "length" and len(points) == 2:
        return [Line(points[0], points[1], role), *_ends(points, role)]
    if one.kind == "angle" and len(points) == 3:
        return [Polyline(tuple(points), role)]
    if one.kind in ("cobb_angle", "bidirectional") and len(points) == 4:
        return [Line(points[0], points[1], role), Line(points[2], points[3], role)]
    if one.kind in OUTLINES and len(points) > 2:
        return [Polyline((*points, points[0]), role)]
    if one.kind == "calibration" and len(points) == 2:
        return [Line(points[0], points[1], role), *_ends(points, role)]
    if one.kind == "ellipse_roi" and len(points) == 4:
        return [_ellipse(points, role)]
    if one.kind == "probe" and points:
        x, y = points[0]
        return [Line((x - 6, y), (x + 6, y), role), Line((x, y - 6), (x, y + 6), role)]
    return [Polyline(tuple(points), role)] if len(points) > 1 else []


def _ends(points: list[tuple[float, float]], role: Role) -> list[Item]:
    """Short bars across the ends of a length, so that its ends are seen on any ground."""
    (ax, ay), (bx, by) = points
    size = math.hypot(bx - ax, by - ay)
    if size < 1e-6:
        return []
    nx, ny = -(by - ay) / size * 5.0, (bx - ax) / size * 5.0
    return [Line((x - nx, y - ny), (x + nx, y + ny), role) for x, y in points]


def _ellipse(points: list[tuple[float, float]], role: Role) -> Ellipse:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
    radii = (math.hypot(bx - ax, by - ay) / 2, math.hypot(dx - cx, dy - cy) / 2)
    return Ellipse(((ax + bx) / 2, (ay + by) / 2), radii, math.degrees(math.atan2(by - ay, bx - ax)), role)


def _label(frame: ViewFrame, one: Measurement, points: list[tuple[float, float]], role: Role) -> list[Item]:
    lines = label_lines(one)
    if not lines or not points:
        return []
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
