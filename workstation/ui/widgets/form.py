"""Forms: captions over fields, a refusal shown at the field it names, and dialogs made of them."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QDate, QTime
from PySide6.QtWidgets import (
    QComboBox,
    QDateEdit,
    QDialog,
    QGridLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from pacs_core.domain.errors import ReadingRoomError
from workstation.ui import language, theme, words
from workstation.ui.widgets.basics import button, column, label, relook, row

Field = QLineEdit | QComboBox | QDateEdit | QPlainTextEdit


class TimeField(QLineEdit):
    """A civil time of day as people type it: ``17:45``, ``1745``, ``9:5``, ``9``.

    A plain line: QTimeEdit keeps a section of its own where the whole was selected, and saves another time.
    """

    TYPED = re.compile(r"([01]?\d|2[0-3])(?:[:.h ]([0-5]?\d))?(?::[0-5]\d)?")
    RUN_TOGETHER = re.compile(r"([01]?\d|2[0-3])([0-5]\d)")

    def __init__(self, value: str = "") -> None:
        super().__init__(value[:5] or QTime.currentTime().toString("HH:mm"))
        self.setPlaceholderText("HH:MM")
        self.editingFinished.connect(lambda: self.setText(self.civil()[:5]))

    def civil(self) -> str:
        """``HH:MM:SS``; what is no time comes back as it was typed, for the archive to refuse."""
        typed = self.text().strip()
        found = self.RUN_TOGETHER.fullmatch(typed) or self.TYPED.fullmatch(typed)
        if found is None:
            return typed
        return f"{int(found[1]):02d}:{int(found[2] or 0):02d}:00"


class Form(QWidget):
    """Fields by key, in `columns` columns; `values()` gives texts, `refuse(error)` marks the field it
    names.
    """

    def __init__(self, columns: int = 2) -> None:
        super().__init__()
        self._columns = columns
        self.fields: dict[str, Field] = {}
        self._captions: dict[str, str] = {}
        self._grid = QGridLayout(self)
        px = theme.current().px
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(px(16))
        self._grid.setVerticalSpacing(px(8))
        self._cells = 0

    def _add(self, key: str, caption: str, field: Field, wide: bool) -> None:
        caption = words.t(caption)
        field.setAccessibleName(caption)
        holder = column(label(caption, "caption"), field, gap=4)
        if wide and self._cells % self._columns:
            self._cells += self._columns - self._cells % self._columns
        spot = divmod(self._cells, self._columns)
        self._grid.addLayout(holder, spot[0], spot[1], 1, self._columns if wide else 1)
        self._cells += self._columns if wide else 1
        self.fields[key], self._captions[key] = field, caption

    def text(
        self,
        key: str,
        caption: str,
        value: str = "",
        hint: str = "",
        wide: bool = False,
        secret: bool = False,
    ) -> QLineEdit:
        field = QLineEdit(value)
        field.setPlaceholderText(hint)
        if secret:
            field.setEchoMode(QLineEdit.EchoMode.Password)
        self._add(key, caption, field, wide)
        return field

    def lines(self, key: str, caption: str, value: str = "", height: int = 72) -> QPlainTextEdit:
        field = QPlainTextEdit(value)
        field.setTabChangesFocus(True)
        field.setFixedHeight(theme.current().px(height))
        self._add(key, caption, field, True)
        return field

    def choice(
        self,
        key: str,
        caption: str,
        options: tuple[tuple[str, str], ...],
        value: str = "",
        editable: bool = False,
    ) -> QComboBox:
        """`options` are (value, words)."""
        field = QComboBox(editable=editable)
        for option, said in options:
            field.addItem(words.t(said), option)
        place = field.findData(value)
        if place >= 0:
            field.setCurrentIndex(place)
        elif editable:
            field.setEditText(value)
        self._add(key, caption, field, False)
        return field

    def date(self, key: str, caption: str, value: str = "") -> QDateEdit:
        field = QDateEdit()
        field.setCalendarPopup(True)
        field.setLocale(language.locale())
        field.setDisplayFormat("yyyy-MM-dd")
        field.setDate(QDate.fromString(value, "yyyy-MM-dd") if value else QDate.currentDate())
        self._add(key, caption, field, False)
        return field

    def time(self, key: str, caption: str, value: str = "") -> TimeField:
        field = TimeField(value)
        self._add(key, caption, field, False)
        return field

    def values(self) -> dict[str, str]:
        return {key: text_of(field) for key, field in self.fields.items()}

    def refuse(self, error: Exception) -> str:
        """Mark the field the error names; the answer is the words to show."""
        self.accept()
        told = words.failure(error).words
        where = error.where if isinstance(error, ReadingRoomError) else ""
        for key, field in self.fields.items():
            if where and (key == where or where.endswith(f".{key}")):
                relook(field, "wrong")
                field.setFocus()
                return f"{self._captions[key]}: {told}"
        return told

    def accept(self) -> None:
        for field in self.fields.values():
            relook(field, "")


def text_of(field: Field) -> str:
    """What a field says, as the archive takes it."""
    if isinstance(field, QPlainTextEdit):
        return field.toPlainText().strip()
    if isinstance(field, QComboBox):
        known = field.findText(field.currentText())
        return str(field.itemData(known)) if known >= 0 else field.currentText().strip()
    if isinstance(field, QDateEdit):
        return field.date().toString("yyyy-MM-dd")
    if isinstance(field, TimeField):
        return field.civil()
    return field.text().strip()


class FormDialog(QDialog):
    """A form with one way on. `save(values)` is called with the texts; call `done_with` or `refuse` when
    it is known.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        form: Form,
        go: str,
        save: Callable[[dict[str, str]], object],
        about: str = "",
    ) -> None:
        super().__init__(parent)
        self.form, self._save, self._over = form, save, False
        self.finished.connect(self._leave)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self._words = label("", "wrong", name=words.t("Message"), wrap=True)
        self._words.hide()
        self._go = button(go, self._submit, "main")
        self._go.setDefault(True)
        layout = QVBoxLayout()
        px = theme.current().px
        layout.setContentsMargins(px(20), px(20), px(20), px(20))
        layout.setSpacing(px(12))
        layout.addWidget(label(title, "title"))
        if about:
            layout.addWidget(label(about, "quiet", wrap=True))
        for item in (form, self._words):
            layout.addWidget(item)
        layout.addLayout(row(1, button(words.t("Cancel"), self.reject), self._go))
        self.setLayout(layout)
        self.setMinimumWidth(px(480))

    def _submit(self) -> None:
        self._words.hide()
        self.form.accept()
        self._go.setEnabled(False)
        self._save(self.form.values())

    def _leave(self, _code: int) -> None:
        self._over = True
        self.deleteLater()

    def done_with(self) -> None:
        """It was saved; somebody may have closed it meanwhile."""
        if not self._over:
            self.accept()

    def refuse(self, error: Exception) -> None:
        """Say at the field what is wrong; nobody is told where somebody closed it meanwhile."""
        if self._over:
            return
        self._go.setEnabled(True)
        text = self.form.refuse(error)
        self._words.setText(text)
        self._words.setAccessibleName(f"{words.t('Message')}: {text}")
        self._words.show()


def ask_yes(parent: QWidget, title: str, text: str, yes: str, run: Callable[[], object]) -> QDialog:
    """A decision that cannot simply be undone: said in words, the way out first."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAccessibleName(title)
    body = label(text, wrap=True)
    body.setMinimumWidth(theme.current().px(400))

    def go() -> None:
        dialog.accept()
        run()

    buttons = row(1, button(words.t("Leave it"), dialog.reject), button(yes, go, "danger"))
    dialog.setLayout(column(label(title, "title"), body, buttons, margin=(20,), gap=12))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog
