"""Angles of points given in mm, in degrees."""

from __future__ import annotations

import math

from workstation.imaging.geometry import Vector, cross, dot, norm, subtract
from workstation.tools.measures.refusal import Refusal


def angle(a: Vector, corner: Vector, b: Vector) -> float | Refusal:
    """Degrees 0 to 180 at `corner` between the arms to a and b."""
    u, v = subtract(a, corner), subtract(b, corner)
    if norm(u) < 1e-9 or norm(v) < 1e-9:
        return Refusal("an arm of the angle has no length")
    return math.degrees(math.atan2(norm(cross(u, v)), dot(u, v)))


def between_lines(a: Vector, b: Vector, c: Vector, d: Vector) -> float | Refusal:
    """Degrees 0 to 90 between the line through a and b and the line through c and d, whatever their sense."""
    u, v = subtract(b, a), subtract(d, c)
    if norm(u) < 1e-9 or norm(v) < 1e-9:
        return Refusal("a line of the angle has no length")
    return math.degrees(math.atan2(norm(cross(u, v)), abs(dot(u, v))))


def cobb(upper: tuple[Vector, Vector], lower: tuple[Vector, Vector]) -> float | Refusal:
    """Cobb's angle between two end plates, 0 to 180 degrees; drawn either way round they mean the same.

    The ends that lie nearer one another (the curve's concave side) are taken together, so that a curve of
    more than 90 degrees keeps its angle.
    """
    u, v = subtract(upper[1], upper[0]), subtract(lower[1], lower[0])
    if norm(u) < 1e-9 or norm(v) < 1e-9:
        return Refusal("an end plate has no length")
    straight = norm(subtract(upper[0], lower[0])) + norm(subtract(upper[1], lower[1]))
    crossed = norm(subtract(upper[0], lower[1])) + norm(subtract(upper[1], lower[0]))
    if crossed < straight:
        v = (-v[0], -v[1], -v[2])
    return math.degrees(math.atan2(norm(cross(u, v)), dot(u, v)))
