"""Where pixels lie in the patient: LPS millimetres (PS3.3 C.7.6.2.1.1), in float64 throughout.

x grows to the patient's Left, y to the Posterior, z to the Head. Index (column, row, slice) counts from 0
at the centre of the first pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = tuple[float, float, float]
Matrix = npt.NDArray[np.float64]

LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))
OBLIQUE_LETTER = 0.2  # sine of about 11.5 degrees: below it a second letter says more than it helps


class GeometryError(ValueError):
    """The attributes do not describe a plane in space; the message says which and why."""


def add(a: Vector, b: Vector, scale: float = 1.0) -> Vector:
    """A + scale * b."""
    return (a[0] + scale * b[0], a[1] + scale * b[1], a[2] + scale * b[2])


def subtract(a: Vector, b: Vector) -> Vector:
    """The vector from b to a."""
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def scaled(a: Vector, scale: float) -> Vector:
    """The vector so many times as long."""
    return (a[0] * scale, a[1] * scale, a[2] * scale)


def dot(a: Vector, b: Vector) -> float:
    """The scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """The vector product, right-handed."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def norm(a: Vector) -> float:
    """The length of a vector."""
    return math.sqrt(dot(a, a))


def distance(a: Vector, b: Vector) -> float:
    """Millimetres between two points."""
    return norm(subtract(a, b))


def unit(a: Vector) -> Vector:
    """The direction of a; raises GeometryError for a vector without length."""
    length = norm(a)
    if not math.isfinite(length) or length < 1e-9:
        raise GeometryError(f"{a} has no direction")
    return scaled(a, 1.0 / length)


def orientation_letters(direction: Vector) -> str:
    """The letters an arrow in this direction points to, strongest first, such as "L" or "PF" (PS3.3
    C.7.6.1.1.1).
    """
    length = norm(direction)
    if length < 1e-9:
        return ""
    parts = [
        (abs(c) / length, pair[0] if c > 0 else pair[1]) for c, pair in zip(direction, LETTERS, strict=True)
    ]
    parts.sort(key=lambda part: -part[0])
    return "".join(letter for size, letter in parts if size >= OBLIQUE_LETTER)


OPPOSITE = str.maketrans("LRPAHF", "RLAPFH")


def opposite_letters(letters: str) -> str:
    """The letters of the other end: "PL" for "AR"."""
    return letters.translate(OPPOSITE)


def plane_name(normal: Vector) -> str:
    """Axial, coronal or sagittal by the normal's strongest axis, in small letters; oblique from 5 degrees."""
    direction = unit(normal)
    sizes = [abs(c) for c in direction]
    name = ("sagittal", "coronal", "axial")[sizes.index(max(sizes))]
    return name if max(sizes) > 0.996 else f"{name} oblique"


@lru_cache(maxsize=256)
def _checked_axes(orientation: tuple[float, ...]) -> tuple[Vector, Vector]:
    """Row and column directions as unit vectors at right angles, or a GeometryError that says what is
    wrong.
    """
    if len(orientation) != 6 or not all(math.isfinite(v) for v in orientation):
        raise GeometryError(f"Image Orientation (Patient) has no six finite numbers: {orientation}")
    row = (orientation[0], orientation[1], orientation[2])
    column = (orientation[3], orientation[4], orientation[5])
    if not (0.9 < norm(row) < 1.1 and 0.9 < norm(column) < 1.1):
        raise GeometryError("Image Orientation (Patient) holds no unit vectors")
    row, column = unit(row), unit(column)
    if abs(dot(row, column)) > 0.01:
        raise GeometryError("row and column direction of Image Orientation (Patient) are not at right angles")
    # what rounding left over goes into the column, so that lengths along the row stay as written
    column = unit(add(column, row, -dot(row, column)))
    return row, column


def _checked_position(position: tuple[float, ...]) -> Vector:
    if len(position) != 3:
        raise GeometryError(f"Image Position (Patient) has no three usable numbers: {position}")
    x, y, z = position
    if not (-1e6 < x < 1e6 and -1e6 < y < 1e6 and -1e6 < z < 1e6):
        raise GeometryError(f"Image Position (Patient) has no three usable numbers: {position}")
    return x, y, z


def checked_spacing(spacing: tuple[float, ...]) -> tuple[float, float]:
    """(between rows, between columns) in mm; raises GeometryError when absent or absurd (PS3.3 10.7)."""
    if len(spacing) != 2 or not all(math.isfinite(v) for v in spacing):
        raise GeometryError(f"Pixel Spacing has no two finite numbers: {spacing}")
    if not all(1e-4 < v < 1e3 for v in spacing):
        raise GeometryError(f"Pixel Spacing is absurd: {spacing[0]} by {spacing[1]} mm")
    return spacing[0], spacing[1]


