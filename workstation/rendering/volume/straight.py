"""A volume with axes at right angles and a right hand, made of any other one: what VTK asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import Vector, as_vector
from workstation.rendering.engines import Cut, choose
from workstation.rendering.volume.grid import Grid, Voxels

Floats = npt.NDArray[np.float64]
RIGHT_ANGLE = 1e-4


@dataclass(frozen=True, eq=False)
class Straight:
    """`axes` unit vectors of columns, rows and slices at right angles, right-handed; `origin` LPS mm."""

    voxels: Voxels
    spacing: Vector
    axes: tuple[Vector, Vector, Vector]
    origin: Vector

    @property
    def grid_matrix(self) -> Floats:
        """3 x 4: (column, row, slice, 1) -> LPS mm."""
        steps = np.array(self.axes) * np.array(self.spacing)[:, None]
        return np.concatenate([steps.T, np.array(self.origin)[:, None]], axis=1)


def straightened(voxels: Voxels, grid: Grid, most: int = 0) -> Straight:
    """The same voxels where they are straight already; resampled linearly where not, or where an edge has
    more than `most` voxels (0 for any number).
    """
    steps = [grid.matrix[:, n] for n in range(3)]
    edges = [float(np.linalg.norm(s)) for s in steps]
    units = [s / e for s, e in zip(steps, edges, strict=True)]
    crooked = max(abs(units[0] @ units[1]), abs(units[0] @ units[2]), abs(units[1] @ units[2])) > RIGHT_ANGLE
    shrink = max(1.0, max(voxels.shape) / most) if most else 1.0
    if crooked or shrink > 1.0:
        return _resampled(voxels, grid, units, [e * shrink for e in edges])
    origin = grid.matrix[:, 3]
    if np.linalg.det(np.array(units)) < 0:
        origin = origin + (voxels.shape[0] - 1) * steps[2]
        voxels, units[2] = np.ascontiguousarray(voxels[::-1]), -units[2]
    axes = (as_vector(units[0]), as_vector(units[1]), as_vector(units[2]))
    return Straight(voxels, as_vector(edges), axes, as_vector(origin))


def _resampled(voxels: Voxels, grid: Grid, units: list[Floats], edges: list[float]) -> Straight:
    """Columns keep their direction, rows the part at right angles to it, slices what is left."""
    x = units[0]
    y = units[1] - (units[1] @ x) * x
    y /= np.linalg.norm(y)
    z = np.cross(x, y)
    axes = np.array([x, y, z])
    corners = np.array(grid.corners()) @ axes.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    spacing = np.array([edges[0], edges[1], abs(float(grid.matrix[:, 2] @ z)) * edges[2] / _length(grid, 2)])
    nx, ny, nz = (int(n) for n in np.ceil((high - low) / spacing - 1e-6).astype(int) + 1)
    origin = low @ axes
    inverse = grid.inverse
    out = np.empty((nz, ny, nx), dtype=np.int16)
    engine, outside = choose(), int(voxels.min())
    across, down, through = (as_vector(inverse[:, :3] @ (axes[n] * spacing[n])) for n in range(3))
    first = inverse @ np.array([*origin, 1.0])
    for k in range(nz):
        start = as_vector(first + k * np.array(through))
        out[k] = engine.cut(voxels, Cut(start, across, down, nx, ny), outside)
    return Straight(out, as_vector(spacing), (as_vector(x), as_vector(y), as_vector(z)), as_vector(origin))


def _length(grid: Grid, axis: int) -> float:
    return float(np.linalg.norm(grid.matrix[:, axis]))
