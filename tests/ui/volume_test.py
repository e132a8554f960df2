"""3D by hand: one key opens it in the cell, dragging turns it, presets change it, the same key closes it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from tests.support.processes import alive
from tests.ui.conftest import PATIENCE_MS
from tests.ui.reading_test import open_exam
from workstation.rendering.volume import gpu
from workstation.ui.reading.page import ReadPage
from workstation.ui.reading.volume_view import VolumeView
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]


@pytest.fixture(autouse=True)
def _nobody_looks_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "look", lambda then: then(""))


def opened(page: ReadPage, qtbot: QtBot) -> VolumeView:
    """Press the key and wait for the finished picture."""
    cell = page.grid.cells[0]
    cell.setFocus()
    QTest.keyClick(cell, Qt.Key.Key_T)
    view = cell.volume_view
    assert view is not None
    finished(view, qtbot)
    return view


def finished(view: VolumeView, qtbot: QtBot) -> None:
    def done() -> bool:
        return view.picture is not None and view.picture.final and view.picture.scene == view.scene

    qtbot.waitUntil(done, timeout=3 * PATIENCE_MS)


def test_a_key_opens_3d_a_drag_turns_it_the_wheel_and_presets_change_it(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    view = opened(page, qtbot)
    assert view.scene is not None
    assert view.picture is not None
    assert view.picture.pixels.shape[2] == 3
    assert "seen from anterior" in view.accessibleDescription()
    told = page.grid.cells[0].shown.picture.display_list.texts()
    (series, preset), (who, date) = view.titles()
    assert {series, who, date} <= set(told)
    assert series
    assert who
    assert date
    assert preset.startswith("3D")
    assert page.session.solid == {0}
    before, camera = view.picture.pixels.copy(), view.scene.camera
    middle = view.rect().center()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(view, middle + QPoint(40, 0))
    QTest.mouseMove(view, middle + QPoint(160, 10))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=middle + QPoint(160, 10))
    finished(view, qtbot)
    assert view.scene.camera.right != camera.right
    assert view.scene.camera.field == camera.field
    assert not np.array_equal(view.picture.pixels, before)
    name = view.scene.function.name
    page.desk.commands.run("read.volume.next")
    finished(view, qtbot)
    assert view.scene.function.name != name
    page.desk.commands.run("read.volume.from.left")
    finished(view, qtbot)
    assert "seen from left" in view.accessibleDescription()
    pid = view.client.pid if view.client is not None else None
    QTest.keyClick(page.grid.cells[0], Qt.Key.Key_T)
    assert page.grid.cells[0].volume_view is None
    assert not page.session.solid
    assert pid is not None
    qtbot.waitUntil(lambda: not alive(pid), timeout=PATIENCE_MS)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_renderer_that_dies_is_started_again_and_the_reader_is_told(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    view = opened(page, qtbot)
    assert view.client is not None
    said: list[str] = []
    view._said.connect(said.append)
    pid = view.client.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    page.desk.commands.run("read.volume.from.posterior")
    finished(view, qtbot)
    qtbot.waitUntil(lambda: said[-1:] == [""], timeout=PATIENCE_MS)
    assert any("started again" in one for one in said)
    assert view.client.pid != pid


def test_what_cannot_be_shown_says_why_in_the_cell(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workstation.rendering.volume.source.FEWEST_SLICES", 10_000)
    page = open_exam(open_window(pixels), qtbot)
    cell = page.grid.cells[0]
    cell.setFocus()
    QTest.keyClick(cell, Qt.Key.Key_T)
    view = cell.volume_view
    assert view is not None
    qtbot.waitUntil(lambda: bool(view.refusal), timeout=PATIENCE_MS)
    assert "too few for 3D" in view.accessibleDescription()
    assert view.client is None
