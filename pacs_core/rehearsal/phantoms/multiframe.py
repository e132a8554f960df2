"""A rendered phantom as one multi-frame image of the old kind: NM reconstruction (PS3.3 C.8.4), one frame a
slice, placed by its detector's first frame and a spacing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pacs_core.rehearsal.headers import SeriesHeader, decimal, new_image, set_frame, set_pixels, stored_ct
from pacs_core.rehearsal.phantoms.geometry import SliceStack
from pacs_core.rehearsal.phantoms.rendering import Scene, render
from pacs_core.rehearsal.phantoms.series import PhantomSeries, truth_of

NM_IMAGE = "1.2.840.10008.5.1.4.1.1.20"
SLICE_VECTOR = 0x00540080


def multiframe_image(
    scene: Scene, slices: SliceStack, series: SeriesHeader, *, noise: float = 0.0, seed: int = 0
) -> PhantomSeries:
    """Render the scene as one NM reconstruction; ValueError for slices that are sheared or unequal."""
    volume = render(scene, slices, noise=noise, seed=seed)
    return PhantomSeries((multiframe_nm(volume, slices, series),), truth_of(scene, slices, series))


def multiframe_nm(volume: NDArray[np.float32], slices: SliceStack, series: SeriesHeader) -> Dataset:
    """A volume (slices, rows, columns) as one multi-frame NM image, values as `stored_ct` keeps them."""
    step = _step(slices)
    image = new_image(NM_IMAGE, series, 1)
    image.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    set_frame(image, series)
    image.NumberOfFrames = slices.slices
    image.FrameIncrementPointer = SLICE_VECTOR
    image.SliceVector = list(range(1, slices.slices + 1))
    image.NumberOfSlices = slices.slices
    image.SpacingBetweenSlices = decimal(step)
    image.SliceThickness = decimal(slices.thickness)
    image.RescaleIntercept, image.RescaleSlope = "-1024", "1"
    detector = Dataset()
    detector.ImagePositionPatient = [decimal(v) for v in slices.origins[0]]
    detector.ImageOrientationPatient = [decimal(v) for v in (*slices.right, *slices.down)]
    image.DetectorInformationSequence = Sequence([detector])
    set_pixels(image, stored_ct(volume), (slices.row_spacing, slices.column_spacing))
    return image


def _step(slices: SliceStack) -> float:
    """Mm from slice to slice along the normal, the same for all."""
    steps = np.diff(np.asarray(slices.origins), axis=0)
    along = steps @ np.asarray(slices.normal)
    if not np.allclose(steps, along.mean() * np.asarray(slices.normal), atol=1e-6) or along.mean() <= 0:
        raise ValueError("an NM reconstruction has equal steps along its normal")
    return float(along.mean())
