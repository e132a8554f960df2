"""Shapes on a plane, in the frame's coordinates: ellipses and outlines."""

from __future__ import annotations

from dataclasses import dataclass

from workstation.imaging.geometry import Vector, add, dot, scaled, subtract, unit
from workstation.imaging.view_frame import ViewFrame


@dataclass(frozen=True, slots=True)
class EllipseShape:
    """An ellipse in a plane: centre and its two half axes as vectors at right angles, in the frame's
    coordinates.
    """

    centre: Vector
    half_a: Vector
    half_b: Vector


@dataclass(frozen=True, slots=True)
class PolygonShape:
    """A closed outline in a plane, in the frame's coordinates; its last point joins its first."""

    points: tuple[Vector, ...]


Shape = EllipseShape | PolygonShape


def ellipse_in_box(first: Vector, second: Vector, frame: ViewFrame) -> EllipseShape:
    """The ellipse that fills the box between two points, its sides along the frame's across and down."""
    right, down = unit(frame.across), unit(frame.down)
    span = subtract(second, first)
    centre = add(first, span, 0.5)
    return EllipseShape(centre, scaled(right, dot(span, right) / 2), scaled(down, dot(span, down) / 2))


def rectangle_in_box(first: Vector, second: Vector, frame: ViewFrame) -> tuple[Vector, ...]:
    """The four corners of the box between two points, in turn."""
    right = unit(frame.across)
    side = scaled(right, dot(subtract(second, first), right))
    return first, add(first, side), second, subtract(second, side)


def ellipse_points(shape: EllipseShape) -> tuple[Vector, Vector, Vector, Vector]:
    """The ends of the first and of the second axis: what TID 1500 keeps of an ellipse (PS3.3 C.18.6.1.2)."""
    ends = [add(shape.centre, half, sign) for half in (shape.half_a, shape.half_b) for sign in (-1.0, 1.0)]
    return ends[0], ends[1], ends[2], ends[3]


def ellipse_of_points(points: tuple[Vector, ...]) -> EllipseShape:
    """Back from the four axis ends."""
    a, b, c, d = points
    return EllipseShape(scaled(add(a, b), 0.5), scaled(subtract(b, a), 0.5), scaled(subtract(d, c), 0.5))
