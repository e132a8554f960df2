"""The hand on the lines of the planes: an end turns, the line moves, the middle takes both along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from workstation.imaging.geometry import GeometryError, Vector, plane_name
from workstation.session import linking
from workstation.session.reading_session import CellState
from workstation.session.view_state import Plane, ViewState
from workstation.tools.crossing import (
    Crossing,
    OtherPlane,
    Part,
    Position,
    brought,
    crossing,
    degrees_between,
    turned,
)
from workstation.ui import words

if TYPE_CHECKING:
    from workstation.ui.reading.cell import ImageCell

CURSORS = {
    "turn": Qt.CursorShape.PointingHandCursor,
    "move": Qt.CursorShape.OpenHandCursor,
    "point": Qt.CursorShape.SizeAllCursor,
}


@dataclass(frozen=True, slots=True)
class Held:
    """A drag under way: what is held, the views as they were and where it began."""

    part: Part
    crossing: Crossing
    views: dict[int, ViewState]
    start: Position


class PlaneHand:
    """One per cell; the cells of one volume's planes turn and move each other through it."""

    def __init__(self, cell: ImageCell) -> None:
        self._cell = cell
        self.held: Held | None = None
        self.over: Part | None = None

    # ── what there is ────────────────────────────────────────────────────────────────────────────────

    def fellows(self) -> list[CellState]:
        """The cells whose planes can be turned with this one's: reformats of the same study's space, but
        those that 3D hides.
        """
        state = self._cell.state
        if state is None or not turns(state):
            return []
        session = self._cell.session
        return [
            c
            for c in session.cells
            if c.number not in (state.number, *session.solid)
            and turns(c)
            and linking.space(c) == linking.space(state)
        ]

    def crossing(self) -> Crossing | None:
        """The lines over the picture that is painted; None where none is to be seen."""
        picture = self._cell.shown.picture
        if picture is None or not self._cell.room.lines or picture.frame.acquired:
            return None
        others = [other for c in self.fellows() if (other := _plane(c)) is not None]
        return crossing(picture.frame, others) if others else None

    # ── the mouse ────────────────────────────────────────────────────────────────────────────────────

    def hover(self, at: Position, unit_px: float) -> None:
        """The part under a pointer that holds no button."""
        lines = self.crossing()
        self.over = lines.part_at(*at, unit_px) if lines is not None else None
        if self.over is not None:
            self._cell.setCursor(CURSORS[self.over.kind])
        else:
            self._cell.unsetCursor()

    def press(self, at: Position, unit_px: float) -> bool:
        """Whether a line was taken."""
        lines = self.crossing()
        part = lines.part_at(*at, unit_px) if lines is not None else None
        if lines is None or part is None:
            return False
        self.held = Held(part, lines, {c.number: c.view for c in self._cell.session.cells}, at)
        return True

    def drag(self, at: Position, alone: bool) -> None:
        """`alone` turns the plane of the one line only, so that the planes stand at any angle."""
        if self.held is None:
            return
        part, lines = self.held.part, self.held.crossing
        point = lines.frame.patient(*at)
        if part.kind == "turn":
            degrees = degrees_between(lines.meeting, self.held.start, at)
            numbers = [part.number] if alone else [one.plane.number for one in lines.lines]
            self.turn(degrees, numbers, self.held.views, lines)
        elif part.kind == "point":
            self._cell.room.point(point, self._cell.number)
        else:
            self._move(part.number, point)

    def release(self) -> None:
        self.held = None

    # ── turning and moving ───────────────────────────────────────────────────────────────────────────

    def turn_by(self, degrees: float) -> None:
        """Every other plane about this one's normal, by so much on the screen clockwise."""
        lines = self.crossing()
        if lines is not None:
            views = {c.number: c.view for c in self._cell.session.cells}
            self.turn(degrees, [one.plane.number for one in lines.lines], views, lines)

    def turn(self, degrees: float, numbers: list[int], views: dict[int, ViewState], lines: Crossing) -> None:
        self._turned(numbers, views, lines.frame.normal, degrees, lines.pivot)

    def tilt(self, about_right: float, about_down: float) -> None:
        """This cell's own plane about its right or its down, through where the planes meet."""
        cell, picture = self._cell, self._cell.shown.picture
        state = cell.state
        if state is None or picture is None or not picture.frame.in_patient:
            return
        lines = self.crossing()
        pivot = lines.pivot if lines is not None else picture.frame.centre
        axis, degrees = (
            (picture.frame.across, about_right) if about_right else (picture.frame.down, about_down)
        )
        views = {c.number: c.view for c in cell.session.cells}
        self._turned([cell.number], views, axis, degrees, pivot)

    def _turned(
        self, numbers: list[int], views: dict[int, ViewState], axis: Vector, degrees: float, pivot: Vector
    ) -> None:
        session, changed = self._cell.session, {}
        for number in numbers:
            changed[number] = self._view(number, views[number], axis, degrees, pivot)
            twin = session.twin(number)
            if twin is not None:
                other, by = twin
                there = linking.carried(pivot, by)
                along = linking.turned(axis, by)
                changed[other] = self._view(other, views[other], along, degrees, there)
        try:
            session.set_views({n: v for n, v in changed.items() if v is not None})
        except GeometryError as error:
            self._cell.room.desk.say(str(error), "waiting")

    def _view(
        self, number: int, view: ViewState, axis: Vector, degrees: float, pivot: Vector
    ) -> ViewState | None:
        state, room = self._cell.session.cells[number], self._cell.room
        size = room.sizes.get(number)
        if state.display_set is None or not state.display_set.is_volume or size is None:
            return None
        volume = room.load(state.display_set, view.index).volume
        return turned(view, volume, axis, degrees, pivot, size)

    def _move(self, number: int, point: Vector) -> None:
        state, room = self._cell.session.cells[number], self._cell.room
        normal = linking.normal_of(state)
        if state.display_set is not None and normal is not None:
            volume = room.load(state.display_set, state.view.index).volume
            self._cell.session.set_view(number, brought(state.view, volume, normal, point))


def turns(state: CellState) -> bool:
    """Whether a cell shows a plane that can be turned: a reformat, no acquired image and no turning MIP."""
    return (
        state.display_set is not None
        and state.display_set.is_volume
        and state.view.plane is not Plane.ACQUIRED
        and state.view.turn is None
    )


def _plane(state: CellState) -> OtherPlane | None:
    point, normal = linking.point_of(state), linking.normal_of(state)
    if point is None or normal is None:
        return None
    return OtherPlane(state.number, point, normal, state.view.slab, words.t(plane_name(normal)))