@dataclass(frozen=True, slots=True)
class PlaneGeometry:
    """One image in the patient.

    `origin` is the centre of the first pixel; `row` the direction in which the column index grows, `column`
    that in which the row index grows; `spacing` (between rows, between columns) in mm, as Pixel Spacing
    writes it.
    """

    origin: Vector
    row: Vector
    column: Vector
    spacing: tuple[float, float]
    rows: int
    columns: int

    @classmethod
    def from_attributes(
        cls,
        position: tuple[float, ...],
        orientation: tuple[float, ...],
        spacing: tuple[float, ...],
        rows: int,
        columns: int,
    ) -> PlaneGeometry:
        """From Image Position, Image Orientation and Pixel Spacing (PS3.3 C.7.6.2); raises GeometryError."""
        row, column = _checked_axes(orientation)
        return cls(_checked_position(position), row, column, checked_spacing(spacing), rows, columns)

    def at(self, position: tuple[float, ...]) -> PlaneGeometry:
        """The same plane at another Image Position; raises GeometryError."""
        origin = _checked_position(position)
        return PlaneGeometry(origin, self.row, self.column, self.spacing, self.rows, self.columns)

    @property
    def normal(self) -> Vector:
        """Row x column: away from the observer of an unflipped image."""
        return cross(self.row, self.column)

    @property
    def column_step(self) -> Vector:
        """Patient mm from one column to the next."""
        return scaled(self.row, self.spacing[1])

    @property
    def row_step(self) -> Vector:
        """Patient mm from one row to the next."""
        return scaled(self.column, self.spacing[0])

    @property
    def centre(self) -> Vector:
        return self.patient((self.columns - 1) / 2, (self.rows - 1) / 2)

    def patient(self, column: float, row: float) -> Vector:
        """The patient point of a (fractional) pixel index (PS3.3 equation C.7.6.2.1-1)."""
        return add(add(self.origin, self.column_step, column), self.row_step, row)

    def pixel(self, point: Vector) -> tuple[float, float, float]:
        """(column, row, distance in mm along the normal) of a patient point."""
        away = subtract(point, self.origin)
        return (
            dot(away, self.row) / self.spacing[1],
            dot(away, self.column) / self.spacing[0],
            dot(away, self.normal),
        )

    def depth(self) -> float:
        """Position along the plane's own normal, in mm: what slices are sorted by."""
        return dot(self.origin, self.normal)

    def depth_along(self, normal: Vector) -> float:
        """Position along any direction, in mm."""
        return dot(self.origin, normal)

    def is_parallel_to(self, other: PlaneGeometry, tolerance: float = 1e-3) -> bool:
        """Same row and column directions within `tolerance` (per component)."""
        if self.row == other.row and self.column == other.column:
            return True
        pairs = zip(self.row + self.column, other.row + other.column, strict=True)
        return all(abs(a - b) <= tolerance for a, b in pairs)


