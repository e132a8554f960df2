"""Where the slices of a series lie in the patient (PS3.3 C.7.6.2.1.1; LPS millimetres)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pacs_core.rehearsal.phantoms.shapes import Points, Vector, vector


@dataclass(frozen=True, slots=True)
class SliceStack:
    """Parallel slices: `right` is where the column index grows, `down` where the row index grows.

    `origins` are the centres of each slice's first pixel (Image Position Patient); they need be neither
    evenly spaced nor on the normal (gantry tilt).
    """

    rows: int
    columns: int
    row_spacing: float
    column_spacing: float
    right: Vector
    down: Vector
    origins: tuple[Vector, ...]
    thickness: float

    @property
    def normal(self) -> Vector:
        """Unit normal, `right` × `down`."""
        return vector(np.cross(self.right, self.down))

    @property
    def slices(self) -> int:
        """How many."""
        return len(self.origins)

    def points(self, index: int, rows: slice = slice(None), columns: slice = slice(None)) -> Points:
        """Centres of a block of pixels of one slice, (rows, columns, 3)."""
        down = np.arange(self.rows)[rows, None, None] * self.row_spacing * np.asarray(self.down)
        right = np.arange(self.columns)[None, columns, None] * self.column_spacing * np.asarray(self.right)
        return np.asarray(np.asarray(self.origins[index]) + down + right)

    def height(self, point: Vector, index: int) -> float:
        """Signed distance (mm) of a point from the plane of a slice, along the normal."""
        return float(np.dot(np.subtract(point, self.origins[index]), self.normal))

    def pixel(self, point: Vector, index: int) -> tuple[float, float]:
        """(row, column) of a point projected onto a slice, fractions of a pixel kept."""
        offset = np.subtract(point, self.origins[index])
        return (
            float(offset @ np.asarray(self.down)) / self.row_spacing,
            float(offset @ np.asarray(self.right)) / self.column_spacing,
        )

    def nearest(self, point: Vector) -> int:
        """The slice whose plane is nearest to a point."""
        return int(np.argmin([abs(self.height(point, i)) for i in range(self.slices)]))

    @property
    def middle(self) -> Vector:
        """The centre of the stacked pixels."""
        across = np.multiply(self.right, (self.columns - 1) * self.column_spacing / 2)
        along = np.multiply(self.down, (self.rows - 1) * self.row_spacing / 2)
        between = np.add(self.origins[0], self.origins[-1]) / 2
        return vector(between + across + along)


def stack(
    size: tuple[int, int, int],
    spacing: Vector,
    centre: Vector = (0.0, 0.0, 0.0),
    right: Vector = (1.0, 0.0, 0.0),
    down: Vector = (0.0, 1.0, 0.0),
    *,
    thickness: float | None = None,
    tilt_deg: float = 0.0,
    offsets: Sequence[float] | None = None,
) -> SliceStack:
    """Slices about a centre: `size` and `spacing` are (rows, columns, slices) and (row, column, step) mm.

    `offsets` places the slices along the table's direction where they are not evenly spaced (mm from the
    centre); `tilt_deg` turns the planes about `right` while the table goes on as before (gantry tilt).
    """
    rows, columns, count = size
    table = np.cross(right, down)
    tilted = turned(down, right, tilt_deg)
    places = offsets if offsets is not None else [(i - (count - 1) / 2) * spacing[2] for i in range(count)]
    corner = np.multiply(right, (columns - 1) * spacing[1] / 2) + np.multiply(
        tilted, (rows - 1) * spacing[0] / 2
    )
    origins = tuple(vector(np.asarray(centre) - corner + table * place) for place in places)
    depth = spacing[2] if thickness is None else thickness
    return SliceStack(rows, columns, spacing[0], spacing[1], right, tilted, origins, depth)


def oblique(about_x: float = 0.0, about_y: float = 0.0, about_z: float = 0.0) -> tuple[Vector, Vector]:
    """The axial directions (right, down) turned by degrees about the patient's axes, in that order."""
    right: Vector = (1.0, 0.0, 0.0)
    down: Vector = (0.0, 1.0, 0.0)
    for axis, angle in (((1.0, 0.0, 0.0), about_x), ((0.0, 1.0, 0.0), about_y), ((0.0, 0.0, 1.0), about_z)):
        right, down = turned(right, axis, angle), turned(down, axis, angle)
    return right, down


def turned(direction: Vector, axis: Vector, degrees: float) -> Vector:
    """A direction turned about a unit axis (Rodrigues)."""
    angle = np.radians(degrees)
    v: NDArray[np.float64] = np.asarray(direction, dtype=np.float64)
    k: NDArray[np.float64] = np.asarray(axis, dtype=np.float64)
    return vector(v * np.cos(angle) + np.cross(k, v) * np.sin(angle) + k * (k @ v) * (1 - np.cos(angle)))
