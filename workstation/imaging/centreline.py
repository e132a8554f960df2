"""A line through the patient that a curved reformat follows: a spline through given points, by length.

Centripetal Catmull-Rom between the points (Barry and Goldman 1988; Yuksel 2011), so that uneven clicks make
no loops; its frame turns as little as it can (double reflection, Wang 2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import GeometryError, Vector

Points = npt.NDArray[np.float64]
FINENESS = 64  # places on each span of the spline before it is measured
SHORTEST = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Centreline:
    """`places` (n, 3) in patient mm, equally far apart along the line: `step` mm; `length` is the whole."""

    places: Points
    step: float
    length: float

    @property
    def tangents(self) -> Points:
        """Unit directions (n, 3)."""
        along = np.gradient(self.places, axis=0)
        return np.asarray(along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12))

    def normals(self, first: Vector | None = None) -> Points:
        """Unit vectors (n, 3) at right angles to the line, turned no more than the line itself demands.

        `first` is the direction wanted at the start; None takes one across the patient.
        """
        tangents = self.tangents
        found = np.empty_like(tangents)
        found[0] = _across(tangents[0], first)
        for n in range(len(tangents) - 1):
            found[n + 1] = _carried(
                self.places[n], self.places[n + 1], tangents[n], tangents[n + 1], found[n]
            )
        return found


def _across(tangent: npt.NDArray[np.float64], wanted: Vector | None) -> npt.NDArray[np.float64]:
    choices = [np.array(wanted)] if wanted is not None else []
    for vector in [*choices, np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])]:
        rest = vector - tangent * float(vector @ tangent)
        size = float(np.linalg.norm(rest))
        if size > 0.1 * float(np.linalg.norm(vector)) > 0:
            return np.asarray(rest / size)
    raise GeometryError("no direction across the line was found")


def _carried(
    here: npt.NDArray[np.float64],
    there: npt.NDArray[np.float64],
    tangent: npt.NDArray[np.float64],
    following: npt.NDArray[np.float64],
    normal: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """The normal at the next place: reflected in the plane between the places, and back onto the tangent."""
    chord = there - here
    square = float(chord @ chord)
    if square < 1e-18:
        return normal
    mirrored = normal - 2.0 / square * float(chord @ normal) * chord
    leading = tangent - 2.0 / square * float(chord @ tangent) * chord
    rest = following - leading
    size = float(rest @ rest)
    if size > 1e-18:
        mirrored = mirrored - 2.0 / size * float(rest @ mirrored) * rest
    across = mirrored - following * float(mirrored @ following)
    return np.asarray(across / np.linalg.norm(across))


def _spline(points: Points) -> Points:
    """Many places along the centripetal Catmull-Rom spline; a straight line where there are two points."""
    if len(points) == 2:
        return np.linspace(points[0], points[1], FINENESS + 1)
    ends = [2 * points[0] - points[1], *points, 2 * points[-1] - points[-2]]
    found = [points[:1]]
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        found.append(_span(np.array([a, b, c, d])))
    return np.concatenate(found)


def _span(p: Points) -> Points:
    knots = np.concatenate([[0.0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(p, axis=0), axis=1)))])
    t = np.linspace(knots[1], knots[2], FINENESS + 1)[1:, None]
    level = list(p)
    for reach in (1, 2, 3):
        level = (
            [
                ((knots[n + reach] - t) * level[n] + (t - knots[n]) * level[n + 1])
                / (knots[n + reach] - knots[n])
                for n in range(len(level) - 1)
            ]
            if reach != 3
            else [((knots[2] - t) * level[0] + (t - knots[1]) * level[1]) / (knots[2] - knots[1])]
        )
    return np.asarray(level[0])


def centreline(points: list[Vector], step: float, smooth: bool = True) -> Centreline:
    """The line through points in patient mm, a spline or (not `smooth`) straight pieces, in equal steps.

    `step` is made a little smaller so that a whole number fits. Raises GeometryError for fewer than two
    points, points at one place, or numbers that are none.
    """
    given = np.array(points, dtype=np.float64).reshape(-1, 3)
    if not np.isfinite(given).all() or not np.isfinite(step) or step <= 0:
        raise GeometryError("the points of the line, or its step, are no finite numbers")
    kept = [p for n, p in enumerate(given) if n == 0 or np.linalg.norm(p - given[n - 1]) > SHORTEST]
    if len(kept) < 2:
        raise GeometryError("a line needs two points that lie apart")
    dense = _spline(np.array(kept)) if smooth else np.array(kept)
    return resampled(dense, step)


def resampled(dense: Points, step: float) -> Centreline:
    """A polyline in equal steps by its own length."""
    far = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))])
    length = float(far[-1])
    count = max(1, int(np.ceil(length / step - 1e-9)))
    at = np.linspace(0.0, length, count + 1)
    places = np.stack([np.interp(at, far, dense[:, k]) for k in range(3)], axis=1)
    return Centreline(places, length / count, length)
