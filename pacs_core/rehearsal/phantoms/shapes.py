"""Solid shapes in patient coordinates (LPS millimetres), each with a bound on the distance to its surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]
Points = NDArray[np.float64]


class Shape(Protocol):
    """A solid with one value; `distance` (mm) is negative inside, `half` halves the edges of a box about it.

    Of a `sharp` shape it never exceeds the true distance, and its edge is sampled; of the others it is an
    estimate that is good near the surface, and their edge is a ramp of one pixel.
    """

    @property
    def sharp(self) -> bool: ...
    @property
    def hu(self) -> float: ...
    @property
    def middle(self) -> Vector: ...
    @property
    def half(self) -> Vector: ...
    def distance(self, points: Points) -> Points: ...


@dataclass(frozen=True, slots=True)
class Sphere:
    """A ball: what a nodule is when its diameter has to be known."""

    centre: Vector
    diameter: float
    hu: float
    name: str = "sphere"
    sharp: bool = True

    @property
    def middle(self) -> Vector:
        return self.centre

    @property
    def half(self) -> Vector:
        return (self.diameter / 2,) * 3

    def distance(self, points: Points) -> Points:
        """Signed distance (mm) of points (…, 3) to the surface."""
        return _length(points - np.asarray(self.centre)) - self.diameter / 2

    def chord(self, offset: float) -> float:
        """Diameter (mm) of the circle that a plane at `offset` mm from the centre cuts out; 0 outside."""
        return 2 * float(np.sqrt(max((self.diameter / 2) ** 2 - offset**2, 0.0)))

    @property
    def volume(self) -> float:
        """Cubic millimetres."""
        return float(np.pi) * self.diameter**3 / 6


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """An ellipsoid along the patient's axes, for bodies and lungs: scenery, not a thing to measure."""

    centre: Vector
    radii: Vector
    hu: float
    name: str = "ellipsoid"

    @property
    def sharp(self) -> bool:
        return False

    @property
    def middle(self) -> Vector:
        return self.centre

    @property
    def half(self) -> Vector:
        return self.radii

    def distance(self, points: Points) -> Points:
        """An estimate of the signed distance (mm) of points (…, 3), of first order near the surface."""
        offset = points - np.asarray(self.centre)
        scaled = _length(offset / np.asarray(self.radii))
        slope = _length(offset / np.asarray(self.radii) ** 2)
        return np.asarray(scaled * (scaled - 1) / np.maximum(slope, 1e-9))


@dataclass(frozen=True, slots=True)
class Rod:
    """A cylinder with flat ends: a length in any direction."""

    start: Vector
    end: Vector
    diameter: float
    hu: float
    name: str = "rod"
    sharp: bool = True

    @property
    def length(self) -> float:
        """Millimetres from end face to end face."""
        return float(np.linalg.norm(np.subtract(self.end, self.start)))

    @property
    def middle(self) -> Vector:
        return vector(np.add(self.start, self.end) / 2)

    @property
    def half(self) -> Vector:
        return vector(np.abs(np.subtract(self.end, self.start)) / 2 + self.diameter / 2)

    def distance(self, points: Points) -> Points:
        """A lower bound of the signed distance (mm) of points (…, 3)."""
        axis = np.subtract(self.end, self.start) / self.length
        offset = points - np.asarray(self.middle)
        along = offset @ axis
        radial = np.sqrt(np.maximum(np.einsum("...i,...i", offset, offset) - along**2, 0))
        return np.asarray(np.maximum(radial - self.diameter / 2, np.abs(along) - self.length / 2))


@dataclass(frozen=True, slots=True)
class Box:
    """A cuboid whose edges run along two directions and their cross product; `size` in that order (mm)."""

    centre: Vector
    size: Vector
    hu: float
    right: Vector = (1.0, 0.0, 0.0)
    down: Vector = (0.0, 1.0, 0.0)
    name: str = "box"
    sharp: bool = True

    @property
    def middle(self) -> Vector:
        return self.centre

    @property
    def half(self) -> Vector:
        axes = np.stack([self.right, self.down, np.cross(self.right, self.down)])
        return vector(np.asarray(self.size) / 2 @ np.abs(axes))

    def distance(self, points: Points) -> Points:
        """A lower bound of the signed distance (mm) of points (…, 3)."""
        axes = np.stack([self.right, self.down, np.cross(self.right, self.down)])
        inside = np.abs((points - np.asarray(self.centre)) @ axes.T) - np.asarray(self.size) / 2
        return np.asarray(inside.max(axis=-1))


@dataclass(frozen=True, slots=True)
class Grid:
    """Thin rods crossing at right angles in one plane: `pitch` millimetres from line to line."""

    centre: Vector
    pitch: float
    lines: int
    diameter: float
    hu: float
    right: Vector = (1.0, 0.0, 0.0)
    down: Vector = (0.0, 1.0, 0.0)
    name: str = "grid"

    @property
    def offsets(self) -> tuple[float, ...]:
        """Where the lines lie (mm from the centre), the same in both directions."""
        return tuple((i - (self.lines - 1) / 2) * self.pitch for i in range(self.lines))

    def node(self, across: int, along: int) -> Vector:
        """The crossing of the line number `across` (to the right) and `along` (downwards), LPS mm."""
        shift = np.multiply(self.right, self.offsets[across]) + np.multiply(self.down, self.offsets[along])
        return vector(np.add(self.centre, shift))

    @property
    def rods(self) -> tuple[Rod, ...]:
        """The lines as solids."""
        last = self.lines - 1
        ends = [(self.node(i, 0), self.node(i, last)) for i in range(self.lines)]
        ends += [(self.node(0, i), self.node(last, i)) for i in range(self.lines)]
        return tuple(Rod(a, b, self.diameter, self.hu, self.name) for a, b in ends)


def vector(values: NDArray[np.float64]) -> Vector:
    """Three numbers of an array as a plain tuple."""
    return float(values[0]), float(values[1]), float(values[2])


def _length(points: Points) -> Points:
    return np.asarray(np.sqrt(np.einsum("...i,...i", points, points)))
