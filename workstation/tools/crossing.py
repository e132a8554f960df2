"""The lines in which the planes of other views cross a picture, and what moving or turning one means.

A plane through `point` at right angles to `normal` meets the picture where a0·x + a1·y + c = 0, with
a = (normal · across, normal · down) and c = normal · (origin − point): viewport pixels in, mm out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workstation.imaging.geometry import Vector, add, dot, norm, scaled, subtract, unit
from workstation.imaging.view_frame import ViewFrame
from workstation.imaging.volume import Volume
from workstation.session.view_state import ViewState
from workstation.tools import oblique
from workstation.tools.planes import pixels_per_mm, plane_centre

Position = tuple[float, float]
PARALLEL = 0.02  # of a plane's normal that has to lie in the picture for it to cross it
GRIP_PART = 0.36  # of the shorter edge: how far from the middle the handles lie
LINE_REACH, GRIP_REACH, CENTRE_REACH = 6.0, 12.0, 10.0


@dataclass(frozen=True, slots=True)
class OtherPlane:
    """The plane of cell `number`; `slab` is its thickness in mm, `name` what it is called."""

    number: int
    point: Vector
    normal: Vector
    slab: float
    name: str


@dataclass(frozen=True, slots=True)
class CrossLine:
    """Where one plane crosses the picture, in viewport pixels: the line, the faces of its slab and its two
    handles.
    """

    plane: OtherPlane
    start: Position
    end: Position
    faces: tuple[tuple[Position, Position], ...]
    grips: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What lies under the pointer: `kind` is turn (a handle), move (a line) or point (where they meet)."""

    kind: str
    number: int = -1


@dataclass(frozen=True, slots=True)
class Crossing:
    """All lines of a picture and where they meet."""

    frame: ViewFrame
    lines: tuple[CrossLine, ...]
    meeting: Position

    @property
    def pivot(self) -> Vector:
        """The patient point (LPS mm) where the planes meet."""
        return self.frame.patient(*self.meeting)

    def line(self, number: int) -> CrossLine | None:
        return next((one for one in self.lines if one.plane.number == number), None)

    def part_at(self, x: float, y: float, unit_px: float) -> Part | None:
        """What is within reach of a viewport position: handles before the middle before lines."""
        for one in self.lines:
            if any(math.dist(grip, (x, y)) <= GRIP_REACH * unit_px for grip in one.grips):
                return Part("turn", one.plane.number)
        if len(self.lines) > 1 and math.dist(self.meeting, (x, y)) <= CENTRE_REACH * unit_px:
            return Part("point")
        near = [(_away(one, x, y), one.plane.number) for one in self.lines]
        found = min(near, default=(math.inf, -1))
        return Part("move", found[1]) if found[0] <= LINE_REACH * unit_px else None


def crossing(frame: ViewFrame, others: Sequence[OtherPlane]) -> Crossing | None:
    """The lines of other planes over a picture; None where none of them crosses it."""
    if not frame.in_patient:
        return None
    bare = [(plane, a, c) for plane in others if (found := _equation(frame, plane)) for a, c in (found,)]
    crossed = [(plane, a, c) for plane, a, c in bare if _clipped(frame, a, c) is not None]
    if not crossed:
        return None
    meeting = _meeting(frame, [(a, c) for _plane, a, c in crossed])
    return Crossing(frame, tuple(_line(frame, *one, meeting) for one in crossed), meeting)


def _equation(frame: ViewFrame, plane: OtherPlane) -> tuple[Position, float] | None:
    a = (dot(plane.normal, frame.across), dot(plane.normal, frame.down))
    if math.hypot(*a) < PARALLEL * norm(frame.across):
        return None
    return a, dot(plane.normal, subtract(frame.origin, plane.point))


def _line(frame: ViewFrame, plane: OtherPlane, a: Position, c: float, meeting: Position) -> CrossLine:
    ends = _clipped(frame, a, c)
    assert ends is not None
    half = plane.slab / 2
    faces = (_clipped(frame, a, c + side) for side in (half, -half) if half > 0)
    size = math.hypot(*a)
    along = (-a[1] / size, a[0] / size)
    far = GRIP_PART * min(frame.width, frame.height)
    places = ((meeting[0] + s * far * along[0], meeting[1] + s * far * along[1]) for s in (-1.0, 1.0))
    grips = tuple(p for p in places if 0 <= p[0] <= frame.width and 0 <= p[1] <= frame.height)
    return CrossLine(plane, *ends, tuple(f for f in faces if f is not None), grips)


def _clipped(frame: ViewFrame, a: Position, c: float) -> tuple[Position, Position] | None:
    """The part of a line inside the viewport; None where it passes it by."""
    width, height = float(frame.width), float(frame.height)
    found: list[Position] = []
    if abs(a[1]) > 1e-12:
        found += [(x, y) for x in (0.0, width) if 0.0 <= (y := -(a[0] * x + c) / a[1]) <= height]
    if abs(a[0]) > 1e-12:
        found += [(x, y) for y in (0.0, height) if 0.0 <= (x := -(a[1] * y + c) / a[0]) <= width]
    if len(found) < 2:
        return None
    return found[0], max(found[1:], key=lambda p: math.dist(p, found[0]))


def _meeting(frame: ViewFrame, lines: Sequence[tuple[Position, float]]) -> Position:
    """Where the lines meet; of one line the place nearest to the middle of the picture."""
    middle = np.array([(frame.width - 1) / 2, (frame.height - 1) / 2])
    matrix = np.array([a for a, _c in lines])
    wanted = -np.array([c for _a, c in lines]) - matrix @ middle
    x, y = middle + np.linalg.lstsq(matrix, wanted, rcond=None)[0]
    return float(x), float(y)


def _away(one: CrossLine, x: float, y: float) -> float:
    (x0, y0), (x1, y1) = one.start, one.end
    size = math.hypot(x1 - x0, y1 - y0)
    return abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) / size if size > 0 else math.inf


def degrees_between(middle: Position, start: Position, now: Position) -> float:
    """By how much a hand went about a point, clockwise on the screen: right-handed about `ViewFrame.normal`,
    -180 to 180.
    """
    first = math.atan2(start[1] - middle[1], start[0] - middle[0])
    second = math.atan2(now[1] - middle[1], now[0] - middle[0])
    turned = math.degrees(second - first)
    return (turned + 180.0) % 360.0 - 180.0


def turned(
    state: ViewState, volume: Volume, axis: Vector, degrees: float, about: Vector, size: tuple[int, int]
) -> ViewState:
    """The plane turned about a line through `about`, its scale kept: a picture that turns does not breathe.

    `size` is the viewport's in pixels.
    """
    moved = oblique.turned(state, volume, axis, degrees, about)
    before = pixels_per_mm(state, volume, *size)
    after = pixels_per_mm(moved, volume, *size)
    return replace(moved, zoom=moved.zoom * before / after)


def brought(state: ViewState, volume: Volume, normal: Vector, point: Vector) -> ViewState:
    """The plane moved along its normal until it holds a point."""
    centre = plane_centre(state, volume)
    away = dot(subtract(point, centre), unit(normal))
    return replace(state, centre=add(centre, scaled(unit(normal), away)))
