"""Mammograms (PS3.3 A.26): a breast with gland, a mass of known size and a row of specks, in any view."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pacs_core.rehearsal.headers import SeriesHeader, decimal, new_image, set_pixels

MAMMOGRAM_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.2"
WIDTH_MM, HEIGHT_MM = 233.0, 287.0
TOP = 4095
MAGNIFICATION = 1.1
VIEWS = {"CC": ("R-10242", "cranio-caudal"), "MLO": ("R-10226", "medio-lateral oblique")}
GRAIN = 12  # mm between the knots of the gland's texture


@dataclass(frozen=True, slots=True)
class MammogramTruth:
    """What is true of a view: the pixel (mm); the mass, and both ends of the row of specks, each as (from the
    chest wall, from the top) in mm.
    """

    pixel_mm: float
    mass: tuple[float, float]
    mass_diameter_mm: float
    specks: tuple[tuple[float, float], tuple[float, float]]


TRUTH = MammogramTruth(0.07, (55.0, 120.0), 14.0, ((40.0, 160.0), (52.0, 160.0)))


def mammogram(
    series: SeriesHeader, side: str, view: str, pixel_mm: float = 0.07, seed: int = 0, reach_mm: float = 105.0
) -> tuple[Dataset, MammogramTruth]:
    """One view, `side` R or L, `view` CC or MLO; the right breast's chest wall is at the right of the image.

    `reach_mm` is how far the breast reaches from the chest wall. At 0.07 mm it has 4100 x 3329 pixels.
    """
    image = new_image(MAMMOGRAM_FOR_PRESENTATION, series, 1)
    image.ImageType = ["DERIVED", "PRIMARY", ""]
    image.BodyPartExamined, image.ImageLaterality, image.ViewPosition = "BREAST", side, view
    towards, medial = ("P", "L") if side == "R" else ("A", "R")
    image.PatientOrientation = [towards, medial if view == "CC" else f"F{medial}"]
    image.ViewCodeSequence = Sequence([_code(*VIEWS[view])])
    image.PresentationIntentType, image.OrganExposed = "FOR PRESENTATION", "BREAST"
    image.PixelIntensityRelationship, image.PixelIntensityRelationshipSign = "LOG", 1
    image.ImagerPixelSpacing = [decimal(pixel_mm * MAGNIFICATION)] * 2
    image.EstimatedRadiographicMagnificationFactor = str(MAGNIFICATION)
    image.BurnedInAnnotation, image.LossyImageCompression = "NO", "00"
    image.PresentationLUTShape, image.RescaleIntercept = "IDENTITY", "0"
    image.RescaleSlope, image.RescaleType = "1", "US"
    plane = _plane(view, pixel_mm, reach_mm, seed)
    set_pixels(image, plane[:, ::-1] if side == "R" else plane)
    image.BitsStored, image.HighBit = 12, 11
    image.WindowCenter, image.WindowWidth = str(TOP // 2), str(TOP)
    return image, replace(TRUTH, pixel_mm=pixel_mm)


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "SRT", meaning
    return code


def _plane(view: str, pixel_mm: float, reach_mm: float, seed: int) -> NDArray[np.uint16]:
    """The picture with the chest wall at its left."""
    rows, columns = round(HEIGHT_MM / pixel_mm), round(WIDTH_MM / pixel_mm)
    down = (np.arange(rows, dtype=np.float32)[:, None] + 0.5) * pixel_mm
    across = (np.arange(columns, dtype=np.float32)[None, :] + 0.5) * pixel_mm
    away = np.sqrt((across / reach_mm) ** 2 + ((down - HEIGHT_MM / 2) / 105.0) ** 2, dtype=np.float32)
    breast = np.clip((1.0 - away) * 6.0, 0.0, 1.0)
    gland = np.clip(1.0 - 1.35 * away, 0.0, 1.0)
    texture = _texture(rows, columns, pixel_mm, seed)
    grey = np.asarray(breast * (900.0 + 1500.0 * gland * texture), np.float32)
    if view == "MLO":  # the pectoral muscle, upper corner at the chest wall
        grey += breast * 900.0 * np.clip((60.0 - across - down * 0.45 + 12.0) / 3.0, 0.0, 1.0)
    _add_disc(grey, TRUTH.mass, TRUTH.mass_diameter_mm, 900.0, pixel_mm)
    (start, at), (end, _) = TRUTH.specks
    for step in range(5):
        _add_disc(grey, (start + (end - start) * step / 4, at), 0.8, 1500.0, pixel_mm)
    return np.asarray(np.clip(grey, 0, TOP), np.uint16)


def _add_disc(
    grey: NDArray[np.float32], centre: tuple[float, float], diameter: float, more: float, pixel_mm: float
) -> None:
    """A disc with a soft edge, painted in its own small square."""
    reach = diameter / 2 + 2 * pixel_mm
    low, high = ([max(0, int((c + s * reach) / pixel_mm)) for c in centre] for s in (-1, 1))
    box = np.s_[low[1] : high[1] + 1, low[0] : high[0] + 1]
    down, across = (np.mgrid[box].astype(np.float32) + 0.5) * pixel_mm
    away = np.hypot(across - centre[0], down - centre[1])
    grey[box] += more * np.clip((diameter / 2 - away) / pixel_mm + 0.5, 0.0, 1.0)


def _texture(rows: int, columns: int, pixel_mm: float, seed: int) -> NDArray[np.float32]:
    """Smooth blobs between 0 and 1, the same at every pixel size."""
    knots = np.random.default_rng(seed).random((round(HEIGHT_MM / GRAIN) + 2, round(WIDTH_MM / GRAIN) + 2))
    at_row, at_column = (np.arange(n) * pixel_mm / GRAIN for n in (rows, columns))
    lines = np.stack([np.interp(at_column, np.arange(knots.shape[1]), knot) for knot in knots])
    low = np.minimum(at_row.astype(int), len(knots) - 2)
    part = (at_row - low)[:, None]
    return np.asarray(lines[low] * (1.0 - part) + lines[low + 1] * part, np.float32)
