"""Labels, lines, buttons and layouts with a look, an accessible name and the 4 px grid."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workstation.ui import theme, words


def label(
    text: str = "", look: str = "", name: str = "", wrap: bool = False, selectable: bool = False
) -> QLabel:
    """A label; `look` one of the style sheet's (quiet, title, wrong …)."""
    answer = QLabel(text)
    answer.setTextFormat(Qt.TextFormat.PlainText)
    if look:
        answer.setProperty("look", look)
    if name:
        answer.setAccessibleName(name)
    answer.setWordWrap(wrap)
    if selectable:
        answer.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return answer


def relook(widget: QWidget, look: str) -> None:
    """Give a widget another look now."""
    if widget.property("look") != look:
        widget.setProperty("look", look)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def button(
    text: str, clicked: Callable[[], object], look: str = "", icon: str = "", tip: str = "", name: str = ""
) -> QPushButton:
    """A push button whose accessible name is its text unless another is given."""
    answer = QPushButton(text)
    answer.setAccessibleName(name or text)
    if look:
        answer.setProperty("look", look)
    if icon:
        token = "on_accent" if look == "main" else "link" if look == "link" else "text"
        answer.setIcon(theme.icon(icon, token))
        answer.setIconSize(QSize(theme.current().icon_size, theme.current().icon_size))
    if tip:
        answer.setToolTip(tip)
    answer.clicked.connect(lambda _checked=False: clicked())
    return answer


def tool(icon: str, name: str, clicked: Callable[[], object], tip: str = "") -> QToolButton:
    """An icon button; its name is its tool-tip too."""
    answer = QToolButton()
    answer.setIcon(theme.icon(icon))
    answer.setIconSize(QSize(theme.current().icon_size, theme.current().icon_size))
    answer.setAccessibleName(name)
    answer.setToolTip(tip or name)
    answer.clicked.connect(lambda _checked=False: clicked())
    return answer


def search_field(name: str, hint: str) -> QLineEdit:
    """A field to search as one types, with its sign and a way to empty it."""
    answer = QLineEdit(clearButtonEnabled=True)
    answer.setAccessibleName(name)
    answer.setPlaceholderText(hint)
    answer.addAction(theme.icon("magnify", "quiet"), QLineEdit.ActionPosition.LeadingPosition)
    for inside in answer.findChildren(QToolButton):
        inside.setAccessibleName(f"{words.t('Clear')}: {name}")
    return answer


def discard(widget: QWidget) -> None:
    """Gone from sight now, from memory soon."""
    widget.hide()
    widget.deleteLater()


def clear(layout: QLayout) -> None:
    """Take everything out of a layout."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            discard(widget)


def line(upright: bool = False) -> QFrame:
    """A hair line, lying or upright."""
    answer = QFrame()
    answer.setProperty("look", "upright" if upright else "line")
    return answer


def _fill(
    layout: QBoxLayout, items: tuple[QWidget | QBoxLayout | int, ...], margin: tuple[int, ...], gap: int
) -> None:
    px = theme.current().px
    sides = margin * 4 if len(margin) == 1 else margin * 2 if len(margin) == 2 else margin
    layout.setContentsMargins(px(sides[0]), px(sides[1]), px(sides[2]), px(sides[3]))
    layout.setSpacing(px(gap))
    for item in items:
        if isinstance(item, QWidget):
            layout.addWidget(item)
        elif isinstance(item, int):
            layout.addStretch(item)
        else:
            layout.addLayout(item)


def row(*items: QWidget | QBoxLayout | int, margin: tuple[int, ...] = (0,), gap: int = 8) -> QHBoxLayout:
    """Side by side; an integer is a stretch. `margin` is all, (sides, top/bottom) or four."""
    layout = QHBoxLayout()
    _fill(layout, items, margin, gap)
    return layout


def column(*items: QWidget | QBoxLayout | int, margin: tuple[int, ...] = (0,), gap: int = 8) -> QVBoxLayout:
    """One under the other, as `row`."""
    layout = QVBoxLayout()
    _fill(layout, items, margin, gap)
    return layout


def panel(layout: QBoxLayout, look: str = "panel", name: str = "") -> QFrame:
    """A frame with a look around a layout."""
    answer = QFrame()
    answer.setProperty("look", look)
    if name:
        answer.setAccessibleName(name)
    answer.setLayout(layout)
    return answer


class Elided(QLabel):
    """One line that ends in … where there is no room, and says all of it in its tool-tip then."""

    def __init__(self, text: str = "", look: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        if look:
            self.setProperty("look", look)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setText(text)

    def yielding(self) -> Elided:
        """As wide as its words and no wider; narrower where others need the room."""
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        return self

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 2, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(24), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        tip = self.text() if shown != self.text() else ""
        if self.toolTip() != tip:
            self.setToolTip(tip)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self.rect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)


class StateWord(QWidget):
    """A state as its shape and its word in its colour; never the colour alone."""

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self._icon, self._word = QLabel(), label()
        self.setLayout(row(self._icon, self._word, gap=6))
        self._name = name
        self.setAccessibleName(name)

    def show_state(self, word: str, icon: str, token: str) -> None:
        self._icon.setPixmap(theme.pixmap(icon, token, 16))
        self._word.setText(word)
        relook(self._word, token)
        self.setAccessibleName(f"{self._name}: {word}" if self._name else word)
