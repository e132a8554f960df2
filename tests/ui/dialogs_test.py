"""Dialogs that are over are gone, for screen readers too, and what comes late for them does no harm."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from pacs_core.domain.errors import InvalidValue
from workstation.ui.widgets.form import Form, FormDialog, ask_yes


def opened(parent: QWidget) -> FormDialog:
    form = Form()
    form.text("name", "Name")
    dialog = FormDialog(parent, "New patient", form, "Save patient", lambda _values: None)
    dialog.open()
    return dialog


def dialogs(parent: QWidget) -> list[QDialog]:
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    return parent.findChildren(QDialog)


def test_a_closed_form_is_gone_and_an_answer_that_comes_late_does_no_harm(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    for late in (FormDialog.done_with, lambda one: one.refuse(InvalidValue("no such name", "name"))):
        dialog = opened(parent)
        assert dialogs(parent) == [dialog]
        dialog.reject()
        assert dialogs(parent) == []
        late(dialog)


def test_a_decision_that_was_made_is_gone(qtbot: QtBot) -> None:
    parent, done = QWidget(), []
    qtbot.addWidget(parent)
    dialog = ask_yes(
        parent, "Cancel this order?", "It cannot be undone.", "Cancel it", lambda: done.append(1)
    )
    assert dialogs(parent) == [dialog]
    dialog.accept()
    assert dialogs(parent) == []
