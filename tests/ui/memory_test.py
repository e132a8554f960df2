"""A window that was closed gives its memory back, and an exam that was left stays in the cache alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive, FakeDoor
from tests.ui.conftest import PATIENCE_MS, enter, named
from tests.ui.reading_test import open_exam
from workstation.ui.letting_go import let_go
from workstation.ui.shell import Settings, Workstation

Seat = Callable[[], Workstation]


@pytest.fixture
def seat(qtbot: QtBot, tmp_path: Path, pixels: FakeArchive) -> Iterator[Seat]:
    """Makes signed-in windows without keeping them."""

    def make() -> Workstation:
        window = Workstation(FakeDoor((pixels,)), Settings(tmp_path / "workstation"))
        window.resize(1600, 1000)
        window.show()
        qtbot.waitUntil(lambda: named(window, "Sign in", QPushButton).isEnabled(), timeout=PATIENCE_MS)
        enter(window, pixels.who.name)
        qtbot.waitUntil(lambda: window.desk is not None, timeout=PATIENCE_MS)
        return window

    yield make
    gc.collect()


def leave(window: Workstation) -> None:
    """Close it as the program does at its end."""
    window.close_now()
    window.end()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def read(seat: Seat, qtbot: QtBot, also: tuple[str, ...]) -> list[weakref.ref[object]]:
    """Open a window and an exam, run commands, close it; what it was made of, held by nobody here."""
    window = seat()
    page = open_exam(window, qtbot)
    assert window.desk is not None
    for place in ("inbox", "schedule", "settings", "read"):
        window.go(place)
    for command in also:
        window.desk.commands.run(command)
    qtbot.waitUntil(lambda: window.tasks.idle, timeout=PATIENCE_MS)
    volumes = [cell.request.volume for cell in page.grid.cells if cell.request is not None]
    assert volumes
    parts = (window, window.desk, page, page.room, page.session, page.report, *page.grid.cells, *volumes)
    refs: list[weakref.ref[object]] = [weakref.ref(part) for part in parts]
    leave(window)
    return refs


def test_a_closed_window_is_gone_with_all_it_showed(seat: Seat, qtbot: QtBot) -> None:
    refs = read(seat, qtbot, ("read.mpr", "palette"))

    def left() -> list[str]:
        gc.collect()
        return [type(part).__name__ for part in (ref() for ref in refs) if part is not None]

    # a registration under way holds its two volumes until its next step, at the lowest priority there is
    qtbot.waitUntil(lambda: not left(), timeout=4 * PATIENCE_MS)


def test_an_exam_opened_again_and_again_is_there_once(seat: Seat, qtbot: QtBot) -> None:
    window = seat()
    cells: list[weakref.ref[object]] = []
    volumes: list[weakref.ref[object]] = []
    for _ in range(3):
        page = open_exam(window, qtbot)
        cells += [weakref.ref(cell) for cell in page.grid.cells]
        volumes += [weakref.ref(cell.request.volume) for cell in page.grid.cells if cell.request is not None]
        page.close_exam()
        qtbot.waitUntil(lambda: window.tasks.idle, timeout=PATIENCE_MS)

    def left(refs: list[weakref.ref[object]]) -> int:
        gc.collect()
        return len({id(part) for part in (ref() for ref in refs) if part is not None})

    qtbot.waitUntil(lambda: not left(cells), timeout=PATIENCE_MS)
    assert left(volumes) == len(page.room.loader.cache) == 2, "kept by bytes, to be there at once"
    leave(window)


class Told(QObject):
    """Something that tells."""

    said = Signal(str)
    more = Signal()


def test_let_go_disconnects_those_who_listen_and_keeps_the_object(qtbot: QtBot) -> None:
    heard: list[str] = []
    told = Told()
    told.said.connect(heard.append)
    told.said.connect(lambda text: heard.append(text.upper()))
    told.said.emit("a")
    let_go(told)
    told.said.emit("b")
    let_go(told)
    assert heard == ["a", "A"]
