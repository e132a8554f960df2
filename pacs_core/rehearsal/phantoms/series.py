"""A rendered phantom as a classic series: one file a slice (PS3.3 A.3, A.4)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from pacs_core.rehearsal.headers import (
    CT_IMAGE,
    MR_IMAGE,
    SeriesHeader,
    new_image,
    place,
    set_ct,
    set_frame,
    set_pixels,
    stored_ct,
)
from pacs_core.rehearsal.phantoms.geometry import SliceStack
from pacs_core.rehearsal.phantoms.rendering import Scene, render
from pacs_core.rehearsal.phantoms.shapes import Grid, Rod, Sphere
from pacs_core.rehearsal.phantoms.truth import Truth


@dataclass(frozen=True, slots=True)
class PhantomSeries:
    """Images of a phantom, first slice first, with what is true of them."""

    images: tuple[Dataset, ...]
    truth: Truth

    def save(self, folder: Path) -> tuple[Path, ...]:
        """Write the images and ``truth.json`` into a folder; the paths of the images."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = tuple(folder / f"{i:04d}.dcm" for i in range(1, len(self.images) + 1))
        for image, path in zip(self.images, paths, strict=True):
            image.save_as(path, enforce_file_format=True)
        (folder / "truth.json").write_text(self.truth.to_json(), encoding="utf-8")
        return paths


def classic_series(
    scene: Scene, slices: SliceStack, series: SeriesHeader, *, noise: float = 0.0, seed: int = 0
) -> PhantomSeries:
    """Render the scene as single-frame CT or MR images (`series.modality`); ValueError for others."""
    volume = render(scene, slices, noise=noise, seed=seed)
    return PhantomSeries(slice_images(volume, slices, series), truth_of(scene, slices, series))


def slice_images(
    volume: NDArray[np.float32], slices: SliceStack, series: SeriesHeader
) -> tuple[Dataset, ...]:
    """A volume (slices, rows, columns) in HU, or in MR units, as one image a slice."""
    return tuple(slice_image(volume[i], slices, i, series) for i in range(slices.slices))


def slice_image(plane: NDArray[np.float32], slices: SliceStack, index: int, series: SeriesHeader) -> Dataset:
    """One slice (rows, columns) as a single-frame image; raises ValueError for a modality but CT and MR."""
    if series.modality not in ("CT", "MR"):
        raise ValueError(f"no classic slice image of modality {series.modality}")
    is_ct = series.modality == "CT"
    image = new_image(CT_IMAGE if is_ct else MR_IMAGE, series, index + 1)
    set_frame(image, series)
    place(image, slices.origins[index], slices.right, slices.down, slices.thickness)
    if is_ct:
        set_ct(image)
    else:
        set_mr(image)
    set_pixels(
        image, stored_ct(plane) if is_ct else stored_mr(plane), (slices.row_spacing, slices.column_spacing)
    )
    return image


def set_mr(image: Dataset) -> None:
    """MR image module (PS3.3 C.8.3.1) of a spoiled gradient echo."""
    image.ScanningSequence, image.SequenceVariant, image.ScanOptions = "GR", "SP", ""
    image.MRAcquisitionType = "3D"
    image.RepetitionTime, image.EchoTime, image.InversionTime = "2300", "2.98", "900"
    image.FlipAngle, image.EchoTrainLength = "9", 1
    image.MagneticFieldStrength = "3"
    image.AcquisitionNumber = 1
    image.WindowCenter, image.WindowWidth = "500", "1000"


def stored_mr(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """MR values, which have no unit, as stored: from 0 to 4095."""
    return np.clip(np.rint(values), 0, 4095).astype(np.uint16)


def truth_of(scene: Scene, slices: SliceStack, series: SeriesHeader) -> Truth:
    """The truth that a scene holds: its spheres, rods and grids."""
    return Truth(
        series.frame_uid,
        series.uid,
        slices,
        tuple(s for s in scene.shapes if isinstance(s, Sphere)),
        tuple(s for s in scene.shapes if isinstance(s, Rod)),
        tuple(s for s in scene.shapes if isinstance(s, Grid)),
    )
