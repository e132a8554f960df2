"""Where millimetres come from: ultrasound regions, projection spacing, markers; where they are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.domain.measurement import Measurement
from pacs_core.domain.measurement_words import label_lines
from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.phantoms import ultrasound_clip
from tests.support.series import series_of
from tests.unit.imaging_support import filled, instance, series
from workstation.imaging.display_sets import display_sets
from workstation.imaging.frame_reader import read_into
from workstation.imaging.spacing import PROJECTION, SpacingFacts, by_marker, calibration
from workstation.imaging.volume import Volume
from workstation.rendering.render import render
from workstation.session.view_state import ViewState
from workstation.tools.measuring import measured
from workstation.tools.numbers import KNOWN_MM
from workstation.tools.tool import Scene

NOWHERE: dict[str, Any] = {
    "ImagePositionPatient": None,
    "ImageOrientationPatient": None,
    "PixelSpacing": None,
}


def scene(modality: str, measurements: tuple[Measurement, ...] = (), index: int = 0, **facts: Any) -> Scene:
    shown = display_sets(series([instance(1, (0, 0, 0), (64, 64), **{**NOWHERE, **facts})], modality))[0]
    volume = filled(shown, lambda k: 5)
    return Scene(
        ViewState(), render(ViewState(), volume, 128, 128).frame, volume, measurements, study_uid="1.9"
    )


def values(at: Scene, kind: str, *points: tuple[float, float]) -> dict[str, float]:
    found = measured(at, kind, tuple((x, y, 0.0) for x, y in points))
    assert not found.refusal, found.refusal
    return {q.name: q.value for q in found.quantities}


def refusal(at: Scene, kind: str, *points: tuple[float, float]) -> str:
    found = measured(at, kind, tuple((x, y, 0.0) for x, y in points))
    assert not [q for q in found.quantities if q.unit.startswith("mm")]
    return found.refusal


# ── ultrasound ───────────────────────────────────────────────────────────────────────────────────────


def region(left: int, top: int, right: int, bottom: int, **facts: Any) -> dict[str, Any]:
    return {
        "RegionSpatialFormat": 1, "RegionDataType": 1, "RegionFlags": 0, "RegionLocationMinX0": left,
        "RegionLocationMinY0": top, "RegionLocationMaxX1": right, "RegionLocationMaxY1": bottom,
        "PhysicalUnitsXDirection": 3, "PhysicalUnitsYDirection": 3, "PhysicalDeltaX": 0.02,
        "PhysicalDeltaY": 0.03, **facts,
    }  # fmt: skip


@pytest.mark.parametrize("across", [1, -1])
@pytest.mark.parametrize("down", [1, -1])
def test_deltas_of_either_sign_measure_the_same_lengths(across: int, down: int) -> None:
    one = region(0, 0, 63, 63, PhysicalDeltaX=0.02 * across, PhysicalDeltaY=0.03 * down)
    at = scene("US", SequenceOfUltrasoundRegions=[one])
    assert values(at, "length", (10, 10), (40, 10))["Length"] == pytest.approx(6.0)
    assert values(at, "length", (10, 10), (10, 30))["Length"] == pytest.approx(6.0)
    assert values(at, "angle", (10, 10), (40, 10), (40, 30))["Angle"] == pytest.approx(90.0)
    assert values(at, "rectangle_roi", (10, 10), (20, 10), (20, 20), (10, 20))["Area"] == pytest.approx(6.0)
    assert refusal(at, "length", (10, 10), (80, 10)) == "outside the calibrated ultrasound regions"


def test_two_pictures_side_by_side_are_two_places_even_with_one_scale() -> None:
    at = scene("US", SequenceOfUltrasoundRegions=[region(0, 0, 31, 63), region(32, 0, 63, 63)])
    assert values(at, "length", (2, 5), (22, 5))["Length"] == pytest.approx(4.0)
    for kind, points in (
        ("length", [(20, 5), (45, 5)]),
        ("angle", [(20, 5), (20, 9), (45, 5)]),
        ("freehand_roi", [(20, 5), (45, 5), (45, 40)]),
    ):
        assert "different ultrasound regions" in refusal(at, kind, *points)


def test_a_colour_box_within_the_picture_does_not_cut_it() -> None:
    box = region(20, 20, 40, 40, RegionDataType=2)
    at = scene("US", SequenceOfUltrasoundRegions=[region(0, 0, 63, 63), box])
    assert values(at, "length", (5, 30), (30, 30))["Length"] == pytest.approx(5.0)


def test_a_high_priority_region_wins_where_they_overlap() -> None:
    below = region(0, 0, 40, 63, RegionFlags=1)
    above = region(0, 0, 63, 63, PhysicalDeltaX=0.01, PhysicalDeltaY=0.01)
    at = scene("US", SequenceOfUltrasoundRegions=[below, above])
    assert values(at, "length", (5, 30), (35, 30))["Length"] == pytest.approx(3.0)


def test_a_doppler_trace_gives_velocity_and_time_and_no_length() -> None:
    trace = region(0, 0, 63, 63, RegionSpatialFormat=3, RegionDataType=3, PhysicalUnitsXDirection=4,
                   PhysicalUnitsYDirection=7, PhysicalDeltaX=0.01, PhysicalDeltaY=-2.5,
                   ReferencePixelX0=0, ReferencePixelY0=40, ReferencePixelPhysicalValueX=0.0,
                   ReferencePixelPhysicalValueY=0.0)  # fmt: skip
    at = scene("US", SequenceOfUltrasoundRegions=[trace])
    found = values(at, "length", (10, 40), (30, 20))
    assert found == pytest.approx({"Time": 0.2, "Velocity Difference": 50.0})
    assert values(at, "probe", (10, 20)) == pytest.approx({"Time": 0.1, "Velocity": 50.0})
    assert values(at, "probe", (10, 50))["Velocity"] == pytest.approx(-25.0)
    drawn = label_lines(measured(at, "length", ((10.0, 40.0, 0.0), (30.0, 20.0, 0.0))))
    assert drawn == ("0.20 s  Δv 50 cm/s",)
    assert "no lengths" in refusal(at, "ellipse_roi", (10, 10), (20, 10), (15, 5), (15, 15))
    assert "no lengths" in refusal(at, "angle", (10, 10), (20, 10), (15, 5))


def test_an_m_mode_trace_gives_depth_and_time() -> None:
    trace = region(0, 0, 63, 63, RegionSpatialFormat=2, PhysicalUnitsXDirection=4, PhysicalDeltaX=0.005)
    at = scene("US", SequenceOfUltrasoundRegions=[trace])
    assert values(at, "length", (10, 10), (30, 40)) == pytest.approx({"Time": 0.1, "Depth": 9.0})


@pytest.mark.parametrize(
    "broken", [{"PhysicalDeltaX": 0.0}, {"PhysicalUnitsXDirection": 0}, {"PhysicalDeltaY": None}]
)
def test_a_region_without_scale_measures_nothing(broken: dict[str, Any]) -> None:
    at = scene("US", SequenceOfUltrasoundRegions=[region(0, 0, 63, 63, **broken)])
    assert "no lengths" in refusal(at, "length", (5, 5), (20, 20))


def test_the_ultrasound_phantom_is_measured_in_each_frame(tmp_path: Path) -> None:
    image, truth = ultrasound_clip(SeriesHeader("us", "US"), frames=4)
    path = tmp_path / "clip.dcm"
    image.save_as(path, enforce_file_format=True)
    volume = Volume(display_sets(series_of([path]))[0])
    for k in range(4):
        read_into(volume.header(k), volume.pixels[k], None)
        volume.arrived(k)
        state = ViewState(index=k)
        at = Scene(state, render(state, volume, 300, 200).frame, volume, study_uid="1")
        row, column = truth.target[0], truth.target[1] + truth.drift * k
        line = volume.pixels[k][round(row)].astype(float)
        # the target is dark in speckle: its edges where a running mean rises again
        smooth = np.convolve(line, np.ones(9) / 9, "same")
        dark = np.flatnonzero(smooth < 22)
        dark = dark[np.abs(dark - column) < 70]
        found = values(at, "length", (float(dark[0]) - 4, row), (float(dark[-1]) + 4, row))["Length"]
        assert found == pytest.approx(truth.target_diameter_mm, abs=1.5)
        exact = truth.target_diameter_mm / truth.column_mm
        across = values(at, "length", (column - exact / 2, row), (column + exact / 2, row))["Length"]
        assert across == pytest.approx(truth.target_diameter_mm, abs=1e-6)
        tall = truth.target_diameter_mm / truth.row_mm
        down = values(at, "length", (column, row - tall / 2), (column, row + tall / 2))["Length"]
        assert down == pytest.approx(truth.target_diameter_mm, abs=1e-6)
        speed = values(at, "length", (100, truth.trace_baseline_row), (100, truth.trace_baseline_row - 10))
        assert speed["Velocity Difference"] == pytest.approx(10 * abs(truth.trace_cm_s_per_pixel))


# ── projection radiography and markers ───────────────────────────────────────────────────────────────

KINDS: list[tuple[dict[str, Any], tuple[float, float] | None, str]] = [
    ({"imager_spacing": (0.2, 0.2)}, None, "detector"),
    ({"pixel_spacing": (0.2, 0.2)}, None, "detector"),
    ({"pixel_spacing": (0.2, 0.2), "imager_spacing": (0.2, 0.2)}, None, "detector"),
    ({"pixel_spacing": (0.15, 0.15), "imager_spacing": (0.2, 0.2)}, None, "does not say how"),
    ({"pixel_spacing": (0.15, 0.15), "calibration_type": "GEOMETRY"}, (0.15, 0.15), "geometry"),
    ({"pixel_spacing": (0.15, 0.14), "calibration_type": "FIDUCIAL", "calibration_description": "ball"},
     (0.15, 0.14), "fiducial (ball)"),
    ({"pixel_spacing": (0.15, 0.15), "calibration_type": "GUESS"}, None, "detector"),
    ({"imager_spacing": (0.3, 0.24), "magnification": 1.2}, (0.25, 0.2), "magnification 1.2"),
    ({"imager_spacing": (0.3, 0.3), "magnification": 0.5}, None, "factor of 0.5 cannot be"),
    ({"imager_spacing": (0.3, 0.3), "magnification": 0.0}, None, "factor of 0 cannot be"),
    ({"nominal_spacing": (0.1, 0.1)}, None, "detector"),
    ({}, None, "no pixel spacing"),
    ({"aspect": (2.0, 1.0)}, None, "no pixel spacing"),
]  # fmt: skip


@pytest.mark.parametrize("modality", sorted(PROJECTION))
@pytest.mark.parametrize(("given_", "spacing", "words"), KINDS)
def test_kinds_of_projection_spacing(
    modality: str, given_: dict[str, Any], spacing: tuple[float, float] | None, words: str
) -> None:
    found = calibration(SpacingFacts(modality=modality, **given_))
    assert found.trusted == (spacing is not None)
    assert words in (found.source if found.trusted else found.reason)
    if spacing is not None:
        assert found.spacing == pytest.approx(spacing)


@pytest.mark.parametrize("size", [(1e-6, 1e-6), (0.5, 500.0)])
def test_absurd_pixels_are_not_believed(size: tuple[float, float]) -> None:
    found = calibration(SpacingFacts(modality="DX", pixel_spacing=size, calibration_type="GEOMETRY"))
    assert not found.trusted
    assert "cannot be" in found.reason


def test_a_marker_of_known_length_calibrates_its_own_image() -> None:
    bare = scene("DX", ImagerPixelSpacing=[0.2, 0.2])
    assert "detector" in refusal(bare, "length", (0, 0), (40, 0))
    ball = measured(bare, "calibration", ((10.0, 10.0, 0.0), (10.0, 60.0, 0.0)), details={KNOWN_MM: "25"})
    assert not ball.refusal
    at = Scene(bare.view, bare.frame, bare.volume, (ball,), study_uid="1.9")
    assert values(at, "length", (0, 0), (30, 40))["Length"] == pytest.approx(25.0)
    assert values(at, "rectangle_roi", (0, 0), (10, 0), (10, 20), (0, 20))["Area"] == pytest.approx(50.0)
    for known in ("", "none", "0", "-25", "nan", "1e99"):
        useless = measured(bare, "calibration", ball.points, details={KNOWN_MM: known})
        again = Scene(bare.view, bare.frame, bare.volume, (useless,), study_uid="1.9")
        assert "detector" in refusal(again, "length", (0, 0), (30, 40))
    trusted = scene("DX", PixelSpacing=[0.2, 0.2], PixelSpacingCalibrationType="GEOMETRY")
    assert "already" in measured(trusted, "calibration", ball.points, details={KNOWN_MM: "25"}).refusal


def test_a_marker_knows_pixels_that_are_not_square() -> None:
    found = by_marker((30.0, 20.0), 100.0, 2.0)
    assert found is not None
    assert found.spacing == pytest.approx((4.0, 2.0))
    assert by_marker((0.0, 0.0), 10.0, 1.0) is None


@given(
    st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=4, max_size=9),
    st.sampled_from(["length", "path", "bidirectional", "angle", "cobb_angle", "ellipse_roi", "rectangle_roi",
                     "polygon_roi", "freehand_roi", "probe", "calibration"]),
)  # fmt: skip
def test_any_stroke_gives_finite_numbers_or_a_reason(points: list[tuple[float, float]], kind: str) -> None:
    at = scene("CT", **dict.fromkeys(()), PixelSpacing=[0.5, 0.5])
    needed = {"length": 2, "angle": 3, "probe": 1, "calibration": 2, "bidirectional": 4, "cobb_angle": 4,
              "ellipse_roi": 4, "rectangle_roi": 4}.get(kind, len(points))  # fmt: skip
    found = measured(at, kind, tuple((x, y, 0.0) for x, y in points[:needed]))
    assert found.refusal or found.quantities
    assert all(np.isfinite(q.value) for q in found.quantities)


def test_an_outline_that_crosses_itself_has_no_area() -> None:
    at = scene("CT", PixelSpacing=[0.5, 0.5])
    assert "crosses itself" in refusal(at, "polygon_roi", (0, 0), (20, 20), (20, 0), (0, 20))
    assert values(at, "polygon_roi", (0, 0), (20, 0), (20, 20), (0, 20))["Area"] == pytest.approx(100.0)
