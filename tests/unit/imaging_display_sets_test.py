"""Sorting in patient space, splitting, and what the reader is told of a series that is not whole."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.series import series_of
from tests.unit.imaging_support import instance, series, stack
from workstation.imaging.display_sets import display_sets


def test_sorted_in_space_whatever_the_arrival() -> None:
    made = [instance(n + 1, (0.0, 0.0, 2.0 * n)) for n in range(9)]
    random.Random(3).shuffle(made)
    (found,) = display_sets(series(made))
    assert [f.instance_number for f in found.frames] == list(range(1, 10))
    assert found.is_volume
    assert found.problems == ()


def test_numbering_decides_the_direction() -> None:
    made = [instance(n + 1, (0.0, 0.0, -2.0 * n)) for n in range(5)]
    (found,) = display_sets(series(made))
    assert [f.instance_number for f in found.frames] == [1, 2, 3, 4, 5]
    assert found.geometry is not None
    assert found.geometry.slice_step[2] == pytest.approx(-2.0)


def test_a_missing_slice_is_told_and_kept_its_place() -> None:
    found = stack([0, 1, 2, 4, 5])
    assert any("1 slice missing after no. 3" in p for p in found.problems)
    assert found.badges == ("slices missing",)
    assert found.geometry is not None
    assert found.geometry.patient(0, 0, 3)[2] == pytest.approx(4.0)


def test_unequal_spacing_is_told() -> None:
    found = stack([0, 1, 2.7, 3.1, 5])
    assert any("unequally" in p for p in found.problems)
    assert found.is_volume


def test_a_repeat_is_left_out_and_told() -> None:
    made = [instance(n + 1, (0.0, 0.0, float(min(n, 6)))) for n in range(8)]
    (found,) = display_sets(series(made))
    assert len(found) == 7
    assert any("no. 8" in p for p in found.problems)


def test_times_and_echoes_become_sets_of_their_own() -> None:
    made = [instance(n, (0.0, 0.0, float(n % 5)), EchoTime=10.0 if n < 5 else 80.0) for n in range(10)]
    sets = display_sets(series(made, "MR"))
    assert [(len(s), s.label) for s in sets] == [(5, "TE 10 ms"), (5, "TE 80 ms")]
    assert len({s.uid for s in sets}) == 2


def test_localizers_and_other_orientations_stay_apart() -> None:
    made = [instance(n, (0.0, 0.0, float(n))) for n in range(4)]
    made.append(instance(9, (0.0, 0.0, 50.0), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))
    made.append(instance(10, (0.0, 0.0, 0.0), ImageOrientationPatient=[1.0, 0, 0, 0, 0, -1.0]))
    sets = display_sets(series(made))
    assert [s.kind for s in sets] == ["volume", "single", "localizer"]


def test_a_growing_series_keeps_its_name() -> None:
    made = [instance(n, (0.0, 0.0, float(n))) for n in range(6)]
    few, many = display_sets(series(made[2:4]))[0], display_sets(series(made))[0]
    assert few.uid == many.uid


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"ImageOrientationPatient": [1.0, 0, 0, 1.0, 0, 0]}, "right angles"),
        ({"PixelSpacing": [0.0, 0.0]}, "absurd"),
        ({"PixelSpacing": None}, "Spacing"),
        ({"ImagePositionPatient": ["x", "y", "z"]}, "Position"),
    ],
)
def test_images_without_a_usable_place_are_shown_and_why_is_said(wrong: dict[str, object], says: str) -> None:
    made = [instance(n, (0.0, 0.0, float(n)), **wrong) for n in range(4)]
    (found,) = display_sets(series(made))
    assert found.kind == "stack"
    assert not found.is_volume
    assert any(says in p for p in found.problems)


def test_no_images_no_sets() -> None:
    assert display_sets(series([])) == ()


def folder(path: Path) -> list[Path]:
    return sorted(path.glob("*.dcm"))


@pytest.mark.parametrize(
    ("where", "count", "orientation", "words"),
    [
        ("ct-phantom-tilt/CT-0301-STEREOTAXIS", 14, "axial oblique", "tilt of 16.5°"),
        ("mr-head-sagittal-hfs/MR-0003-t1-fl2d-sag", 35, "sagittal", "4.80 mm apart"),
        ("mr-prostatex-0207/MR-0005-t2-tse-cor", 15, "coronal oblique", ""),
        ("petct-acrin-nsclc-042/PT-0001-PET-AC", 135, "axial", ""),
    ],
)
def test_real_series(shared_data: Path, where: str, count: int, orientation: str, words: str) -> None:
    (found,) = display_sets(series_of(folder(shared_data / "studies" / where)))
    assert (len(found), found.orientation, found.is_volume) == (count, orientation, True)
    assert words in " ".join(found.problems)


def test_real_diffusion_splits_by_b_value(shared_data: Path) -> None:
    where = shared_data / "studies/mr-prostatex-0207/MR-0008-ep2d-diff-tra-DYNDIST"
    sets = display_sets(series_of(folder(where)))
    assert [(len(s), s.label) for s in sets] == [(19, "b 50"), (19, "b 400"), (19, "b 800")]


def test_real_enhanced_multi_frame_is_a_volume(shared_data: Path) -> None:
    (found,) = display_sets(
        series_of([shared_data / "studies/mr-enhanced-siemens-xa30/anat-T1w-acq-tfl.dcm"])
    )
    assert (len(found), found.kind, found.orientation) == (96, "volume", "sagittal")


def test_real_scout_is_a_localizer(shared_data: Path) -> None:
    (found,) = display_sets(series_of(folder(shared_data / "studies/petct-acrin-nsclc-042/CT-0001-SCOUT")))
    assert found.kind == "localizer"
