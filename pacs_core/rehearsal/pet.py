"""A PET made from the chest's labels: uptakes of organs and lesions, 6 mm of blur, counting noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pacs_core.rehearsal.chest import LUNGS, REAL, Chest, body_mask, lesion_mask
from pacs_core.rehearsal.filters import Axis, Volume, along, averaging, blurred
from pacs_core.rehearsal.phantoms.geometry import SliceStack, stack
from pacs_core.rehearsal.prior import Lesion

PIXEL_MM, STEP_MM, SIZE = 4.0, 3.0, 100
RESOLUTION_MM, FILTER_MM = 6.0, 3.4
COUNTS_PER_SUV = 120.0
SOFT_TISSUE, FAT = 0.75, 0.25

UPTAKES: dict[str, tuple[float, Sequence[int]]] = {
    "spleen": (1.9, (1,)),
    "kidneys": (4.5, (2, 3)),
    "liver": (2.3, (5,)),
    "stomach and bowel": (1.7, (6, 18, 19, 20)),
    "pancreas and adrenals": (1.5, (7, 8, 9)),
    "lungs": (0.45, LUNGS),
    "oesophagus": (1.7, (15,)),
    "airway": (0.1, (16,)),
    "thyroid": (1.6, (17,)),
    "vertebrae": (1.4, tuple(range(27, 51))),
    "heart": (2.9, (51,)),
    "blood": (1.7, (*range(52, 65),)),
    "long bones, ribs, sternum": (0.9, (*range(69, 75), *range(92, 117))),
    "spinal cord": (1.3, (79,)),
    "muscle": (0.75, (86, 87, 118)),
}


@dataclass(frozen=True, slots=True)
class Mass:
    """A lesion that the CT itself shows: soft tissue in a lung about a point (LPS mm), with its uptake."""

    centre: tuple[float, float, float]
    radius: float
    suv: float


def pet_slices(chest: Chest) -> SliceStack:
    """Where the PET's slices lie: over the whole chest, in the chest's own frame."""
    z, _, _ = chest.axes
    low, high = z.first - z.step / 2, z.centres[-1] + z.step / 2
    count = int((high - low) / STEP_MM)
    x, y, _ = chest.slices.middle
    return stack((SIZE, SIZE, count), (PIXEL_MM, PIXEL_MM, STEP_MM), (x, y, (low + high) / 2))


def pet_volume(chest: Chest, mass: Mass, lesions: Sequence[Lesion], seed: int) -> tuple[Volume, SliceStack]:
    """SUVbw as a scanner would see it (slices, rows, columns), and where the slices lie."""
    slices = pet_slices(chest)
    z, y, x = _target_axes(slices)
    from_z, from_y, from_x = chest.axes
    coarse = _planes(chest, mass, lesions, averaging(from_y, y), averaging(from_x, x))
    true = along(coarse, averaging(from_z, z), 0)
    return _scanned(true, np.random.default_rng(seed)), slices


def _planes(chest: Chest, mass: Mass, lesions: Sequence[Lesion], rows: Volume, columns: Volume) -> Volume:
    """Uptakes averaged over the PET's pixels, plane by plane of the CT."""
    table, inside, hot = uptake_table(), body_mask(chest.hu, chest.labels), _hot(chest, mass, lesions)
    out = np.empty((chest.hu.shape[0], rows.shape[0], columns.shape[0]), np.float32)
    for index, hu in enumerate(chest.hu):
        known = table[chest.labels[index]]
        unknown = np.where(hu > -30, SOFT_TISSUE, FAT)
        plane = np.where(known >= 0, known, unknown * inside[index]).astype(np.float32)
        for mask, suv in hot:
            plane[mask[index]] = suv
        out[index] = rows @ plane @ columns.T
    return out


def uptake_table() -> Volume:
    """SUV by label; -1 where a label says nothing."""
    table = np.full(256, -1.0, np.float32)
    for suv, labels in UPTAKES.values():
        table[list(labels)] = suv
    return table


def _hot(chest: Chest, mass: Mass, lesions: Sequence[Lesion]) -> list[tuple[NDArray[np.bool_], float]]:
    real = chest.origin == REAL  # the chest of shapes has no mass of its own
    hot = [(lesion_mask(chest, mass.centre, mass.radius), mass.suv)] if real else []
    for lesion in lesions:
        ball = lesion.current()
        mask = np.zeros(chest.hu.shape, bool)
        for index in range(chest.slices.slices):
            if abs(chest.slices.height(ball.centre, index)) < ball.diameter / 2:
                mask[index] = ball.distance(chest.slices.points(index)) < 0
        hot.append((mask, lesion.suv))
    return hot


def _scanned(true: Volume, random: np.random.Generator) -> Volume:
    """Blur of the scanner, counting statistics, filter of the reconstruction: `RESOLUTION_MM` wide."""
    spacing = (STEP_MM, PIXEL_MM, PIXEL_MM)
    seen = blurred(true, float(np.sqrt(RESOLUTION_MM**2 - FILTER_MM**2)), spacing)
    counts = random.poisson(np.clip(seen, 0, None) * COUNTS_PER_SUV).astype(np.float32)
    return np.clip(blurred(counts / COUNTS_PER_SUV, FILTER_MM, spacing), 0, None)


def _target_axes(slices: SliceStack) -> tuple[Axis, Axis, Axis]:
    first = slices.origins[0]
    return (
        Axis(slices.slices, first[2], STEP_MM),
        Axis(slices.rows, first[1], PIXEL_MM),
        Axis(slices.columns, first[0], PIXEL_MM),
    )
