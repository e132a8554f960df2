"""Current less prior: nothing where nothing changed, the lesion where it grew, no value where one ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.unit.imaging_support import filled, stack
from workstation.imaging.registration_transform import Transform, rotation
from workstation.imaging.volume import Volume
from workstation.rendering.change_view import CannotCompare, change, first_window, matrix_of, render_change
from workstation.rendering.engines.choice import engine_named
from workstation.rendering.fusion_view import CannotFuse
from workstation.rendering.render import picture_of
from workstation.session.view_state import Change, Plane, ViewState, Window

Array = np.ndarray[Any, Any]
LESION, GREW = np.array([34.0, 24.0, 30.0]), 150.0
MOVED = Transform(rotation([0.05, -0.08, 0.1]), np.array([6.0, -4.0, 9.0]))
TIED = Change("prior", tuple(tuple(row) for row in MOVED.homogeneous[:3]), "registered (rigid)")
STATE = ViewState(plane=Plane.AXIAL, centre=(32.0, 32.0, 30.0), window=Window(0.0, 400.0))


def body(points: Array) -> Array:
    """Smooth tissue, (…, 3) mm to HU."""
    x, y, z = np.moveaxis(points, -1, 0)
    return np.asarray(40.0 + 60.0 * np.sin(x / 9) * np.cos(y / 11) * np.cos(z / 13))


def lesion(points: Array) -> Array:
    return np.asarray(GREW * np.exp(-((points - LESION) ** 2).sum(axis=-1) / 18.0))


def scanned(
    values: Callable[[Array], Array], step: float, count: int, spacing: float, slope: float, **facts: Any
) -> Volume:
    """Axial slices from the origin on, stored with a rescale of its own."""
    side = int(64 / spacing)
    y, x = np.mgrid[0:side, 0:side] * spacing
    places = [step * k for k in range(count)]
    more = {"RescaleSlope": slope, "RescaleIntercept": -1024, "PixelSpacing": [spacing, spacing], **facts}
    shown = stack(places, shape=(side, side), **more)

    def stored(k: int) -> Array:
        points = np.stack([x, y, np.full_like(x, places[k])], axis=-1)
        return np.round((values(points) + 1024) / slope)

    return filled(shown, stored)


@pytest.fixture(scope="module")
def pair() -> tuple[Volume, Volume]:
    """A current study with a lesion, and a prior of the body moved by MOVED, coarser and shorter, without."""
    current = scanned(lambda p: body(p) + lesion(p), 2.0, 31, 1.0, 1.0)
    back = MOVED.inverse
    prior = scanned(
        lambda p: body(back.apply(p.reshape(-1, 3)).reshape(p.shape)), 3.0, 22, 1.25, 0.5,
        FrameOfReferenceUID="1.2.3.77",
    )  # fmt: skip
    return current, prior


@pytest.mark.parametrize("engine", ["kernel", "vtk", "reference"])
def test_only_the_lesion_is_left(pair: tuple[Volume, Volume], engine: str) -> None:
    left = change(STATE, *pair, MOVED.homogeneous, 64, 64, engine_named(engine))
    y, x = np.mgrid[0:64, 0:64]
    frame = left.frame
    across, down = (np.multiply.outer(n, along) for n, along in ((x, frame.across), (y, frame.down)))
    points = np.array(frame.origin) + across + down
    known = np.isfinite(left.values)
    assert 0.5 < known.mean() < 1.0
    expected = lesion(points)
    assert np.abs(left.values - expected)[known].max() < 6.0
    assert left.values[known].max() > 0.9 * GREW


def test_outside_of_the_prior_nothing_is_said(pair: tuple[Volume, Volume]) -> None:
    above = ViewState(plane=Plane.AXIAL, centre=(32.0, 32.0, 58.0))
    left = change(above, *pair, matrix_of(TIED), 40, 40)
    assert np.isnan(left.values).any()
    picture = render_change(above.with_(change=TIED), *pair, 40, 40)
    assert not picture.pixels[np.isnan(left.values)].any()


def test_nothing_changed_is_the_middle_grey_and_the_tie_is_said(pair: tuple[Volume, Volume]) -> None:
    picture = picture_of(STATE.with_(change=Change("it")), pair[0], pair[0], (64, 64))
    assert np.unique(picture.pixels).tolist() == [128]
    told = picture_of(STATE.with_(change=TIED), *pair, (64, 64))
    assert told.words == "Current less prior, registered (rigid)"
    assert told.pixels.max() > 200
    turned = picture_of(STATE.with_(change=TIED, invert=True), *pair, (64, 64))
    assert turned.pixels[told.pixels > 200].max() < 60


def test_its_first_window_is_as_wide_as_what_is_left(pair: tuple[Volume, Volume]) -> None:
    window = first_window(STATE, *pair, TIED)
    assert window.centre == 0.0
    assert 10.0 < window.width < 2 * GREW
    assert first_window(STATE, pair[0], pair[0], Change("it")).width == 1.0


def test_padding_is_no_value() -> None:
    padded = scanned(body, 2.0, 31, 1.0, 1.0, PixelPaddingValue=-2000)
    padded.pixels[:, :20, :20] = -2000
    left = change(STATE, padded, padded, None, 64, 64)
    assert np.isnan(left.values).mean() == pytest.approx((20 / 64) ** 2, abs=0.03)


def test_what_cannot_be_compared_is_said(pair: tuple[Volume, Volume]) -> None:
    current, prior = pair
    other = filled(stack([0.0, 2.0, 4.0], "MR"), lambda k: 1)
    coming = Volume(prior.display_set)
    with pytest.raises(CannotCompare, match="CT and MR"):
        change(STATE, current, other, None, 8, 8)
    with pytest.raises(CannotCompare, match="prior series is still loading"):
        change(STATE, current, coming, matrix_of(TIED), 8, 8)
    with pytest.raises(CannotCompare, match="no prior is chosen"):
        render_change(STATE, current, prior, 8, 8)
    with pytest.raises(CannotFuse, match="frame of reference"):
        change(STATE, current, prior, None, 8, 8)
    unlike = scanned(body, 2.0, 4, 2.0, 1.0, RescaleType="OD")
    with pytest.raises(CannotCompare, match="one is in HU, the other in OD"):
        change(STATE, current, unlike, None, 8, 8)
