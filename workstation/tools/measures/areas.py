"""Areas and perimeters of shapes given in mm."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import Vector, cross, distance, norm
from workstation.tools.measures.refusal import Refusal

MOST_CHECKED = 2000


def ellipse_area(half_a: Vector, half_b: Vector) -> float:
    """mm² of half axes in mm; also right where calibration made them oblique to one another."""
    return math.pi * norm(cross(half_a, half_b))


def perimeter(points: Sequence[Vector]) -> float:
    """Mm around a closed outline."""
    return sum(distance(a, b) for a, b in zip(points, [*points[1:], points[0]], strict=True))


def polygon_area(points: Sequence[Vector]) -> float | Refusal:
    """mm² of a closed outline in one plane in any position; refused where it crosses itself."""
    if len(points) < 3:
        return Refusal("an outline needs at least three points")
    flat = np.asarray(points, dtype=np.float64)
    away = flat - flat[0]
    total = np.cross(away[1:-1], away[2:]).sum(axis=0)
    size = float(np.linalg.norm(total))
    if crosses_itself(_in_its_plane(away)):
        return Refusal("the outline crosses itself")
    if size < 1e-9:
        return Refusal("the outline encloses nothing")
    return size / 2.0


def _in_its_plane(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n, 2) coordinates along the two directions in which the points reach farthest."""
    spread = points - points.mean(axis=0)
    return np.asarray(spread @ np.linalg.eigh(spread.T @ spread)[1][:, 1:])


def crosses_itself(flat: npt.NDArray[np.float64]) -> bool:
    """Whether two edges of a closed outline (n, 2) cross properly; touching is allowed.

    Hand-drawn outlines of very many points are thinned for this question alone.
    """
    step = max(1, len(flat) // MOST_CHECKED)
    a = flat[::step]
    b = np.roll(a, -1, axis=0)
    d = b - a

    def side(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Sign of each point against each edge, (edges, points)."""
        away = p[None] - a[:, None]
        value = d[:, None, 0] * away[..., 1] - d[:, None, 1] * away[..., 0]
        small = 1e-9 * max(float(np.abs(flat).max()), 1.0) ** 2
        return np.where(np.abs(value) <= small, 0.0, np.sign(value))

    starts, ends = side(a), side(b)
    split = starts * ends < 0
    return bool((split & split.T).any())