@dataclass(frozen=True)
class VolumeGeometry:
    """A stack of parallel images as one grid; sheared (gantry tilt), left-handed and unequal ones too.

    Index (column, row, slice) -> patient is
    ``origin + column * column_step + row * row_step + slice * slice_step``.
    `slice_step` need not be along the normal. Where slices are unequally spaced `stations` holds the places
    in units of `slice_step` (0 for the first, ascending); None says 0, 1, 2, ...
    """

    origin: Vector
    column_step: Vector
    row_step: Vector
    slice_step: Vector
    shape: tuple[int, int, int]
    stations: tuple[float, ...] | None = None

    @classmethod
    def from_planes(cls, planes: list[PlaneGeometry]) -> VolumeGeometry:
        """From parallel planes in order; the step is that between first and last, shear included.

        Raises GeometryError where they are not parallel, of one size, in order, or not on one straight line.
        """
        first, last = planes[0], planes[-1]
        if any(
            not p.is_parallel_to(first) or (p.rows, p.columns) != (first.rows, first.columns) for p in planes
        ):
            raise GeometryError("the images are not parallel or not of one size")
        shape = (len(planes), first.rows, first.columns)
        if len(planes) == 1:
            return cls(first.origin, first.column_step, first.row_step, first.normal, shape)
        return cls._stacked(
            planes, scaled(subtract(last.origin, first.origin), 1.0 / (len(planes) - 1)), shape
        )

    @classmethod
    def _stacked(
        cls, planes: list[PlaneGeometry], step: Vector, shape: tuple[int, int, int]
    ) -> VolumeGeometry:
        first = planes[0]
        along = dot(step, first.normal)
        if abs(along) < 1e-4:
            raise GeometryError("the images lie in one plane, they make no volume")
        stations = [dot(subtract(p.origin, first.origin), first.normal) / along for p in planes]
        if any(b - a <= 1e-4 for a, b in pairwise(stations)):
            raise GeometryError("two images lie at the same place, or they are out of order")
        for plane, station in zip(planes, stations, strict=True):
            off = norm(subtract(plane.origin, add(first.origin, step, station)))
            if off > max(0.5 * min(first.spacing), 0.1):
                raise GeometryError(f"an image lies {off:.1f} mm beside the line of the others")
        equal = all(abs(s - k) <= 0.01 for k, s in enumerate(stations))
        return cls(
            first.origin, first.column_step, first.row_step, step, shape, None if equal else tuple(stations)
        )

    @cached_property
    def matrix(self) -> Matrix:
        """3 x 4: (column, row, station, 1) -> patient."""
        return np.array([self.column_step, self.row_step, self.slice_step, self.origin], dtype=np.float64).T

    @cached_property
    def inverse(self) -> Matrix:
        """3 x 4: (patient, 1) -> (column, row, station)."""
        return inverted(self.matrix)

    @property
    def normal(self) -> Vector:
        """Row x column direction, a unit vector."""
        return unit(cross(self.column_step, self.row_step))

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Mm between columns, between rows, and between slices along the normal (the mean where unequal)."""
        return norm(self.column_step), norm(self.row_step), abs(dot(self.slice_step, self.normal))

    @property
    def shear_degrees(self) -> float:
        """Angle between the stacking direction and the normal: the gantry tilt left in the positions."""
        return math.degrees(math.acos(min(1.0, abs(dot(unit(self.slice_step), self.normal)))))

    @property
    def is_regular(self) -> bool:
        return self.stations is None

    @property
    def centre(self) -> Vector:
        slices, rows, columns = self.shape
        return self.patient((columns - 1) / 2, (rows - 1) / 2, (slices - 1) / 2)

    def station(self, index: float) -> float:
        """The place of a (fractional) slice index in units of `slice_step`."""
        if self.stations is None:
            return index
        return float(np.interp(index, np.arange(len(self.stations)), self.stations))

    def slice_index(self, station: float) -> float:
        """The (fractional) slice index at a place in units of `slice_step`; beyond the ends it goes on at
        step 1.
        """
        if self.stations is None:
            return station
        last = self.stations[-1]
        if station < 0 or station > last:
            return station if station < 0 else len(self.stations) - 1 + (station - last)
        return float(np.interp(station, self.stations, np.arange(len(self.stations))))

    def patient(self, column: float, row: float, slice_: float) -> Vector:
        """The patient point of a (fractional) index."""
        point = self.matrix @ np.array([column, row, self.station(slice_), 1.0])
        return float(point[0]), float(point[1]), float(point[2])

    def index(self, point: Vector) -> Vector:
        """The (fractional) (column, row, slice) of a patient point."""
        place = self.inverse @ np.array([*point, 1.0])
        return float(place[0]), float(place[1]), self.slice_index(float(place[2]))

    def plane(self, slice_: int) -> PlaneGeometry:
        """The geometry of one slice."""
        columns, rows, _ = self.spacing
        origin = self.patient(0, 0, slice_)
        size = self.shape
        return PlaneGeometry(
            origin, unit(self.column_step), unit(self.row_step), (rows, columns), size[1], size[2]
        )

    def corners(self) -> list[Vector]:
        """The eight outer corners of the grid, at the edges of the voxels (half a voxel beyond the
        centres).
        """
        slices, rows, columns = self.shape
        first, last = (self.station(0) - 0.5, self.station(slices - 1) + 0.5)
        found = []
        for k in (first, last):
            for j in (-0.5, rows - 0.5):
                for i in (-0.5, columns - 0.5):
                    x, y, z = (float(v) for v in self.matrix @ np.array([i, j, k, 1.0]))
                    found.append((x, y, z))
        return found

    def __hash__(self) -> int:
        return hash((self.origin, self.column_step, self.row_step, self.slice_step, self.shape))


def as_vector(values: Any) -> Vector:
    """Three floats of any sequence of three numbers."""
    x, y, z = values
    return float(x), float(y), float(z)


def inverted(matrix: Matrix) -> Matrix:
    """The way back of a 3 x 4 map of (point, 1)."""
    linear = np.linalg.inv(matrix[:, :3])
    return np.concatenate([linear, -linear @ matrix[:, 3:]], axis=1)
