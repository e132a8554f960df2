"""The ray caster in plain float64 NumPy: slow, simple, every sample taken; the others are measured by it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.rendering.volume.grid import Grid, Voxels
from workstation.rendering.volume.rays import Rays, rays_of
from workstation.rendering.volume.scene import Quality, Scene
from workstation.rendering.volume.transfer import Projection, Tables

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class ReferenceCaster:
    """Every step of every ray, no empty space left out, no ray ended early."""

    def __init__(self, voxels: Voxels, grid: Grid, mask: npt.NDArray[np.uint8] | None = None) -> None:
        self.voxels, self.grid, self.mask = voxels.astype(np.float64), grid, mask

    def render(self, scene: Scene, width: int, height: int, quality: Quality) -> npt.NDArray[np.uint8]:
        """(height, width, 3) uint8."""
        rays = rays_of(scene, self.grid, width, height, quality)
        first, last = self._span(rays)
        if rays.projection is Projection.COMPOSITE:
            shown = self._composite(rays, first, last)
        else:
            shown = self._extreme(rays, first, last)
        return np.clip(np.floor(shown * 255.0 + 0.5), 0, 255).astype(np.uint8)

    def _places(self, rays: Rays, t: float) -> Floats:
        """(height, width, 3) index coordinates of step t."""
        x, y = np.arange(rays.width), np.arange(rays.height)
        start = np.array(rays.origin) + t * np.array(rays.along)
        along_x = x[None, :, None] * np.array(rays.across)
        return np.asarray(start + along_x + y[:, None, None] * np.array(rays.down))

    def _span(self, rays: Rays) -> tuple[int, int]:
        """The steps that can touch the volume: those between its corners."""
        to_screen = np.linalg.inv(np.array([rays.across, rays.down, rays.along]).T)
        ends = np.array(self.voxels.shape[::-1], dtype=np.float64) - 1.0
        corners = np.array([(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * ends
        steps = (corners - np.array(rays.origin)) @ to_screen[2]
        return int(np.floor(steps.min())), int(np.ceil(steps.max()))

    def _inside(self, rays: Rays, places: Floats) -> Bools:
        ends = np.array(self.voxels.shape[::-1], dtype=np.float64) - 1.0
        inside = ((places >= 0.0) & (places <= ends)).all(axis=-1)
        if rays.planes is not None:
            for plane in rays.planes:
                inside &= places @ plane[:3] + plane[3] >= 0.0
        return np.asarray(inside)

    def _visible(self, places: Floats) -> Bools:
        if self.mask is None:
            return np.ones(places.shape[:-1], dtype=np.bool_)
        i = np.clip(np.floor(places + 0.5).astype(int), 0, np.array(self.voxels.shape[::-1]) - 1)
        return np.asarray(self.mask[i[..., 2], i[..., 1], i[..., 0]] != 0)

    def _composite(self, rays: Rays, first: int, last: int) -> Floats:
        colour = np.zeros((rays.height, rays.width, 3))
        light = np.ones((rays.height, rays.width))
        for t in range(first, last + 1):
            places = self._places(rays, t)
            inside = self._inside(rays, places)
            if not inside.any():
                continue
            inside &= self._visible(places)
            entry = _entries(rays.tables, trilinear(self.voxels, places))
            alpha = np.where(inside, rays.tables.alpha[entry], 0.0)
            alpha, dim, shine = self._lit(rays, places, alpha)
            own = _unpacked(rays.tables.colour[entry]) * dim[..., None] + shine[..., None]
            colour += (light * alpha)[..., None] * own
            light *= 1.0 - alpha
        return colour

    def _lit(self, rays: Rays, places: Floats, alpha: Floats) -> tuple[Floats, Floats, Floats]:
        t = rays.tables
        if t.edge is None and t.light is None:
            return alpha, np.ones_like(alpha), np.zeros_like(alpha)
        g = gradient(self.voxels, places)
        m = rays.metric
        square = m[0] * g[..., 0] ** 2 + m[1] * g[..., 1] ** 2 + m[2] * g[..., 2] ** 2
        square += m[3] * g[..., 0] * g[..., 1] + m[4] * g[..., 0] * g[..., 2] + m[5] * g[..., 1] * g[..., 2]
        length = np.sqrt(np.maximum(square, 1e-12))
        if t.edge is not None:
            alpha = alpha * t.edge[np.minimum(np.floor(length * t.edge_scale + 0.5), 255).astype(int)]
        if t.light is None:
            return alpha, np.ones_like(alpha), np.zeros_like(alpha)
        cosine = np.abs(g @ np.array(rays.sight)) / length
        sure = np.minimum(1.0, square / t.faint**2) if t.faint > 0.0 else 1.0
        cosine = 1.0 - sure * (1.0 - np.minimum(cosine, 1.0))
        light = t.light[np.floor(cosine * 256.0 + 0.5).astype(int)].astype(np.float64)
        return alpha, light[..., 0], light[..., 1]

    def _extreme(self, rays: Rays, first: int, last: int) -> Floats:
        sign = -1.0 if rays.projection is Projection.MINIMUM else 1.0
        best = np.full((rays.height, rays.width), rays.floor)
        touched = np.zeros((rays.height, rays.width), dtype=np.bool_)
        for t in range(first, last + 1):
            places = self._places(rays, t)
            inside = self._inside(rays, places)
            visible = inside & self._visible(places)
            values = np.where(visible, sign * trilinear(self.voxels, places), -np.inf)
            touched |= inside if self.mask is None else values > best
            best = np.maximum(best, values)
        shown = _unpacked(rays.tables.colour[_entries(rays.tables, sign * best)])
        return np.where(touched[..., None], shown, 0.0)


def _entries(tables: Tables, values: Floats) -> Any:
    return np.clip(np.floor(values * tables.scale + tables.bias + 0.5), 0, len(tables.alpha) - 1).astype(int)


def _unpacked(colours: npt.NDArray[np.uint32]) -> Floats:
    return np.stack([(colours >> shift & 1023) / 1023.0 for shift in (0, 10, 20)], axis=-1)


def trilinear(voxels: Floats, places: Floats) -> Floats:
    """Values at index coordinates (..., 3); beyond the ends the end values hold."""
    top = np.array(voxels.shape[::-1]) - 2
    cell = np.clip(np.floor(places).astype(int), 0, top)
    w = np.clip(places - cell, 0.0, 1.0)
    total = np.zeros(places.shape[:-1])
    for dz in (0, 1):
        for dy in (0, 1):
            for dx in (0, 1):
                part = [w[..., n] if d else 1.0 - w[..., n] for n, d in enumerate((dx, dy, dz))]
                value = voxels[cell[..., 2] + dz, cell[..., 1] + dy, cell[..., 0] + dx]
                total += part[0] * part[1] * part[2] * value
    return total


def gradient(voxels: Floats, places: Floats) -> Floats:
    """Central differences one voxel to either side, a voxel."""
    found = []
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = 1.0
        found.append((trilinear(voxels, places + step) - trilinear(voxels, places - step)) / 2)
    return np.stack(found, axis=-1)
