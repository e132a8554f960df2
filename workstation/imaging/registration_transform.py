"""What a registration finds: a map from the current study to the prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import Vector

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Transform:
    """Carries points of the current study into the prior: ``matrix @ point + offset``, LPS mm."""

    matrix: Floats
    offset: Floats

    def to_prior(self, point: Vector) -> Vector:
        x, y, z = self.matrix @ np.asarray(point) + self.offset
        return float(x), float(y), float(z)

    def to_current(self, point: Vector) -> Vector:
        x, y, z = np.linalg.solve(self.matrix, np.asarray(point) - self.offset)
        return float(x), float(y), float(z)

    @property
    def homogeneous(self) -> Floats:
        """The same as a (4, 4) matrix."""
        found = np.eye(4)
        found[:3, :3], found[:3, 3] = self.matrix, self.offset
        return found

    def apply(self, points: Floats) -> Floats:
        """Points (n, 3) of the current study in the prior."""
        return np.asarray(points @ self.matrix.T + self.offset)

    @property
    def inverse(self) -> Transform:
        """The way back."""
        back = np.asarray(np.linalg.inv(self.matrix), dtype=np.float64)
        return Transform(back, -back @ self.offset)

    @property
    def degrees(self) -> float:
        """By how much it turns."""
        u, _, v = np.linalg.svd(self.matrix)
        return float(np.degrees(np.arccos(np.clip((np.trace(u @ v) - 1) / 2, -1, 1))))

    def moved(self, shift: Floats, turn: Floats, about: Floats) -> Transform:
        """The same, then shifted (mm) and turned (radians about the axes) about where a point goes."""
        more = rotation(turn)
        target = self.matrix @ about + self.offset
        return Transform(more @ self.matrix, more @ (self.offset - target) + target + shift)


def rotation(turn: Sequence[float] | Floats) -> Floats:
    """The rotation by radians about x, then y, then z."""
    found = np.eye(3)
    for axis, angle in enumerate(turn):
        a, b = [n for n in range(3) if n != axis]
        one = np.eye(3)
        one[a, a] = one[b, b] = np.cos(angle)
        one[a, b], one[b, a] = -np.sin(angle), np.sin(angle)
        if axis == 1:
            one = one.T
        found = one @ found
    return found
