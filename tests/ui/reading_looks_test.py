"""What a reading cell shows beside its picture: one focus, the value under the pointer, badges and names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from tests.ui.conftest import PATIENCE_MS
from tests.ui.reading_test import drag, open_exam, send_move, session
from workstation.imaging.findings import Finding, FindingKind
from workstation.ui import theme
from workstation.ui.reading import corners
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]


def test_exactly_one_thing_looks_as_if_it_had_the_keyboard(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    qtbot.waitUntil(lambda: page.report.writing, timeout=PATIENCE_MS)
    cell = page.grid.cells[0]
    editor = page.report.form.editors["lungs"]
    accent = theme.current().overlay("active").rgb()
    marked = theme.current().colour("selection").rgb()

    def edge() -> int:
        return cell.grab().toImage().pixel(1, cell.height() // 2)

    def selected() -> bool:
        shown = editor.viewport().grab().toImage()
        return any(shown.pixel(x, shown.height() // 2) == marked for x in range(shown.width()))

    begun = page.report.draft.cursor
    assert begun.field_id == "lungs"
    assert begun.anchor != begun.caret, "the first text of the template is marked to be replaced"
    assert not selected()
    page.report.focus()
    qtbot.waitUntil(selected, timeout=PATIENCE_MS)
    page.report.select("lungs", 0, 10)
    qtbot.waitUntil(editor.hasFocus, timeout=PATIENCE_MS)
    assert selected()
    assert edge() != accent
    page.grid.focus()
    qtbot.waitUntil(cell.hasFocus, timeout=PATIENCE_MS)
    assert edge() == accent
    assert not selected()
    cursor = page.report.draft.cursor
    assert (cursor.field_id, cursor.anchor, cursor.caret) == ("lungs", 0, 10), "dictation goes on there"


def test_the_value_under_the_pointer_goes_with_the_pointer(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    cell = page.grid.cells[0]
    gone = [
        lambda: QApplication.sendEvent(cell, QEvent(QEvent.Type.Leave)),
        lambda: QApplication.sendEvent(cell, QEvent(QEvent.Type.WindowDeactivate)),
        lambda: QApplication.sendEvent(
            cell.scroll_bar, QEnterEvent(QPointF(2, 9), QPointF(2, 9), QPointF(2, 9))
        ),
        lambda: drag(cell, cell.rect().center(), cell.rect().center() + QPoint(5000, 0)),
    ]
    for go in gone:
        send_move(cell, cell.rect().center())
        assert cell.pointer is not None
        go()
        assert cell.pointer is None


def test_a_window_chosen_by_its_name_says_it_in_the_corner(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    assert window.desk is not None

    def corner() -> tuple[str, ...]:
        picture = page.grid.cells[0].shown.picture
        return picture.display_list.texts() if picture is not None else ()

    window.desk.commands.run("read.preset.4")
    qtbot.waitUntil(lambda: "W 1800 L 400 HU · Bone" in corner(), timeout=PATIENCE_MS)
    window.desk.commands.run("read.mpr")
    qtbot.waitUntil(lambda: "W 1800 L 400 HU · Bone" in corner(), timeout=PATIENCE_MS)


def test_what_the_picture_says_by_a_badge_is_not_said_again(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    state, volume = session(page).cells[0], page.grid.cells[0].request.volume
    lossy = replace(
        state.display_set, findings=(Finding(FindingKind.LOSSY, "Lossy compression.", len(volume.loaded)),)
    )
    assert corners.corner(session(page), replace(state, display_set=lossy), volume).badges == ()
