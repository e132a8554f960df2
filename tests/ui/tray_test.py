"""Closing the window: asked once, the tray goes on telling what arrives, and nothing typed is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QDialog
from pytestqt.qtbot import QtBot

from pacs_core.archive.models import ChangesPage
from pacs_core.domain.errors import Busy
from pacs_core.domain.events import Change
from tests.support.fake_archive import FakeArchive, FakeDoor
from tests.ui.conftest import PATIENCE_MS, enter, named
from tests.ui.reading_test import CURRENT, open_exam
from workstation.ui.application import _stays
from workstation.ui.reading.page import ReadPage
from workstation.ui.shell import Settings, Workstation
from workstation.ui.tray import Tray

Open = Callable[..., Workstation]


class Feed:
    """A feed that a test writes; it fails once, as one whose core is just being started again."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._changes: list[Change] = []
        self.asked = self.over = 0
        self.failing = True

    def tell(self, kind: str, study: str = "", **detail: object) -> None:
        with self._news:
            number = len(self._changes) + 1
            self._changes.append(
                Change(number, "2026-03-02T10:00:00Z", kind, 4, 1, 1, study, "", "CT1", detail)
            )
            self._news.notify_all()

    def listen(self, sequence: int, wait_s: float) -> ChangesPage:
        with self._news:
            self.asked += 1
            if self.asked == 2 and self.failing:
                raise Busy("it is being started again")
            self._news.wait_for(lambda: len(self._changes) > sequence or self.over, wait_s)
            return ChangesPage(tuple(self._changes[sequence:]), len(self._changes))

    def end(self) -> None:
        with self._news:
            self.over = 1
            self._news.notify_all()


@pytest.fixture
def feed() -> Iterator[Feed]:
    made = Feed()
    yield made
    made.end()


def said(tray: Tray) -> str:
    return tray._said.text()


def test_the_tray_tells_what_arrived_since_the_window_closed(
    open_window: Open, archive: FakeArchive, qtbot: QtBot, feed: Feed
) -> None:
    feed.tell("images.stored", "1.1", count=1)
    ended: list[bool] = []
    tray = Tray(open_window(archive), lambda: ended.append(True), feed.listen)
    tray.stay()
    assert said(tray) == "Nothing has arrived yet"
    qtbot.waitUntil(lambda: feed.asked > 2, timeout=PATIENCE_MS)
    feed.tell("images.stored", "1.2", count=1)
    feed.tell("study.received", "1.2", images=1)
    qtbot.waitUntil(lambda: said(tray) == "Arrived: 1 image, 1 study", timeout=PATIENCE_MS)
    assert tray._icon is not None
    assert tray._icon.toolTip().endswith("Arrived: 1 image, 1 study")
    tray.open()
    assert tray._icon is None
    tray.stay()
    assert said(tray) == "Nothing has arrived yet"
    tray.stop()
    assert ended == [True]
    assert tray.stopped


def test_the_window_opens_again_at_its_sign_in(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> None:
    window = open_window(archive)
    tray = Tray(window, lambda: None)
    window.close()
    assert window.isHidden()
    tray.stay()
    tray.open()
    assert window.isVisible()
    assert window.desk is None
    named(window, "Sign in", QAbstractButton)


def test_without_a_tray_the_core_goes_on_unseen() -> None:
    assert not Tray.possible()  # Qt's offscreen platform has none
    assert not _stays([True])
    assert not _stays([])


@pytest.fixture
def closing(
    qtbot: QtBot, archive: FakeArchive, tmp_path: Path
) -> Iterator[tuple[Callable[[], Workstation], list[bool]]]:
    """Windows whose closing decides about the core, and what they decided."""
    decided: list[bool] = []
    windows: list[Workstation] = []

    def make() -> Workstation:
        window = Workstation(FakeDoor((archive,)), Settings(tmp_path / "workstation", decided.append))
        windows.append(window)
        window.show()
        return window

    yield make, decided
    for window in windows:
        window.close_now()
        window.end()
        window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def answer(button: str, remember: bool = True) -> list[bool]:
    """Press a button of the question that is about to come; says whether it came."""
    came: list[bool] = []

    def press() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QDialog)
        came.append(True)
        box = dialog.findChildren(QCheckBox)[0]
        assert box.isChecked()
        box.setChecked(remember)
        chosen = named(dialog, button, QAbstractButton)
        assert isinstance(chosen, QAbstractButton)
        chosen.click()

    QTimer.singleShot(0, press)
    return came


