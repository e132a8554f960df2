"""Labels of measurements: inside the picture, and off what they tell of."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from workstation.rendering.display_list import DisplayList, Text
from workstation.ui.reading.brush import Brush

SIDE = 300


@pytest.mark.parametrize(("right_edge", "left_of_it"), [(60.0, False), (SIDE - 20.0, True)])
def test_a_label_without_room_stands_on_the_other_side(
    qtbot: QtBot, right_edge: float, left_of_it: bool
) -> None:
    left_edge = right_edge - 50
    picture = QImage(SIDE, SIDE, QImage.Format.Format_RGB32)
    picture.fill(QColor("black"))
    painter = QPainter(picture)
    label = Text(
        ("Area 12.3 mm²", "Mean 4.5 HU"),
        (right_edge + 8, 150.0),
        "left",
        "measure",
        0.9,
        "2.25.1",
        (left_edge - 8, 150.0),
    )
    Brush(painter, 1.0, 15.0, QSize(SIDE, SIDE)).paint(DisplayList((label,)))
    painter.end()
    inked = [
        x for x in range(SIDE) if any(QColor(picture.pixel(x, y)).lightness() > 100 for y in range(100, 200))
    ]
    assert inked
    assert max(inked) < left_edge if left_of_it else min(inked) > right_edge
