"""The bar at a cell's edge: where we are, what is loaded, what was seen, and where the key images are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QEnterEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from workstation.session.view_state import Plane
from workstation.ui import theme, words
from workstation.ui.reading import key_image

if TYPE_CHECKING:
    from workstation.ui.reading.cell import ImageCell


class CellScrollBar(QWidget):
    """Thin and quiet; press or drag to go there."""

    def __init__(self, cell: ImageCell) -> None:
        super().__init__(cell)
        self._cell = cell
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.setAccessibleName(words.t("Position in the series"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def enterEvent(self, event: QEnterEvent) -> None:
        """The pointer is on the bar, no longer on a value of the picture."""
        self._cell.leaveEvent(event)

    def _there(self) -> tuple[int, int]:
        """Index and count of an acquired stack; (0, 0) where there is nothing to scroll."""
        state = self._cell.state
        if (
            state is None
            or state.display_set is None
            or state.view.plane is not Plane.ACQUIRED
            or len(state.display_set) < 2
        ):
            return 0, 0
        return min(state.view.index, len(state.display_set) - 1), len(state.display_set)

    def paintEvent(self, event: QPaintEvent) -> None:
        index, count = self._there()
        request = self._cell.request
        if not count or request is None:
            return
        look, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(self.width() / 2 - look.px(2), 0, look.px(4), self.height())
        painter.fillRect(track, look.overlay("track"))
        state = self._cell.state
        assert state is not None
        assert state.display_set is not None
        seen = self._cell.session.viewed.get(state.display_set.uid, set())
        step = track.height() / count
        loaded, keys = request.volume.loaded, key_image.places(self._cell.session, state.study_uid)
        for number in range(min(count, len(loaded))):
            if loaded[number]:
                token = "seen" if number in seen else "loaded"
                painter.fillRect(
                    QRectF(track.left(), track.top() + number * step, track.width(), step + 0.6),
                    look.overlay(token),
                )
            frame = state.display_set.frames[number]
            if frame.key or (frame.sop_instance_uid, frame.frame) in keys:
                painter.fillRect(
                    QRectF(0, track.top() + number * step, self.width(), max(2.0, step)),
                    look.overlay("current"),
                )
        size = max(look.px(14), step)
        top = (track.height() - size) * index / max(1, count - 1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.overlay("active"))
        painter.drawRoundedRect(
            QRectF(track.left() - look.px(2), top, look.px(8), size), look.px(2), look.px(2)
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        _index, count = self._there()
        state = self._cell.state
        if count and state is not None:
            place = min(1.0, max(0.0, event.position().y() / max(1, self.height())))
            self._cell.session.activate(self._cell.number)
            self._cell.session.set_view(self._cell.number, state.view.with_(index=round(place * (count - 1))))
