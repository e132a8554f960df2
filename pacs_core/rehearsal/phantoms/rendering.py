"""Shapes into pixels: each voxel gets the share of it that each shape fills (partial volume)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pacs_core.rehearsal.phantoms.geometry import SliceStack
from pacs_core.rehearsal.phantoms.shapes import Grid, Points, Shape

FINE_MM = 0.2
"""Distance of the sub-samples in a voxel that a surface cuts (at least 4, at most 10 along an edge)."""
BATCH = 400_000


@dataclass(frozen=True, slots=True)
class Scene:
    """Shapes painted one over the other, in that order, on a background value."""

    shapes: tuple[Shape | Grid, ...]
    background: float = -1000.0

    @property
    def solids(self) -> tuple[Shape, ...]:
        """The shapes, grids taken apart into their rods."""
        return tuple(part for s in self.shapes for part in (s.rods if isinstance(s, Grid) else (s,)))


def render(scene: Scene, slices: SliceStack, *, noise: float = 0.0, seed: int = 0) -> NDArray[np.float32]:
    """Pixels (slices, rows, columns) in HU; `noise` is the standard deviation of white noise added, HU."""
    out = np.full((slices.slices, slices.rows, slices.columns), scene.background, np.float32)
    for index in range(slices.slices):
        for shape in scene.solids:
            paint(out[index], shape, slices, index)
    if noise:
        out += np.random.default_rng(seed).normal(0.0, noise, out.shape).astype(np.float32)
    return out


def paint(plane: NDArray[np.float32], shape: Shape, slices: SliceStack, index: int) -> None:
    """Paint one shape into one slice, blending by the share of each voxel that it fills."""
    block = _block(shape, slices, index)
    if block is None:
        return
    share = coverage(shape, slices.points(index, *block), slices)
    plane[block] += (share * (shape.hu - plane[block])).astype(np.float32)


def coverage(shape: Shape, centres: Points, slices: SliceStack) -> NDArray[np.float64]:
    """The share (0…1) of the voxel about each of the centres (…, 3) that lies inside the shape."""
    distance = shape.distance(centres)
    edges = np.array([slices.column_spacing, slices.row_spacing, slices.thickness])
    if not shape.sharp:
        return np.asarray(np.clip(0.5 - distance / edges.min(), 0, 1))
    share = (distance < 0).astype(np.float64)
    cut = np.abs(distance) < np.linalg.norm(edges) / 2
    if cut.any():
        share[cut] = _sampled(shape, centres[cut], _offsets(slices, edges))
    return share


def _offsets(slices: SliceStack, edges: Points) -> Points:
    counts = np.clip(np.ceil(edges / FINE_MM), 4, 10).astype(int)
    steps = [((np.arange(n) + 0.5) / n - 0.5) * edge for n, edge in zip(counts, edges, strict=True)]
    grid = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(grid @ np.stack([slices.right, slices.down, slices.normal]))


def _sampled(shape: Shape, centres: Points, offsets: Points) -> NDArray[np.float64]:
    size = max(BATCH // len(offsets), 1)
    batches = (centres[i : i + size, None] + offsets for i in range(0, len(centres), size))
    return np.concatenate([(shape.distance(batch) < 0).mean(axis=1) for batch in batches])


def _block(shape: Shape, slices: SliceStack, index: int) -> tuple[slice, slice] | None:
    """The rows and columns that a box about the shape covers; None where the slice misses it."""
    half = np.asarray(shape.half)
    if abs(slices.height(shape.middle, index)) > half @ np.abs(slices.normal) + slices.thickness / 2:
        return None
    row, column = slices.pixel(shape.middle, index)
    rows = _span(row, float(half @ np.abs(slices.down)) / slices.row_spacing, slices.rows)
    columns = _span(column, float(half @ np.abs(slices.right)) / slices.column_spacing, slices.columns)
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None


def _span(middle: float, reach: float, size: int) -> slice:
    return slice(max(int(middle - reach) - 1, 0), min(int(middle + reach) + 3, size))
