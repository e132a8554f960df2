"""The cells in their frames: the study's, and beside or under it its prior's, dated and in its own colour."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QWidget

from workstation.session.hanging import Role
from workstation.ui import theme, words
from workstation.ui.reading.cell import ImageCell
from workstation.ui.reading.cine import Cine
from workstation.ui.reading.room import Room
from workstation.ui.reading.study_frame import StudyFrame
from workstation.ui.widgets.basics import tool

# row, column, rows and columns of three planes alone: the first takes what a fourth cell would have
BESIDE = ((0, 0, 2, 1), (0, 1, 1, 1), (1, 1, 1, 1))
UPRIGHT = ((0, 0, 1, 2), (1, 0, 1, 1), (1, 1, 1, 1))


class CellGrid(QWidget):
    """Owns the cells; rebuilds their places when the session hangs anew."""

    menu_wanted = Signal(int, object)
    reshaped = Signal()

    def __init__(self, room: Room) -> None:
        super().__init__()
        self.room, self.session = room, room.session
        self.setAccessibleName(words.t("Images"))
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.cells: list[ImageCell] = []
        self.cine = Cine(room.session, lambda n: n < len(self.cells) and self.cells[n].answered)
        self.frames = {role: StudyFrame(role) for role in Role}
        self.prior_hidden = False
        self._inside = self._was_upright = False
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(theme.current().px(4))
        for frame in self.frames.values():
            self._box.addWidget(frame, 1)
        self._unlink = tool(
            "link-variant",
            words.t("Link or unlink current and prior"),
            lambda: self.session.set_linked(not self.session.linked),
        )
        self._anchor = tool(
            "anchor",
            words.t("Anchor here"),
            self.session.anchor_here,
            words.t("Anchor here: take the positions shown now as the same place (Shift+G)"),
        )
        self.frames[Role.PRIOR].add_tools(self._unlink, self._anchor)
        self._listen()

    def _listen(self) -> None:
        session = self.session
        session.hung.connect(self.rebuild)
        session.closed.connect(self.rebuild)
        session.facts_changed.connect(self._titles)
        session.link_changed.connect(self._titles)
        session.view_changed.connect(self._view)
        session.active_changed.connect(lambda _n: self._repaint())
        session.active_changed.connect(lambda _n: self._titles())
        session.strokes_changed.connect(self._repaint)
        self.cine.changed.connect(self._played)
        session.sets_changed.connect(lambda: [cell.refresh() for cell in self.cells])
        theme.hub().changed.connect(self._fit_heads)
        self.room.desk.closing.append(self._close_volumes)

    def _played(self) -> None:
        for cell in self.cells:
            cell.playing = self.cine.words(cell.number)
            cell.wish()
        self.room.desk.commands.refresh()

    def _close_volumes(self) -> None:
        for cell in self.cells:
            cell.close_volume()

    def _fit_heads(self) -> None:
        """One line for both titles, or two where either needs them."""
        shown = [frame for frame in self.frames.values() if not frame.isHidden()]
        if self._inside:
            for role, frame in self.frames.items():
                frame.set_lines(frame.needs_two_lines(self.width() // (2 if role is Role.PRIOR else 1)))
            return
        width = self.width() if self.stacked or len(shown) < 2 else self.width() // 2
        two = any(frame.needs_two_lines(width) for frame in shown if not frame.head.isHidden())
        for frame in self.frames.values():
            frame.set_lines(two)

    @property
    def upright(self) -> bool:
        return self.height() > self.width() * 1.05

    @property
    def stacked(self) -> bool:
        """Whether the prior's frame lies under the study's: in an upright window, or as the plan says."""
        return self.upright or (self.session.plan is not None and self.session.plan.over)

    def _direct(self) -> bool:
        """Lay the frames beside or over each other; whether that changed."""
        direction = QBoxLayout.Direction.TopToBottom if self.stacked else QBoxLayout.Direction.LeftToRight
        changed = self._box.direction() != direction
        if changed:
            self._box.setDirection(direction)
        return changed

    def rebuild(self) -> None:
        """Lay the cells out as the plan says; cells that stay keep their widgets but hold no line."""
        states = self.session.cells
        for cell in self.cells:
            cell.planes.release()
        while len(self.cells) > len(states):
            gone = self.cells.pop()
            gone.close_volume()
            gone.hide()
            gone.deleteLater()
        for number in range(len(self.cells), len(states)):
            self.cells.append(self._cell(number))
        self._place()
        for cell in self.cells:
            cell.refresh()
        self._titles()

    def _cell(self, number: int) -> ImageCell:
        cell = ImageCell(self.room, number)
        cell.menu_wanted.connect(self.menu_wanted)
        cell.maximise_wanted.connect(self._maximise)
        return cell

    def _place(self) -> None:
        plan, largest = self.session.plan, self.session.maximised
        self._direct()
        beside = any(c.role is Role.PRIOR for c in self.session.cells) and not self.prior_hidden
        self._inside = plan is not None and plan.planes and largest is None and beside
        for frame in self.frames.values():
            while frame.grid.count():
                frame.grid.takeAt(0)
        self._put_prior()
        for role, frame in self.frames.items():
            numbers = [c.number for c in self.session.cells if c.role is role]
            shown = [n for n in numbers if largest is None or n == largest]
            columns = self._columns(role) if largest is None else 1
            columns = min(columns, max(1, len(shown)))
            alone = plan is not None and plan.planes and len(shown) == len(BESIDE) and not self._inside
            for place, number in enumerate(shown):
                slot = (*divmod(place, columns), 1, 1)
                if alone:
                    slot = (UPRIGHT if self.upright else BESIDE)[place]
                frame.grid.addWidget(self.cells[number], *slot)
                self.cells[number].setVisible(True)
            for number in set(numbers) - set(shown):
                self.cells[number].setParent(frame)
                self.cells[number].setVisible(False)
            hidden = role is Role.PRIOR and self.prior_hidden and largest is None
            frame.setVisible(bool(shown) and not hidden)
            self._even(frame.grid, shown, columns)
        self._fit_heads()

    def _columns(self, role: Role) -> int:
        plan = self.session.plan
        if plan is None:
            return 1
        layout = plan.prior_layout if role is Role.PRIOR and plan.prior_layout is not None else plan.layout
        return layout.columns

    def _put_prior(self) -> None:
        """The prior's frame in the fourth place of the three planes, or beside the study's frame."""
        prior = self.frames[Role.PRIOR]
        if self._inside:
            self.frames[Role.CURRENT].grid.addWidget(prior, 1, 1)
        elif self._box.indexOf(prior) < 0:
            self._box.addWidget(prior, 1)

    @staticmethod
    def _even(grid: QGridLayout, shown: list[int], columns: int) -> None:
        for number in range(max(grid.columnCount(), grid.rowCount())):
            grid.setColumnStretch(number, 1 if number < columns and number < len(shown) else 0)
            grid.setRowStretch(number, 1 if number * columns < len(shown) else 0)

    def hide_prior(self, hidden: bool) -> None:
        """The report slides over the prior where there is little room."""
        if hidden != self.prior_hidden:
            self.prior_hidden = hidden
            self._place()

    def _maximise(self, number: int) -> None:
        self.session.maximise(None if self.session.maximised is not None else number)

    def _titles(self) -> None:
        dossier, prior = self.session.dossier, self.session.prior
        frame = self.frames[Role.CURRENT]
        frame.head.setVisible(prior is not None)
        if dossier is not None:
            frame.title.setText(f"{words.t('Current')} {words.iso_date(dossier.exam.study_date)}")
            frame.words.setText(dossier.exam.procedure or dossier.manifest.description)
        beside = self.frames[Role.PRIOR]
        beside.title.setStyleSheet(f"color: {theme.current().colours['prior']};")
        if prior is not None:
            beside.title.setText(f"{words.t('Prior')} {words.iso_date(prior.study_date)}")
            beside.words.setText(words.pieces(self.session.prior_reason))
            told = words.pieces(self.session.link_words)
            beside.link.setText(told)
            beside.link.setAccessibleName(f"{words.t('Link of current and prior')}: {told}")
            linked = self.session.linked
            self._unlink.setIcon(theme.icon("link-variant" if linked else "link-variant-off"))
            self._unlink.setToolTip(f"{words.t('Unlink') if linked else words.t('Link')} (G)")
        self._fit_heads()

    def _view(self, number: int) -> None:
        if number < len(self.cells):
            self.cells[number].refresh()
            for cell in self.cells:  # the lines of its plane have moved
                if cell.number != number:
                    cell.update()

    def _repaint(self) -> None:
        for cell in self.cells:
            cell.redraw()

    def active(self) -> ImageCell | None:
        return self.cells[self.session.active] if self.session.active < len(self.cells) else None

    def focus(self) -> None:
        cell = self.active()
        if cell is not None:
            cell.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_heads()
        self._direct()
        if self.upright != self._was_upright:
            self._was_upright = self.upright
            self.reshaped.emit()
