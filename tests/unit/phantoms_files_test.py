"""Phantoms as DICOM: what is written is what another reader gets back."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from pacs_core.rehearsal.headers import SeriesHeader, decimal
from pacs_core.rehearsal.phantoms import (
    Scene,
    Sphere,
    classic_series,
    enhanced_image,
    mammogram,
    render,
    stack,
    ultrasound_clip,
)

SCENE = Scene((Sphere((4.0, -3.0, 2.0), 20.0, 60.0, "nodule"),), -850.0)
SLICES = stack((40, 48, 6), (0.9, 0.7, 4.0), tilt_deg=10.0)


def read_back(image: Dataset) -> pydicom.FileDataset:
    buffer = BytesIO()
    image.save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    return pydicom.dcmread(buffer)


def test_classic_ct_slices_keep_values_and_geometry() -> None:
    series = classic_series(SCENE, SLICES, SeriesHeader("files", "CT", description="PHANTOM"))
    volume = render(SCENE, SLICES)
    for index, image in enumerate(series.images):
        read = read_back(image)
        hu = read.pixel_array * float(read.RescaleSlope) + float(read.RescaleIntercept)
        assert np.abs(hu - volume[index]).max() <= 0.5
        assert [float(v) for v in read.ImagePositionPatient] == pytest.approx(SLICES.origins[index])
        assert [float(v) for v in read.ImageOrientationPatient] == pytest.approx(
            (*SLICES.right, *SLICES.down)
        )
        assert [float(v) for v in read.PixelSpacing] == [0.9, 0.7]
    assert len({image.SOPInstanceUID for image in series.images}) == 6
    assert {image.FrameOfReferenceUID for image in series.images} == {series.truth.frame_of_reference_uid}
    assert {image.SeriesInstanceUID for image in series.images} == {series.truth.series_uid}


def test_classic_mr_is_unsigned_and_has_its_module() -> None:
    image = read_back(classic_series(Scene((), 300.0), SLICES, SeriesHeader("mr", "MR")).images[0])
    assert image.SOPClassUID.name == "MR Image Storage"
    assert image.PixelRepresentation == 0
    assert image.pixel_array.min() == image.pixel_array.max() == 300


def test_other_modalities_are_refused() -> None:
    with pytest.raises(ValueError, match="NM"):
        classic_series(SCENE, SLICES, SeriesHeader("nm", "NM"))


def test_an_enhanced_image_has_every_frame_in_its_place() -> None:
    phantom = enhanced_image(SCENE, SLICES, SeriesHeader("enhanced", "CT"))
    read = read_back(phantom.images[0])
    assert read.SOPClassUID.name == "Enhanced CT Image Storage"
    assert read.pixel_array.shape == (6, 40, 48)
    shared = read.SharedFunctionalGroupsSequence[0]
    assert [float(v) for v in shared.PixelMeasuresSequence[0].PixelSpacing] == [0.9, 0.7]
    for index, group in enumerate(read.PerFrameFunctionalGroupsSequence):
        position = [float(v) for v in group.PlanePositionSequence[0].ImagePositionPatient]
        assert position == pytest.approx(SLICES.origins[index])
        assert group.FrameContentSequence[0].DimensionIndexValues == [1, index + 1]
    assert np.abs(read.pixel_array - 1024.0 - render(SCENE, SLICES)).max() <= 0.5


def test_an_ultrasound_target_measures_its_truth_by_its_region() -> None:
    image, truth = ultrasound_clip(SeriesHeader("us", "US"), frames=3)
    read = read_back(image)
    region = read.SequenceOfUltrasoundRegions[0]
    frame = read.pixel_array[2].astype(float)
    row, column = round(truth.target[0]), round(truth.target[1] + 2 * truth.drift)
    inside = frame == 12
    assert inside[row, column - 200 : column + 200].sum() * region.PhysicalDeltaX * 10 == pytest.approx(
        truth.target_diameter_mm, abs=10 * region.PhysicalDeltaX
    )
    assert inside[row - 100 : row + 100, column].sum() * region.PhysicalDeltaY * 10 == pytest.approx(
        truth.target_diameter_mm, abs=10 * region.PhysicalDeltaY
    )


@pytest.mark.parametrize("side", ["R", "L"])
@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_a_mammogram_has_its_mass_at_its_truth(side: str, view: str) -> None:
    image, truth = mammogram(SeriesHeader("mg", "MG"), side, view, pixel_mm=0.5)
    read = read_back(image)
    assert (read.ImageLaterality, read.ViewPosition) == (side, view)
    assert read.PatientOrientation[0] == ("P" if side == "R" else "A")
    spacing = float(read.ImagerPixelSpacing[0]) / float(read.EstimatedRadiographicMagnificationFactor)
    assert spacing == pytest.approx(truth.pixel_mm)
    plane = read.pixel_array[:, ::-1] if side == "R" else read.pixel_array  # chest wall at the left
    column, row = (round(place / truth.pixel_mm) for place in truth.mass)
    reach = round(truth.mass_diameter_mm / truth.pixel_mm)
    line = plane[row, column - reach : column + reach].astype(float)
    edges = np.abs(np.diff(line))
    width = (edges[reach:].argmax() + reach - edges[:reach].argmax()) * truth.pixel_mm
    assert width == pytest.approx(truth.mass_diameter_mm, abs=2 * truth.pixel_mm)
    assert plane[0].max() == 0


def test_an_ultrasound_trace_peaks_at_its_truth() -> None:
    image, truth = ultrasound_clip(SeriesHeader("us", "US"), frames=1)
    region = read_back(image).SequenceOfUltrasoundRegions[1]
    trace = image.pixel_array.reshape(480, 640)[region.RegionLocationMinY0 :]
    top = int(np.argmax((trace > 0).any(axis=1)))
    assert (top - region.ReferencePixelY0) * region.PhysicalDeltaY == pytest.approx(
        truth.trace_peak_cm_s, abs=0.5
    )


@pytest.mark.parametrize("value", [0.703125, -171.699997, 1 / 3, 1e-12, -0.123456789012345, 12345678901234.5])
def test_decimal_strings_fit_and_are_near(value: float) -> None:
    text = decimal(value)
    assert len(text) <= 16
    assert float(text) == pytest.approx(value, rel=1e-9, abs=1e-9)
