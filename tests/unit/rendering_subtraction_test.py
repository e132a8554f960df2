"""An angiogram less its mask keeps its shutters, and looks alike however much of the run is loaded."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.unit.imaging_support import filled, instance, series
from workstation.imaging.display_sets import display_sets
from workstation.imaging.volume import Volume
from workstation.rendering.subtraction_view import difference, first_window, render_subtracted
from workstation.session.view_state import Subtraction, ViewState, Window

ROWS, COLUMNS = 20, 30
STATE = ViewState(index=1, subtraction=Subtraction(), window=Window(0.0, 200.0))


def angiogram(**facts: Any) -> Volume:
    """Three images: a mask, one a fifth brighter, and one that is brightest of all."""
    images = [instance(n + 1, (0, 0, n), (ROWS, COLUMNS), Modality="XA", **facts) for n in range(3)]
    return filled(display_sets(series(images))[0], lambda k: (100, 120, 200)[k])


def test_what_the_shutter_closes_stays_closed() -> None:
    circle = {"ShutterShape": ["CIRCULAR"], "CenterOfCircularShutter": [10, 15], "RadiusOfCircularShutter": 6}
    open_, shut = (render_subtracted(STATE, angiogram(**more), COLUMNS, ROWS).pixels for more in ({}, circle))
    y, x = np.mgrid[1 : ROWS + 1, 1 : COLUMNS + 1]
    far, near = (y - 10) ** 2 + (x - 15) ** 2 > 49, (y - 10) ** 2 + (x - 15) ** 2 < 25
    assert open_.min() > 0
    assert not shut[far].any()
    assert np.array_equal(shut[near], open_[near])


def test_an_image_that_comes_later_changes_nothing() -> None:
    volume = angiogram(PixelIntensityRelationship="LIN")
    early = volume.pixels.copy()
    whole = difference(volume, 1, Subtraction())
    volume.pixels[2] = 0
    assert np.array_equal(difference(volume, 1, Subtraction()), whole)
    assert not np.array_equal(early, volume.pixels)
    assert whole.min() > 0


def test_the_mask_itself_is_opened_in_the_window_of_the_run() -> None:
    assert first_window(angiogram(), 0, Subtraction()).width >= 200
    assert first_window(angiogram(), 0, Subtraction()) == first_window(angiogram(), 2, Subtraction())
