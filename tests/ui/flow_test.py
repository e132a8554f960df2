"""A row that goes on in the next line: what stands together at its end goes there together."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from workstation.ui.widgets.flow import Flow, bar


@pytest.mark.parametrize(
    ("width", "lines"),
    [(700, [0, 0, 0, 0, 0]), (480, [0, 0, 0, 1, 1]), (260, [0, 0, 1, 2, 2]), (150, [0, 1, 2, 3, 4])],
)
def test_what_is_pushed_goes_into_the_next_line_together(qtbot: QtBot, width: int, lines: list[int]) -> None:
    flow = Flow(gap=0)
    whole = bar(flow)
    qtbot.addWidget(whole)
    boxes = [QWidget() for _ in range(5)]
    for box in boxes:
        box.setFixedSize(100, 20)
    flow.add(*boxes[:3])
    flow.add(*boxes[3:], pushed=True)
    whole.resize(width, flow.heightForWidth(width))
    whole.show()
    assert [box.y() // 20 for box in boxes] == lines
