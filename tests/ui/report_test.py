"""The report by hand: fields, speech, signing with the password, addendum, and the next exam."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QLabel, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from pacs_core.archive.models import DeliveryView
from pacs_core.domain.errors import StorageFailure
from tests.support.fake_archive import PASSWORD, FakeArchive
from tests.ui.conftest import PATIENCE_MS, named
from tests.ui.reading_test import CURRENT, open_exam
from workstation.reporting.dictation import Utterance, Word
from workstation.reporting.doubts import Doubt
from workstation.ui.reading.page import ReadPage
from workstation.ui.reporting.field_editor import TextEditor
from workstation.ui.reporting.sign import SignDialog
from workstation.ui.reporting.signed_view import SignedReport
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]


@pytest.fixture
def page(open_window: Open, pixels: FakeArchive, qtbot: QtBot) -> ReadPage:
    """An exam open to be reported."""
    opened = open_exam(open_window(pixels), qtbot)
    qtbot.waitUntil(lambda: opened.report.writing, timeout=PATIENCE_MS)
    return opened


def write(page: ReadPage, qtbot: QtBot, field: str, text: str) -> None:
    page.report.go_to_field(field)
    qtbot.keyClicks(page.report.form.editors[field], text)


def finish(page: ReadPage, qtbot: QtBot) -> None:
    """Enough to be signed."""
    write(page, qtbot, "impression-text", "No suspicious nodule")


def dialog_of(page: ReadPage) -> SignDialog:
    found = page.window().findChildren(SignDialog)
    assert found
    return found[-1]


def sign(page: ReadPage, password: str) -> SignDialog:
    dialog = dialog_of(page)
    for box in dialog.findChildren(QCheckBox):
        box.setChecked(True)
    field, button = (
        named(dialog, "Password to sign", QLineEdit),
        named(dialog, "Sign the report", QAbstractButton),
    )
    assert isinstance(field, QLineEdit)
    assert isinstance(button, QAbstractButton)
    field.setText(password)
    button.click()
    return dialog


def test_fields_are_filled_from_the_order_and_the_prior(page: ReadPage) -> None:
    editors = page.report.form.editors
    assert "Persistent cough" in editors["indication-text"].toPlainText()
    assert "2026-03-02" in editors["comparison-text"].toPlainText()


def test_tab_goes_to_the_next_field_and_back(page: ReadPage) -> None:
    page.report.go_to_field("lungs")
    QTest.keyClick(page.report.form.editors["lungs"], Qt.Key.Key_Tab)
    assert page.report.draft is not None
    assert page.report.draft.cursor.field_id == "airways"
    QTest.keyClick(page.report.form.editors["airways"], Qt.Key.Key_Backtab)
    assert page.report.draft.cursor.field_id == "lungs"


def test_every_keystroke_is_kept_and_saved(page: ReadPage, pixels: FakeArchive, qtbot: QtBot) -> None:
    write(page, qtbot, "impression-text", "Nodul")
    assert page.desk.spool.draft_of(CURRENT) is not None or CURRENT in pixels.drafts
    qtbot.waitUntil(
        lambda: CURRENT in pixels.drafts and "Nodul" in pixels.drafts[CURRENT].content, timeout=PATIENCE_MS
    )
    assert page.desk.keeper is not None
    qtbot.waitUntil(lambda: page.desk.keeper is not None and page.desk.keeper.idle, timeout=PATIENCE_MS)
    assert page.desk.spool.draft_of(CURRENT) is None


def test_words_typed_are_undone_by_words(page: ReadPage, qtbot: QtBot) -> None:
    write(page, qtbot, "impression-text", "one two")
    page.report.undo()
    assert page.report.draft is not None
    assert page.report.draft.values["impression-text"] != "one two"
    page.report.redo()
    assert page.report.draft.values["impression-text"] == "one two"


def test_spoken_words_go_to_the_cursor_and_doubtful_ones_are_said(page: ReadPage, qtbot: QtBot) -> None:
    page.report.go_to_field("impression-text")
    words = (Word("no", 0, 0.1, 0.9), Word("effusion", 0.1, 0.5, 0.2))
    page.report.dictation.heard.emit(Utterance("no effusion", words))
    assert page.report.draft is not None
    assert page.report.draft.values["impression-text"].lower().startswith("no effusion")
    shown = named(page.window(), "Status: ")
    assert "underlined" in shown.accessibleName()
    assert page.report.form.editors["impression-text"].extraSelections()


def dictate(page: ReadPage) -> TextEditor:
    """Two unsure words, one of them with another reading."""
    page.report.go_to_field("impression-text")
    heard = (Word("no", 0, 0.1, 0.9), Word("ilias", 0.1, 0.5, 0.2), Word("seen", 0.5, 0.7, 0.1))
    page.report.dictation.heard.emit(Utterance("no ilias seen", heard, ("no ileus seen", "no ilias")))
    editor = page.report.form.editors["impression-text"]
    assert isinstance(editor, TextEditor)
    return editor


def doubtful(page: ReadPage) -> list[str]:
    draft = page.report.draft
    assert draft is not None
    return [one[3] for one in page.report.spoken.unsure(draft)]


def test_words_go_where_they_were_said_and_overwrite_nothing_that_was_selected_since(
    page: ReadPage, qtbot: QtBot
) -> None:
    editor = dictate(page)
    spoken = page.report.spoken
    spoken._context()  # the key is let go: these words belong here
    spoken.go_to_next()
    assert editor.textCursor().selectedText() == "ilias"
    page.report.dictation.heard.emit(
        Utterance("at all", (Word("at", 0, 0.1, 0.9), Word("all", 0.1, 0.5, 0.9)))
    )
    assert editor.toPlainText() == "No ilias seen at all"


def test_unsure_words_stay_marked_while_others_are_typed_and_are_asked_about(
    page: ReadPage, qtbot: QtBot
) -> None:
    editor = dictate(page)
    qtbot.keyClicks(editor, " today")
    assert editor.toPlainText() == "No ilias seen today"
    assert doubtful(page) == ["ilias", "seen"]
    assert sum(f.code == "words-unsure" for f in page.report.signing.findings()) == 2
    page.report.spoken.go_to_next()
    assert editor.textCursor().selectedText() == "ilias"
    qtbot.keyClicks(editor, "ileus")
    assert doubtful(page) == ["seen"]


def test_the_menu_of_an_unsure_word_offers_what_else_was_heard(page: ReadPage, qtbot: QtBot) -> None:
    editor = dictate(page)
    first = editor._doubts[0]

    def choose(doubt: Doubt, words: str) -> None:
        menu = QMenu(editor)
        editor.offer(menu, doubt)
        next(a for a in menu.actions() if a.text() == words).trigger()

    choose(first, "ileus")
    assert editor.toPlainText() == "No ileus seen"
    assert doubtful(page) == ["seen"]
    choose(editor._doubts[0], "“seen” is right")
    assert doubtful(page) == []
    page.report.undo()
    assert editor.toPlainText() == "No ilias seen"


def test_a_microphone_that_is_not_there_says_so_and_typing_goes_on(page: ReadPage, qtbot: QtBot) -> None:
    page.report.dictation.failed.emit("The microphone needs the PortAudio library.")
    assert "PortAudio" in named(page.window(), "Status: ").accessibleName()
    assert page.report.writing


def test_enter_in_the_password_signs_and_the_password_does_not_stay(
    page: ReadPage, pixels: FakeArchive, qtbot: QtBot
) -> None:
    finish(page, qtbot)
    page.report.signing.sign()
    dialog = dialog_of(page)
    for box in dialog.findChildren(QCheckBox):
        box.setChecked(True)
    field = named(dialog, "Password to sign", QLineEdit)
    assert isinstance(field, QLineEdit)
    qtbot.keyClicks(field, "wrong")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(dialog._words.text()), timeout=PATIENCE_MS)
    assert dialog.isVisible(), "a wrong password is said where it was typed"
    qtbot.keyClicks(field, PASSWORD)
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.report.report is not None, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not page.window().findChildren(SignDialog), timeout=PATIENCE_MS)


def test_an_empty_impression_cannot_be_signed(page: ReadPage) -> None:
    page.report.signing.sign()
    dialog = dialog_of(page)
    assert not any(b.isVisibleTo(dialog) for b in dialog.findChildren(QAbstractButton) if b.text() == "Sign")
    dialog.reject()


def test_a_wrong_password_signs_nothing_and_the_right_one_does(
    page: ReadPage, pixels: FakeArchive, qtbot: QtBot
) -> None:
    finish(page, qtbot)
    page.report.signing.sign()
    dialog = sign(page, "wrong")
    wrong = "Signing message: The password is wrong."
    qtbot.waitUntil(
        lambda: named(dialog, "Signing message", QLabel).accessibleName() == wrong, timeout=PATIENCE_MS
    )
    assert CURRENT not in pixels.reports_
    sign(page, PASSWORD)
    qtbot.waitUntil(lambda: CURRENT in pixels.reports_, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: page.report.history is None, timeout=PATIENCE_MS)
    version = pixels.reports_[CURRENT][0].versions[0]
    assert any("No suspicious nodule" in s.text for s in version.sections)
    assert page.desk.spool.draft_of(CURRENT) is None


def test_an_archive_that_fails_at_signing_keeps_the_draft(
    page: ReadPage, pixels: FakeArchive, qtbot: QtBot
) -> None:
    finish(page, qtbot)
    pixels.failing["sign"] = StorageFailure("the disk is full")
    page.report.signing.sign()
    dialog = sign(page, PASSWORD)
    qtbot.waitUntil(
        lambda: "disk is full" in named(dialog, "Signing message", QLabel).accessibleName(),
        timeout=PATIENCE_MS,
    )
    assert page.report.draft is not None
    assert page.report.draft.values["impression-text"] == "No suspicious nodule"
    dialog.reject()


def test_an_addendum_keeps_the_signed_text_and_adds_to_it(
    page: ReadPage, pixels: FakeArchive, qtbot: QtBot
) -> None:
    finish(page, qtbot)
    page.report.signing.sign()
    sign(page, PASSWORD)
    qtbot.waitUntil(lambda: page.report.history is None, timeout=PATIENCE_MS)
    signed = pixels.reports_[CURRENT][0].versions[0].sections
    button = named(page, "Addendum", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()
    write(page, qtbot, "addendum-text", "Discussed by phone")
    above, below = page.report.signed, page.report.form
    assert above.isVisibleTo(page.report)
    QApplication.processEvents()  # what comes into a layout is shown in the next turn
    assert named(above, "Impression: No suspicious nodule", QLabel) is not None
    assert above.mapTo(page.report, QPoint(0, above.height())).y() <= below.mapTo(page.report, QPoint()).y()
    page.report.signing.sign()
    sign(page, PASSWORD)
    qtbot.waitUntil(lambda: len(pixels.reports_[CURRENT][0].versions) == 2, timeout=PATIENCE_MS)
    sections = pixels.reports_[CURRENT][0].versions[1].sections
    assert sections[: len(signed)] == signed
    assert sections[-1].text == "Discussed by phone"


def test_the_answer_of_a_receiver_leaves_the_signed_text_as_it_was_read(
    pixels: FakeArchive, qtbot: QtBot
) -> None:
    signed = SignedReport()
    qtbot.addWidget(signed)
    report = next(r for r in pixels.reports_["2.25.1001"] if r.versions)
    at, text = "2026-03-02T10:00:00Z", "Findings: Solid nodule in the right upper lobe, 6 mm"
    answered = DeliveryView(9, report.report_id, 1, "RIS", "RR-9", "delivered", 1, at, "", at, "AA", "")
    with qtbot.waitExposed(signed):
        signed.show()
    signed.show_report(report)
    QApplication.processEvents()
    before = named(signed, text)
    signed.show_report(replace(report, deliveries=(answered,)))
    QApplication.processEvents()
    assert named(signed, "RIS: ")
    assert named(signed, text) is before


def test_sign_and_next_opens_the_next_exam_of_the_list(
    page: ReadPage, pixels: FakeArchive, qtbot: QtBot
) -> None:
    pixels.manifests["2.25.4"] = replace(pixels.manifests[CURRENT], study_uid="2.25.4", patient_key=4)
    finish(page, qtbot)
    page.report.signing.sign(then_next=True)
    sign(page, PASSWORD)
    qtbot.waitUntil(lambda: page.session.study_uid == "2.25.4", timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: pixels.rows_[0].locked_by == "", timeout=PATIENCE_MS)


def test_the_prior_report_lies_beside(page: ReadPage) -> None:
    assert page.report.priors.isVisibleTo(page.report)
    assert named(page, "Findings: Solid nodule in the right upper lobe, 6 mm", QLabel) is not None


def test_another_template_takes_what_was_written_along(page: ReadPage, qtbot: QtBot) -> None:
    write(page, qtbot, "impression-text", "Kept words")
    box = page.report._template
    box.setCurrentIndex(box.findText("CT head"))
    box.activated.emit(box.currentIndex())
    assert page.report.draft is not None
    assert page.report.draft.template.title == "CT head"
    assert "Kept words" in " ".join(page.report.draft.values.values())
    assert QApplication.focusWidget() is not None
