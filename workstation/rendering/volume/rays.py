"""A scene as rays through index space: what every ray caster is told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workstation.rendering.volume.grid import Grid
from workstation.rendering.volume.scene import Quality, Scene
from workstation.rendering.volume.transfer import Projection, Tables, tables

Three = tuple[float, float, float]
Six = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, eq=False)
class Rays:
    """Ray of pixel (x, y), step t: index ``origin + x * across + y * down + t * along``, t any integer.

    `planes` (n, 4) in index space keep a x + b y + c z + d >= 0. `metric` (xx, yy, zz, 2xy, 2xz, 2yz) makes
    the square of a gradient in mm of one in index space, `sight` is one mm of the ray. `floor` and `ceiling`
    bound MIP and MinIP in stored values (MinIP with the sign turned).
    """

    width: int
    height: int
    origin: Three
    across: Three
    down: Three
    along: Three
    planes: npt.NDArray[np.float64] | None
    tables: Tables
    projection: Projection
    metric: Six
    sight: Three
    floor: float
    ceiling: float


def rays_of(scene: Scene, grid: Grid, width: int, height: int, quality: Quality) -> Rays:
    """For a picture of width x height pixels."""
    frame = scene.camera.frame(width, height)
    inverse = grid.inverse
    linear = inverse[:, :3]
    step = grid.spacing * quality.sampling
    sight = linear @ np.array(scene.camera.sight)
    metric = linear @ linear.T
    shaded = scene.shaded and quality.shaded
    floor, ceiling = _bounds(scene, grid)
    return Rays(
        width, height,
        _three(inverse @ np.array([*frame.origin, 1.0])), _three(linear @ np.array(frame.across)),
        _three(linear @ np.array(frame.down)), _three(sight * step),
        _planes(scene, grid), tables(scene.function, step, grid.slope, grid.intercept, shaded),
        scene.function.projection,
        (float(metric[0, 0]), float(metric[1, 1]), float(metric[2, 2]), float(2 * metric[0, 1]),
         float(2 * metric[0, 2]), float(2 * metric[1, 2])),
        _three(sight), floor, ceiling,
    )  # fmt: skip


def _three(vector: npt.NDArray[np.float64]) -> Three:
    return float(vector[0]), float(vector[1]), float(vector[2])


def _planes(scene: Scene, grid: Grid) -> npt.NDArray[np.float64] | None:
    """The crop box in index space: a plane is carried by the matrix' transpose."""
    if scene.crop is None:
        return None
    whole = np.vstack([grid.matrix, [0.0, 0.0, 0.0, 1.0]])
    return np.ascontiguousarray(scene.crop.planes() @ whole)


def _bounds(scene: Scene, grid: Grid) -> tuple[float, float]:
    """Values beyond the ends of the transfer function look like the ends."""
    low, high = ((v - grid.intercept) / grid.slope for v in scene.function.extent)
    return (-high, -low) if scene.function.projection is Projection.MINIMUM else (low, high)
