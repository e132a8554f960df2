"""Every tool that draws, by hand in the window: kept at its stroke, saved, bent, worded and undone."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pacs_core.domain.measurement import Measurement, Quantity
from tests.support.fake_archive import FakeArchive
from tests.ui.conftest import PATIENCE_MS
from tests.ui.reading_test import drag, open_exam, send_move, session, wheel
from workstation.reporting.placeholders import change
from workstation.tools import DRAWING
from workstation.tools.stacking import tells_volume
from workstation.ui.reading.cell import ImageCell
from workstation.ui.reading.page import ReadPage
from workstation.ui.shell import Workstation
from workstation.ui.widgets.table import ROW_ROLE

Open = Callable[..., Workstation]
LEFT = Qt.MouseButton.LeftButton
PLACES: dict[str, tuple[tuple[int, int], ...]] = {
    "length": ((0, 0), (120, 40)),
    "path": ((0, 0), (60, 40), (120, 0)),
    "angle": ((0, 0), (90, 60), (150, -20)),
    "open_angle": ((0, 0), (120, 20), (0, 60), (120, 110)),
    "cobb_angle": ((0, 0), (120, 20), (0, 90), (120, 60)),
    "bidirectional": ((0, 0), (120, 40), (80, -20), (40, 60)),
    "ellipse_roi": ((0, 0), (120, 80)),
    "rectangle_roi": ((0, 0), (120, 80)),
    "polygon_roi": ((0, 0), (120, 10), (90, 90)),
    "freehand_roi": tuple((60 + x, 60 + y) for x, y in ((40, 0), (30, 30), (0, 40), (-30, 20), (-20, -30))),
    "probe": ((20, 20),),
    "cardiothoracic_ratio": ((0, 0), (60, 9), (-40, 40), (110, 50)),
    "arrow": ((0, 0), (80, -50)),
    "text": ((10, 10),),
    "spine_label": ((10, 10),),
}
NAMES = {
    "length": {"Length"},
    "path": {"Length"},
    "angle": {"Angle"},
    "open_angle": {"Angle"},
    "cobb_angle": {"Cobb Angle"},
    "bidirectional": {"Long Axis", "Short Axis"},
    "probe": {"Value"},
    "cardiothoracic_ratio": {"Cardiothoracic Ratio"},
    "arrow": set(),
    "text": set(),
    "spine_label": set(),
}
OF_REGIONS = {"Area", "Mean", "Standard Deviation", "Minimum", "Maximum"}


def draw(page: ReadPage, name: str, shift: QPoint | None = None) -> Measurement:
    """Take the tool and make its stroke in the first cell: one drag, clicks, or a double click at the end."""
    page.desk.commands.run(f"read.tool.{name}")
    cell = page.grid.cells[0]
    places = [cell.rect().center() + QPoint(*p) + (shift or QPoint()) for p in PLACES[name]]
    before = set(session(page).measurements)
    if name == "freehand_roi":
        _along(cell, places)
    elif len(places) == 2:
        drag(cell, *places)
    else:
        for place in places:
            QTest.mouseClick(cell, LEFT, pos=place)
            send_move(cell, place + QPoint(1, 1))
        if name in ("path", "polygon_roi"):
            QTest.mouseDClick(cell, LEFT, pos=places[-1])
    if cell.caption.isVisible():
        QTest.keyClicks(cell.caption, f"see {name}")
        QTest.keyClick(cell.caption, Qt.Key.Key_Return)
    (uid,) = set(session(page).measurements) - before
    return session(page).measurements[uid]


def _along(cell: ImageCell, places: list[QPoint]) -> None:
    QTest.mousePress(cell, LEFT, pos=places[0])
    for place in places[1:]:
        send_move(cell, place, LEFT)
    QTest.mouseRelease(cell, LEFT, pos=places[-1])


def test_every_tool_draws_saves_and_is_undone(open_window: Open, pixels: FakeArchive, qtbot: QtBot) -> None:
    page = open_exam(open_window(pixels), qtbot)
    assert set(PLACES) <= set(DRAWING)
    for name in PLACES:
        one = draw(page, name)
        assert (one.kind, one.refusal) == (name, "")
        assert {q.name for q in one.quantities} >= NAMES.get(name, OF_REGIONS)
        assert one.label == (f"see {name}" if name in ("text", "arrow", "spine_label") else "")
        assert page.session.selected == one.tracking_uid
        qtbot.waitUntil(lambda u=one.tracking_uid: u in pixels.strokes, timeout=PATIENCE_MS)
        qtbot.waitUntil(lambda o=one: pixels.strokes[o.tracking_uid].points == o.points, timeout=PATIENCE_MS)
        page.desk.commands.run("read.undo")
        while one.tracking_uid in session(page).measurements:  # an arrow and its words are two steps
            page.desk.commands.run("read.undo")
    assert not session(page).measurements


def test_a_stroke_is_seen_under_way_bent_by_its_handles_and_worded(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    _under_way(page)
    for name in ("cobb_angle", "freehand_roi"):
        _bent(page, name)
    _worded(page, qtbot)


def _under_way(page: ReadPage) -> None:
    page.desk.commands.run("read.tool.cobb_angle")
    cell = page.grid.cells[0]
    middle = cell.rect().center()
    drag(cell, middle, middle + QPoint(80, 0))
    send_move(cell, middle + QPoint(0, 60))
    assert cell.hand.preview is not None
    assert len(cell.hand.preview.points) == 3
    assert cell.strokes().items
    QTest.keyClick(cell, Qt.Key.Key_Escape)
    assert not cell.strokes().items
    assert not session(page).measurements


def _bent(page: ReadPage, name: str) -> None:
    one = draw(page, name)
    cell = page.grid.cells[0]
    page.desk.commands.run("read.tool.window_level")
    at = cell.rect().center() + QPoint(*PLACES[name][0])
    drag(cell, at, at + QPoint(30, -30))
    bent = session(page).measurements[one.tracking_uid]
    assert bent.points[0] != one.points[0]
    assert bent.points[2] == one.points[2]
    assert bent.quantities != one.quantities
    session(page).remove(one.tracking_uid)


def _worded(page: ReadPage, qtbot: QtBot) -> None:
    """Letters in the words of a stroke are no commands, and Escape leaves no empty text behind."""
    page.desk.commands.run("read.tool.text")
    cell = page.grid.cells[0]
    QTest.mouseClick(cell, LEFT, pos=cell.rect().center())
    assert cell.caption.isVisible()
    qtbot.keyClicks(cell.caption, "da")
    assert page.room.tool == "text"
    QTest.keyClick(cell.caption, Qt.Key.Key_Escape)
    assert not cell.caption.isVisible()
    assert not session(page).measurements


def test_the_list_names_goes_deletes_and_tells_the_change(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    facts = (Quantity("Length", 10.0, "mm"),)
    pixels.strokes["2.25.777"] = Measurement(
        "2.25.777", "length", "2.25.1001", "s", "i", 1, ((0.0, 0.0, 0.0), (10.0, 0.0, 0.0)), facts
    )
    page = open_exam(open_window(pixels), qtbot)
    one = draw(page, "length")
    page.desk.commands.run("read.list")
    table = page.strokes.table
    assert table.isVisible()
    assert [m.tracking_uid for m in rows(page)] == [one.tracking_uid, "2.25.777"]
    assert said(page, 0)[0] == "Length"
    assert said(page, 0)[1] == f"{one.quantities[0].value:.1f} mm"
    assert said(page, 0)[2] == change(one.quantities[0].value, 10.0)
    assert said(page, 1)[3] == "2026-03-02"
    cell = page.grid.cells[0]
    here = session(page).cells[0].view.index
    wheel(cell, 5)
    table.choose(one.tracking_uid)
    table.opened.emit(one)
    assert session(page).cells[0].view.index == here
    qtbot.waitUntil(lambda: cell.settled, timeout=PATIENCE_MS)
    page.desk.commands.run("read.label")
    QTest.keyClicks(cell.caption, "node")
    QTest.keyClick(cell.caption, Qt.Key.Key_Return)
    assert said(page, 0)[0] == "node"
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert [m.tracking_uid for m in rows(page)] == ["2.25.777"]
    _stacked(page, qtbot)


def _stacked(page: ReadPage, qtbot: QtBot) -> None:
    """Two regions on two images are a volume, which goes with one of them and comes back with it."""
    first = draw(page, "rectangle_roi")
    page.desk.commands.run("read.stack")
    assert not any(tells_volume(m) for m in session(page).measurements.values())
    wheel(page.grid.cells[0], 2)
    qtbot.waitUntil(lambda: page.grid.cells[0].settled, timeout=PATIENCE_MS)
    second = draw(page, "rectangle_roi")
    page.desk.commands.run("read.stack")
    assert tells_volume(session(page).measurements[second.tracking_uid])
    session(page).select(first.tracking_uid)
    page.desk.commands.run("read.delete")
    assert not tells_volume(session(page).measurements[second.tracking_uid])
    page.desk.commands.run("read.undo")
    assert tells_volume(session(page).measurements[second.tracking_uid])


def rows(page: ReadPage) -> list[Measurement]:
    model = page.strokes.model
    return [model.index(n, 0).data(ROW_ROLE) for n in range(model.rowCount())]


def said(page: ReadPage, number: int) -> list[str]:
    """What a row of the list says, column by column."""
    return [column.cell(rows(page)[number]).text for column in page.strokes.model.columns]


def test_a_calibration_gives_millimetres_and_takes_them_along(
    open_window: Open, angiogram: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(angiogram), qtbot, with_prior=False)
    one = draw(page, "length")
    assert one.refusal
    cell = page.grid.cells[0]
    page.desk.commands.run("read.tool.calibration")
    at = cell.rect().center() - QPoint(60, 120)
    drag(cell, at, at + QPoint(100, 0))
    QTest.keyClicks(cell.caption, "25 mm")
    QTest.keyClick(cell.caption, Qt.Key.Key_Return)
    (marker,) = (m for m in session(page).measurements.values() if m.kind == "calibration")
    assert marker.label == "= 25 mm"

    def length() -> Measurement:
        return session(page).measurements[one.tracking_uid]

    far = (QPointF(*PLACES["length"][1]) - QPointF(*PLACES["length"][0])).toTuple()
    assert length().quantities[0].value == pytest.approx(math.hypot(*far) / 4, rel=0.03)
    session(page).select(marker.tracking_uid)
    page.desk.commands.run("read.delete")
    assert (length().quantities, bool(length().refusal)) == ((), True)
    page.desk.commands.run("read.undo")
    assert length().quantities
    qtbot.waitUntil(lambda: marker.tracking_uid in angiogram.strokes, timeout=PATIENCE_MS)
