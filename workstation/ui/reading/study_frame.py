"""The titled frame around the cells of one study; a prior's carries its date and why it was chosen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from workstation.session.hanging import Role
from workstation.ui import theme, words
from workstation.ui.widgets.basics import Elided, label, row

LINE = 26
SECOND = 20


class StudyFrame(QFrame):
    """One line of title above the cells, two where the words need them."""

    def __init__(self, role: Role) -> None:
        super().__init__()
        self.role = role
        prior = role is Role.PRIOR
        self.title = label("", "strong")
        self.words = Elided("", "quiet")
        self.words.setAccessibleName(words.t("Why this prior") if prior else words.t("Procedure"))
        self.link = Elided("", "quiet").yielding()
        self.link.setAccessibleName(words.t("Link of current and prior"))
        self._tools: list[QToolButton] = []
        self._tall = False
        self.head = QWidget()
        self._lay_head()
        self.grid = QGridLayout()
        self.grid.setSpacing(theme.current().px(2))
        self.grid.setContentsMargins(0, 0, 0, 0)
        layout = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        edge = theme.current().px(2)
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(0)
        layout.addWidget(self.head)
        layout.addLayout(self.grid, 1)
        self.setAccessibleName(words.t("Prior") if prior else words.t("Current study"))

    def _lay_head(self) -> None:
        whole = QVBoxLayout(self.head)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        self._first = row(self.title, self.words, self.link, margin=(8, 0), gap=8)
        self._first.setStretch(1, 1)
        self._second = QHBoxLayout()
        px = theme.current().px
        self._second.setContentsMargins(px(8), 0, px(8), px(4))
        whole.addLayout(self._first, 1)
        whole.addLayout(self._second)
        self._heighten()

    def add_tools(self, *buttons: QToolButton) -> None:
        """Small buttons at the head's end."""
        for button in buttons:
            button.setProperty("look", "small")
            self._first.addWidget(button)
            self._tools.append(button)

    def needs_two_lines(self, width: int) -> bool:
        """Whether title, words, link and buttons do not fit side by side into a frame of that width."""
        px = theme.current().px
        parts = [self.title.sizeHint().width(), self.words.sizeHint().width()]
        parts += [self.link.sizeHint().width()] if self.link.text() else []
        parts += [button.sizeHint().width() for button in self._tools]
        return bool(self.words.text()) and sum(parts) + px(8) * (len(parts) + 1) + px(4) > width

    def set_lines(self, two: bool) -> None:
        """One line or two; both frames have as many, so that the pictures under them are level."""
        if two != self._tall:
            self._tall = two
            (self._first if two else self._second).removeWidget(self.words)
            if two:
                self._second.addWidget(self.words)
                self._first.insertStretch(1, 1)
            else:
                self._first.takeAt(1)
                self._first.insertWidget(1, self.words, 1)
        self._heighten()

    def _heighten(self) -> None:
        px = theme.current().px
        self.head.setFixedHeight(px(LINE) + (px(SECOND) if self._tall else 0))

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = theme.current(), QPainter(self)
        painter.fillRect(self.rect(), look.colour("ground"))
        if self.role is Role.PRIOR:
            edge = look.px(2)
            painter.setPen(QPen(look.overlay("prior_frame"), edge, j=Qt.PenJoinStyle.MiterJoin))
            painter.drawRect(self.rect().adjusted(edge // 2, edge // 2, -edge // 2 - 1, -edge // 2 - 1))
