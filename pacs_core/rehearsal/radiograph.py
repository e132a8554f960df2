"""A postero-anterior chest radiograph projected from the CT: parallel rays, the table left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from pacs_core.rehearsal.chest import LUNGS, Chest, body_mask
from pacs_core.rehearsal.filters import Axis, Volume, along, blurred, interpolating
from pacs_core.rehearsal.headers import CR_IMAGE, SeriesHeader, decimal, new_image, set_pixels

PIXEL_MM = 0.5
WATER_PER_MM = 0.0165
TOP = 4095


def radiograph(chest: Chest, series: SeriesHeader, view: str = "PA", seed: int = 0) -> Dataset:
    """One CR image, `view` PA or LL; what lies at the patient's left is at the right of a PA picture."""
    plane = _film(_projected(chest, axis=1 if view == "PA" else 2, seed=seed))
    image = new_image(CR_IMAGE, series, 1)
    image.ViewPosition = view
    image.PatientOrientation = ["L", "F"] if view == "PA" else ["P", "F"]
    image.PlateType, image.KVP = "", "125"
    image.ImagerPixelSpacing = [decimal(PIXEL_MM)] * 2
    image.DistanceSourceToDetector = "1800"
    image.BurnedInAnnotation, image.LossyImageCompression = "NO", "00"
    image.PresentationLUTShape = "IDENTITY"
    set_pixels(image, plane, None)
    image.BitsStored, image.HighBit = 12, 11
    image.WindowCenter, image.WindowWidth = str(TOP // 2), str(TOP)
    return image


def _projected(chest: Chest, axis: int, seed: int) -> Volume:
    """Line integrals of attenuation along an axis, head up, on square pixels, with a detector's noise."""
    inside = body_mask(chest.hu, chest.labels)
    density = np.clip(1 + chest.hu.astype(np.float32) / 1000, 0, 2.2) * inside
    depth = chest.axes[axis].step
    low, high = _lung_span(chest)
    lines = density[low:high].sum(axis=axis)[::-1] * depth * WATER_PER_MM
    z, across = Axis(high - low, 0.0, chest.axes[0].step), chest.axes[3 - axis]
    fine = along(along(lines, interpolating(z, _fine(z)), 0), interpolating(across, _fine(across)), 1)
    quanta = np.random.default_rng(seed).normal(0, 1, fine.shape).astype(np.float32)
    return np.asarray(fine + 0.012 * np.exp(fine / 4) * quanta, np.float32)


def _lung_span(chest: Chest) -> tuple[int, int]:
    """The slices a technologist would collimate to: the lungs and 25 mm about them."""
    with_lung = np.flatnonzero(np.isin(chest.labels, LUNGS).any(axis=(1, 2)))
    margin = round(25 / chest.axes[0].step)
    return max(int(with_lung[0]) - margin, 0), min(int(with_lung[-1]) + margin + 1, chest.slices.slices)


def _film(lines: Volume) -> NDArray[np.uint16]:
    """Grey values: bones bright, edges lifted a little as a reader of plates does, 12 bits."""
    lifted = lines + 0.7 * (lines - blurred(lines, 12.0, (PIXEL_MM, PIXEL_MM)))
    low, high = np.percentile(lifted[lifted > 0.2], [1.0, 99.7])
    return np.asarray(np.clip((lifted - low) / (high - low), 0, 1) * TOP, np.uint16)


def _fine(axis: Axis) -> Axis:
    length = (axis.count - 1) * axis.step
    return Axis(int(length / PIXEL_MM) + 1, axis.first, PIXEL_MM)
