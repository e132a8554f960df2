"""The lines of other planes over a picture, drawn open in the middle, with handles to turn them."""

from __future__ import annotations

import math

from workstation.rendering.display_list import Anchor, DisplayList, Ellipse, Item, Line, Role, Text
from workstation.rendering.overlays import MARGIN, text_size
from workstation.tools.crossing import Crossing, CrossLine, Part, Position

GAP = 18.0
EDGE = 26.0
"""Room at the picture's edge for the orientation letters."""
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
    gap, edge = GAP * unit_px, EDGE * unit_px
    items: list[Item] = []
    for end in (one.start, one.end):
        far = math.dist(end, crossing.meeting)
        if far > gap + edge:
            inner, outer = (_between(crossing.meeting, end, part / far) for part in (gap, far - edge))
            items.append(Line(outer, inner, role, 1.0))
    for a, b in one.faces:
        part = min(0.5, edge / max(math.dist(a, b), 1.0))
        items.append(Line(_between(a, b, part), _between(b, a, part), role, 1.0, True))
    items += [Ellipse(grip, (GRIP * unit_px, GRIP * unit_px), 0.0, role) for grip in one.grips]
    size = text_size(crossing.frame.width, crossing.frame.height)
    if size > 0:
        items.append(_name(crossing, one, role, LABEL * size, unit_px))
    return items


def _between(start: Position, end: Position, part: float) -> Position:
    return (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part)


def _name(crossing: Crossing, one: CrossLine, role: Role, size: float, unit_px: float) -> Text:
    """The plane's name beside the handle that lies further up, or further right of two as high."""
    places = one.grips or (one.start, one.end)
    at = min(places, key=lambda p: (round(p[1] - p[0] * 0.5), p[0]))
    inside = min(max(at[0], MARGIN), crossing.frame.width - MARGIN)
    anchor: Anchor = "left" if inside < crossing.frame.width * 0.8 else "right"
    side = 1.0 if anchor == "left" else -1.0
    return Text((one.plane.name,), (inside + side * 9.0 * unit_px, at[1] - 9.0 * unit_px), anchor, role, size)
