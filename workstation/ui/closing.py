"""Closing the window asks once whether the core goes on receiving."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QDialog, QWidget

from workstation.session.preferences import Preferences
from workstation.ui import theme, words
from workstation.ui.widgets.basics import button, column, label, row


def ask_about_core(parent: QWidget, preferences: Preferences) -> bool | None:
    """True: the core goes on, False: it stops too, None: the window stays open."""
    if preferences.core_on_close:
        return preferences.core_on_close == "goes on"
    dialog = QDialog(parent)
    dialog.setWindowTitle(words.t("Close Reading Room"))
    dialog.setAccessibleName(words.t("Close Reading Room"))
    remember = QCheckBox(words.t("Do not ask again (Settings, This workstation, has it too)"))
    remember.setChecked(True)
    answer: list[bool] = []

    def decide(goes_on: bool) -> None:
        answer.append(goes_on)
        dialog.accept()

    text = words.t(
        "Scanners and the RIS send to this machine. The archive can go on receiving in the background, "
        "or stop with the window. Everything received so far is safe either way."
    )
    body = label(text, wrap=True)
    body.setMinimumWidth(theme.current().px(440))
    buttons = row(
        1,
        button(words.t("Stay open"), dialog.reject),
        button(words.t("Stop receiving"), lambda: decide(False)),
        button(words.t("Go on receiving"), lambda: decide(True), "main"),
    )
    title = label(words.t("Go on receiving studies?"), "title")
    dialog.setLayout(column(title, body, remember, buttons, margin=(20,), gap=16))
    dialog.exec()
    if answer and remember.isChecked():
        preferences.core_on_close = "goes on" if answer[0] else "stops"
    return answer[0] if answer else None
