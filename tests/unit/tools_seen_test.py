"""Which images of a series a picture shows, for the count of what was seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.imaging_support import filled, instance, series
from workstation.imaging.display_sets import display_sets
from workstation.imaging.volume import Volume
from workstation.rendering.reformat import reformat
from workstation.rendering.render import render
from workstation.session.view_state import Plane, ViewState
from workstation.tools.planes import scrolled, slices_seen

SLICES, STEP = 20, 2.5


@pytest.fixture(scope="module")
def volume() -> Volume:
    """Axial slices, 2.5 mm apart."""
    places = [(-10.0, -10.0, STEP * k) for k in range(SLICES)]
    shown = display_sets(series([instance(k + 1, p, (16, 16)) for k, p in enumerate(places)]))[0]
    return filled(shown, lambda k: np.full((16, 16), k))


def seen(view: ViewState, volume: Volume) -> list[int]:
    return list(slices_seen(reformat(view, volume, 64, 64).frame, volume))


def test_an_acquired_picture_shows_itself(volume: Volume) -> None:
    picture = render(ViewState(index=7), volume, 64, 64)
    assert list(slices_seen(picture.frame, volume)) == [7]


def test_the_wheel_through_planes_along_the_images_shows_each_of_them(volume: Volume) -> None:
    view, found = ViewState(plane=Plane.AXIAL), set()
    for direction in (-1, 1):
        for _ in range(2 * SLICES):
            found.update(seen(view, volume))
            view = scrolled(view, volume, direction)
    assert found == set(range(SLICES))


def test_a_plane_between_two_images_shows_them_both_and_no_other(volume: Volume) -> None:
    assert volume.geometry is not None
    for lift, wanted in ((0.0, [8]), (STEP / 2, [8, 9]), (1.0, [8])):
        centre = (0.0, 0.0, 8 * STEP + lift)
        assert seen(ViewState(plane=Plane.AXIAL, centre=centre), volume) == wanted


def test_planes_across_and_thick_slabs_show_none(volume: Volume) -> None:
    view = ViewState(plane=Plane.AXIAL, centre=(0.0, 0.0, 8 * STEP))
    assert seen(replace(view, plane=Plane.CORONAL), volume) == []
    assert seen(replace(view, plane=Plane.SAGITTAL), volume) == []
    assert seen(replace(view, slab=10.0), volume) == [6, 7, 8, 9, 10]
    assert seen(replace(view, slab=30.0), volume) == []
    tilted = replace(view, plane=Plane.OBLIQUE, right=(1.0, 0.0, 0.0), down=(0.0, 0.9, 0.43))
    assert seen(tilted, volume) == []
