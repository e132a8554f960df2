"""Pages of a PDF, one at a time in the width there is, dimmed so that paper is no lamp."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.imaging.documents import Pages
from workstation.ui import theme, words
from workstation.ui.tasks import Tasks
from workstation.ui.widgets.basics import column, label, row, tool

STEP = 120


class PageSheet(QWidget):
    """The page itself: fits the cell, the wheel turns leaves."""

    def __init__(self, pages: Pages, tasks: Tasks) -> None:
        super().__init__()
        self._pages, self._tasks = pages, tasks
        self.page = 0
        self.image: QImage | None = None
        self.words = ""
        self._turned = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(64, 64))

    def go(self, page: int) -> None:
        self.page = min(max(page, 0), self._pages.count - 1)
        self.ask()

    def ask(self) -> None:
        """Have the page drawn in the width it has here, on another thread."""
        points = self._pages.size(self.page)
        if min(points) <= 0 or self.width() < 8 or self.height() < 8:
            return
        scale = min(self.width() / points[0], self.height() / points[1]) * self.devicePixelRatioF()
        number, width = self.page, max(1, round(points[0] * scale))
        pages = self._pages
        self._tasks.ask(
            self,
            words.t("draw the page"),
            lambda: (pages.render(number, width), pages.text(number)),
            lambda found: self._drawn(*found),
            self._failed,
            tag="page",
        )

    def _drawn(self, pixels: np.ndarray, text: str) -> None:
        pixels = np.ascontiguousarray(pixels)
        height, width = pixels.shape[:2]
        image = QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB888).copy()
        image.setDevicePixelRatio(self.devicePixelRatioF())
        self.image, self.words = image, ""
        self.setAccessibleName(
            words.t("Page {n} of {count}").format(n=self.page + 1, count=self._pages.count)
        )
        self.setAccessibleDescription(text)
        self.update()

    def _failed(self, error: Exception) -> None:
        self.image, self.words = None, words.t("This page cannot be drawn: {why}").format(why=error)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, look = QPainter(self), theme.current()
        painter.fillRect(self.rect(), look.colour("cell"))
        if self.image is None:
            painter.setPen(look.colour("quiet"))
            text = self.words or words.t("Loading …")
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)
            return
        size = self.image.deviceIndependentSize().toSize()
        left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
        painter.drawImage(left, top, self.image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        painter.fillRect(QRect(left, top, size.width(), size.height()), look.colour("paper"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.ask()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._turned += event.angleDelta().y()
        steps = int(self._turned / STEP)
        self._turned -= STEP * steps
        if steps:
            self.go(self.page - steps)
        event.accept()


class DocumentPages(QWidget):
    """A page with its number and the way to the others."""

    def __init__(self, pages: Pages, tasks: Tasks) -> None:
        super().__init__()
        self.sheet = PageSheet(pages, tasks)
        self._count = pages.count
        self._number = label("", "quiet")
        back = tool("chevron-left", words.t("Page back"), lambda: self.turn(-1))
        on = tool("chevron-right", words.t("Page on"), lambda: self.turn(1))
        foot = row(1, back, self._number, on, 1, margin=(4, 2))
        whole = column(self.sheet, foot, gap=0)
        whole.setStretch(0, 1)
        self.setLayout(whole)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.turn(0)

    def turn(self, by: int) -> None:
        self.sheet.go(self.sheet.page + by)
        self._number.setText(f"{self.sheet.page + 1} / {self._count}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_PageDown: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -1, Qt.Key.Key_Up: -1}
        by = steps.get(Qt.Key(event.key()))
        if by is None:
            super().keyPressEvent(event)
        else:
            self.turn(by)
