"""Planes at any angle by hand and by key: lines turn and move the others; the prior's is the one in hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from tests.ui.conftest import PATIENCE_MS
from tests.ui.reading_test import drag, open_exam, send_move
from workstation.imaging.geometry import dot
from workstation.session import linking
from workstation.session.view_state import Plane, SlabMode
from workstation.tools.crossing import Crossing
from workstation.ui.reading.cell import ImageCell
from workstation.ui.reading.page import ReadPage
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]


def in_planes(window: Workstation, qtbot: QtBot) -> ReadPage:
    """The exam in three planes beside one of its prior, every cell painted."""
    page = open_exam(window, qtbot)
    page.grid.cells[0].setFocus()
    QTest.keyClick(page.grid.cells[0], Qt.Key.Key_M)
    qtbot.waitUntil(
        lambda: (
            len(page.grid.cells) == 4
            and all(c.settled and not c.shown.picture.frame.acquired for c in page.grid.cells)
        ),
        timeout=PATIENCE_MS,
    )
    return page


def lines_of(cell: ImageCell) -> Crossing:
    found = cell.planes.crossing()
    assert found is not None
    return found


def spot(cell: ImageCell, at: tuple[float, float]) -> QPoint:
    return QPoint(round(at[0] / cell.ratio), round(at[1] / cell.ratio))


def normals(page: ReadPage) -> list[np.ndarray]:
    found = [linking.normal_of(c) for c in page.session.cells]
    return [np.array(n) for n in found if n is not None]


def test_a_line_dragged_by_its_end_turns_both_other_planes_and_not_that_of_the_prior(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = in_planes(open_window(pixels), qtbot)
    axial = page.grid.cells[0]
    lines = lines_of(axial)
    assert {one.plane.number for one in lines.lines} == {1, 2}
    assert {one.plane.name for one in lines.lines} == {"coronal", "sagittal"}
    line = lines.line(1)
    assert line is not None
    before, meeting = normals(page), np.array(lines.meeting)
    grip = max(line.grips)
    arm = np.array(grip) - meeting
    turn = np.radians(20)
    end = meeting + np.array(
        [np.cos(turn) * arm[0] - np.sin(turn) * arm[1], np.sin(turn) * arm[0] + np.cos(turn) * arm[1]]
    )
    drag(axial, spot(axial, grip), spot(axial, (float(end[0]), float(end[1]))))
    after = normals(page)
    for number in (1, 2):
        angle = np.degrees(np.arccos(abs(before[number] @ after[number])))
        assert angle == pytest.approx(20.0, abs=1.0), number
        assert page.session.cells[number].view.plane is Plane.OBLIQUE
    assert abs(after[1] @ after[2]) < 1e-6
    assert np.allclose(after[0], before[0])
    assert np.allclose(after[3], before[3])
    qtbot.waitUntil(lambda: all(c.settled for c in page.grid.cells), timeout=PATIENCE_MS)
    assert "oblique" in page.grid.cells[1].accessibleDescription()
    assert lines_of(axial).pivot == pytest.approx(lines.pivot, abs=0.5)
    page.desk.commands.run("read.oblique.straight")
    assert all(c.view.plane is not Plane.OBLIQUE for c in page.session.cells)


def test_the_prior_turns_with_the_plane_in_hand_and_with_no_other(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = in_planes(open_window(pixels), qtbot)
    cells = page.session.cells
    page.grid.cells[1].setFocus()
    assert cells[3].view.plane is Plane.CORONAL
    beside = cells[3].view
    page.grid.cells[1].planes.turn_by(20.0)
    assert cells[0].view.plane is cells[2].view.plane is Plane.OBLIQUE
    assert cells[3].view == beside
    page.grid.cells[1].planes.tilt(20.0, 0.0)
    assert cells[3].view.plane is Plane.OBLIQUE
    assert np.allclose(normals(page)[3], normals(page)[1])
    page.grid.cells[3].setFocus()
    page.grid.cells[3].planes.tilt(0.0, 10.0)
    assert np.allclose(normals(page)[3], normals(page)[1])
    page.grid.cells[2].setFocus()
    assert np.allclose(normals(page)[3], normals(page)[2])
    page.grid.cells[1].setFocus()
    page.desk.commands.run("read.oblique.straight")
    assert [c.view.plane for c in cells] == [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL, Plane.CORONAL]


def test_with_alt_one_plane_turns_alone_and_its_picture_keeps_its_scale(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = in_planes(open_window(pixels), qtbot)
    axial, coronal = page.grid.cells[:2]
    line = lines_of(axial).line(1)
    assert line is not None
    assert coronal.shown.picture is not None
    scale = coronal.shown.picture.frame.pixel_size
    start = spot(axial, max(line.grips))
    QTest.mousePress(axial, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    send_move(axial, start + QPoint(0, 10), Qt.MouseButton.LeftButton)
    held = axial.planes.held
    assert held is not None
    axial.planes.drag((held.start[0], held.start[1] + 60.0), alone=True)
    QTest.mouseRelease(axial, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    assert page.session.cells[1].view.plane is Plane.OBLIQUE
    qtbot.waitUntil(lambda: coronal.settled, timeout=PATIENCE_MS)
    assert coronal.shown.picture.frame.pixel_size == pytest.approx(scale, rel=1e-6)
    assert dot(coronal.shown.picture.frame.normal, (0.0, 1.0, 0.0)) != pytest.approx(1.0)


def test_a_line_dragged_in_its_middle_moves_its_plane_to_the_pointer(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = in_planes(open_window(pixels), qtbot)
    axial = page.grid.cells[0]
    lines = lines_of(axial)
    line = lines.line(2)
    assert line is not None
    x = lines.meeting[0]
    y = (lines.meeting[1] + min(line.grips, key=lambda g: g[1])[1]) / 2
    start, by = spot(axial, (x, y)), QPoint(35, 0)
    drag(axial, start, start + by)
    point = linking.point_of(page.session.cells[2])
    assert point is not None
    there = lines.frame.patient((start + by).x() * axial.ratio, (start + by).y() * axial.ratio)
    assert point[0] == pytest.approx(there[0], abs=0.01)


@pytest.mark.parametrize("part", ["end", "middle"])
def test_a_line_held_while_the_room_is_hung_anew_is_let_go(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot, part: str
) -> None:
    page = in_planes(open_window(pixels), qtbot)
    axial = page.grid.cells[0]
    line = lines_of(axial).line(2)
    assert line is not None
    meeting, grip = np.array(lines_of(axial).meeting), np.array(max(line.grips))
    at = grip if part == "end" else (meeting + grip) / 2
    start = spot(axial, (float(at[0]), float(at[1])))
    QTest.mousePress(axial, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    assert axial.planes.held is not None
    page.desk.commands.run("read.mpr")
    assert len(page.session.cells) < 3
    hung = list(page.session.cells)
    send_move(axial, start + QPoint(0, 12), Qt.MouseButton.LeftButton)
    send_move(axial, start + QPoint(0, 24), Qt.MouseButton.LeftButton)
    QTest.mouseRelease(axial, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    assert page.session.cells == hung


def test_keys_turn_tilt_and_thicken_a_plane(open_window: Open, pixels: FakeArchive, qtbot: QtBot) -> None:
    page = in_planes(open_window(pixels), qtbot)
    axial = page.grid.cells[0]
    before = normals(page)
    axial.setFocus()
    QTest.keyClick(axial, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert np.degrees(np.arccos(abs(before[1] @ normals(page)[1]))) == pytest.approx(5.0, abs=1e-3)
    QTest.keyClick(axial, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert np.degrees(np.arccos(abs(before[0] @ normals(page)[0]))) == pytest.approx(5.0, abs=1e-3)
    QTest.keyClick(axial, Qt.Key.Key_Y)
    page.desk.commands.run(f"read.slab.{SlabMode.MEAN.value}")
    qtbot.waitUntil(lambda: axial.settled, timeout=PATIENCE_MS)
    assert axial.shown.picture is not None
    assert any("mean 10.0 mm" in text for text in axial.shown.picture.display_list.texts())
    line = lines_of(page.grid.cells[1]).line(0)
    assert line is not None
    assert len(line.faces) == 2
    page.session.reset_view(0)
    assert page.session.cells[0].view.plane is Plane.AXIAL


def test_the_lines_go_and_come_by_their_command(open_window: Open, pixels: FakeArchive, qtbot: QtBot) -> None:
    page = in_planes(open_window(pixels), qtbot)
    assert page.grid.cells[0].planes.crossing() is not None
    page.desk.commands.run("read.lines")
    assert page.grid.cells[0].planes.crossing() is None
    page.desk.commands.run("read.lines")
    assert page.grid.cells[0].planes.crossing() is not None
