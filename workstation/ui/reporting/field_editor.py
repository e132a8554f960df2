"""Editors of one field of a report. They show measurements in words and hand every change on as a new
text.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QComboBox, QMenu, QPlainTextEdit, QSizePolicy, QTextEdit, QToolTip

from workstation.reporting.doubts import Doubt
from workstation.reporting.draft import Shown
from workstation.reporting.template_model import FieldKind, TemplateField
from workstation.ui import theme, words

DOUBT_GROUND = 0.18
KEEPS_MARK = (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)


class TextEditor(QPlainTextEdit):
    """Grows with its text. Tab and Shift+Tab go to the next and the previous field."""

    edited = Signal(str, str, int)
    entered = Signal(str)
    placed = Signal(str, int, int)
    stepped = Signal(int)
    pointed = Signal(str)
    settled = Signal(str, object)
    replaced = Signal(str, object, str)

    def __init__(self, item: TemplateField) -> None:
        super().__init__()
        self.item = item
        self._one_line = item.kind is not FieldKind.TEXTAREA
        self._shown = Shown("", ())
        self._setting = False
        self._mark_ahead: tuple[int, int] | None = None
        self._doubts: tuple[Doubt, ...] = ()
        self.setAccessibleName(item.label or item.identifier)
        self.setProperty("look", "field")
        self.setPlaceholderText(item.hint)
        self.setToolTip(item.hint)
        self.setTabChangesFocus(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(2)
        self.textChanged.connect(self._changed)
        self.cursorPositionChanged.connect(self._placed)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._grow())
        self._grow()

    def show_text(self, shown: Shown, untouched: bool, doubts: tuple[Doubt, ...] = ()) -> None:
        """Show a field; the cursor stays where it was as far as the text does."""
        self._shown, self._doubts = shown, doubts
        if self.toPlainText() != shown.text:
            self._setting = True
            place = self.textCursor().position()
            self.setPlainText(shown.text)
            cursor = self.textCursor()
            cursor.setPosition(min(place, len(shown.text)))
            self.setTextCursor(cursor)
            self._setting = False
        self._colour(untouched)
        self._grow()

    def put_cursor(self, anchor: int, caret: int) -> None:
        """Place the cursor without telling anybody; what it marks shows while the field has the keyboard."""
        here = self.hasFocus()
        self._mark_ahead = None if here else (anchor, caret)
        self._place(anchor if here else caret, caret)

    def _place(self, anchor: int, caret: int) -> None:
        self._setting = True
        cursor = self.textCursor()
        cursor.setPosition(min(anchor, len(self.toPlainText())))
        cursor.setPosition(min(caret, len(self.toPlainText())), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self._setting = False

    def _colour(self, untouched: bool) -> None:
        """Untouched template text is quiet, measurements are links, doubtful spoken words are underlined."""
        look = theme.current()
        marks = [self._mark(0, len(self._shown.text), colour=look.colour("quiet"))] if untouched else []
        marks += [
            self._mark(s.start, s.end, colour=look.colour("link"), line=True) for s in self._shown.spans
        ]
        marks += [self._mark(one.start, one.end, doubt=True) for one in self._doubts]
        self.setExtraSelections(marks)

    def _mark(
        self, start: int, end: int, colour: QColor | None = None, line: bool = False, doubt: bool = False
    ) -> QTextEdit.ExtraSelection:
        mark, look = QTextEdit.ExtraSelection(), QTextCharFormat()
        if colour is not None:
            look.setForeground(colour)
        if line:
            look.setFontUnderline(True)
        if doubt:
            look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            waiting = theme.current().colour("waiting")
            look.setUnderlineColor(waiting)
            waiting.setAlphaF(DOUBT_GROUND)
            look.setBackground(waiting)
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        mark.cursor, mark.format = cursor, look
        return mark

    # ── words the engine was not sure of ──

    def doubt_at(self, place: int) -> Doubt | None:
        """The unsure word at a place in the text."""
        return next((one for one in self._doubts if one.start <= place <= one.end), None)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = self.doubt_at(self.cursorForPosition(event.pos()).position())
            QToolTip.showText(event.globalPos(), _about(found) if found else self.item.hint, self)
            return True
        return super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Over an unsure word: what else may have been said, then what every text has."""
        menu = self.createStandardContextMenu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        cursor = self.textCursor() if by_key else self.cursorForPosition(event.pos())
        found = self.doubt_at(cursor.position())
        if found is not None:
            self.offer(menu, found)
        menu.popup(event.globalPos())

    def offer(self, menu: QMenu, doubt: Doubt) -> None:
        """Put the readings of an unsure word at the head of a menu."""
        first = menu.actions()[0] if menu.actions() else menu.addSeparator()
        name = self.item.identifier
        offers = [(other or words.t("Leave it out"), other) for other in doubt.others]
        actions = []
        for shown, other in offers:
            action = QAction(shown, menu)
            action.triggered.connect(lambda _c=False, o=other: self.replaced.emit(name, doubt, o))
            actions.append(action)
        right = QAction(words.t("“{text}” is right").format(text=doubt.text), menu)
        right.triggered.connect(lambda _c=False: self.settled.emit(name, doubt))
        for action in (*actions, right):
            menu.insertAction(first, action)
        menu.insertSeparator(first)

    def _changed(self) -> None:
        if not self._setting:
            self.edited.emit(self.item.identifier, self.toPlainText(), self.textCursor().position())

    def _placed(self) -> None:
        if not self._setting and self.hasFocus():
            self.placed.emit(self.item.identifier, self.textCursor().anchor(), self.textCursor().position())

    def _grow(self) -> None:
        look = theme.current()
        line = self.fontMetrics().lineSpacing()
        lines = max(1, self._visual_lines())
        self.setFixedHeight(line * lines + look.px(8) + 2 * round(self.document().documentMargin()) + 2)

    def _visual_lines(self) -> int:
        block, lines = self.document().firstBlock(), 0
        while block.isValid():
            lines += max(1, block.layout().lineCount()) if block.layout() is not None else 1
            block = block.next()
        return lines

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(200), self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._grow()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        ahead, self._mark_ahead = self._mark_ahead, None
        if ahead is not None and event.reason() is not Qt.FocusReason.MouseFocusReason:
            self._place(*ahead)
        self.entered.emit(self.item.identifier)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """What was marked here is marked no more to the eye; the draft's cursor knows where it was."""
        super().focusOutEvent(event)
        if event.reason() not in KEEPS_MARK:
            place = self.textCursor().position()
            self._mark_ahead = None
            self._place(place, place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Tab and not event.modifiers():
            self.stepped.emit(1)
        elif event.key() == Qt.Key.Key_Backtab:
            self.stepped.emit(-1)
        elif (
            self._one_line and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers()
        ):
            self.stepped.emit(1)
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        place = self.cursorForPosition(event.position().toPoint()).position()
        for span in self._shown.spans:
            if span.start < place < span.end:
                self.pointed.emit(span.tracking_uid)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class ChoiceEditor(QComboBox):
    """A selection; other text than its choices where the template lets it."""

    edited = Signal(str, str, int)
    entered = Signal(str)
    stepped = Signal(int)

    def __init__(self, item: TemplateField) -> None:
        super().__init__()
        self.item = item
        self._setting = False
        self.setEditable(item.open or item.multiple)
        self.addItem("")
        self.addItems(item.choices)
        self.setAccessibleName(item.label or item.identifier)
        self.setToolTip(item.hint)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(8)
        self.currentTextChanged.connect(self._changed)
        self.installEventFilter(self)
        if self.lineEdit() is not None:
            self.lineEdit().setAccessibleName(item.label or item.identifier)
            self.lineEdit().installEventFilter(self)

    def show_text(self, shown: Shown, untouched: bool, doubts: tuple[Doubt, ...] = ()) -> None:
        self._setting = True
        if self.currentText() != shown.text:
            place = self.findText(shown.text)
            if place >= 0:
                self.setCurrentIndex(place)
            elif self.isEditable():
                self.setEditText(shown.text)
        self._setting = False

    def put_cursor(self, anchor: int, caret: int) -> None:
        """A selection has no cursor to place."""

    def _changed(self, text: str) -> None:
        if not self._setting:
            self.edited.emit(self.item.identifier, text, len(text))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self.entered.emit(self.item.identifier)
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Tab and not event.modifiers():
                self.stepped.emit(1)
                return True
            if event.key() == Qt.Key.Key_Backtab:
                self.stepped.emit(-1)
                return True
        return super().eventFilter(watched, event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def _about(doubt: Doubt) -> str:
    others = ", ".join(other or words.t("nothing") for other in doubt.others)
    if others:
        return words.t("Not heard surely. It may have been: {others}").format(others=others)
    return words.t("Not heard surely.")


def editor_of(item: TemplateField) -> TextEditor | ChoiceEditor:
    """The editor a field of this kind needs."""
    return ChoiceEditor(item) if item.kind is FieldKind.SELECTION and item.choices else TextEditor(item)
