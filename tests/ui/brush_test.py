"""Labels of measurements: inside the picture, and off what they tell of; the scale bar at the edge."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from workstation.rendering.display_list import DisplayList, ScaleBar, Text
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


def _inked(size: QSize, unit: float, text: float, items: DisplayList) -> list[tuple[int, int]]:
    """Where a brush leaves light on black, in pixels."""
    picture = QImage(size, QImage.Format.Format_RGB32)
    picture.fill(QColor("black"))
    painter = QPainter(picture)
    Brush(painter, unit, text, size).paint(items)
    painter.end()
    return [
        (x, y)
        for x in range(size.width())
        for y in range(size.height())
        if QColor(picture.pixel(x, y)).lightness() > 100
    ]


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_scale_bar_stands_at_the_edge_on_the_words_of_its_corner(qtbot: QtBot, scale: float) -> None:
    size = QSize(round(400 * scale), round(300 * scale))
    corner = Text(("F 175.0 mm", "axial"), (size.width() - 8, size.height() - 8), "bottom-right", "overlay")
    bar = ScaleBar(60 * scale, "10 cm")
    words = _inked(size, scale, 15 * scale, DisplayList((corner,)))
    both = _inked(size, scale, 15 * scale, DisplayList((corner, bar)))
    fresh = set(both) - set(words)
    assert set(words) <= set(both)
    assert min(x for x, _y in fresh) > size.width() * 0.75
    assert max(y for _x, y in fresh) < min(y for _x, y in words)
    upright = [x for x in range(size.width()) if sum(1 for a, _y in fresh if a == x) >= 60 * scale]
    assert upright, "no upright line of its length"
    label = [x for x, _y in fresh if x < min(upright) - 4 * scale - 1]
    assert label
    assert max(label) < min(upright) - 5 * scale, "the bar runs through its name"


def test_the_name_of_the_scale_bar_is_as_large_as_the_words_of_its_cell(qtbot: QtBot) -> None:
    size = QSize(400, 300)

    def height_of_label(relative: float) -> int:
        inked = _inked(size, 1.0, 20.0, DisplayList((ScaleBar(60, "10 cm", relative),)))
        rows = {y for x, y in inked if x < 375}
        return max(rows) - min(rows)

    assert height_of_label(1.0) > height_of_label(0.7)


def test_words_of_measurements_keep_off_corner_words_and_off_one_another(qtbot: QtBot) -> None:
    image = QImage(600, 400, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    brush = Brush(painter, 1.0, 14.0, image.size())
    corner = Text(("Series 2", "Image 25 of 48", "a long line of it"), (8.0, 8.0), "top-left", "overlay")
    near = [
        Text(("12.5 mm",), (60.0, 20.0), "left", "current", 0.9, "in the corner", (50.0, 20.0)),
        *(
            Text(
                ("Area 100 mm", "Mean 5 HU"), (300.0, 200.0), "left", "current", 0.9, f"n{n}", (290.0, 200.0)
            )
            for n in range(3)
        ),
    ]
    brush.paint(DisplayList((corner,)))
    taken = list(brush._taken)
    brush.paint(DisplayList(tuple(near)))
    painter.end()
    places = list(brush.labels.values())
    assert len(places) == 4
    for number, place in enumerate(places):
        assert QRectF(image.rect()).contains(place)
        assert not any(place.intersects(other) for other in (*taken, *places[:number]))
