"""An ultrasound loop with calibrated regions (PS3.3 C.8.5.5): a 2D sector with a target, a trace below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pacs_core.rehearsal.headers import US_MULTIFRAME_IMAGE, SeriesHeader, new_image

ROWS, COLUMNS = 480, 640
CM, SECONDS, CM_PER_S = 3, 4, 7
TISSUE, SPECTRAL_DOPPLER = 1, 3


@dataclass(frozen=True, slots=True)
class UltrasoundTruth:
    """What is true of the loop: pixel sizes of the 2D region (mm), the target, and the trace's scales.

    `target` is (row, column) of its centre in the first frame; it moves `drift` pixels to the right a frame.
    """

    row_mm: float
    column_mm: float
    target: tuple[float, float]
    target_diameter_mm: float
    drift: float
    trace_seconds_per_pixel: float
    trace_cm_s_per_pixel: float
    trace_baseline_row: int
    trace_peak_cm_s: float


TRUTH = UltrasoundTruth(0.30, 0.25, (150.0, 300.0), 24.0, 1.5, 0.005, -0.5, 440, 40.0)


def ultrasound_clip(series: SeriesHeader, frames: int = 12, seed: int = 0) -> tuple[Dataset, UltrasoundTruth]:
    """A multi-frame loop in grey with a 2D region (rows 20-339) and a Doppler trace (rows 350-459)."""
    image = new_image(US_MULTIFRAME_IMAGE, series, 1)
    image.NumberOfFrames = frames
    image.FrameTime = "40"
    image.FrameIncrementPointer = 0x00181063
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows, image.Columns = ROWS, COLUMNS
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
    image.LossyImageCompression = "00"
    image.SequenceOfUltrasoundRegions = Sequence([_tissue_region(), _doppler_region()])
    image.add_new("PixelData", "OB", clip_pixels(frames, seed).tobytes())
    return image, TRUTH


def _tissue_region() -> Dataset:
    region = _region((20, 20, 619, 339), TISSUE, 1, CM, CM)
    region.PhysicalDeltaX, region.PhysicalDeltaY = TRUTH.column_mm / 10, TRUTH.row_mm / 10
    return region


def _doppler_region() -> Dataset:
    region = _region((20, 350, 619, 459), SPECTRAL_DOPPLER, 3, SECONDS, CM_PER_S)
    region.PhysicalDeltaX = TRUTH.trace_seconds_per_pixel
    region.PhysicalDeltaY = TRUTH.trace_cm_s_per_pixel
    region.ReferencePixelX0, region.ReferencePixelY0 = 0, TRUTH.trace_baseline_row - 350
    region.ReferencePixelPhysicalValueX, region.ReferencePixelPhysicalValueY = 0.0, 0.0
    return region


def _region(box: tuple[int, int, int, int], data: int, space: int, unit_x: int, unit_y: int) -> Dataset:
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = space, data, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = box[0], box[1]
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = box[2], box[3]
    region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection = unit_x, unit_y
    return region


def clip_pixels(frames: int, seed: int) -> NDArray[np.uint8]:
    """The loop itself, (frames, rows, columns)."""
    speckle = np.random.default_rng(seed).rayleigh(28.0, (ROWS, COLUMNS)).astype(np.float32)
    rows, columns = np.mgrid[:ROWS, :COLUMNS].astype(np.float32)
    out = np.zeros((frames, ROWS, COLUMNS), np.uint8)
    for index in range(frames):
        out[index] = _frame(speckle, rows, columns, index)
    return out


def _frame(
    speckle: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32], index: int
) -> NDArray[np.uint8]:
    frame = np.zeros((ROWS, COLUMNS), np.float32)
    inside = (rows >= 20) & (rows < 340) & (np.abs(columns - 320) < 60 + (rows - 20) * 0.75)
    down = (rows - TRUTH.target[0]) * TRUTH.row_mm
    across = (columns - TRUTH.target[1] - TRUTH.drift * index) * TRUTH.column_mm
    target = np.clip((np.hypot(down, across) - TRUTH.target_diameter_mm / 2) / TRUTH.column_mm + 0.5, 0, 1)
    frame[inside] = (12 + speckle * 1.4 * target)[inside]
    return np.asarray(np.clip(frame + _trace(rows, columns), 0, 255), np.uint8)


def _trace(rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    beat = np.abs(np.sin(columns[0] * TRUTH.trace_seconds_per_pixel * np.pi)) ** 3 * TRUTH.trace_peak_cm_s
    top = TRUTH.trace_baseline_row + beat / TRUTH.trace_cm_s_per_pixel
    inside = (rows >= 350) & (columns >= 20) & (columns < 620)
    band = inside & (rows >= top) & (rows <= TRUTH.trace_baseline_row)
    line = inside & (rows == TRUTH.trace_baseline_row)
    return np.asarray(band * np.float32(90) + line * np.float32(120), np.float32)
