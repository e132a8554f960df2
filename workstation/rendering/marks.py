"""Marks of other objects over a picture, where they lie: read-only, with their maker."""

from __future__ import annotations

import math
from collections.abc import Iterable

from workstation.imaging.headers import FrameHeader
from workstation.imaging.marks import Mark
from workstation.imaging.marks.model import Form, Place, Space
from workstation.imaging.view_frame import ViewFrame
from workstation.rendering.display_list import DisplayList, Ellipse, Item, Line, Polyline, Role, Text
from workstation.rendering.strokes import LABEL_GAP, Flat, in_plane

ROLE: Role = "foreign"
OWNER = "mark"
"""Whose words these are: they stay inside the picture, as those of strokes do."""
CROSS = 6.0


def marks_list(frame: ViewFrame, header: FrameHeader | None, marks: Iterable[Mark]) -> DisplayList:
    """The marks that lie on this picture; `header` is its image's own, None for a reformat."""
    found: list[Item] = []
    for mark in marks:
        if mark.form is not Form.KEY and shown_on(frame, mark):
            points = _flat(frame, header, mark)
            if points:
                found += [*_shape(mark.form, points), *_words(mark, points)]
    return DisplayList(tuple(found))


def shown_on(frame: ViewFrame, mark: Mark) -> bool:
    """Whether a mark lies on the image of a picture, or in the plane of one."""
    if mark.space is Space.PATIENT:
        return in_plane(frame, mark.frame_of_reference_uid, [_three(p) for p in mark.points])
    return bool(frame.instance_uid) and not mark.images.isdisjoint(
        {(frame.instance_uid, 0), (frame.instance_uid, frame.frame)}
    )


def _three(point: Place) -> tuple[float, float, float]:
    return point[0], point[1], point[2]


def _flat(frame: ViewFrame, header: FrameHeader | None, mark: Mark) -> list[Flat]:
    """The points in viewport pixels; none where the image does not say where its pixels lie."""
    if mark.space is Space.PATIENT:
        return [frame.viewport(_three(p))[:2] for p in mark.points]
    if mark.space is Space.DISPLAY:
        return [(p[0] * frame.width, p[1] * frame.height) for p in mark.points]
    if not frame.in_patient:
        return [frame.viewport((p[0], p[1], 0.0))[:2] for p in mark.points]
    if header is None or header.plane is None:
        return []
    plane = header.plane
    return [frame.viewport(plane.patient(p[0], p[1]))[:2] for p in mark.points]


def _shape(form: Form, points: list[Flat]) -> list[Item]:
    if form is Form.POINT:
        x, y = points[0]
        return [Line((x - CROSS, y), (x + CROSS, y), ROLE), Line((x, y - CROSS), (x, y + CROSS), ROLE)]
    if form is Form.CIRCLE and len(points) == 2:
        size = math.dist(points[0], points[1])
        return [Ellipse(points[0], (size, size), 0.0, ROLE)]
    if form is Form.ELLIPSE and len(points) == 4:
        a, b, c, d = points
        turn = math.degrees(math.atan2(b[1] - a[1], b[0] - a[0]))
        middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
        return [Ellipse(middle, (math.dist(a, b) / 2, math.dist(c, d) / 2), turn, ROLE)]
    return [Polyline(tuple(points), ROLE)] if form is Form.LINE and len(points) > 1 else []


def _words(mark: Mark, points: list[Flat]) -> list[Item]:
    """What it says and who made it, beside its rightmost point."""
    if not mark.words:
        return []
    lines = (*mark.words, *((mark.maker,) if mark.maker else ()))
    if mark.form is Form.WORDS:
        return [Text(lines, points[0], "left", ROLE, 0.9, OWNER)]
    near, far = max(points), min(points)
    at, otherwise = (near[0] + LABEL_GAP, near[1]), (far[0] - LABEL_GAP, far[1])
    return [Text(lines, at, "left", ROLE, 0.9, OWNER, otherwise)]
