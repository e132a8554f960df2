"""The chest that CT, prior, PET and radiograph of the demo come from: real where it can be had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pacs_core.rehearsal.filters import Axis, Volume, grain, opened
from pacs_core.rehearsal.nifti import axial, read_nifti
from pacs_core.rehearsal.phantoms.geometry import SliceStack, stack
from pacs_core.rehearsal.phantoms.rendering import coverage, render
from pacs_core.rehearsal.phantoms.scenes import chest_scene
from pacs_core.rehearsal.phantoms.shapes import Shape, Sphere, Vector

AIR = -1024
LUNGS = (10, 11, 12, 13, 14)
REAL, ANALYTIC = "LIDC-IDRI-0001", "analytic"

ANALYTIC_LABELS = {
    "right lung": 14,
    "left lung": 11,
    "heart": 51,
    "liver": 5,
    "spleen": 1,
    "aorta": 52,
    "spine": 36,
}


@dataclass(frozen=True, slots=True)
class Chest:
    """HU (slices, rows, columns; feet first), organ labels on the same grid, and where they lie (LPS mm)."""

    hu: NDArray[np.int16]
    labels: NDArray[np.uint8]
    slices: SliceStack
    origin: str

    @property
    def axes(self) -> tuple[Axis, Axis, Axis]:
        """Sample positions along z, y and x in LPS millimetres."""
        s, (z, y, x) = self.slices, self.hu.shape
        step = s.origins[1][2] - s.origins[0][2]
        first = s.origins[0]
        return Axis(z, first[2], step), Axis(y, first[1], s.row_spacing), Axis(x, first[0], s.column_spacing)


def real_chest(ct: bytes, labels: bytes) -> Chest:
    """The chest from its two NIfTI files; raises ValueError where they are not what they should be."""
    volume = read_nifti(ct)
    stored, slices = axial(volume)
    organs, _ = axial(read_nifti(labels))
    if organs.shape != stored.shape:
        raise ValueError(f"label map {organs.shape} does not fit the CT {stored.shape}")
    hu = np.maximum(stored.astype(np.int16) + np.int16(volume.intercept), np.int16(AIR))
    return Chest(hu, np.ascontiguousarray(organs, np.uint8), slices, REAL)


def analytic_chest() -> Chest:
    """A chest of shapes in the place of the real one, half as fine, with the labels of its organs."""
    slices = stack((256, 256, 110), (1.40625, 1.40625, 3.0), (13.6, 7.9, -175.0))
    scene = chest_scene()
    moved = tuple(_Moved(shape, slices.middle) for shape in scene.solids)
    hu = render(type(scene)(moved, AIR), slices, noise=14.0, seed=1)
    labels = np.zeros(hu.shape, np.uint8)
    for shape in moved:
        label = ANALYTIC_LABELS.get(shape.name)
        for index in range(slices.slices if label else 0):
            labels[index][shape.distance(slices.points(index)) < 0] = label
    return Chest(np.asarray(np.rint(hu), np.int16), labels, slices, ANALYTIC)


def insert_nodules(volume: Volume, slices: SliceStack, nodules: Iterable[Sphere], seed: int) -> None:
    """Blend balls into the HU of a volume in place, with a scanner's slight blur and grain on them."""
    random = np.random.default_rng(seed)
    for nodule in nodules:
        for index in range(slices.slices):
            if abs(slices.height(nodule.centre, index)) < nodule.diameter / 2 + slices.thickness:
                _insert(volume[index], nodule, slices, index, random)


def _insert(
    plane: Volume, nodule: Sphere, slices: SliceStack, index: int, random: np.random.Generator
) -> None:
    row, column = slices.pixel(nodule.centre, index)
    margin = nodule.diameter / 2 / slices.row_spacing + 4
    rows = slice(max(int(row - margin), 0), int(row + margin) + 1)
    columns = slice(max(int(column - margin), 0), int(column + margin) + 1)
    share = _softened(coverage(nodule, slices.points(index, rows, columns), slices))
    tissue = nodule.hu + grain((share.shape[0], share.shape[1]), 14.0, random)
    plane[rows, columns] += (share * (tissue - plane[rows, columns])).astype(np.float32)


def _softened(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 3 × 3 binomial blur: it widens the edge and leaves the half-way contour where it was."""
    for axis in (0, 1):
        share = (np.roll(share, 1, axis) + 2 * share + np.roll(share, -1, axis)) / 4
    return share


@dataclass(frozen=True, slots=True)
class _Moved:
    """A shape carried elsewhere."""

    shape: Shape
    by: Vector

    @property
    def name(self) -> str:
        return str(getattr(self.shape, "name", ""))

    @property
    def sharp(self) -> bool:
        return self.shape.sharp

    @property
    def hu(self) -> float:
        return self.shape.hu

    @property
    def half(self) -> Vector:
        return self.shape.half

    @property
    def middle(self) -> Vector:
        x, y, z = (a + b for a, b in zip(self.shape.middle, self.by, strict=True))
        return x, y, z

    def distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.shape.distance(points - np.asarray(self.by))


def body_mask(hu: NDArray[np.int16], labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Skin and what is inside it; the table and what lies on the patient are left out."""
    solid = (hu > -350) | np.isin(labels, LUNGS)
    radius = max(2, round(hu.shape[-1] / 128))
    return opened(solid, radius)


def lesion_mask(chest: Chest, centre: Sequence[float], radius: float) -> NDArray[np.bool_]:
    """Soft tissue in a lung within a ball about a point: a mass that the label map does not know."""
    mask = np.zeros(chest.hu.shape, bool)
    for index in range(chest.slices.slices):
        if abs(chest.slices.origins[index][2] - centre[2]) < radius:
            near = np.linalg.norm(chest.slices.points(index) - np.asarray(centre), axis=-1) < radius
            mask[index] = near & (chest.hu[index] > -300) & (chest.labels[index] < 20)
    return mask
