"""Every real and every broken file of the sample data: shown, or a refusal in words; never an exception."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from pacs_core.domain.errors import ReadingRoomError
from tests.support.series import series_of
from workstation.imaging.display_sets import DisplaySet, display_sets
from workstation.imaging.loader import Loader
from workstation.imaging.volume import Volume
from workstation.rendering.overlays import Corner
from workstation.rendering.render import render
from workstation.session.view_state import Plane, ViewState


def sets_of(path: Path) -> tuple[DisplaySet, ...]:
    try:
        return display_sets(series_of([path]))
    except ReadingRoomError:
        return ()


def volumes(path: Path, loader: Loader) -> list[Volume]:
    return [loader.load(shown).done.result(60) for shown in sets_of(path)]


@pytest.mark.parametrize("folder", ["broken", "transfer-syntaxes", "objects"])
def test_shown_or_said(shared_data: Path, folder: str) -> None:
    loader = Loader()
    seen = 0
    try:
        for path in sorted(p for p in (shared_data / folder).rglob("*") if p.is_file()):
            for volume in volumes(path, loader):
                for state in (ViewState(), ViewState(plane=Plane.CORONAL), ViewState(zoom=3, rotation=3)):
                    picture = render(state, volume, 60, 50, corner=Corner())
                    assert picture.status == "shown" or picture.words, path
                seen += 1
    finally:
        loader.close()
    assert seen >= 10


COLOUR = {
    "colour/SC_rgb_dcmtk_ebcyn1_dcmd.dcm": 2,
    "colour/SC_ybr_full_uncompressed.dcm": 2,
    "colour/TestPattern_RGB.dcm": 0,
    "colour/TestPattern_Palette.dcm": 0,
    "colour/TestPattern_Palette_16.dcm": 1,
    "colour/TestPattern_JPEG-LS-Lossless.dcm": 0,
    "colour/US1_J2KR.dcm": 0,
    "colour/OBXXXX1A_rle_2frame.dcm": 0,
    "other/SC_ybr_full_422_uncompressed.dcm": 2,
}


@pytest.mark.parametrize("name", COLOUR)
def test_colours_equal_pydicom(shared_data: Path, name: str) -> None:
    from pydicom.pixels import apply_color_lut

    path = shared_data / "transfer-syntaxes" / name
    data = pydicom.dcmread(path)
    if data.PhotometricInterpretation == "PALETTE COLOR":
        truth = apply_color_lut(data.pixel_array, data)
        truth = truth >> 8 if truth.dtype == np.uint16 else truth
    else:
        truth = pydicom.pixels.pixel_array(path)
    truth = truth if truth.ndim == 4 else truth[None]
    loader = Loader(workers=1)
    try:
        (volume,) = volumes(path, loader)
    finally:
        loader.close()
    assert np.abs(volume.pixels.astype(int) - truth.astype(int)).max() <= COLOUR[name]
