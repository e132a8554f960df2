"""Uptake values against hand calculation, a reference object, and every way to lack a fact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.phantoms.pet import Dose, reference_object
from tests.support.series import series_of
from tests.unit.imaging_support import filled, instance, series
from workstation.imaging.display_sets import display_sets
from workstation.imaging.frame_reader import read_into
from workstation.imaging.suv import SuvKind, SuvRefusal, SuvScale, suv_scale
from workstation.imaging.volume import Volume
from workstation.tools import measures
from workstation.tools.measures import Peak, Refusal

HALF_LIFE = 6586.2


def facts(**changed: Any) -> dict[str, Any]:
    dose = {
        "RadionuclideTotalDose": 370e6,
        "RadionuclideHalfLife": HALF_LIFE,
        "RadiopharmaceuticalStartTime": "083000",
        **{k: v for k, v in changed.items() if k.startswith("Radio")},
    }
    found: dict[str, Any] = {
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["DECY", "ATTN", "SCAT"],
        "SeriesDate": "2026-01-05",
        "SeriesTime": "09:30:00",
        "AcquisitionDate": "2026-01-05",
        "AcquisitionTime": "09:30:00",
        "PatientWeight": 80.0,
        "PatientSize": 1.80,
        "PatientSex": "M",
        "RescaleSlope": 1.0,
        "RescaleIntercept": 0.0,
        "RadiopharmaceuticalInformationSequence": [{k: v for k, v in dose.items() if v is not None}],
        **{k: v for k, v in changed.items() if not k.startswith("Radio")},
    }
    return {k: v for k, v in found.items() if v is not None}


def scale(kind: SuvKind = SuvKind.BODY_WEIGHT, **changed: Any) -> SuvScale | SuvRefusal:
    shown = display_sets(series([instance(1, (0, 0, 0), **facts(**changed))], "PT"))[0]
    return suv_scale(shown.frames[0], kind)


def factor(kind: SuvKind = SuvKind.BODY_WEIGHT, **changed: Any) -> float:
    found = scale(kind, **changed)
    assert isinstance(found, SuvScale), found
    return found.factor


HOUR = 80_000.0 / (370e6 * 2 ** (-3600 / HALF_LIFE))


def test_an_hour_between_injection_and_scan() -> None:
    assert factor() == pytest.approx(HOUR, rel=1e-12)
    assert factor(RadiopharmaceuticalStartDateTime="20260105083000.00") == pytest.approx(HOUR)
    assert factor(DecayCorrection="ADMIN") == pytest.approx(80_000.0 / 370e6)


def test_an_injection_before_midnight_was_the_day_before() -> None:
    night = {
        "SeriesTime": "00:20:00",
        "AcquisitionTime": "00:20:00",
        "RadiopharmaceuticalStartTime": "232000",
    }
    assert factor(**night) == pytest.approx(HOUR)
    dated = {**night, "RadiopharmaceuticalStartDateTime": "20260104232000"}
    assert factor(**dated) == pytest.approx(HOUR)


def test_lean_and_surface_formulas_by_hand() -> None:
    """A man of 80 kg and 1.80 m: Janmahasatian 61.73 kg, James 62.72 kg, DuBois 1.996 m²."""
    assert factor(SuvKind.LEAN_JANMAHASATIAN) / HOUR == pytest.approx(61.7314 / 80, abs=1e-5)
    assert factor(SuvKind.LEAN_JAMES) / HOUR == pytest.approx((1.10 * 80 - 128 * (80 / 180) ** 2) / 80)
    surface = 0.007184 * 80**0.425 * 180**0.725
    assert factor(SuvKind.BODY_SURFACE) / HOUR == pytest.approx(surface * 10_000 / 80_000)
    woman = {"PatientSex": "F", "PatientWeight": 60.0, "PatientSize": 1.65}
    lean = 9270 * 60 / (8780 + 244 * 60 / 1.65**2)
    relation = factor(SuvKind.LEAN_JANMAHASATIAN, **woman) / factor(**woman)
    assert relation == pytest.approx(lean / 60)
    units = {k: scale(k).unit for k in SuvKind}  # type: ignore[union-attr]
    assert units[SuvKind.LEAN_JAMES] == "g/ml{SUVlbm(James128)}"
    assert units[SuvKind.BODY_SURFACE] == "cm2/ml{SUVbsa}"


def test_a_series_time_of_later_processing_is_not_believed() -> None:
    late = {"SeriesTime": "15:00:00"}
    ge = {"GEScanDateTime": "20260105093000.00"}
    assert factor(**late, **ge) == pytest.approx(HOUR)
    other_day = {"GEScanDateTime": "20251224093000.00", "FrameReferenceTime": 0.0, "ActualFrameDuration": 0.0}
    assert factor(**late, **other_day) == pytest.approx(HOUR)
    rate = np.log(2) / HALF_LIFE
    middle = np.log(rate * 180 / (1 - np.exp(-rate * 180))) / rate
    frame = {"AcquisitionTime": "09:40:00", "ActualFrameDuration": 180_000.0}
    assert factor(**late, **frame, FrameReferenceTime=(600 + middle) * 1000) == pytest.approx(HOUR, rel=1e-6)
    found = scale(**late)
    assert isinstance(found, SuvRefusal)
    assert "Frame Reference Time (0054,1300)" in found.reason


def test_images_that_hold_uptake_already() -> None:
    assert factor(Units="GML") == 1.0
    lean = factor(Units="GML", SUVType="LBMJANMA")
    assert lean == pytest.approx(80 / 61.7314, rel=1e-4)
    assert factor(SuvKind.LEAN_JANMAHASATIAN, Units="GML", SUVType="LBMJANMA") == pytest.approx(1.0)
    assert factor(SuvKind.BODY_SURFACE, Units="CM2ML", SUVType="BSA") == pytest.approx(1.0)


def test_philips_counts() -> None:
    assert factor(Units="CNTS", PhilipsSUVScaleFactor=0.0005) == 0.0005
    assert factor(Units="CNTS", PhilipsSUVScaleFactor=0.0, PhilipsActivityConcentrationScaleFactor=2.0) == (
        pytest.approx(2 * HOUR)
    )


MISSING: dict[str, tuple[dict[str, Any], str]] = {
    "weight": ({"PatientWeight": None}, "Patient's Weight (0010,1030) is missing"),
    "weight of nothing": ({"PatientWeight": 0.0}, "(0010,1030) of 0 kg"),
    "weight in grams": ({"PatientWeight": 80000.0}, "(0010,1030) of 80000 kg"),
    "dose": ({"RadionuclideTotalDose": None}, "(0018,1074) is missing"),
    "dose in MBq": ({"RadionuclideTotalDose": 370.0}, "(0018,1074) of 370 Bq"),
    "dose below zero": ({"RadionuclideTotalDose": -3e8}, "(0018,1074) is -3e+08"),
    "half-life": ({"RadionuclideHalfLife": None}, "(0018,1075) is missing"),
    "half-life of nothing": ({"RadionuclideHalfLife": 0.0}, "(0018,1075) is 0"),
    "injection time": ({"RadiopharmaceuticalStartTime": None}, "(0018,1072) are missing"),
    "injection time as words": ({"RadiopharmaceuticalStartTime": "MORNING"}, "(0018,1072) are missing"),
    "injection after the scan": ({"RadiopharmaceuticalStartDateTime": "20260105100000"}, "after the scan"),
    "injection last year": ({"RadiopharmaceuticalStartDateTime": "20250105083000"}, "half-lives"),
    "doses": ({"RadiopharmaceuticalInformationSequence": None}, "(0054,0016) is missing"),
    "two doses": ({"RadiopharmaceuticalInformationSequence": [{}, {}]}, "more than one"),
    "units": ({"Units": None}, "Units (0054,1001) is missing"),
    "relative units": ({"Units": "PROPCPS"}, "PROPCPS"),
    "counts": ({"Units": "CNTS"}, "(7053,xx00)"),
    "unknown kind": ({"Units": "GML", "SUVType": "IBW"}, "IBW"),
    "kind against units": ({"Units": "GML", "SUVType": "BSA"}, "contradicts"),
    "decay": ({"DecayCorrection": None}, "(0054,1102) is missing"),
    "no decay correction": ({"DecayCorrection": "NONE"}, "not corrected for decay"),
    "attenuation": ({"CorrectedImage": ["DECY"]}, "attenuation"),
    "intercept": ({"RescaleIntercept": 5.0}, "(0028,1052)"),
    "acquisition": ({"AcquisitionDate": None, "AcquisitionTime": None}, "(0008,0032)"),
}


@pytest.mark.parametrize(("changed", "words"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_named_and_nothing_is_guessed(changed: dict[str, Any], words: str) -> None:
    if "RadiopharmaceuticalInformationSequence" in changed:
        made = facts()
        made["RadiopharmaceuticalInformationSequence"] = (
            changed["RadiopharmaceuticalInformationSequence"] or []
        )
        shown = display_sets(series([instance(1, (0, 0, 0), **made)], "PT"))[0]
        found = suv_scale(shown.frames[0])
    else:
        found = scale(**changed)
    assert isinstance(found, SuvRefusal), found
    assert words in found.reason


@pytest.mark.parametrize(
    ("kind", "changed", "words"),
    [
        (SuvKind.LEAN_JANMAHASATIAN, {"PatientSex": "O"}, "(0010,0040)"),
        (SuvKind.LEAN_JAMES, {"PatientSex": None}, "(0010,0040) is missing"),
        (SuvKind.LEAN_JAMES, {"PatientWeight": 300.0, "PatientSize": 1.5}, "James"),
        (SuvKind.BODY_SURFACE, {"PatientSize": None}, "(0010,1020) is missing"),
        (SuvKind.BODY_SURFACE, {"PatientSize": 180.0}, "(0010,1020) of 180 m"),
    ],
)
def test_kinds_of_uptake_refuse_by_themselves(kind: SuvKind, changed: dict[str, Any], words: str) -> None:
    found = scale(kind, **changed)
    assert isinstance(found, SuvRefusal)
    assert words in found.reason
    assert isinstance(scale(**{k: v for k, v in changed.items() if k != "PatientWeight"}), SuvScale)


VALUES = st.one_of(
    st.none(), st.text(max_size=20), st.floats(), st.integers(-(10**20), 10**20),
    st.lists(st.floats(), max_size=2)
)  # fmt: skip
NAMES = [*facts(), "RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartTime",
         "RadiopharmaceuticalStartDateTime", "GEScanDateTime", "FrameReferenceTime", "ActualFrameDuration",
         "SUVType", "DecayCorrectionDateTime"]  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4), st.sampled_from(list(SuvKind)))
def test_rubbish_refuses_or_gives_a_positive_factor(changed: dict[str, Any], kind: SuvKind) -> None:
    changed.pop("RadiopharmaceuticalInformationSequence", None)
    found = scale(kind, **changed)
    assert isinstance(found, SuvRefusal) or (np.isfinite(found.factor) and found.factor > 0)


# ── the reference object and real files ──────────────────────────────────────────────────────────────


HOT = (((-45, 0, 0), 10, 4), ((45, 0, 0), 17, 4), ((0, 45, 0), 28, 4), ((0, -45, 0), 13, 8))
PEAKS = [((45, 0, 0), 17, 4), ((0, 45, 0), 28, 4), ((-45, 0, 0), 10, 4)]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    made = reference_object(SeriesHeader("reference", "PT"), Dose())
    paths = made.save(tmp_path_factory.mktemp("pet"))
    volume = Volume(display_sets(series_of(paths))[0])
    for k in range(len(paths)):
        read_into(volume.header(k), volume.pixels[k], None)
        volume.arrived(k)
    return volume


def test_the_reference_object_has_its_uptake(reference: Volume) -> None:
    frames = reference.display_set.frames
    found = suv_scale(frames[20], series=frames)
    assert isinstance(found, SuvScale)
    values = np.stack([reference.values(k) for k in range(len(frames))]) * found.factor
    geometry = reference.geometry
    assert geometry is not None
    for centre, diameter, uptake in HOT:
        column, row, slice_ = (round(v) for v in geometry.index(centre))
        assert values[slice_, row, column] == pytest.approx(uptake, rel=1e-3), diameter
    column, row, slice_ = (round(v) for v in geometry.index((25.0, 25.0, 10.0)))
    assert values[slice_, row, column] == pytest.approx(1.0, rel=2e-3)


@pytest.mark.parametrize(("centre", "diameter", "uptake"), PEAKS)
def test_the_peak_is_the_mean_of_a_cubic_centimetre(
    reference: Volume, centre: tuple[float, float, float], diameter: float, uptake: float
) -> None:
    frames = reference.display_set.frames
    found = suv_scale(frames[0], series=frames)
    assert isinstance(found, SuvScale)
    peak = measures.suv_peak(reference, centre, 8.0)
    assert isinstance(peak, Peak)
    share = min(1.0, (diameter / 2 / 6.2035) ** 3)
    assert peak.value * found.factor == pytest.approx(
        1.0 + share * (uptake - 1.0), rel=0.01 if diameter > 13 else 0.03
    )


def test_a_peak_refuses_what_it_cannot_do(reference: Volume) -> None:
    assert isinstance(measures.suv_peak(reference, (0.0, 0.0, 41.9), 0.1), Refusal)
    thick = [instance(n + 1, (0.0, 0.0, 20.0 * n), **facts()) for n in range(4)]
    flat = filled(display_sets(series(thick, "PT"))[0], lambda k: 1)
    large = measures.suv_peak(flat, (5.0, 5.0, 20.0), 5.0)
    assert isinstance(large, Refusal)
    assert "larger" in large.reason


def test_real_pet(shared_data: Path) -> None:
    """A GE study: 91 kg, 588.8 MBq at 7:21, scan at 9:59:47; and its uncorrected twin refused."""
    folder = shared_data / "studies/petct-acrin-nsclc-042"
    paths = sorted((folder / "PT-0001-PET-AC").iterdir())[:3]
    frames = display_sets(series_of(paths))[0].frames
    found = suv_scale(frames[0], series=frames)
    assert isinstance(found, SuvScale)
    seconds = (9 * 3600 + 59 * 60 + 47) - (7 * 3600 + 21 * 60)
    assert found.factor == pytest.approx(91_000 / (588802304.0 * 2 ** (-seconds / 6588.0)), rel=1e-9)
    raw = display_sets(series_of(sorted((folder / "PT-0002-PET-NAC").iterdir())[:2]))[0].frames
    refused = suv_scale(raw[0], series=raw)
    assert isinstance(refused, SuvRefusal)
    assert "PROPCNTS" in refused.reason
