"""An angiographic run less its mask by one key, the mask chosen and shifted by keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from tests.ui.conftest import PATIENCE_MS
from tests.ui.reading_test import open_exam
from workstation.imaging.registration import Confidence, NoRegistration, Registration
from workstation.imaging.registration_transform import Transform
from workstation.imaging.subtraction import MaskOperation, is_logarithmic, subtracted
from workstation.rendering.change_view import change, matrix_of
from workstation.rendering.subtraction_view import difference
from workstation.session.registrar import Registrar
from workstation.ui.reading.corners import under_pointer
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]


def test_one_key_subtracts_and_keys_move_the_mask(
    open_window: Open,
    angiogram: FakeArchive,
    qtbot: QtBot,
) -> None:
    page = open_exam(open_window(angiogram), qtbot, with_prior=False)
    cell = page.grid.cells[0]
    assert cell.request is not None
    volume = cell.request.volume
    qtbot.waitUntil(lambda: volume.is_complete, timeout=PATIENCE_MS)
    cell.setFocus()
    QTest.keyClick(cell, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: cell.settled, timeout=PATIENCE_MS)
    plain, before = cell.shown.picture.pixels.copy(), page.session.cells[0].view
    QTest.keyClick(cell, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: page.session.cells[0].view.subtraction is not None, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: cell.settled, timeout=PATIENCE_MS)
    assert not np.array_equal(cell.shown.picture.pixels, plain)
    assert any(text.startswith("Subtracted") for text in cell.shown.picture.display_list.texts())
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(cell, Qt.Key.Key_Right, both)
    QTest.keyClick(cell, Qt.Key.Key_Up, both)
    chosen = page.session.cells[0].view.subtraction
    assert chosen is not None
    assert chosen.shift == pytest.approx((-0.5, 0.5))
    index = page.session.cells[0].view.index
    header = volume.header(index)
    top = 0.0 if is_logarithmic(header.attributes) else 2.0**header.layout.usable_bits - 1
    truth = subtracted(volume.pixels, index + 1, MaskOperation(), shift=(-0.5, 0.5), top=top)
    assert np.array_equal(difference(volume, index, chosen), truth)
    QTest.keyClick(cell, Qt.Key.Key_Home, both)
    qtbot.waitUntil(lambda: page.session.cells[0].view.subtraction.shift != chosen.shift, timeout=PATIENCE_MS)
    QTest.keyClick(cell, Qt.Key.Key_Home)
    QTest.keyClick(cell, Qt.Key.Key_K, Qt.KeyboardModifier.ShiftModifier)
    assert page.session.cells[0].view.subtraction.mask == 1
    QTest.keyClick(cell, Qt.Key.Key_End)
    QTest.keyClick(cell, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    assert page.session.cells[0].view == before


def test_one_key_takes_the_registered_prior_away(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Registration(
        Transform(np.eye(3), np.array([0.0, 0.0, 12.0])), Confidence.HIGH, "rigid", 0.95, 0.9, 1.0
    )
    monkeypatch.setattr(Registrar, "find", lambda *_a: found)
    page = open_exam(open_window(pixels), qtbot)
    one, other = page.session.cells
    qtbot.waitUntil(lambda: "registered" in page.session.tie(one, other).words, timeout=PATIENCE_MS)
    cell, before = page.grid.cells[0], page.session.cells[0].view
    cell.setFocus()
    QTest.keyClick(cell, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: page.session.cells[0].view.change is not None, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: cell.settled, timeout=PATIENCE_MS)
    view, shown = page.session.cells[0].view, cell.shown.picture
    assert view.change.into == ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 12))
    assert "Less the prior · registered (rigid), confidence high" in shown.display_list.texts()
    assert page.session.cells[1].view.window != view.window
    volumes = [c.request.volume for c in page.grid.cells]
    left = change(view, *volumes, matrix_of(view.change), shown.width, shown.height)
    assert np.isfinite(left.values).any()
    assert (shown.pixels[np.isnan(left.values)] == 0).all()
    point = shown.frame.patient(shown.width / 2, shown.height / 2)
    told = under_pointer(volumes[0], shown.frame, shown.width / 2, shown.height / 2, volumes[1], view.change)
    assert told[1] == f"Prior {volumes[1].value_in_patient((point[0], point[1], point[2] + 12.0)):.0f} HU"
    QTest.keyClick(cell, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    assert page.session.cells[0].view == before


def test_a_prior_that_is_tied_only_roughly_is_not_taken_away(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Registrar, "find", lambda *_a: NoRegistration("not alike"))
    page = open_exam(open_window(pixels), qtbot)
    said = []
    page.desk.say = lambda text, _token="": said.append(text)
    QTest.keyClick(page.grid.cells[0], Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    assert "tied only approximately" in said[-1]
    page.session.activate(1)
    page.desk.commands.run("read.dsa")
    assert "choose a volume of the current study" in said[-1]
