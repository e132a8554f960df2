"""Lengths of points given in mm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from workstation.imaging.geometry import Vector, distance
from workstation.tools.measures.refusal import Refusal


def length(a: Vector, b: Vector) -> float:
    """Mm between two points given in mm."""
    return distance(a, b)


def path_length(points: Sequence[Vector]) -> float:
    """Mm along a line of points given in mm."""
    return sum(distance(a, b) for a, b in pairwise(points))


def ratio(part: tuple[Vector, Vector], whole: tuple[Vector, Vector]) -> float | Refusal:
    """How long one line is over another, both of points in the same proportions."""
    size = distance(*whole)
    if size < 1e-9 or distance(*part) < 1e-9:
        return Refusal("a line of the ratio has no length")
    return distance(*part) / size


@dataclass(frozen=True, slots=True)
class Bidirectional:
    """Longest diameter and the longest one at right angles to it, in mm, with their ends."""

    long_axis: tuple[Vector, Vector]
    short_axis: tuple[Vector, Vector]

    @property
    def long(self) -> float:
        return distance(*self.long_axis)

    @property
    def short(self) -> float:
        return distance(*self.short_axis)


def bidirectional(outline: Sequence[Vector]) -> Bidirectional | Refusal:
    """Of a closed outline in one plane (mm): its longest diameter, and the widest chord across it (RECIST).

    The chord is one of the outline itself, at right angles to the long axis in the outline's plane.
    """
    points = np.asarray(outline, dtype=np.float64)
    if len(points) < 3:
        return Refusal("an outline needs at least three points")
    far = np.linalg.norm(points[:, None] - points[None], axis=-1)
    first, last = np.unravel_index(int(np.argmax(far)), far.shape)
    axis = points[last] - points[first]
    size = float(np.linalg.norm(axis))
    if size < 1e-9:
        return Refusal("the outline has no extent")
    u = axis / size
    across = points - points[first] - ((points - points[first]) @ u)[:, None] * u
    widest = across[int(np.argmax(np.linalg.norm(across, axis=1)))]
    if np.linalg.norm(widest) < 1e-9:
        return Refusal("the outline lies on one line")
    v = widest / np.linalg.norm(widest)
    flat = np.stack([(points - points[first]) @ u, (points - points[first]) @ v], axis=1)
    low, high, at = _widest_chord(flat)
    ends = [points[first] + at * u + t * v for t in (low, high)]
    return Bidirectional(
        (_vector(points[first]), _vector(points[last])), (_vector(ends[0]), _vector(ends[1]))
    )


def _widest_chord(flat: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float, float]:
    """(from, to, at) of the longest chord across; it always passes through a corner of the outline."""
    best = (0.0, 0.0, 0.0)
    nexts = np.roll(flat, -1, axis=0)
    for at in flat[:, 0]:
        a, b = flat[:, 0] - at, nexts[:, 0] - at
        crossing = (a <= 0) != (b <= 0)
        places = flat[crossing, 1] + (nexts[crossing, 1] - flat[crossing, 1]) * (
            -a[crossing] / (b[crossing] - a[crossing])
        )
        on = flat[np.abs(a) < 1e-12, 1]
        found = np.concatenate([places, on])
        if found.size > 1 and found.max() - found.min() > best[1] - best[0]:
            best = float(found.min()), float(found.max()), float(at)
    return best


def _vector(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
