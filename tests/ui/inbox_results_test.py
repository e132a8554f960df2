"""The inbox where receivers have results already, and where two patients may be one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QDialog, QLabel
from pytestqt.qtbot import QtBot

from pacs_core.archive import models as m
from tests.support.fake_archive import FakeArchive, now
from tests.support.fake_world import world
from tests.ui.conftest import PATIENCE_MS, named
from tests.ui.places_test import inbox
from workstation.ui.inbox import consequences
from workstation.ui.inbox.page import InboxPage
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]


def delivery(accession: str, study_uid: str) -> m.DeliveryView:
    return m.DeliveryView(
        5, 6, 1, "RIS", "RR1", "delivered", 1, now(), "", now(), "AA", "", accession, "Doe^Jane", study_uid
    )


@pytest.fixture
def told(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> InboxPage:
    """The first held study has a result with the RIS under another number, its order one of another study."""
    held = archive.held_[0]
    first, *others = held.suggestions
    first = replace(first, delivered=(delivery(first.order.accession, "2.25.77"),))
    archive.held_[0] = replace(
        held, suggestions=(first, *others), signed=True, delivered=(delivery("OLD1", held.study_uid),)
    )
    return inbox(open_window(archive), qtbot)


def asked(page: InboxPage, title: str) -> QDialog:
    found = [d for d in page.findChildren(QDialog) if d.accessibleName() == title]
    assert found, "nobody asks"
    return found[-1]


def press(parent: QDialog | InboxPage, name: str) -> None:
    button = named(parent, name, QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()


def test_a_result_that_was_delivered_is_told_before_the_link(
    told: InboxPage, archive: FakeArchive, qtbot: QtBot
) -> None:
    press(told, "Link to order ACC00005")
    dialog = asked(told, "Link this study?")
    text = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "with RIS under OLD1. It is taken back there." in text
    assert "Its signed report is sent for ACC00005; after that the link cannot be undone." in text
    assert "RIS has a result for ACC00005 already, of another study" in text
    press(dialog, "Leave it")
    assert len(archive.held_) == 2
    press(told, "Link to order ACC00005")
    press(asked(told, "Link this study?"), "Link it")
    qtbot.waitUntil(lambda: len(told.held.rows) == 1, timeout=PATIENCE_MS)


def test_nothing_is_asked_where_nothing_was_reported(archive: FakeArchive) -> None:
    held = archive.held_[0]
    assert not consequences.of_link(held, held.suggestions[0])


def shown(page: InboxPage, name: str) -> list[QAbstractButton]:
    """The buttons of the chosen study whose names begin so."""
    found = page.detail.findChildren(QAbstractButton)
    return [b for b in found if b.accessibleName().startswith(name) and b.isVisible()]


def test_a_double_click_links_one_study_once(open_window: Open, archive: FakeArchive, qtbot: QtBot) -> None:
    page = inbox(open_window(archive), qtbot)
    qtbot.waitUntil(lambda: bool(shown(page, "Link to order ACC00005")), timeout=PATIENCE_MS)
    (go,) = shown(page, "Link to order ACC00005")
    qtbot.mouseClick(go, Qt.MouseButton.LeftButton)
    assert not go.isEnabled()
    qtbot.waitUntil(lambda: len(page.held.rows) == 1, timeout=PATIENCE_MS)
    assert page.notice.text.startswith("Linked to ACC00005")
    qtbot.waitUntil(lambda: bool(shown(page, "Keep without an order")), timeout=PATIENCE_MS)
    for button in (*shown(page, "Link to order"), *shown(page, "Keep without an order")):
        assert button.isEnabled()
        qtbot.mouseDClick(button, Qt.MouseButton.LeftButton)
        qtbot.mouseRelease(button, Qt.MouseButton.LeftButton)
    assert len(archive.held_) == 1
    assert page.notice.text.startswith("Linked to ACC00005")


@pytest.fixture
def two(open_window: Open, qtbot: QtBot) -> tuple[InboxPage, FakeArchive]:
    """A study whose ID belongs to somebody of another name, before a technologist."""
    archive = world(role="technologist")
    archive.held_[0] = replace(
        archive.held_[0],
        kind="identity contradicts",
        filed=archive.patients_[5],
        known=replace(archive.patients_[1], patient_id="4711"),
    )
    return inbox(open_window(archive), qtbot), archive


def test_two_patients_that_are_one_can_be_merged_and_it_is_asked_first(
    two: tuple[InboxPage, FakeArchive], qtbot: QtBot
) -> None:
    page, archive = two
    press(page, "Merge with patient 4711")
    dialog = asked(page, "Merge these two patients?")
    assert "A merge cannot be undone." in " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert archive.merged == []
    press(dialog, "Merge them")
    qtbot.waitUntil(lambda: archive.merged == [(1, 5)], timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: page.notice.text.startswith("Merged: "), timeout=PATIENCE_MS)


def test_a_merge_is_offered_for_a_contradiction_alone(open_window: Open, qtbot: QtBot) -> None:
    archive = world(role="technologist")
    archive.held_[0] = replace(archive.held_[0], filed=archive.patients_[5], known=archive.patients_[1])
    page = inbox(open_window(archive), qtbot)
    names = [b.accessibleName() for b in page.findChildren(QAbstractButton)]
    assert any(name.startswith("Link to order") for name in names)
    assert not any(name.startswith("Merge with patient") for name in names)
