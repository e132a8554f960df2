"""The slider on a fused cell: how much of the colours is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QSlider

from workstation.ui import theme, words

if TYPE_CHECKING:
    from workstation.ui.reading.cell import ImageCell

WIDTH, HEIGHT = 160, 20
LEAST_ROOM = 320


class BlendSlider(QSlider):
    """At the lower edge, left of the middle; gone where nothing is laid over or the cell is small."""

    def __init__(self, cell: ImageCell) -> None:
        super().__init__(Qt.Orientation.Horizontal, cell)
        self._cell = cell
        self.setRange(0, 100)
        self.setPageStep(10)
        self.setAccessibleName(words.t("Blend of the colours"))
        self.setToolTip(words.t("How much of the colours is seen (Alt+PgUp, Alt+PgDown)"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay with the cell
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.valueChanged.connect(self._changed)
        self.refresh()

    def refresh(self) -> None:
        """As the cell's view has it."""
        state, look = self._cell.state, theme.current()
        fusion = state.view.fusion if state is not None else None
        self.setVisible(fusion is not None and self._cell.width() >= look.px(LEAST_ROOM))
        if fusion is not None:
            self.blockSignals(True)
            self.setValue(round(fusion.opacity * 100))
            self.blockSignals(False)
        width, height = look.px(WIDTH), look.px(HEIGHT)
        left = (self._cell.picture_area().width() - width) // 2
        self.setGeometry(QRect(left, self._cell.height() - look.px(84), width, height))

    def _changed(self, value: int) -> None:
        self._cell.room.blended.emit(self._cell.number, value / 100)
