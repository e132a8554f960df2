"""Loops in their cells: played by the clock of their tags, stopped by the hand, never lagging behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from tests.ui.conftest import PATIENCE_MS
from tests.ui.reading_test import open_exam, wheel
from workstation.imaging.cine import timing
from workstation.ui import theme
from workstation.ui.reading.cine import Cine, start_of
from workstation.ui.reading.page import ReadPage
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]


@pytest.fixture
def still() -> Iterator[Callable[[], None]]:
    """Call it for reduced motion; it is as before after the test."""
    yield lambda: theme.change(reduced_motion=True)
    theme.change(reduced_motion=False)


def playing(page: ReadPage) -> bool:
    return page.grid.cine.is_playing(0)


def press_play(page: ReadPage) -> None:
    cell = page.grid.cells[0]
    cell.setFocus()
    QTest.keyClick(cell, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)


def test_a_run_plays_by_its_tags_and_the_hand_stops_it(
    open_window: Open, angiogram: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(angiogram), qtbot, with_prior=False)
    seen: set[int] = set()
    page.session.view_changed.connect(lambda n: seen.add(page.session.cells[n].view.index))
    press_play(page)
    assert playing(page)
    qtbot.waitUntil(lambda: len(seen) > 4, timeout=PATIENCE_MS)
    frames = page.session.cells[0].display_set
    assert frames is not None
    told = timing(frames.frames[0].attributes, len(frames))
    assert told.source
    cell = page.grid.cells[0]
    words = f"{told.rate:.3g}/s ({told.source})"
    qtbot.waitUntil(
        lambda: any(words in t for t in cell.shown.picture.display_list.texts()), timeout=PATIENCE_MS
    )
    page.desk.commands.run("read.cine.slower")
    qtbot.waitUntil(
        lambda: any("× 0.75" in t for t in cell.shown.picture.display_list.texts()), timeout=PATIENCE_MS
    )
    wheel(cell, 3)
    qtbot.waitUntil(lambda: not playing(page), timeout=PATIENCE_MS)


def test_a_stack_without_times_plays_at_fifteen_a_second_and_the_key_stops_it(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    before = page.session.cells[0].view.index
    press_play(page)
    assert "15/s" in page.grid.cine.words(0)
    qtbot.waitUntil(lambda: page.session.cells[0].view.index != before, timeout=PATIENCE_MS)
    press_play(page)
    assert not playing(page)


def test_a_cell_that_does_not_answer_is_asked_for_no_further_frame(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    asked: list[int] = []
    cine = Cine(page.session, lambda n: bool(asked.append(n)))
    index = page.session.cells[0].view.index
    cine.toggle(0)
    qtbot.waitUntil(lambda: len(asked) > 12, timeout=PATIENCE_MS)
    assert page.session.cells[0].view.index == index
    cine.stop(0)


def test_with_reduced_motion_a_loop_is_played_once(
    open_window: Open, angiogram: FakeArchive, qtbot: QtBot, still: Callable[[], None]
) -> None:
    page = open_exam(open_window(angiogram), qtbot, with_prior=False)
    still()
    press_play(page)
    for _ in range(3):
        page.desk.commands.run("read.cine.faster")
    qtbot.waitUntil(lambda: not playing(page), timeout=PATIENCE_MS)


def test_a_loop_goes_on_from_the_image_it_began_at() -> None:
    told = timing({"FrameTimeVector": [0.0, 40.0, 80.0, 40.0]}, 4)
    for index in range(4):
        assert told.frame_at(start_of(told, index)) == index
    assert start_of(timing({"StartTrim": 2}, 4), 0) == 0.0