@pytest.mark.parametrize(("button", "goes_on"), [("Go on receiving", True), ("Stop receiving", False)])
def test_closing_asks_once_whether_the_core_goes_on(
    closing: tuple[Callable[[], Workstation], list[bool]], button: str, goes_on: bool
) -> None:
    make, decided = closing
    came = answer(button)
    make().close()
    assert (came, decided) == ([True], [goes_on])
    make().close()
    assert decided == [goes_on, goes_on]


def test_who_wants_to_be_asked_again_is(closing: tuple[Callable[[], Workstation], list[bool]]) -> None:
    make, decided = closing
    answer("Go on receiving", remember=False)
    make().close()
    came = answer("Stop receiving", remember=False)
    make().close()
    assert (came, decided) == ([True], [True, False])


def test_the_window_stays_open_where_the_question_is_not_answered(
    closing: tuple[Callable[[], Workstation], list[bool]],
) -> None:
    make, decided = closing
    answer("Stay open")
    window = make()
    window.close()
    assert window.isVisible()
    assert decided == []


@pytest.mark.parametrize(("wanted", "goes_on"), [("", False), ("goes on", True), ("stops", False)])
def test_a_machine_that_ends_the_window_asks_nobody(
    closing: tuple[Callable[[], Workstation], list[bool]], wanted: str, goes_on: bool
) -> None:
    make, decided = closing
    window = make()
    window.preferences.core_on_close = wanted
    window.close_now()
    assert decided == [goes_on]


def writing(window: Workstation, qtbot: QtBot) -> ReadPage:
    page = open_exam(window, qtbot)
    qtbot.waitUntil(lambda: page.report.writing, timeout=PATIENCE_MS)
    return page


@pytest.mark.parametrize("leave", [Workstation.sign_out, Workstation.close_now], ids=["sign out", "close"])
@pytest.mark.parametrize("away", [False, True], ids=["archive there", "archive away"])
def test_what_was_typed_a_moment_before_is_there_again(
    open_window: Open,
    pixels: FakeArchive,
    qtbot: QtBot,
    tmp_path: Path,
    leave: Callable[[Workstation], None],
    away: bool,
) -> None:
    """Signing out or closing in mid-sentence loses nothing, with or without the archive to save it in."""
    window = open_window(pixels, folder=tmp_path / "workstation")
    page = writing(window, qtbot)
    if away:
        pixels.failing["save_draft"] = Busy("the archive is away")
    page.report.go_to_field("impression-text")
    qtbot.keyClicks(page.report.form.editors["impression-text"], "in mid-sent")
    leave(window)
    pixels.failing.clear()
    if leave is Workstation.sign_out:
        enter(window, pixels.who.name)
        qtbot.waitUntil(lambda: window.desk is not None, timeout=PATIENCE_MS)
        again = window
    else:
        window.end()
        again = open_window(pixels, folder=tmp_path / "workstation")
    page = writing(again, qtbot)
    assert page.report.draft is not None
    assert page.report.draft.values["impression-text"] == "in mid-sent"
    qtbot.waitUntil(
        lambda: CURRENT in pixels.drafts and "in mid-sent" in pixels.drafts[CURRENT].content,
        timeout=PATIENCE_MS,
    )


def test_a_dossier_that_was_asked_before_the_draft_was_saved_does_not_hide_it(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    """The save overtakes the question: what the answer does not have yet is there all the same."""
    before = pixels.open_study(CURRENT)
    window = open_window(pixels)
    page = writing(window, qtbot)
    page.report.go_to_field("impression-text")
    qtbot.keyClicks(page.report.form.editors["impression-text"], "overtaken")
    keeper = page.desk.keeper
    assert keeper is not None
    qtbot.waitUntil(lambda: keeper.idle and keeper.saved(CURRENT) is not None, timeout=PATIENCE_MS)
    assert page.desk.spool.draft_of(CURRENT) is None
    page.desk.session.open(before, upright=False)
    assert page.report.draft is not None
    assert page.report.draft.values["impression-text"] == "overtaken"
    page.report.discard()
    qtbot.waitUntil(lambda: window.tasks.idle, timeout=PATIENCE_MS)
    assert keeper.saved(CURRENT) is None
