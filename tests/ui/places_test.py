"""Worklist, schedule, inbox and settings: what they show, what they change, and how they refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QDialog, QLabel, QLineEdit, QTableView
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from tests.support.fake_world import world
from tests.ui.conftest import PATIENCE_MS, named
from workstation.ui.inbox.page import InboxPage
from workstation.ui.palette import Palette
from workstation.ui.schedule.page import SchedulePage
from workstation.ui.settings.listing import Listing
from workstation.ui.settings.node_settings import NodeSettingsPage
from workstation.ui.settings.page import SettingsPage
from workstation.ui.shell import Workstation
from workstation.ui.widgets.form import FormDialog, TimeField
from workstation.ui.widgets.table import Table
from workstation.ui.worklist.page import WorklistPage

Open = Callable[..., Workstation]


def worklist(window: Workstation, qtbot: QtBot) -> WorklistPage:
    page = window._places["worklist"]
    assert isinstance(page, WorklistPage)
    qtbot.waitUntil(lambda: bool(page.model.rows), timeout=PATIENCE_MS)
    return page


def texts(table: Table, row: int, role: Qt.ItemDataRole = Qt.ItemDataRole.DisplayRole) -> list[str]:
    model = table.model()
    return [str(model.index(row, column).data(role)) for column in range(model.columnCount())]


def test_a_row_says_images_identity_and_the_acknowledgement(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    page = worklist(open_window(archive), qtbot)
    assert "133 of 180 still arriving" in texts(page.table, 2)
    assert "Held" in texts(page.table, 4)
    assert "patient ID 4711 is not the order's" in texts(page.table, 4, Qt.ItemDataRole.ToolTipRole)
    assert "Delivered AA Message accepted, filed under 20261121-0042" in texts(page.table, 5)
    assert texts(page.table, 0)[0] == "STAT"


def test_search_as_one_types_and_nothing_found_in_words(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(archive)
    page = worklist(window, qtbot)
    qtbot.keyClicks(page.search, "ng, li")
    qtbot.waitUntil(lambda: len(page.model.rows) == 1, timeout=PATIENCE_MS)
    qtbot.keyClicks(page.search, "zzz")
    qtbot.waitUntil(
        lambda: "No exam matches" in named(page, "Worklist: ").accessibleName(), timeout=PATIENCE_MS
    )
    assert "No exam has “ng, lizzz”" in named(page, "Worklist: ").accessibleName()
    button = named(page, "Show all", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()
    qtbot.waitUntil(lambda: len(page.model.rows) == len(archive.rows_), timeout=PATIENCE_MS)


def test_a_change_of_the_archive_repaints_its_row_and_keeps_the_choice(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    page = worklist(open_window(archive), qtbot)
    page.table.choose("study:2.25.9")
    archive.change_row("2.25.3", images=180, arriving=False)
    qtbot.waitUntil(lambda: "180 of 180" in texts(page.table, 2), timeout=PATIENCE_MS)
    assert page.table.current_row().key == "study:2.25.9"


def test_a_new_exam_turns_up_by_itself(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> None:
    page = worklist(open_window(archive), qtbot)
    archive.rows_.insert(0, replace(archive.rows_[0], key="study:2.25.500", study_uid="2.25.500"))
    archive.tell("study.arrived", 4, "2.25.500")
    qtbot.waitUntil(lambda: page.model.find("study:2.25.500") == 0, timeout=PATIENCE_MS)


def test_a_heading_sorts_and_enter_opens(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> None:
    window = open_window(archive)
    page = worklist(window, qtbot)
    header = page.table.horizontalHeader()
    place = header.sectionViewportPosition(2) + 20
    QTest.mouseClick(
        header.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(place, 10)
    )
    qtbot.waitUntil(lambda: page._query.sort == "patient_name", timeout=PATIENCE_MS)
    assert window.desk is not None
    wanted: list[str] = []
    window.desk.session.wanted.connect(wanted.append)
    page.table.choose("study:2.25.9")
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    assert wanted == ["2.25.9"]
    assert window._rooms.currentWidget() is window._places["read"]


def test_an_order_without_images_is_not_opened(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> None:
    window = open_window(archive)
    page = worklist(window, qtbot)
    page.open_exam(next(r for r in archive.rows_ if not r.study_uid))
    assert "no images yet" in named(window, "Status: ").accessibleName()


def test_a_long_list_comes_in_pieces(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> None:
    archive.rows_ = [replace(archive.rows_[0], key=f"study:{n}", study_uid=str(n)) for n in range(1000)]
    page = worklist(open_window(archive), qtbot)
    assert len(page.model.rows) == 200
    page.table.scrollToBottom()
    qtbot.waitUntil(lambda: len(page.model.rows) >= 400, timeout=PATIENCE_MS)


# ── schedule ─────────────────────────────────────────────────────────────────────────────────────────


def schedule(window: Workstation, qtbot: QtBot) -> SchedulePage:
    window.go("schedule")
    page = window._places["schedule"]
    assert isinstance(page, SchedulePage)
    qtbot.waitUntil(lambda: bool(page.people.rows) and page._day is not None, timeout=PATIENCE_MS)
    return page


def form(page: SchedulePage | Listing) -> FormDialog:
    assert page._dialog is not None
    return page._dialog


def fill(dialog: FormDialog, go: str, **values: str) -> None:
    for key, value in values.items():
        field = dialog.form.fields[key]
        if isinstance(field, QComboBox):
            field.setCurrentIndex(field.findData(value))
            continue
        assert isinstance(field, QLineEdit)
        field.setText(value)
    button = named(dialog, go, QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()


def test_the_front_desk_makes_a_patient_and_an_order_by_hand(open_window: Open, qtbot: QtBot) -> None:
    archive = world(role="front-desk")
    page = schedule(open_window(archive), qtbot)
    page.new_patient()
    fill(form(page), "Save patient", name="Curie, Marie", birth_date="1967-11-07")
    qtbot.waitUntil(
        lambda: any(p.name == "Curie^Marie" for p in archive.patients_.values()), timeout=PATIENCE_MS
    )
    qtbot.waitUntil(lambda: page.people_table.current_row() is not None, timeout=PATIENCE_MS)
    page.new_order()
    fill(form(page), "Place order", procedure="CT Head", indication="Headache")
    qtbot.waitUntil(
        lambda: any(o.procedure == "CT Head" for o in archive.orders.values()), timeout=PATIENCE_MS
    )
    qtbot.waitUntil(lambda: any(o.procedure == "CT Head" for o in page.steps.rows), timeout=PATIENCE_MS)


def test_a_form_that_is_refused_names_its_field_and_keeps_what_was_typed(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    page = schedule(open_window(archive), qtbot)
    page.new_patient()
    fill(form(page), "Save patient", name="", phone="+1 555 0100")
    told = "Message: Name: A patient needs a name."
    qtbot.waitUntil(
        lambda: named(form(page), "Message", QLabel).accessibleName() == told, timeout=PATIENCE_MS
    )
    phone = form(page).form.fields["phone"]
    assert isinstance(phone, QLineEdit)
    assert phone.text() == "+1 555 0100"
    form(page).reject()


def test_an_order_is_moved_and_cancelled(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> None:
    page = schedule(open_window(archive), qtbot)
    qtbot.waitUntil(lambda: bool(page.steps.rows), timeout=PATIENCE_MS)
    page.steps_table.choose(1)
    page.reschedule()
    time = form(page).form.fields["start_time"]
    assert isinstance(time, TimeField)
    time.selectAll()
    QTest.keyClicks(time, "1645")
    button = named(form(page), "Reschedule", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()
    qtbot.waitUntil(lambda: archive.orders[1].steps[0].start_time == "16:45:00", timeout=PATIENCE_MS)
    qtbot.waitUntil(
        lambda: page.steps_table.current_row().steps[0].start_time == "16:45:00", timeout=PATIENCE_MS
    )
    page.cancel()
    dialog = next(
        d for d in page.findChildren(QDialog) if d.isVisible() and d.windowTitle() == "Cancel this order?"
    )
    button = named(dialog, "Cancel the order", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()
    qtbot.waitUntil(lambda: archive.orders[1].state == "cancelled", timeout=PATIENCE_MS)


# ── inbox ────────────────────────────────────────────────────────────────────────────────────────────


def inbox(window: Workstation, qtbot: QtBot) -> InboxPage:
    window.go("inbox")
    page = window._places["inbox"]
    assert isinstance(page, InboxPage)
    qtbot.waitUntil(lambda: bool(page.held.rows), timeout=PATIENCE_MS)
    return page


def test_a_held_study_is_linked_and_the_link_undone(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    page = inbox(open_window(archive), qtbot)
    reason = "Reason: Patient ID 4711 is not the order's P0005"
    qtbot.waitUntil(lambda: named(page, reason, QLabel) is not None, timeout=PATIENCE_MS)
    button = named(page, "Link to order ACC00005", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()
    qtbot.waitUntil(lambda: len(page.held.rows) == 1, timeout=PATIENCE_MS)
    undo = named(page.notice, "Undo", QAbstractButton)
    assert isinstance(undo, QAbstractButton)
    undo.click()
    qtbot.waitUntil(lambda: len(page.held.rows) == 2, timeout=PATIENCE_MS)


def test_a_message_is_read_as_received_and_taken_off_the_list(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    page = inbox(open_window(archive), qtbot)
    page.tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: page._raw.toPlainText().startswith("MSH|"), timeout=PATIENCE_MS)
    page.message_done()
    qtbot.waitUntil(
        lambda: "No message waits" in named(page, "Unprocessed messages: ").accessibleName(),
        timeout=PATIENCE_MS,
    )


def test_a_message_is_processed_again_and_says_where_it_still_waits(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    page = inbox(open_window(archive), qtbot)
    page.tabs.setCurrentIndex(1)
    again = named(page, "Process again", QAbstractButton)
    assert isinstance(again, QAbstractButton)
    qtbot.waitUntil(again.isEnabled, timeout=PATIENCE_MS)
    reason = archive.messages_[0].reason
    again.click()
    qtbot.waitUntil(lambda: f"It still waits: {reason}" in page.notice.text, timeout=PATIENCE_MS)
    archive.mended = True
    again.click()
    qtbot.waitUntil(
        lambda: "No message waits" in named(page, "Unprocessed messages: ").accessibleName(),
        timeout=PATIENCE_MS,
    )


def test_a_refused_result_is_tried_again(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> None:
    page = inbox(open_window(archive), qtbot)
    page.tabs.setCurrentIndex(2)
    qtbot.waitUntil(lambda: page.delivery_table.choose(9), timeout=PATIENCE_MS)
    assert "AE OBR-3 unknown order" in texts(page.delivery_table, 0)
    again = named(page, "Try again now", QAbstractButton)
    assert isinstance(again, QAbstractButton)
    assert again.isEnabled()
    again.click()
    qtbot.waitUntil(lambda: archive.deliveries_[0].state == "waiting", timeout=PATIENCE_MS)


def test_where_nothing_waits_there_is_nothing_to_press(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    page = inbox(open_window(archive), qtbot)
    assert page._retry.isEnabled()
    archive.deliveries_.clear()
    archive.messages_.clear()
    archive.resolved_.clear()
    page.refresh()
    buttons = (page._retry, page._undo, page._again, page._done)
    qtbot.waitUntil(lambda: not any(one.isEnabled() for one in buttons), timeout=PATIENCE_MS)


def test_the_next_held_study_is_shown_from_its_head(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    page = inbox(open_window(archive, size=(1300, 560)), qtbot)
    bar = page.detail._area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0, timeout=PATIENCE_MS)
    bar.setValue(bar.maximum())
    page.refresh()
    page.held_table.choose(2)
    assert bar.value() == 0


def test_the_palette_says_that_it_found_nothing(open_window: Open, archive: FakeArchive) -> None:
    window = open_window(archive)
    palette = Palette(window.desk.commands)
    palette._text.setText("qqqzzz")
    assert "qqqzzz" in named(palette, "No command found", QLabel).text()
    palette._text.setText("worklist")
    assert palette._none.isHidden()
    palette.deleteLater()


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────


def listing(window: Workstation, qtbot: QtBot, name: str) -> Listing:
    window.go("settings")
    page = window._places["settings"]
    assert isinstance(page, SettingsPage)
    page._list.setCurrentItem(page._list.findItems(name, Qt.MatchFlag.MatchExactly)[0])
    found = page._pages.currentWidget()
    assert isinstance(found, Listing)
    return found


def test_an_administrator_adds_a_peer_and_a_bad_port_is_refused(open_window: Open, qtbot: QtBot) -> None:
    archive = world(role="admin")
    page = listing(open_window(archive), qtbot, "DICOM peers")
    page._edit(None)
    fill(form(page), "Save", title="CT9", host="192.0.2.99", port="99999")
    qtbot.waitUntil(
        lambda: "1 to 65535" in named(form(page), "Message", QLabel).accessibleName(), timeout=PATIENCE_MS
    )
    fill(form(page), "Save", port="104")
    qtbot.waitUntil(lambda: "CT9" in archive.peers_, timeout=PATIENCE_MS)
    assert archive.peers_["CT9"].may_store


def test_a_weak_password_is_refused_in_words(open_window: Open, qtbot: QtBot) -> None:
    archive = world(role="admin")
    page = listing(open_window(archive), qtbot, "People")
    page._edit(None)
    fill(form(page), "Save", name="new", password="short")
    qtbot.waitUntil(
        lambda: "8 characters" in named(form(page), "Message", QLabel).accessibleName(), timeout=PATIENCE_MS
    )
    form(page).reject()


def node_settings(window: Workstation, qtbot: QtBot) -> NodeSettingsPage:
    window.go("settings")
    page = window._places["settings"]
    assert isinstance(page, SettingsPage)
    page._list.setCurrentItem(page._list.findItems("Node", Qt.MatchFlag.MatchExactly)[0])
    found = page._pages.currentWidget()
    assert isinstance(found, NodeSettingsPage)
    qtbot.waitUntil(lambda: "dicom.ae" in found.editors, timeout=PATIENCE_MS)
    return found


def test_every_setting_has_its_control_and_one_is_saved(open_window: Open, qtbot: QtBot) -> None:
    archive = world(role="admin")
    page = node_settings(open_window(archive), qtbot)
    assert set(page.editors) == set(archive.settings_)
    assert all(editor.accessibleName() for editor in page.editors.values())
    save = named(page, "Save the settings", QAbstractButton)
    assert isinstance(save, QAbstractButton)
    assert not save.isEnabled()
    for key, text in (
        ("dicom.ae", "CLINIC"),
        ("store.reserve_mb", "512"),
        ("http.hosts", "pacs, rr.example"),
    ):
        editor = page.editors[key]
        assert isinstance(editor, QLineEdit)
        editor.setText(text)
    save.click()
    qtbot.waitUntil(lambda: archive.settings_["dicom.ae"].value == "CLINIC", timeout=PATIENCE_MS)
    assert archive.settings_["http.hosts"].value == ["pacs", "rr.example"]
    assert archive.settings_["store.reserve_mb"].running == 512
    waits = "In effect now: READINGROOM."
    qtbot.waitUntil(
        lambda: any(waits in one.text() for one in page.findChildren(QLabel)), timeout=PATIENCE_MS
    )
    assert page.changed() == {}


def test_a_setting_that_is_refused_is_marked_and_kept_for_mending(open_window: Open, qtbot: QtBot) -> None:
    archive = world(role="admin")
    page = node_settings(open_window(archive), qtbot)
    editor = page.editors["dicom.ae"]
    assert isinstance(editor, QLineEdit)
    editor.setText("A TITLE THAT IS TOO LONG")
    page.save()
    qtbot.waitUntil(lambda: editor.property("look") == "wrong", timeout=PATIENCE_MS)
    assert "16" in named(page, "Message: ", QLabel).accessibleName()
    assert archive.settings_["dicom.ae"].value == "READINGROOM"
    page.refresh()
    assert page.changed() == {"dicom.ae": "A TITLE THAT IS TOO LONG"}
    undo = named(page, "Undo the changes", QAbstractButton)
    assert isinstance(undo, QAbstractButton)
    undo.click()
    assert page.changed() == {}


def test_a_destination_is_kept_for_rehearsals(open_window: Open, qtbot: QtBot) -> None:
    archive = world(role="admin")
    page = listing(open_window(archive), qtbot, "Destinations")
    page._edit(None)
    fill(form(page), "Save", name="TESTS", host="192.0.2.9", for_tests="yes")
    qtbot.waitUntil(lambda: "TESTS" in archive.destinations_, timeout=PATIENCE_MS)
    assert archive.destinations_["TESTS"].reserved_for_tests


def test_a_reader_sees_no_pages_of_the_node(open_window: Open, archive: FakeArchive) -> None:
    window = open_window(archive)
    window.go("settings")
    page = window._places["settings"]
    assert isinstance(page, SettingsPage)
    names = [page._list.item(n).text() for n in range(page._list.count())]
    assert names == ["This workstation", "Addresses", "About"]


def test_the_addresses_are_there_to_copy(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QApplication

    window = open_window(archive)
    window.go("settings")
    page = window._places["settings"]
    assert isinstance(page, SettingsPage)
    page._list.setCurrentRow(1)
    qtbot.waitUntil(lambda: named(page, "Copy AE title", QAbstractButton) is not None, timeout=PATIENCE_MS)
    button = named(page, "Copy AE title", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()
    assert QApplication.clipboard().text() == "READINGROOM"


def test_the_engine_in_use_is_named(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> None:
    window = open_window(archive)
    window.go("settings")
    page = window._places["settings"]
    assert isinstance(page, SettingsPage)
    page._list.setCurrentRow(page._list.count() - 1)
    qtbot.waitUntil(lambda: named(page, "Picture engine: ", QLabel) is not None, timeout=PATIENCE_MS)


def test_tables_name_themselves(open_window: Open, archive: FakeArchive) -> None:
    window = open_window(archive)
    for place in ("schedule", "inbox"):
        window.go(place)
    assert all(t.accessibleName() for t in window.findChildren(QTableView))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("1745", "17:45:00"),
        ("17:45", "17:45:00"),
        ("945", "09:45:00"),
        ("9.05", "09:05:00"),
        ("9", "09:00:00"),
        ("23:59:30", "23:59:00"),
        ("175", "175"),
        ("24:00", "24:00"),
        ("noon", "noon"),
        ("", ""),
    ],
)
def test_a_time_typed_over_the_whole_field_is_that_time(qtbot: QtBot, typed: str, said: str) -> None:
    field = TimeField("05:52:40")
    qtbot.addWidget(field)
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Delete)
    QTest.keyClicks(field, typed)
    assert field.civil() == said


def test_the_day_s_heading_says_how_many_steps_and_the_site_s_zone(
    open_window: Open, archive: FakeArchive, qtbot: QtBot
) -> None:
    page = schedule(open_window(archive), qtbot)
    qtbot.waitUntil(lambda: bool(page.steps.rows), timeout=PATIENCE_MS)
    qtbot.waitUntil(
        lambda: page._about.width() >= page._about.fontMetrics().horizontalAdvance(page._about.text()) > 0,
        timeout=PATIENCE_MS,
    )
