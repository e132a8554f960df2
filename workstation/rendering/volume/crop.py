"""A box in the patient, in any orientation: what lies outside is not shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import Vector, add, cross, dot, norm, scaled, subtract, unit

Planes = npt.NDArray[np.float64]
SMALLEST = 0.5
FACES = ((0, -1), (0, 1), (1, -1), (1, 1), (2, -1), (2, 1))


class CropError(ValueError):
    """Axes or sizes that make no box."""


@dataclass(frozen=True, slots=True)
class CropBox:
    """`centre` in LPS mm, `axes` three unit vectors at right angles, `half` the half edges in mm."""

    centre: Vector
    axes: tuple[Vector, Vector, Vector]
    half: Vector

    def __post_init__(self) -> None:
        numbers = (*self.centre, *self.half, *(c for axis in self.axes for c in axis))
        if not np.isfinite(numbers).all() or min(self.half) <= 0.0:
            raise CropError("a crop box needs finite edges longer than nothing")
        a, b, c = self.axes
        square = max(abs(dot(a, b)), abs(dot(a, c)), abs(dot(b, c)))
        if square > 1e-3 or any(abs(norm(axis) - 1.0) > 1e-3 for axis in self.axes):
            raise CropError("the axes of a crop box are unit vectors at right angles")

    @classmethod
    def around(cls, points: Iterable[Vector], axes: tuple[Vector, Vector, Vector] | None = None) -> CropBox:
        """The smallest box with these axes (the patient's own by default) about points."""
        chosen = axes or ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        x, y, z = (unit(axis) for axis in chosen)
        found = list(points)
        ends = [(min(dot(p, a) for p in found), max(dot(p, a) for p in found)) for a in (x, y, z)]
        centre: Vector = (0.0, 0.0, 0.0)
        for axis, (low, high) in zip((x, y, z), ends, strict=True):
            centre = add(centre, axis, (low + high) / 2)
        h = [max(SMALLEST, (high - low) / 2) for low, high in ends]
        return cls(centre, (x, y, z), (h[0], h[1], h[2]))

    def face(self, number: int) -> Vector:
        """The middle of a face (0 to 5: low and high end of each axis)."""
        axis, side = FACES[number]
        return add(self.centre, self.axes[axis], side * self.half[axis])

    def moved_face(self, number: int, by: float) -> CropBox:
        """A face moved outwards by mm (inwards where negative); the opposite one stays."""
        axis, side = FACES[number]
        half = list(self.half)
        change = max(by, 2 * (SMALLEST - half[axis]))
        half[axis] += change / 2
        centre = add(self.centre, self.axes[axis], side * change / 2)
        return replace(self, centre=centre, half=(half[0], half[1], half[2]))

    def turned(self, right: Vector, down: Vector) -> CropBox:
        """The same box in other axes: `right`, `down` and what is at right angles to both."""
        x = unit(right)
        y = unit(add(down, x, -dot(down, x)))
        return replace(self, axes=(x, y, unit(cross(x, y))))

    def corners(self) -> list[Vector]:
        """The eight corners; the first axis turns fastest."""
        found = []
        for k in (-1, 1):
            for j in (-1, 1):
                for i in (-1, 1):
                    at = self.centre
                    for axis, half, side in zip(self.axes, self.half, (i, j, k), strict=True):
                        at = add(at, axis, side * half)
                    found.append(at)
        return found

    def holds(self, point: Vector) -> bool:
        """Whether a patient point is inside."""
        away = subtract(point, self.centre)
        return all(abs(dot(away, a)) <= h for a, h in zip(self.axes, self.half, strict=True))

    def planes(self) -> Planes:
        """(6, 4): a x + b y + c z + d >= 0 in LPS mm is kept."""
        found = []
        for number, (axis, side) in enumerate(FACES):
            normal = scaled(self.axes[axis], -float(side))
            found.append([*normal, -dot(normal, self.face(number))])
        return np.array(found, dtype=np.float64)
