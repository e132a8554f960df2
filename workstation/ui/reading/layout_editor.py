"""A hanging protocol's file to read and change: mistakes are named while one types, none is kept."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QFontDatabase, QTextCursor
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QWidget

from workstation.session.protocols.model import Protocol
from workstation.session.protocols.reading_file import ProtocolError, read_protocol
from workstation.ui import theme, words
from workstation.ui.widgets.basics import button, column, label, row

Keep = Callable[[str, Protocol], str]
"""Keeps a text and the protocol it is; answers with what went wrong, empty where nothing did."""


class LayoutEditor(QDialog):
    """`keep` is called with a text that is right."""

    def __init__(self, parent: QWidget, text: str, key: str, keep: Keep) -> None:
        super().__init__(parent)
        self._key, self._keep = key, keep
        title = words.t("Edit the layout")
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.text = QPlainTextEdit(text)
        self.text.setAccessibleName(words.t("The layout's file"))
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._said = label("", "quiet", name=words.t("Message"), wrap=True)
        self._line = button(words.t("Go to the line"), self._go, "link")
        self._save = button(words.t("Save"), self._submit, "main")
        about = words.t("It is kept as your own and hangs instead of the one that came with the program.")
        below = row(self._said, self._line, gap=12)
        below.setStretch(0, 1)
        buttons = row(1, button(words.t("Cancel"), self.reject), self._save)
        head, said = label(title, "title"), label(about, "quiet", wrap=True)
        whole = column(head, said, self.text, below, buttons, margin=(20,), gap=12)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        px = theme.current().px
        self.resize(px(760), px(640))
        self._wrong: ProtocolError | None = None
        self._right: Protocol | None = None
        self.text.textChanged.connect(self._check)
        self.finished.connect(self.deleteLater)
        self._check()

    def _check(self) -> None:
        self._wrong = self._right = None
        try:
            self._right = read_protocol(self.text.toPlainText(), self._key, own=True)
            self._tell(words.t("The file is right."))
        except ProtocolError as error:
            self._wrong = error
            why = ": ".join(part for part in (error.field, error.words) if part)
            self._tell(words.t("Line {n}: {why}").format(n=error.line, why=why))
        self._line.setVisible(self._wrong is not None)
        self._save.setEnabled(self._right is not None)

    def _tell(self, text: str) -> None:
        self._said.setText(text)
        self._said.setAccessibleName(f"{words.t('Message')}: {text}")

    def _go(self) -> None:
        if self._wrong is not None:
            block = self.text.document().findBlockByNumber(self._wrong.line - 1)
            self.text.setTextCursor(QTextCursor(block))
            self.text.setFocus()

    def _submit(self) -> None:
        if self._right is None:
            return
        failed = self._keep(self.text.toPlainText(), self._right)
        if failed:
            self._tell(failed)
        else:
            self.accept()
