"""Why this layout: the protocol, its stages to press, its reasons, what hangs where, and what else fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDialog, QWidget

from workstation.session.protocols.model import Protocol
from workstation.session.reading_session import ReadingSession
from workstation.ui import theme, words
from workstation.ui.reading import layout_words
from workstation.ui.widgets.basics import button, column, label, line, row
from workstation.ui.widgets.flow import Flow
from workstation.ui.widgets.scrolling import ScrollArea

WIDTH, HEIGHT = 480, 560


@dataclass(frozen=True)
class Ways:
    """What the panel can have done."""

    stage: Callable[[int], object]
    hang_by: Callable[[Protocol], object]
    save: Callable[[], object]
    edit: Callable[[], object]


class LayoutPanel(QDialog):
    """Opens over the window; any choice in it closes it."""

    def __init__(self, parent: QWidget, session: ReadingSession, ways: Ways) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setAccessibleName(words.t("Why this layout"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._session, self._ways = session, ways
        px = theme.current().px
        inside = QWidget()
        inside.setLayout(column(*self._parts(), 1, margin=(px(16),), gap=8))
        area = ScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        save = button(words.t("Save what I see"), lambda: self._do(ways.save))
        edit = button(words.t("Edit"), lambda: self._do(ways.edit))
        edit.setEnabled(session.hangings.now is not None)
        whole = column(area, line(), row(1, edit, save, margin=(16, 8)), gap=0)
        whole.setStretch(0, 1)
        self.setLayout(whole)
        self.resize(px(WIDTH), px(HEIGHT))

    def _do(self, what: Callable[[], object]) -> None:
        self.accept()
        what()

    def _parts(self) -> list[QWidget]:
        session = self._session
        parts: list[QWidget] = [label(layout_words.title(session), "heading")]
        parts += self._stages()
        parts.append(label(words.t("Because"), "caption"))
        parts += [label(f"· {text}", wrap=True) for text in layout_words.why(session)]
        parts.append(label(words.t("Cells"), "caption"))
        parts += [label(text, wrap=True) for text in layout_words.cell_lines(session)]
        if session.prior is not None:
            parts.append(label(words.t("This prior"), "caption"))
            date = words.iso_date(session.prior.study_date)
            parts.append(label(f"{date}: {session.prior_reason}", wrap=True))
        return parts + self._others()

    def _stages(self) -> list[QWidget]:
        hanging = self._session.hangings.now
        if hanging is None or len(hanging.steps) < 2:
            return []
        flow = Flow(gap=4)
        for number, step in enumerate(hanging.steps):
            if step.page:
                continue
            go = lambda n=number: self._do(lambda: self._ways.stage(n))  # noqa: E731  (one of a loop)
            chip = button(words.t(step.stage.name), go, "chip")
            chip.setCheckable(True)
            chip.setChecked(step.stage is hanging.step.stage and self._session.layout is None)
            flow.add(chip)
        holder = QWidget()
        holder.setLayout(flow)
        return [holder]

    def _others(self) -> list[QWidget]:
        found = layout_words.others(self._session)
        parts: list[QWidget] = [label(words.t("Other layouts"), "caption")] if found else []
        for one in found:
            name = words.t(one.protocol.name)
            press = button(name, lambda p=one.protocol: self._do(lambda: self._ways.hang_by(p)), "link")
            said = label(layout_words.other_line(one), "quiet", wrap=True)
            holder = QWidget()
            lay = row(press, said, gap=12)
            lay.setStretch(1, 1)
            holder.setLayout(lay)
            parts.append(holder)
        return parts

    def open_at(self, anchor: QWidget) -> None:
        """Above the widget, within the window."""
        window = self.parentWidget().window()
        self.resize(min(self.width(), window.width() - 8), min(self.height(), window.height() - 8))
        at = anchor.mapToGlobal(QPoint(0, -self.height()))
        left = window.mapToGlobal(QPoint(window.width() - self.width() - 4, 0)).x()
        top = window.mapToGlobal(QPoint(0, 4)).y()
        self.move(min(at.x(), left), max(at.y(), top))
        self.show()
