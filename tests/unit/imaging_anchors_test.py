"""Prior and current tied by millimetres, never by image number."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.imaging_support import filled, instance, series, stack
from workstation.imaging.anchors import anchored, link, slice_at
from workstation.imaging.display_sets import display_sets
from workstation.imaging.geometry import distance

UNEQUAL = [0.0, 2.0, 3.0, 7.0, 8.5, 12.0, 13.0, 17.5, 20.0, 21.0, 26.0, 27.0, 31.0, 33.0, 38.0, 41.0, 42.0,
           47.0,           50.0, 51.5, 56.0, 60.0]  # fmt: skip


def test_one_frame_of_reference_ties_exactly() -> None:
    found = link(stack([0, 1, 2]), stack([0, 3, 6]))
    assert found is not None
    assert (found.offset, found.exact) == ((0.0, 0.0, 0.0), True)


def test_two_frames_of_reference_are_approximate() -> None:
    found = link(stack([0, 2, 4]), stack([100, 102, 104], FrameOfReferenceUID="9.9"))
    assert found is not None
    assert not found.exact
    assert "approximate" in found.words
    assert found.offset == pytest.approx((0, 0, 100))


def test_images_without_a_place_are_not_tied() -> None:
    lost = stack([0, 1, 2], ImagePositionPatient=None, ImageOrientationPatient=None)
    assert link(stack([0, 1, 2]), lost) is None


def test_unequal_slices_stay_within_half_a_slice_for_twenty_steps() -> None:
    current = stack(UNEQUAL)
    prior_places = [500.0 + 3.0 * n for n in range(25)]
    prior = stack(prior_places, FrameOfReferenceUID="9.9")
    tie = anchored((0.0, 0.0, 10.0), (0.0, 0.0, 510.0))
    for step in range(21):
        plane = current.frames[step].plane
        assert plane is not None
        index = slice_at(prior, tie.to_prior(plane.centre))
        assert abs(prior_places[index] - 500.0 - UNEQUAL[step]) <= 1.5 + 1e-9
        if step > 3:
            assert index != step or abs(prior_places[step] - 500.0 - UNEQUAL[step]) <= 1.5


def body(k: float) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """A body whose width changes along it, in air."""
    width = 14 + 9 * np.sin(k / 9.0) + 5 * np.sin(k / 3.7)
    y, x = np.mgrid[0:64, 0:64]
    return np.where((x - 31.5) ** 2 + (y - 31.5) ** 2 < width**2, 40, -1000).astype(np.int16)


def test_the_outline_of_the_body_finds_the_same_place() -> None:
    def made(first: float, step: float, count: int, shift: float, frame: str) -> object:
        planes = [
            instance(
                n,
                (5.0, 0.0, shift + first + step * n),
                (64, 64),
                PixelSpacing=[4.0, 4.0],
                FrameOfReferenceUID=frame,
            )
            for n in range(count)
        ]
        shown = display_sets(series(planes))[0]
        return filled(shown, lambda k: body((first + step * k) / 4.0))

    current, prior = made(0.0, 2.0, 120, 0.0, "1.1"), made(40.0, 3.0, 60, 777.0, "2.2")
    found = link(current.display_set, prior.display_set, current, prior)  # type: ignore[attr-defined]
    assert found is not None
    assert "outline" in found.words
    assert distance(found.offset, (0.0, 0.0, 777.0)) < 5.0
