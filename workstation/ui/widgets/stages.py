"""The seven stages of an exam, from patient to acknowledged result, as a list and as a strip."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QToolTip, QWidget

from pacs_core.archive.models import ExamTrace, StageView
from workstation.ui import theme, words
from workstation.ui.widgets.basics import discard, label


def said(stage: StageView) -> str:
    """A stage's name in words."""
    return words.t(stage.name[:1].upper() + stage.name[1:])


class StagesList(QWidget):
    """One line a stage: shape, name, when, and its evidence under it."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(words.t("Stages"))
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.current().px(8))
        self._grid.setVerticalSpacing(theme.current().px(4))
        self._grid.setColumnStretch(1, 1)

    def show_trace(self, trace: ExamTrace | None) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                discard(widget)
        if trace is None:
            self._grid.addWidget(label(words.t("Nothing is known yet."), "quiet"), 0, 0, 1, 3)
            return
        for number, stage in enumerate(trace.stages):
            self._line(number, stage)

    def _line(self, number: int, stage: StageView) -> None:
        state = words.state(words.STAGE, stage.state)
        icon = QLabel()
        icon.setPixmap(theme.pixmap(state.icon, state.token, 16))
        icon.setAccessibleName(words.t(state.word))
        name = said(stage)
        title = label(
            name,
            "" if stage.state != "missing" else "quiet",
            name=f"{name}: {words.t(state.word)}. {words.pieces(stage.evidence)}",
        )
        at = label(
            words.local_moment(stage.at) if stage.at else words.t(state.word),
            "quiet" if stage.state in ("done", "missing") else state.token,
        )
        self._grid.addWidget(icon, number * 2, 0, Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(title, number * 2, 1)
        self._grid.addWidget(at, number * 2, 2, Qt.AlignmentFlag.AlignRight)
        if stage.evidence:
            self._grid.addWidget(
                label(words.pieces(stage.evidence), "quiet", wrap=True), number * 2 + 1, 1, 1, 2
            )


class StagesStrip(QWidget):
    """Seven marks in a row for the foot of the reading room; each says its evidence as a tool-tip."""

    def __init__(self) -> None:
        super().__init__()
        self._stages: tuple[StageView, ...] = ()
        self.setAccessibleName(words.t("Stages"))
        self._size()
        theme.hub().changed.connect(self._size)

    def _size(self) -> None:
        look = theme.current()
        self.setFixedSize(QSize(look.px(26) * 7 + look.px(4), look.px(28)))

    def show_trace(self, trace: ExamTrace | None) -> None:
        self._stages = trace.stages if trace else ()
        told = ", ".join(f"{said(s)} {words.t(s.state)}" for s in self._stages)
        self.setAccessibleDescription(told)
        self.update()

    def _mark(self, number: int) -> QRect:
        look = theme.current()
        side = look.px(18)
        return QRect(look.px(4) + number * look.px(26), (self.height() - side) // 2, side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number in range(7):
            where = self._mark(number)
            if number:
                middle = where.center().y()
                painter.setPen(look.colour("line"))
                painter.drawLine(where.left() - look.px(6), middle, where.left() - look.px(2), middle)
            state = self._stages[number].state if number < len(self._stages) else "missing"
            shown = words.state(words.STAGE, state)
            painter.drawPixmap(where, theme.pixmap(shown.icon, shown.token, 18))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for number, stage in enumerate(self._stages):
                if self._mark(number).adjusted(-4, -6, 4, 6).contains(event.pos()):
                    text = (
                        f"{number + 1}. {said(stage)}: {words.t(stage.state)}\n{words.pieces(stage.evidence)}"
                    )
                    QToolTip.showText(event.globalPos(), text.strip(), self)
                    return True
        return super().event(event)
