"""A screen reader that asks a scroll area for a child it no longer has gets none, and the window stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QLabel, QScrollArea
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from tests.ui.report_test import Open, open_exam
from workstation.ui.widgets import scrolling
from workstation.ui.widgets.scrolling import ScrollArea

UI = Path(scrolling.__file__).parents[1]
BEYOND = (-1, 3, 4, 7, 1000)


class Named(ScrollArea):
    """A kind of its own, as the report's form is."""


@pytest.mark.parametrize("kind", [ScrollArea, Named])
def test_the_children_told_of_do_not_change_with_the_bars_and_none_is_beyond(
    qtbot: QtBot, kind: type[QScrollArea]
) -> None:
    area = kind()
    qtbot.addWidget(area)
    inside = QLabel("a\n" * 200)
    area.setWidget(inside)
    area.resize(120, 120)
    area.show()
    qtbot.waitUntil(area.verticalScrollBar().isVisible)
    told = QAccessible.queryAccessibleInterface(area)
    counted = told.childCount()
    inside.setText("a")
    area.setWidgetResizable(True)
    qtbot.waitUntil(lambda: not area.verticalScrollBar().isVisible())
    assert told.childCount() == counted
    assert all(told.child(number) is not None for number in range(counted))
    area.hide()
    assert told.childCount() == counted
    assert [told.child(counted + 1 + number) for number in BEYOND if number >= 0] == [None] * 4
    assert told.child(-1) is None


def test_every_scroll_area_of_an_open_window_is_safe_to_ask(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_exam(open_window(pixels), qtbot).window()
    areas = window.findChildren(QScrollArea)
    assert areas
    assert [type(area) for area in areas if not isinstance(area, ScrollArea)] == []


def test_no_plain_scroll_area_is_used() -> None:
    users = [path.name for path in UI.rglob("*.py") if "QScrollArea" in _imports(path)]
    assert users == ["scrolling.py"]


def _imports(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return text.partition("from PySide6.QtWidgets import")[2].partition("\nfrom ")[0]
