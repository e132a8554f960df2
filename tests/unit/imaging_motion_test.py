"""Loops: when frames are shown, and what is left when a mask is taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.dicom.intake import intake_file
from workstation.imaging.cine import timing
from workstation.imaging.subtraction import (
    MaskOperation,
    SubtractionError,
    best_shift,
    mask_operations,
    shifted,
    subtracted,
    subtraction_window,
)

# ── timing ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("tags", "durations", "source"),
    [
        ({"FrameTime": 40.0}, (40, 40, 40, 40), "Frame Time"),
        ({"FrameTimeVector": [0, 30, 40, 50]}, (30, 40, 50, 40), "Frame Time Vector"),
        ({"CineRate": 25}, (40, 40, 40, 40), "Cine Rate"),
        (
            {"RecommendedDisplayFrameRate": 20, "FrameTime": 40.0},
            (50, 50, 50, 50),
            "Recommended Display Frame Rate",
        ),
        ({"FrameTimeVector": [0, 20, 20, 20], "FrameTime": 40.0}, (20, 20, 20, 20), "Frame Time Vector"),
        ({}, (1000 / 15,) * 4, ""),
    ],
)
def test_frames_stay_as_long_as_the_tags_say(
    tags: dict[str, Any], durations: tuple[float, ...], source: str
) -> None:
    found = timing(tags, 4)
    assert found.durations == pytest.approx(durations)
    assert found.source == source
    assert not found.words


@pytest.mark.parametrize(
    ("tags", "word"),
    [
        ({"FrameTime": 0.0}, "Frame Time of 0 ms"),
        ({"FrameTime": 1e9}, "cannot be"),
        ({"FrameTimeVector": [0, 30]}, "2 entries for 4 frames"),
        ({"FrameTimeVector": [0, 30, -5, 30]}, "cannot be"),
        ({"CineRate": 0}, "0 frames a second"),
        ({"RecommendedDisplayFrameRate": -5}, "-5 frames"),
        ({"StartTrim": 4, "StopTrim": 2}, "leave no frame"),
    ],
)
def test_impossible_times_are_told_and_replaced(tags: dict[str, Any], word: str) -> None:
    found = timing(tags, 4)
    assert word in " ".join(found.words)
    assert found.rate == pytest.approx(15.0)
    assert found.order == (0, 1, 2, 3)


def test_trim_sweep_and_place_in_the_round() -> None:
    found = timing({"FrameTime": 100.0, "StartTrim": 2, "StopTrim": 4, "PreferredPlaybackSequencing": 1}, 6)
    assert found.order == (1, 2, 3, 2)
    assert [found.frame_at(t) for t in (0, 99, 100, 250, 350, 399, 400, 4050)] == [1, 1, 2, 3, 2, 2, 1, 1]
    assert found.frame_at(50, speed=2.0) == 2
    vector = timing({"FrameTimeVector": [0, 50, 200]}, 3)
    assert [vector.frame_at(t) for t in (0, 49, 51, 249, 251)] == [0, 0, 1, 1, 2]


@given(st.dictionaries(
    st.sampled_from(["FrameTime", "FrameTimeVector", "CineRate", "RecommendedDisplayFrameRate",
                     "StartTrim", "StopTrim"]),
    st.one_of(st.none(), st.text(max_size=4), st.floats(), st.lists(st.floats(), max_size=4), st.integers()),
), st.integers(0, 5))  # fmt: skip
def test_any_tags_give_a_loop_that_plays(tags: dict[str, Any], frames: int) -> None:
    found = timing(tags, frames)
    assert 0 <= found.frame_at(12345.6) < max(frames, 1)
    assert 0.1 <= found.rate <= 250.0


def test_real_loops(shared_data: Path) -> None:
    for folder in ("us-stress-echo", "xa-cath-75-frames", "us-echo-pediatric"):
        for path in sorted((shared_data / "studies" / folder).rglob("*")):
            if path.is_file():
                header = intake_file(path).header
                found = timing(header.attributes, header.number_of_frames)
                assert found.source
                assert 5 <= found.rate <= 60


# ── subtraction ──────────────────────────────────────────────────────────────────────────────────────


def bones(shift: tuple[float, float] = (0.0, 0.0)) -> np.ndarray[Any, np.dtype[np.float32]]:
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:96, 0:96].astype(np.float64)
    picture = 600.0 + 2.0 * y
    for _ in range(30):
        cy, cx, r = rng.uniform(5, 90), rng.uniform(5, 90), rng.uniform(2, 6)
        picture -= rng.uniform(60, 180) * np.exp(
            -((y - shift[0] - cy) ** 2 + (x - shift[1] - cx) ** 2) / (2 * r * r)
        )
    return picture.astype(np.float32)


def vessel() -> np.ndarray[Any, np.dtype[np.float32]]:
    y, x = np.mgrid[0:96, 0:96]
    return np.where(np.abs(y - 40 - 8 * np.sin(x / 15)) < 2, -100.0, 0.0).astype(np.float32)


def run(shift: tuple[float, float] = (0.0, 0.0)) -> np.ndarray[Any, Any]:
    """A mask frame, an idle one, and two with contrast; the patient has moved by `shift` after the mask."""
    return np.round(
        np.stack([bones(), bones(shift), bones(shift) + vessel(), bones(shift) + vessel()])
    ).astype(np.uint16)


def test_only_the_vessel_is_left() -> None:
    left = subtracted(run(), 3, MaskOperation())
    assert left[vessel() < 0].mean() == pytest.approx(-100.0, abs=1.0)
    assert np.abs(left[vessel() == 0]).max() <= 1.0
    window = subtraction_window(left)
    assert window.centre == 0.0


@pytest.mark.parametrize("shift", [(2.0, -3.0), (1.5, 0.5), (-0.75, 1.25)])
def test_a_moved_patient_is_met_by_the_pixel_shift(shift: tuple[float, float]) -> None:
    moved = run(shift)
    ghosts = np.abs(subtracted(moved, 2, MaskOperation()))[8:-8, 8:-8].mean()
    met = np.abs(subtracted(moved, 2, MaskOperation(shift=shift)))[8:-8, 8:-8].mean()
    assert met < 0.35 * ghosts
    found = best_shift(moved[1].astype(np.float32), moved[0].astype(np.float32))
    assert found == pytest.approx(shift, abs=0.35)


def test_shifts_are_of_whole_and_part_pixels() -> None:
    image = np.arange(20, dtype=np.float32).reshape(4, 5)
    assert np.array_equal(shifted(image, 1, 0)[1:], image[:-1])
    assert np.array_equal(shifted(image, 0, -2)[:, :3], image[:, 2:])
    assert shifted(image, 0, 0.5)[0, 1] == pytest.approx(0.5)


def test_masks_by_average_and_by_interval() -> None:
    frames = np.stack([np.full((4, 4), v, dtype=np.uint16) for v in (10, 20, 40, 80)])
    assert subtracted(frames, 4, MaskOperation(masks=(1, 2)))[0, 0] == 65
    assert subtracted(frames, 4, MaskOperation("TID", offset=2))[0, 0] == 60
    assert subtracted(frames, 3, MaskOperation(averaging=2))[0, 0] == 50
    with pytest.raises(SubtractionError, match="no mask"):
        subtracted(frames, 2, MaskOperation("TID", offset=2))
    with pytest.raises(SubtractionError, match="not to be subtracted"):
        subtracted(frames, 1, MaskOperation(frames=((2, 4),)))
    with pytest.raises(SubtractionError, match="no frame 9"):
        subtracted(frames, 9, MaskOperation())


def test_the_logarithm_makes_contrast_equal_over_thick_and_thin() -> None:
    thick = np.linspace(0.2, 1.0, 64)[None].repeat(8, 0)
    intensity = 4000 * thick
    frames = np.stack([intensity, intensity * 0.8]).astype(np.uint16)
    plain = subtracted(frames, 2, MaskOperation())
    logs = subtracted(frames, 2, MaskOperation(), top=4095.0)
    assert abs(plain[0, -1] / plain[0, 0]) > 4
    assert logs.std() < 0.02 * abs(logs.mean())


@pytest.mark.parametrize(
    ("item", "word"),
    [
        ({"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [9]}, "not among"),
        ({"MaskOperation": "AVG_SUB"}, "not among"),
        ({"MaskOperation": "REV_TID"}, "unknown mask operation"),
        ({"MaskOperation": "NONE"}, "no subtraction"),
        ({"MaskOperation": "TID", "ApplicableFrameRange": [1, 2, 3]}, "pairs"),
        ({"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [1], "MaskSubPixelShift": [1e9, 0]}, "cannot be"),
    ],
)
def test_mask_items_that_make_no_sense_are_told(item: dict[str, Any], word: str) -> None:
    found, said = mask_operations({"MaskSubtractionSequence": [item]}, 4)
    assert not found
    assert word in " ".join(said)


def test_a_mask_item_is_read_whole() -> None:
    item = {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [1.0, 2.0], "ApplicableFrameRange": [3.0, 4.0],
            "MaskSubPixelShift": [0.5, -1.25], "ContrastFrameAveraging": [2.0]}  # fmt: skip
    found, said = mask_operations({"MaskSubtractionSequence": [item]}, 4)
    assert not said
    assert found == (MaskOperation("AVG_SUB", ((3, 4),), (1, 2), 1, 2, (0.5, -1.25)),)
