"""PET over CT by one key: both values under the pointer, colours and blend, refusals by their tag, and the
turning MIP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QSlider
from pytestqt.qtbot import QtBot

from pacs_core.archive.models import SeriesManifest
from tests.support.fake_archive import FakeArchive
from tests.support.fake_world import world
from tests.support.series import series_of
from tests.ui.conftest import PATIENCE_MS, named
from tests.ui.reading_test import CURRENT, drag, open_exam
from workstation.imaging.suv import SuvScale, suv_scale
from workstation.session.fusing import NoPair, pair
from workstation.session.reading_session import sets_of
from workstation.ui.reading import uptake
from workstation.ui.reading.page import ReadPage
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]
FIRST, LAST = 40, 64


@lru_cache(maxsize=1)
def _series(shared: Path) -> tuple[SeriesManifest, SeriesManifest]:
    study = shared / "studies" / "petct-acrin-nsclc-042"
    ct, pet = (
        series_of(sorted((study / name).glob("*.dcm"))[FIRST:LAST])
        for name in ("CT-0002-CT-IMAGES", "PT-0001-PET-AC")
    )
    return ct, pet


@pytest.fixture
def petct(shared_data: Path) -> FakeArchive:
    """The first exam is the middle of a real PET/CT, without a prior."""
    archive = world(shared_data)
    archive.manifests[CURRENT] = replace(archive.manifests[CURRENT], series=_series(shared_data))
    archive.priors_.clear()
    return archive


def without(series: SeriesManifest, *keywords: str, **changes: object) -> SeriesManifest:
    """The series with attributes gone or others in their place."""
    instances = tuple(
        replace(i, attributes={**{k: v for k, v in i.attributes.items() if k not in keywords}, **changes})
        for i in series.instances
    )
    return replace(series, instances=instances)


def open_alone(window: Workstation, qtbot: QtBot) -> ReadPage:
    """The exam opened by its hanging protocol in four cells, then laid out in one by hand."""
    page = open_exam(window, qtbot, cells=4)
    assert window.desk is not None
    window.desk.commands.run("read.layout.1x1")
    qtbot.waitUntil(lambda: len(page.grid.cells) == 1 and page.grid.cells[0].settled, timeout=PATIENCE_MS)
    return page


def fused(page: ReadPage, qtbot: QtBot) -> None:
    cell = page.grid.cells[0]
    cell.setFocus()
    QTest.keyClick(cell, Qt.Key.Key_F)
    settled(page, qtbot)


def settled(page: ReadPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: all(c.settled for c in page.grid.cells), timeout=PATIENCE_MS)


def texts(page: ReadPage, number: int = 0) -> str:
    picture = page.grid.cells[number].shown.picture
    assert picture is not None
    return "\n".join(picture.display_list.texts())


def test_one_key_lays_the_pet_over_the_ct_and_both_values_are_read(
    open_window: Open, petct: FakeArchive, qtbot: QtBot
) -> None:
    page = open_alone(open_window(petct), qtbot)
    cell = page.grid.cells[0]
    assert cell.shown.picture is not None
    grey = cell.shown.picture.frame
    fused(page, qtbot)
    picture = cell.shown.picture
    assert picture.is_colour
    assert np.ptp(picture.pixels.astype(int), axis=2).max() > 60
    assert picture.frame.pixel_size == pytest.approx(grey.pixel_size, rel=1e-3)
    assert picture.frame.centre == pytest.approx(grey.centre, abs=0.5)
    assert "PT hot iron 50%" in texts(page)
    assert "SUV 0–6" in texts(page)
    cell.pointer = None
    view = page.session.cells[0].view
    above = page.room.laid_over(view)
    assert above is not None
    from workstation.ui.reading.corners import under_pointer

    assert cell.request is not None
    middle = (picture.width / 2, picture.height / 2)
    lines = under_pointer(cell.request.volume, picture.frame, *middle, above)
    assert "HU" in lines[0]
    point = picture.frame.patient(*middle)
    index = uptake.nearest_image(above, point)
    scale = suv_scale(above.header(index), series=above.display_set.frames)
    assert isinstance(scale, SuvScale)
    value = above.value_in_patient(point)
    assert value is not None
    assert f"SUV {value * scale.factor:.2f} g/mL" in lines
    fused(page, qtbot)
    assert page.session.cells[0].view.fusion is None
    assert not cell.shown.picture.is_colour


def test_slider_keys_and_shift_drag_change_blend_colours_and_window(
    open_window: Open, petct: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(petct)
    page = open_alone(window, qtbot)
    fused(page, qtbot)
    slider = named(page, "Blend of the colours", QSlider)
    assert isinstance(slider, QSlider)
    slider.setValue(80)
    cell = page.grid.cells[0]
    assert page.session.cells[0].view.fusion.opacity == pytest.approx(0.8)
    QTest.keyClick(cell, Qt.Key.Key_PageDown, Qt.KeyboardModifier.AltModifier)
    assert page.session.cells[0].view.fusion.opacity == pytest.approx(0.7)
    assert slider.value() == 70
    before = page.session.cells[0].view
    page.desk.commands.run("read.fuse.next")
    assert page.session.cells[0].view.fusion.colours != before.fusion.colours
    settled(page, qtbot)
    start = cell.rect().center()
    shift = Qt.KeyboardModifier.ShiftModifier
    QTest.mousePress(cell, Qt.MouseButton.RightButton, shift, start)
    QTest.mouseMove(cell, start + QPoint(30, 0))
    QTest.mouseMove(cell, start + QPoint(60, 0))
    QTest.mouseRelease(cell, Qt.MouseButton.RightButton, shift, start + QPoint(60, 0))
    after = page.session.cells[0].view
    assert after.window == before.window
    assert after.fusion.window.width > before.fusion.window.width


def test_four_cells_and_the_pet_turns_under_the_hand(
    open_window: Open, petct: FakeArchive, qtbot: QtBot
) -> None:
    page = open_alone(open_window(petct), qtbot)
    page.desk.commands.run("read.fuse.four")
    qtbot.waitUntil(
        lambda: len(page.grid.cells) == 4 and all(c.settled for c in page.grid.cells), timeout=PATIENCE_MS
    )
    ct, pet, both, mip = page.session.cells
    assert (ct.display_set, pet.display_set) == (both.display_set, mip.display_set)
    assert (ct.display_set.modality, pet.display_set.modality) == ("CT", "PT")
    assert both.view.fusion is not None
    assert mip.view.turn == 0.0
    cell = page.grid.cells[3]
    still = cell.shown.picture.pixels.shape
    start = cell.rect().center()
    QTest.mousePress(cell, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(cell, start + QPoint(-30, 0))
    QTest.mouseMove(cell, start + QPoint(-60, 0))
    assert cell.hand.turning
    QTest.mouseRelease(
        cell, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start + QPoint(-60, 0)
    )
    assert page.session.cells[3].view.turn == pytest.approx(30.0)
    settled(page, qtbot)
    assert cell.shown.picture.pixels.shape == still
    assert cell.shown.picture.frame.across[0] > 0
    before = page.session.cells[0].view
    drag(page.grid.cells[3], start, start + QPoint(40, 0))
    assert page.session.cells[0].view == before


def test_the_turning_mip_is_one_key_from_the_ct_and_the_same_key_leads_back(
    open_window: Open, petct: FakeArchive, qtbot: QtBot
) -> None:
    page = open_alone(open_window(petct), qtbot)
    before = page.session.cells[0]
    cell = page.grid.cells[0]
    cell.setFocus()
    QTest.keyClick(cell, Qt.Key.Key_P, Qt.KeyboardModifier.ShiftModifier)
    settled(page, qtbot)
    shown = page.session.cells[0]
    assert shown.display_set.modality == "PT"
    assert "Turning MIP 0°" in texts(page)
    QTest.keyClick(cell, Qt.Key.Key_Down)
    assert page.session.cells[0].view.turn == pytest.approx(6.0)
    QTest.keyClick(cell, Qt.Key.Key_P, Qt.KeyboardModifier.ShiftModifier)
    assert page.session.cells[0].display_set == before.display_set
    assert page.session.cells[0].view == before.view


def test_a_refusal_names_the_tag(shared_data: Path, petct: FakeArchive) -> None:
    ct, pet = _series(shared_data)
    manifest = petct.manifests[CURRENT]

    def refusal(*series: SeriesManifest) -> str:
        sets = sets_of(replace(manifest, series=series))
        with pytest.raises(NoPair) as told:
            pair(next(s for s in sets if s.modality == "CT"), sets)
        return str(told.value)

    assert "no second volume" in refusal(ct)
    other = without(pet, FrameOfReferenceUID="2.25.5")
    assert "Frame of Reference UID (0020,0052), and no registration" in refusal(ct, other)
    assert "(0020,0052) is missing in the other" in refusal(ct, without(pet, "FrameOfReferenceUID"))
    assert "(0020,0052) is missing in this" in refusal(without(ct, "FrameOfReferenceUID"), pet)


def test_a_pet_without_weight_says_so_under_the_pointer_and_when_fused(
    open_window: Open, petct: FakeArchive, qtbot: QtBot, shared_data: Path
) -> None:
    ct, pet = _series(shared_data)
    unweighed = without(pet, "PatientWeight", WindowCenter=[3000.0], WindowWidth=[6000.0])
    petct.manifests[CURRENT] = replace(petct.manifests[CURRENT], series=(ct, unweighed))
    window = open_window(petct)
    page = open_alone(window, qtbot)
    said: list[str] = []
    page.desk.say = lambda text, _token="": said.append(text)
    fused(page, qtbot)
    assert any("No SUV" in text and "(0010,1030)" in text for text in said)
    assert "no SUV" in texts(page)
    above = page.room.laid_over(page.session.cells[0].view)
    assert above is not None
    assert page.session.cells[0].view.fusion.window is None
    assert "0–6e+03" in texts(page)
    assert "(0010,1030)" in uptake.value_words(above.display_set, 3, 1000.0)
