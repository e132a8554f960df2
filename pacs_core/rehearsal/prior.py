"""The synthetic prior: the same chest months earlier, lying elsewhere, its lesions smaller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pacs_core.rehearsal.chest import AIR, Chest, insert_nodules
from pacs_core.rehearsal.filters import Volume, grain, trilinear
from pacs_core.rehearsal.phantoms.geometry import SliceStack, stack, turned
from pacs_core.rehearsal.phantoms.shapes import Sphere, Vector, vector


@dataclass(frozen=True, slots=True)
class Lesion:
    """A nodule of known diameters (mm; 0 = absent) then and now, at a place of the current CT (LPS mm)."""

    name: str
    centre: Vector
    now: float
    then: float
    hu: float = 35.0
    suv: float = 1.0

    def current(self) -> Sphere:
        """The nodule as it is now."""
        return Sphere(self.centre, self.now, self.hu, self.name)


@dataclass(frozen=True, slots=True)
class Displacement:
    """From a point of the prior's frame to the same tissue in the current one: rigid first, then smooth.

    `shift` is the other table position (mm), `turn_deg` a turn about the patient's long axis, `breath` how
    much higher (mm) the diaphragm stood; `shrink` 0.3 means that the mass about `mass` was smaller by 30 %.
    """

    pivot: Vector
    shift: Vector = (6.0, -14.0, 85.0)
    turn_deg: float = 1.5
    breath: float = 7.0
    diaphragm_z: float = -215.0
    mass: Vector = (57.0, 87.0, -115.0)
    mass_reach: float = 22.0
    shrink: float = 0.35

    def to_current(self, points: NDArray[Any]) -> NDArray[Any]:
        """Prior points (…, 3) in the current frame (LPS mm)."""
        pivot = np.asarray(self.pivot, points.dtype)
        shift = np.asarray(self.shift, points.dtype)
        rigid = (points - pivot - shift) @ self._rotation().astype(points.dtype) + pivot
        return np.asarray(rigid + self._smooth(rigid))

    def to_prior(self, point: Vector) -> Vector:
        """Where a current point was in the prior's frame, to a thousandth of a millimetre (fixed point)."""
        pivot, target = np.asarray(self.pivot), np.asarray(point)
        rigid = target
        for _ in range(60):
            rigid = target - self._smooth(rigid)
        return vector((rigid - pivot) @ self._rotation().T + pivot + np.asarray(self.shift))

    def _rotation(self) -> NDArray[np.float64]:
        axis = (0.0, 0.0, 1.0)
        return np.stack(
            [turned((1.0, 0.0, 0.0), axis, self.turn_deg), turned((0.0, 1.0, 0.0), axis, self.turn_deg), axis]
        )

    def _smooth(self, points: NDArray[Any]) -> NDArray[Any]:
        x, y, z = (points[..., i] for i in range(3))
        out = np.empty_like(points)
        out[..., 0] = 1.5 * np.sin(z / 55.0)
        out[..., 1] = 1.8 * np.sin(z / 70.0 + x / 90.0)
        out[..., 2] = -self.breath * np.exp(-(((z - self.diaphragm_z) / 70.0) ** 2)) + 1.2 * np.sin(y / 60.0)
        from_mass = points - np.asarray(self.mass, points.dtype)
        pull = self.shrink * np.exp(-0.5 * (from_mass**2).sum(axis=-1) / self.mass_reach**2)
        return np.asarray(out + pull[..., None] * from_mass)


def prior_slices(chest: Chest, displacement: Displacement, count: int = 104, step: float = 3.0) -> SliceStack:
    """The prior's own slices: other pixel size and slice distance, in its own frame of reference."""
    size = chest.slices.rows
    pixel = chest.slices.row_spacing * 1.04
    middle = np.sum([chest.slices.middle, displacement.shift, (3.0, 2.0, 6.0)], axis=0)
    return stack((size, size, count), (pixel, pixel, step), vector(middle))


def synthetic_prior(
    chest: Chest, displacement: Displacement, lesions: Sequence[Lesion], seed: int
) -> tuple[Volume, SliceStack, tuple[Sphere, ...]]:
    """HU of the prior, where its slices lie, and its nodules, in its own frame; `chest` has none inserted."""
    slices = prior_slices(chest, displacement)
    volume = moved_volume(chest, displacement, slices, noise=9.0, seed=seed)
    nodules = tuple(
        Sphere(displacement.to_prior(lesion.centre), lesion.then, lesion.hu, lesion.name)
        for lesion in lesions
        if lesion.then > 0
    )
    insert_nodules(volume, slices, nodules, seed + 1)
    return volume, slices, nodules


def moved_volume(
    chest: Chest, displacement: Displacement, slices: SliceStack, *, noise: float, seed: int
) -> Volume:
    """The chest's HU sampled at slices of another frame, with fresh grain."""
    random = np.random.default_rng(seed)
    out = np.empty((slices.slices, slices.rows, slices.columns), np.float32)
    for index in range(slices.slices):
        points = displacement.to_current(slices.points(index).astype(np.float32))
        plane = trilinear(chest.hu, indices(chest.slices, points), AIR)
        plane += grain((slices.rows, slices.columns), noise, random) * (plane > AIR)
        out[index] = plane
    return out


def indices(slices: SliceStack, points: NDArray[Any]) -> NDArray[np.float32]:
    """Fractional (slice, row, column) of points in an axial stack, (3, …)."""
    offset = points - np.asarray(slices.origins[0], points.dtype)
    step = slices.origins[1][2] - slices.origins[0][2]
    scaled = offset / np.array([slices.column_spacing, slices.row_spacing, step], points.dtype)
    return np.asarray(np.moveaxis(scaled[..., ::-1], -1, 0), np.float32)
