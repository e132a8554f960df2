"""PET images whose standardized uptake is known (PS3.3 C.8.9; SUVbw)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pacs_core.rehearsal.headers import (
    PET_IMAGE,
    SeriesHeader,
    decimal,
    new_image,
    place,
    set_frame,
    set_injection,
    set_pixels,
)
from pacs_core.rehearsal.phantoms.geometry import SliceStack, stack
from pacs_core.rehearsal.phantoms.rendering import Scene, render
from pacs_core.rehearsal.phantoms.series import PhantomSeries, truth_of
from pacs_core.rehearsal.phantoms.shapes import Rod, Sphere

HALF_LIFE_S = 6586.2
REFERENCE_SPHERES = ((10.0, 4.0), (17.0, 4.0), (28.0, 4.0), (13.0, 8.0))
"""Diameters (mm) and uptakes of the spheres in the reference object, whose ground is 1.0."""


@dataclass(frozen=True, slots=True)
class Dose:
    """F-18 given to a person of `weight_kg`, `minutes` before the scan began."""

    total_bq: float = 320e6
    minutes: float = 60.0
    weight_kg: float = 78.0

    @property
    def bq_ml_per_suv(self) -> float:
        """Activity concentration, decay corrected to the start of the scan, that is an SUVbw of 1 (g/ml)."""
        left: float = self.total_bq * 2.0 ** (-self.minutes * 60 / HALF_LIFE_S)
        return left / (self.weight_kg * 1000)


def pet_images(
    suv: NDArray[np.float32], slices: SliceStack, series: SeriesHeader, dose: Dose
) -> tuple[Dataset, ...]:
    """A volume of SUVbw (slices, rows, columns) as PET images in Bq/ml, each with a slope of its own."""
    images = (_image(suv[i], slices, i, series, dose) for i in range(slices.slices))
    return tuple(images)


def _image(
    suv: NDArray[np.float32], slices: SliceStack, index: int, series: SeriesHeader, dose: Dose
) -> Dataset:
    image = new_image(PET_IMAGE, series, index + 1)
    set_frame(image, series)
    place(image, slices.origins[index], slices.right, slices.down, slices.thickness)
    _set_series(image, slices, series, dose)
    image.ImageIndex = slices.slices - index
    image.FrameReferenceTime, image.ActualFrameDuration = "0", "150000"
    image.AcquisitionNumber = 1
    activity = np.clip(suv, 0, None) * dose.bq_ml_per_suv
    slope = decimal(max(float(activity.max()), 1.0) / 32767)
    image.RescaleIntercept, image.RescaleSlope = "0", slope
    top = 6 * dose.bq_ml_per_suv
    image.WindowCenter, image.WindowWidth = decimal(round(top / 2)), decimal(round(top))
    stored = np.clip(np.rint(activity / float(slope)), 0, 32767).astype(np.int16)
    set_pixels(image, stored, (slices.row_spacing, slices.column_spacing))
    return image


def _set_series(image: Dataset, slices: SliceStack, series: SeriesHeader, dose: Dose) -> None:
    """PET series and isotope modules: what an SUV is reckoned from."""
    image.Units, image.CountsSource, image.DecayCorrection = "BQML", "EMISSION", "START"
    image.SeriesType = ["WHOLE BODY", "IMAGE"]
    image.CorrectedImage = ["DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM"]
    image.NumberOfSlices = slices.slices
    image.CollimatorType = "NONE"
    image.AttenuationCorrectionMethod = "CT-derived mu-map"
    image.ReconstructionMethod = "OSEM 3i24s"
    image.PatientWeight = decimal(dose.weight_kg)
    tracer = Dataset()
    tracer.Radiopharmaceutical = "Fluorodeoxyglucose"
    tracer.RadionuclideTotalDose = decimal(dose.total_bq)
    tracer.RadionuclideHalfLife = decimal(HALF_LIFE_S)
    tracer.RadionuclidePositronFraction = "0.97"
    tracer.RadionuclideCodeSequence = [_code("77004003", "SCT", "^18^Fluorine")]
    tracer.RadiopharmaceuticalCodeSequence = [_code("35321007", "SCT", "Fluorodeoxyglucose F^18^")]
    image.RadiopharmaceuticalInformationSequence = Sequence([tracer])
    set_injection(image, series.date, series.time, dose.minutes)


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def reference_scene() -> Scene:
    """SUVs: a cylinder of 1.0 along the table with four hot spheres about its middle, nothing outside."""
    corners = ((-45.0, 0.0, 0.0), (45.0, 0.0, 0.0), (0.0, 45.0, 0.0), (0.0, -45.0, 0.0))
    spheres = (
        Sphere(place, diameter, uptake, f"hot-{diameter:g}")
        for place, (diameter, uptake) in zip(corners, REFERENCE_SPHERES, strict=True)
    )
    return Scene((Rod((0, 0, -80), (0, 0, 80), 200, 1.0, "body", sharp=False), *spheres), 0.0)


def reference_object(series: SeriesHeader, dose: Dose | None = None) -> PhantomSeries:
    """The PET digital reference object: no blur, no noise, so its SUV max, mean and peak are exact."""
    slices = stack((128, 128, 43), (2.0, 2.0, 2.0))
    suv = render(reference_scene(), slices)
    return PhantomSeries(
        pet_images(suv, slices, series, dose or Dose()), truth_of(reference_scene(), slices, series)
    )
