"""The window as a whole: the door, the places, the lock, commands and keys, names for everything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from pacs_core.domain.errors import Denied, StorageFailure
from tests.support.fake_archive import FakeArchive
from tests.support.fake_world import world
from tests.ui.conftest import PATIENCE_MS, enter, named
from workstation.ui import theme
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]


def label_text(window: Workstation, name: str) -> str:
    shown = named(window, name, QLabel)
    assert isinstance(shown, QLabel)
    return shown.text()


def test_a_wrong_password_says_so_and_five_lock_the_door(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(archive, sign_in=False)
    for _ in range(4):
        enter(window, "reader", "wrong")
        qtbot.waitUntil(
            lambda: label_text(window, "Sign-in message") == "User or password is wrong.", timeout=PATIENCE_MS
        )
        qtbot.waitUntil(lambda: named(window, "Sign in", QAbstractButton).isEnabled(), timeout=PATIENCE_MS)
    enter(window, "reader", "wrong")
    qtbot.waitUntil(
        lambda: "Too many wrong passwords" in label_text(window, "Sign-in message"), timeout=PATIENCE_MS
    )
    assert not named(window, "Sign in", QAbstractButton).isEnabled()
    assert window.desk is None


def test_the_demo_user_is_named_and_can_be_used_at_once(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(archive, sign_in=False)
    qtbot.waitUntil(lambda: "user reader" in label_text(window, "Demo user"), timeout=PATIENCE_MS)
    assert label_text(window, "Other demo users").endswith("tech (technologist), admin (admin)")
    button = named(window, "Use the demo user", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()
    qtbot.waitUntil(lambda: window.desk is not None, timeout=PATIENCE_MS)


def test_the_worklist_is_the_first_place_and_lists_every_exam(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(archive)
    table = named(window, "Worklist", QTableView)
    assert isinstance(table, QTableView)
    qtbot.waitUntil(lambda: table.model().rowCount() == len(archive.rows_), timeout=PATIENCE_MS)


def test_the_lock_keeps_the_desk_and_the_same_person_takes_it_up_again(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(archive)
    desk = window.desk
    window.lock()
    assert named(window, "Sign in", QAbstractButton).isVisible()
    assert named(window, "User", QLineEdit).text() != ""
    enter(window, "reader")
    qtbot.waitUntil(lambda: not window._sign_in.isVisible(), timeout=PATIENCE_MS)
    assert window.desk is desk


def test_another_person_takes_over_in_one_step(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> None:
    technologist = world(role="technologist")
    window = open_window(archive, technologist)
    window.lock()
    enter(window, "technologist")
    qtbot.waitUntil(
        lambda: window.desk is not None and window.desk.archive is technologist, timeout=PATIENCE_MS
    )


def test_what_a_role_may_not_enter_says_so(open_window: Open, qtbot: QtBot) -> None:
    window = open_window(world(role="front-desk"))
    window.go("inbox")
    assert "Not for this role" in window._rooms.currentWidget().accessibleName()


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Denied("a technologist may not list exams"), "Not allowed"),
        (StorageFailure("the index cannot be read"), "Could not be stored"),
        (ConnectionError("refused"), "No connection"),
    ],
)
def test_a_list_that_cannot_be_had_says_why(
    open_window: Open, archive: FakeArchive, qtbot: QtBot, failure: Exception, words: str
) -> None:
    archive.failing["list_rows"] = failure
    window = open_window(archive)
    qtbot.waitUntil(lambda: words in named(window, "Worklist: ").accessibleName(), timeout=PATIENCE_MS)


def test_an_empty_worklist_says_that_exams_come_by_themselves(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    archive.rows_.clear()
    window = open_window(archive)
    qtbot.waitUntil(lambda: "is empty" in named(window, "Worklist: ").accessibleName(), timeout=PATIENCE_MS)


def test_every_command_has_a_name_a_place_and_a_tool_tip_and_no_key_twice(
    open_window: Open, archive: FakeArchive
) -> None:
    window = open_window(archive)
    for place in ("read", "schedule", "inbox", "settings"):
        window.go(place)
    assert window.desk is not None
    commands = list(window.desk.commands)
    assert len(commands) > 80
    assert all(c.name and c.place and c.tooltip for c in commands)
    keys = [key for c in commands for key in c.keys]
    assert len(keys) == len(set(keys))


def test_every_control_that_takes_input_has_an_accessible_name(
    open_window: Open, archive: FakeArchive
) -> None:
    window = open_window(archive)
    for place in ("read", "schedule", "inbox", "settings"):
        window.go(place)
    kinds = (QAbstractButton, QLineEdit, QComboBox, QPlainTextEdit, QTableView)
    nameless = [
        w
        for kind in kinds
        for w in window.findChildren(kind)
        if not (w.accessibleName() or getattr(w, "text", str)())
        and not w.objectName().startswith("qt_")
        and not isinstance(w.parent(), QComboBox)
        and w.objectName() not in ("ScrollLeftButton", "ScrollRightButton")
    ]
    assert not [f"{type(w).__name__} in {type(w.parent()).__name__}" for w in nameless]


def test_the_palette_finds_and_runs_a_command(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> None:
    window = open_window(archive)
    assert window.desk is not None
    window.desk.commands.run("palette")
    text = next(
        w
        for w in QWidget.find(int(window.winId())).findChildren(QLineEdit)
        if w.accessibleName() == "Type a command"
    )
    qtbot.keyClicks(text, "sched")
    qtbot.keyClick(text, Qt.Key.Key_Return)
    assert window._rooms.currentWidget() is window._places["schedule"]


def test_ctrl_and_numbers_go_to_the_places(open_window: Open, archive: FakeArchive) -> None:
    window = open_window(archive)
    keys = {a.shortcut().toString(): a for a in window.actions() if isinstance(a, QAction)}
    for number, place in enumerate(("worklist", "read", "schedule", "inbox", "settings"), 1):
        keys[f"Ctrl+{number}"].trigger()
        assert window._rooms.currentWidget() is window._places[place]


def test_text_grows_and_shrinks_and_is_kept(open_window: Open, archive: FakeArchive) -> None:
    window = open_window(archive)
    assert window.desk is not None
    before = theme.current().pixels()
    window.desk.commands.run("bigger")
    assert theme.current().pixels() > before
    assert window.preferences.text_scale == 110
    window.desk.commands.run("smaller")


def test_the_inbox_count_shows_on_the_rail_from_the_sign_in_on(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(archive)
    qtbot.waitUntil(lambda: "5" in window._rail.buttons["inbox"].accessibleDescription(), timeout=PATIENCE_MS)


def test_another_theme_keeps_the_place_the_exam_and_the_draft(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    from tests.ui.reading_test import CURRENT, open_exam

    window = open_window(pixels)
    page = open_exam(window, qtbot)
    page.report.go_to_field("impression-text")
    qtbot.keyClicks(page.report.form.editors["impression-text"], "Kept")
    theme.change(key="dim light", scale=1.5)
    qtbot.waitUntil(lambda: window._places.get("read") not in (None, page), timeout=PATIENCE_MS)
    again = window._places["read"]
    qtbot.waitUntil(lambda: again.session.study_uid == CURRENT, timeout=PATIENCE_MS)
    assert again.report.draft.values["impression-text"] == "Kept"
    assert window._rooms.currentWidget() is again
    theme.change(key="dark", scale=1.0)


def test_the_places_are_strangers_to_each_other() -> None:
    import ast
    from pathlib import Path

    import workstation.ui

    folder = Path(workstation.ui.__file__).parent
    rooms = ("worklist", "reading", "reporting", "schedule", "inbox", "settings")
    wrong = [
        f"{path.relative_to(folder)} imports {node.module}"
        for room in rooms
        for path in (folder / room).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        and node.module
        and any(node.module.startswith(f"workstation.ui.{other}") for other in rooms if other != room)
    ]
    assert not wrong


INSECURE = ("HL7 is open beyond this machine without encryption", "HTTP is open beyond this machine")


def test_a_warning_of_the_node_stays_whatever_else_is_said(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    archive.node_changes = {"warnings": INSECURE}
    window = open_window(archive)
    qtbot.waitUntil(lambda: "and 1 more" in label_text(window, "Warning: "), timeout=PATIENCE_MS)
    window.status.say("something else", "good")
    window.status.say("", "quiet")
    shown = named(window.status, "Warning: ", QLabel)
    assert shown.accessibleName() == "Warning: " + "; ".join(INSECURE)
    assert INSECURE[0] in label_text(window, "Warning: ")


@pytest.mark.parametrize(
    ("own", "site", "minutes"), [(15, 5, 5), (5, 15, 5), (0, 10, 10), (20, 0, 20), (0, 0, 0)]
)
def test_the_site_says_when_a_workstation_locks_at_the_latest(
    open_window: Open, archive: FakeArchive, qtbot: QtBot, own: int, site: int, minutes: int
) -> None:
    archive.node_changes = {"idle_lock_min": site}
    window = open_window(archive)
    window.preferences.idle_lock_minutes = own
    qtbot.waitUntil(lambda: window.desk is not None and window.desk.node is not None, timeout=PATIENCE_MS)
    window._idle.stop()
    window._rest()
    assert (window._idle.interval() if window._idle.isActive() else 0) == minutes * 60_000
