"""A brain MR from the MNI152 average: a T1, and a FLAIR made of its tissue maps with lesions put in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pacs_core.rehearsal.filters import Axis, Volume, along, averaging
from pacs_core.rehearsal.nifti import axial, read_nifti
from pacs_core.rehearsal.phantoms.geometry import SliceStack
from pacs_core.rehearsal.phantoms.rendering import Scene, coverage, render
from pacs_core.rehearsal.phantoms.shapes import Ellipsoid, Sphere, Vector


@dataclass(frozen=True, slots=True)
class Spot:
    """A bright lesion of the white matter: LPS mm of the template."""

    name: str
    centre: Vector
    diameter: float

    def ball(self) -> Sphere:
        """The lesion as a shape with its brightness."""
        return Sphere(self.centre, self.diameter, SPOT, self.name)


SPOT = 640.0
FLAIR = {"grey": 420.0, "white": 330.0, "fluid": 60.0}
FLAIR_STEP = 4


def t1_volume(t1: bytes, seed: int) -> tuple[Volume, SliceStack]:
    """The T1 average as axial slices of 1 mm with an MR's noise; the brain alone, as the source has it."""
    values, slices = axial(read_nifti(t1))
    return _rician(values.astype(np.float32) * 3.2, 9.0, seed), slices


def flair_volume(
    t1: bytes, grey: bytes, white: bytes, lesions: Sequence[Sphere], seed: int
) -> tuple[Volume, SliceStack]:
    """Tissue maps weighted like a FLAIR, slices of 4 mm, with bright lesions of known size (LPS mm)."""
    fine = _weighted(t1, grey, white)
    _, slices = axial(read_nifti(t1))
    for lesion in lesions:
        for index in range(slices.slices):
            if abs(slices.height(lesion.centre, index)) <= lesion.diameter / 2 + 1:
                share = coverage(lesion, slices.points(index), slices)
                fine[index] += (share * (lesion.hu - fine[index])).astype(np.float32)
    thick = thicker(slices, FLAIR_STEP)
    first = slices.origins[0][2]
    matrix = averaging(Axis(slices.slices, first, 1.0), Axis(thick.slices, thick.origins[0][2], FLAIR_STEP))
    return _rician(along(fine, matrix, 0), 11.0, seed), thick


def _weighted(t1: bytes, grey: bytes, white: bytes) -> Volume:
    brain = axial(read_nifti(t1))[0] > 0
    shares = [axial(read_nifti(data))[0].astype(np.float32) / 255 for data in (grey, white)]
    fluid = np.clip(1 - shares[0] - shares[1], 0, 1) * brain
    return np.asarray(
        shares[0] * FLAIR["grey"] + shares[1] * FLAIR["white"] + fluid * FLAIR["fluid"], np.float32
    )


def thicker(slices: SliceStack, factor: int) -> SliceStack:
    """Slices that each average `factor` of the given ones."""
    step = slices.origins[1][2] - slices.origins[0][2]
    count = slices.slices // factor
    x, y, z = slices.origins[0]
    origins = tuple((x, y, z + ((factor - 1) / 2 + i * factor) * step) for i in range(count))
    return SliceStack(
        slices.rows,
        slices.columns,
        slices.row_spacing,
        slices.column_spacing,
        slices.right,
        slices.down,
        origins,
        factor * step,
    )


def analytic_brain(slices: SliceStack, lesions: Sequence[Sphere], seed: int) -> Volume:
    """A head of ellipsoids where the average could not be had."""
    head = (
        Ellipsoid((0, -18, 5), (72, 90, 68), 420.0, "grey"),
        Ellipsoid((0, -18, 5), (62, 80, 58), 330.0, "white"),
        Ellipsoid((-10, -15, 15), (6, 26, 10), 60.0, "right ventricle"),
        Ellipsoid((10, -15, 15), (6, 26, 10), 60.0, "left ventricle"),
    )
    return _rician(render(Scene((*head, *lesions), 0.0), slices), 11.0, seed)


def _rician(values: Volume, deviation: float, seed: int) -> Volume:
    """Magnitude of a complex signal with noise: never negative, brighter than zero in air."""
    random = np.random.default_rng(seed)
    real = values + deviation * random.standard_normal(values.shape, np.float32)
    imaginary = deviation * random.standard_normal(values.shape, np.float32)
    return np.asarray(np.hypot(real, imaginary), np.float32)
