"""The lines of other planes over a picture, drawn open in the middle, with handles to turn them."""

from __future__ import annotations

import math

from workstation.rendering.display_list import Anchor, DisplayList, Ellipse, Item, Line, Role, Text
from workstation.rendering.overlays import MARGIN, text_size
from workstation.tools.crossing import Crossing, CrossLine, Part, Position

GAP = 18.0
GRIP = 4.5
LABEL = 0.85


def cross_list(crossing: Crossing, unit_px: float, held: Part | None = None) -> DisplayList:
    """`held` is the part under the hand, drawn brighter; `unit_px` viewport pixels of one at 96 dpi."""
    items: list[Item] = []
    for one in crossing.lines:
        chosen = held is not None and (held.kind == "point" or held.number == one.plane.number)
        items += _line(crossing, one, "selected" if chosen else "crosshair", unit_px)
    return DisplayList(tuple(items))


def _line(crossing: Crossing, one: CrossLine, role: Role, unit_px: float) -> list[Item]:
    gap = GAP * unit_px
    ends = [_stopped(end, crossing.meeting, gap) for end in (one.start, one.end)]
    items: list[Item] = [
        Line(end, stop, role, 1.0)
        for end, stop in zip((one.start, one.end), ends, strict=True)
        if stop is not None
    ]
    items += [Line(a, b, role, 1.0, True) for a, b in one.faces]
    items += [Ellipse(grip, (GRIP * unit_px, GRIP * unit_px), 0.0, role) for grip in one.grips]
    size = text_size(crossing.frame.width, crossing.frame.height)
    if size > 0:
        items.append(_name(crossing, one, role, LABEL * size, unit_px))
    return items


def _stopped(end: Position, middle: Position, gap: float) -> Position | None:
    """Where a line from the edge ends before the middle; None where it has no room."""
    far = math.dist(end, middle)
    if far <= gap:
        return None
    part = gap / far
    return (middle[0] + (end[0] - middle[0]) * part, middle[1] + (end[1] - middle[1]) * part)


def _name(crossing: Crossing, one: CrossLine, role: Role, size: float, unit_px: float) -> Text:
    """The plane's name beside the handle that lies further up, or further right of two as high."""
    places = one.grips or (one.start, one.end)
    at = min(places, key=lambda p: (round(p[1] - p[0] * 0.5), p[0]))
    inside = min(max(at[0], MARGIN), crossing.frame.width - MARGIN)
    anchor: Anchor = "left" if inside < crossing.frame.width * 0.8 else "right"
    side = 1.0 if anchor == "left" else -1.0
    return Text((one.plane.name,), (inside + side * 9.0 * unit_px, at[1] - 9.0 * unit_px), anchor, role, size)
