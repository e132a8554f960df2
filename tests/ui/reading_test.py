"""The reading room by hand: open, scroll, window, prior by millimetres, measure, undo, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel
from pytestqt.qtbot import QtBot

from pacs_core.archive.models import DraftView, ReportView
from pacs_core.domain.errors import Conflict, StorageFailure
from pacs_core.domain.measurement import Measurement, Quantity
from tests.support.fake_archive import FakeArchive
from tests.support.fake_world import SLICES
from tests.ui.conftest import PATIENCE_MS, named
from workstation.session import linking
from workstation.session.hanging import Role
from workstation.session.reading_session import ReadingSession
from workstation.session.view_state import Plane
from workstation.ui import theme
from workstation.ui.reading.cell import ImageCell
from workstation.ui.reading.page import ReadPage
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]
CURRENT, PRIOR = "2.25.1", "2.25.1001"


def open_exam(window: Workstation, qtbot: QtBot, with_prior: bool = True, cells: int = 0) -> ReadPage:
    """Open the exam with pixels and wait until its first pictures are painted: `cells` of them, one of each
    study where that is not said.
    """
    assert window.desk is not None
    window.go("read")
    page = window._places["read"]
    assert isinstance(page, ReadPage)
    window.desk.session.wanted.emit(CURRENT)
    cells = cells or (2 if with_prior else 1)
    qtbot.waitUntil(
        lambda: len(page.grid.cells) == cells and all(painted(c) for c in page.grid.cells),
        timeout=PATIENCE_MS,
    )
    qtbot.waitUntil(lambda: window.tasks.idle, timeout=PATIENCE_MS)
    return page


def painted(cell: ImageCell) -> bool:
    return cell.shown.picture is not None and cell.shown.picture.status == "shown"


def session(page: ReadPage) -> ReadingSession:
    return page.session


def wheel(
    cell: ImageCell, steps: int, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Turn the wheel over the middle of a cell; towards the reader is on."""
    for _ in range(abs(steps)):
        turned = QPoint(0, -120 if steps > 0 else 120)
        where = QPointF(cell.rect().center())
        event = QWheelEvent(
            where,
            cell.mapToGlobal(where),
            QPoint(),
            turned,
            Qt.MouseButton.NoButton,
            modifiers,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(cell, event)


def drag(
    cell: ImageCell, start: QPoint, end: QPoint, button: Qt.MouseButton = Qt.MouseButton.LeftButton
) -> None:
    """Press, move in steps, let go."""
    QTest.mousePress(cell, button, Qt.KeyboardModifier.NoModifier, start)
    for part in range(1, 6):
        QTest.mouseMove(cell, start + (end - start) * part / 5)
        send_move(cell, start + (end - start) * part / 5, button)
    QTest.mouseRelease(cell, button, Qt.KeyboardModifier.NoModifier, end)


def send_move(cell: ImageCell, where: QPoint, buttons: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
    """A move with a button held, which offscreen QTest does not carry."""
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(where),
        cell.mapToGlobal(QPointF(where)),
        Qt.MouseButton.NoButton,
        buttons,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(cell, event)


def hash_of(cell: ImageCell) -> str:
    assert cell.shown.picture is not None
    return cell.shown.picture.sha256


def test_an_exam_opens_with_its_banner_its_order_and_its_prior_beside_it(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    assert named(window, "Patient: Doe, Jane", QLabel).isVisible()
    question = "Question: New nodule? Compare with March"
    labels = (w for w in window.findChildren(QLabel) if w.accessibleName() == question)
    asked = next(labels)
    qtbot.waitUntil(asked.isVisible, timeout=PATIENCE_MS)
    assert page.grid.frames[Role.PRIOR].title.text() == "Prior 2026-03-02"
    assert page.grid.frames[Role.PRIOR].link.text().startswith("linked, ")
    assert pixels.rows_[0].locked_by == "reader"


def test_the_wheel_changes_the_pixels_and_the_prior_follows_by_millimetres(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    current, prior = page.grid.cells
    session(page).anchor_here()
    before = [hash_of(c) for c in (current, prior)]
    places = [linking.point_of(c) for c in session(page).cells]
    wheel(current, 12)
    assert session(page).cells[0].view.index == SLICES // 2 + 12
    qtbot.waitUntil(
        lambda: hash_of(current) != before[0] and hash_of(prior) != before[1], timeout=PATIENCE_MS
    )
    moved = []
    for cell, place in zip(session(page).cells, places, strict=True):
        now = linking.point_of(cell)
        assert place is not None
        assert now is not None
        moved.append(now[2] - place[2])
    assert moved[0] == pytest.approx(-12 * 3.27, abs=0.5)
    assert moved[1] == pytest.approx(moved[0], abs=3.27 / 2)


def test_an_unlinked_prior_stays_where_it_is(open_window: Open, pixels: FakeArchive, qtbot: QtBot) -> None:
    page = open_exam(open_window(pixels), qtbot)
    index = session(page).cells[1].view.index
    button = named(page, "Link or unlink current and prior", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()
    wheel(page.grid.cells[0], 5)
    assert session(page).cells[1].view.index == index
    assert page.grid.frames[Role.PRIOR].link.text() == "not linked"


def test_a_right_drag_is_window_and_level_and_a_still_right_click_the_menu(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    cell = page.grid.cells[0]
    asked: list[int] = []
    page.grid.menu_wanted.connect(lambda number, _where: asked.append(number))
    middle = cell.rect().center()
    drag(cell, middle, middle + QPoint(60, 30), Qt.MouseButton.RightButton)
    window = session(page).cells[0].view.window
    assert window is not None
    assert window.width > 400
    assert window.centre > 40
    assert asked == []
    page.grid.menu_wanted.disconnect(page._menu)
    QTest.mouseClick(cell, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier, middle)
    assert asked == [0]


def test_letters_act_on_images_only_and_numbers_are_presets(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    page.grid.focus()
    QTest.keyClick(page.grid.cells[0], Qt.Key.Key_2)
    lung = session(page).cells[0].view.window
    assert lung is not None
    assert lung.width == 1500
    QTest.keyClick(page.grid.cells[0], Qt.Key.Key_D)
    assert page.room.tool == "length"
    field = page.report.form.editors["lungs"]
    field.setFocus()
    qtbot.keyClicks(field, "za")
    assert page.room.tool == "length"
    assert page.report.draft is not None
    assert "za" in page.report.draft.values["lungs"]


def measure(page: ReadPage, qtbot: QtBot) -> Measurement:
    """Draw a length by hand in the first cell."""
    assert page.desk is not None
    page.room.take_tool("length")
    cell = page.grid.cells[0]
    middle = cell.rect().center()
    before = set(session(page).measurements)
    drag(cell, middle, middle + QPoint(90, 0))
    (uid,) = set(session(page).measurements) - before
    return session(page).measurements[uid]


def test_a_length_is_saved_at_its_stroke_undone_and_done_again(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    stroke = measure(page, qtbot)
    frame = page.grid.cells[0].shown.picture
    assert frame is not None
    assert stroke.quantities[0].value == pytest.approx(
        90 * frame.frame.pixel_size[1], abs=frame.frame.pixel_size[1]
    )
    qtbot.waitUntil(lambda: stroke.tracking_uid in pixels.strokes, timeout=PATIENCE_MS)
    assert window.desk is not None
    window.desk.commands.run("read.undo")
    qtbot.waitUntil(lambda: pixels.strokes[stroke.tracking_uid].deleted, timeout=PATIENCE_MS)
    assert stroke.tracking_uid not in session(page).measurements
    window.desk.commands.run("read.redo")
    qtbot.waitUntil(lambda: not pixels.strokes[stroke.tracking_uid].deleted, timeout=PATIENCE_MS)


def test_a_handle_can_be_grabbed_with_any_tool(open_window: Open, pixels: FakeArchive, qtbot: QtBot) -> None:
    page = open_exam(open_window(pixels), qtbot)
    stroke = measure(page, qtbot)
    page.room.take_tool("window_level")
    cell = page.grid.cells[0]
    end = cell.rect().center() + QPoint(90, 0)
    drag(cell, end, end + QPoint(45, 0))
    longer = session(page).measurements[stroke.tracking_uid]
    assert longer.quantities[0].value == pytest.approx(stroke.quantities[0].value * 1.5, rel=0.02)


def test_a_measurement_in_the_report_lives_with_its_stroke_and_names_the_prior(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    pixels.strokes["2.25.777"] = Measurement(
        "2.25.777",
        "length",
        PRIOR,
        "s",
        "i",
        1,
        ((0.0, 0.0, 0.0), (10.0, 0.0, 0.0)),
        (Quantity("Length", 10.0, "mm"),),
    )
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    stroke = measure(page, qtbot)
    page.report.go_to_field("lungs")
    page.report.quoting.insert()
    text = page.report.form.editors["lungs"].toPlainText()
    assert f"{stroke.quantities[0].value:.3g} mm" in text
    assert "was 10 mm on 2026-03-02" in text
    session(page).remove(stroke.tracking_uid)
    assert page.report.form.editors["lungs"].toPlainText() != text


def test_three_planes_of_a_volume_and_back(open_window: Open, pixels: FakeArchive, qtbot: QtBot) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    assert window.desk is not None
    qtbot.waitUntil(
        lambda: page.room.progress(session(page).sets[Role.CURRENT][0].uid)[0] == SLICES, timeout=PATIENCE_MS
    )
    window.desk.commands.run("read.mpr")
    planes = [c.view.plane for c in session(page).cells if c.role is Role.CURRENT]
    assert planes == [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL]
    qtbot.waitUntil(lambda: all(painted(c) for c in page.grid.cells), timeout=PATIENCE_MS)
    before = hash_of(page.grid.cells[1])
    session(page).activate(1)
    window.desk.commands.run("read.slab")
    qtbot.waitUntil(lambda: hash_of(page.grid.cells[1]) != before, timeout=PATIENCE_MS)
    window.desk.commands.run("read.mpr")
    assert all(c.view.plane is Plane.ACQUIRED for c in session(page).cells)


def test_three_planes_fill_the_place_and_the_prior_keeps_a_cell_in_its_own_frame(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    assert window.desk is not None
    window.desk.commands.run("read.mpr")
    cells = page.grid.cells
    qtbot.waitUntil(lambda: len(cells) == 4 and all(map(painted, cells)), timeout=PATIENCE_MS)
    for cell in page.grid.cells:
        assert cell.width() > 0.45 * page.grid.width()
        assert cell.height() > 0.38 * page.grid.height()
    prior = page.grid.frames[Role.PRIOR]
    assert prior.isAncestorOf(page.grid.cells[3])
    assert prior.title.isVisibleTo(page)

    page.grid.hide_prior(True)
    first, second, _third = page.grid.cells[:3]
    assert not prior.isVisibleTo(page)
    qtbot.waitUntil(lambda: first.height() > 1.9 * second.height(), timeout=PATIENCE_MS)
    page.grid.hide_prior(False)
    session(page).maximise(3)
    qtbot.waitUntil(lambda: page.grid.cells[3].width() > 0.9 * page.grid.width(), timeout=PATIENCE_MS)
    session(page).maximise(None)
    window.desk.commands.run("read.mpr")
    qtbot.waitUntil(lambda: len(page.grid.cells) == 2, timeout=PATIENCE_MS)
    frames = page.grid.frames
    assert all(frame.parentWidget() is page.grid and frame.isVisibleTo(page) for frame in frames.values())
    qtbot.waitUntil(
        lambda: abs(frames[Role.CURRENT].width() - frames[Role.PRIOR].width()) < 4, timeout=PATIENCE_MS
    )


def test_a_crosshair_brings_the_linked_views_to_its_point(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    assert window.desk is not None
    window.desk.commands.run("read.mpr")
    qtbot.waitUntil(lambda: all(painted(c) for c in page.grid.cells), timeout=PATIENCE_MS)
    page.room.take_tool("crosshair")
    axial = page.grid.cells[0]
    QTest.mouseClick(
        axial,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        axial.rect().center() + QPoint(40, 30),
    )
    assert axial.shown.picture is not None
    place = axial.rect().center() + QPoint(40, 30)
    point = axial.shown.picture.frame.patient(place.x() * axial.ratio, place.y() * axial.ratio)
    centres = [session(page).cells[n].view.centre for n in (1, 2)]
    assert centres[0] is not None
    assert centres[1] is not None
    assert centres[0][1] == pytest.approx(point[1], abs=0.01)
    assert centres[1][0] == pytest.approx(point[0], abs=0.01)


def test_new_images_join_without_moving_the_picture(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    from dataclasses import replace

    whole = pixels.manifests[CURRENT]
    first = whole.series[0]
    pixels.manifests[CURRENT] = replace(whole, series=(replace(first, instances=first.instances[5:40]),))
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    shown = session(page).cells[0]
    assert shown.display_set is not None
    uid = shown.display_set.frames[shown.view.index].sop_instance_uid
    pixels.manifests[CURRENT] = replace(whole, revision=2)
    pixels.change_row(CURRENT, images=SLICES + 1)
    qtbot.waitUntil(lambda: len(session(page).cells[0].display_set or ()) == SLICES, timeout=PATIENCE_MS)
    now = session(page).cells[0]
    assert now.display_set is not None
    assert now.display_set.frames[now.view.index].sop_instance_uid == uid


def test_a_renamed_patient_is_said_and_shown_and_the_draft_stays(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    from dataclasses import replace

    window = open_window(pixels)
    page = open_exam(window, qtbot)
    page.report.go_to_field("lungs")
    qtbot.keyClicks(page.report.form.editors["lungs"], "Nodule seen. ")
    pixels.patients_[1] = replace(pixels.patients_[1], display_name="Roe, Jane", name="Roe^Jane")
    pixels.change_row(CURRENT, patient_display="Roe, Jane")
    qtbot.waitUntil(lambda: "Roe, Jane" in page.notice.text, timeout=PATIENCE_MS)
    assert named(window, "Patient: Roe, Jane", QLabel).isVisible()
    assert page.report.draft is not None
    assert "Nodule seen." in page.report.draft.values["lungs"]


def test_an_exam_of_doubtful_identity_says_so_in_the_banner(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    pixels.change_row(CURRENT, reconciliation="held", hold_reason="patient ID 4711 is not the order's")
    window = open_window(pixels)
    open_exam(window, qtbot)
    assert named(window, "Patient mismatch: Identity not confirmed", QLabel).isVisible()


def test_a_prior_of_another_patient_is_never_hung(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    from dataclasses import replace

    pixels.manifests[PRIOR] = replace(pixels.manifests[PRIOR], patient_key=99)
    window = open_window(pixels)
    page = open_exam(window, qtbot, with_prior=False)
    qtbot.waitUntil(lambda: "another patient" in page.notice.text, timeout=PATIENCE_MS)
    assert session(page).prior is None


def test_an_exam_somebody_reads_can_be_looked_at_and_taken_over(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    pixels.change_row(CURRENT, locked_by="dr.lee")
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    qtbot.waitUntil(lambda: "dr.lee" in page.notice.text, timeout=PATIENCE_MS)
    assert not page.report.writing
    button = named(page, "Take over", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()
    qtbot.waitUntil(lambda: page.report.writing, timeout=PATIENCE_MS)
    assert pixels.rows_[0].locked_by == "reader"


def test_who_takes_over_is_told_of_the_draft_that_was_begun(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    pixels.change_row(CURRENT, locked_by="dr.lee")
    begun = ReportView(
        60, CURRENT, "ACC00001", 1, "CT Chest", "2026-11-22", "draft", (), None, (), ("dr.lee",)
    )
    pixels.reports_[CURRENT] = [begun]
    page = open_exam(open_window(pixels), qtbot)
    qtbot.waitUntil(lambda: "dr.lee is reading" in page.notice.text, timeout=PATIENCE_MS)
    named(page, "Take over", QAbstractButton).click()
    qtbot.waitUntil(lambda: "dr.lee has begun a report" in page.notice.text, timeout=PATIENCE_MS)
    assert page.report.writing


@pytest.mark.parametrize("size", [(1366, 768), (1800, 1080), (1200, 1920)])
def test_why_this_prior_is_said_whole_and_the_pictures_stay_level(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot, size: tuple[int, int]
) -> None:
    page = open_exam(open_window(pixels, size=size), qtbot)
    current, prior = page.grid.frames[Role.CURRENT], page.grid.frames[Role.PRIOR]
    if prior.isVisible():
        qtbot.waitUntil(lambda: prior.words.width() >= prior.words.sizeHint().width(), timeout=PATIENCE_MS)
        assert current.head.height() == prior.head.height()


def test_what_was_viewed_stays_viewed_when_the_exam_is_opened_again_or_the_look_changes(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    wheel(page.grid.cells[0], 3)
    qtbot.waitUntil(lambda: page.session.seen()[0] >= 2, timeout=PATIENCE_MS)
    seen = page.session.seen()
    page.close_exam()
    page = open_exam(window, qtbot)
    assert page.session.seen()[0] >= seen[0]
    rooms = window._rooms
    theme.change(scale=1.1)
    try:
        qtbot.waitUntil(lambda: window._rooms is not rooms, timeout=PATIENCE_MS)
        page = open_exam(window, qtbot)
        assert page.session.seen()[0] >= seen[0]
    finally:
        theme.change(scale=1.0)


def test_a_failed_opening_says_why_and_can_be_tried_again(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    pixels.failing["open_study"] = StorageFailure("the index cannot be read")
    window = open_window(pixels)
    assert window.desk is not None
    window.go("read")
    window.desk.session.wanted.emit(CURRENT)
    qtbot.waitUntil(lambda: named(window, "Reading: Could not be stored") is not None, timeout=PATIENCE_MS)
    del pixels.failing["open_study"]
    button = named(window, "Try again", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()
    qtbot.waitUntil(
        lambda: window.desk is not None and window.desk.session.study_uid == CURRENT, timeout=PATIENCE_MS
    )


def test_an_archive_that_is_away_loses_no_stroke_and_no_word(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot, tmp_path: Path
) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    pixels.failing |= {"save_stroke": ConnectionError("gone"), "save_draft": ConnectionError("gone")}
    stroke = measure(page, qtbot)
    page.report.go_to_field("impression-text")
    qtbot.keyClicks(page.report.form.editors["impression-text"], "Growing nodule")
    assert stroke.tracking_uid not in pixels.strokes
    window.close_now()
    pixels.failing.clear()
    again = open_window(pixels, folder=tmp_path / "workstation")
    qtbot.waitUntil(lambda: stroke.tracking_uid in pixels.strokes, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: CURRENT in pixels.drafts, timeout=PATIENCE_MS)
    assert "Growing nodule" in pixels.drafts[CURRENT].content
    page = open_exam(again, qtbot)
    assert page.report.draft is not None
    assert page.report.draft.values["impression-text"] == "Growing nodule"


def test_a_draft_the_archive_will_not_take_is_said_and_kept(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    pixels.failing["save_draft"] = Conflict("dr.lee is reading this exam")
    page.report.go_to_field("impression-text")
    qtbot.keyClicks(page.report.form.editors["impression-text"], "x")
    qtbot.waitUntil(lambda: "kept on this machine" in page.notice.text, timeout=PATIENCE_MS)
    assert window.desk is not None
    assert window.desk.spool.draft_of(CURRENT) is not None


def test_a_draft_of_another_author_is_not_taken_for_ones_own(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    pixels.drafts[CURRENT] = DraftView(0, CURRENT, "dr.lee", "ct-chest", "{}", 1, "")
    page = open_exam(open_window(pixels), qtbot)
    assert page.report.draft is not None
    assert page.report.draft.values["impression-text"] == ""


@pytest.mark.parametrize(
    "change",
    [
        ("patient.updated", {"patient_id": 1}),
        ("patient.merged", {"patient_id": 77, "subject": "patient:1"}),  # the journal's row is the survivor's
    ],
)
def test_a_patient_renamed_or_merged_while_the_exam_is_open(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot, change: tuple[str, dict[str, object]]
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    dossier = session(page).dossier
    assert dossier is not None
    assert dossier.patient.key == 1
    pixels.patients_[1] = replace(dossier.patient, display_name="Now, Otherwise", patient_id="P-NEW")
    kind, about = change
    pixels.tell(kind, 1, **about)  # type: ignore[arg-type]  # what a row is about, by name
    qtbot.waitUntil(lambda: named(page, "Patient: Now, Otherwise").isVisible(), timeout=PATIENCE_MS)
    assert "Now, Otherwise (P-NEW)" in page.notice.accessibleName()
