"""The commands of planes at any angle: the lines of the others, turning them, tilting one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from workstation.session import linking
from workstation.session.hanging import first_view
from workstation.session.view_state import Plane
from workstation.ui.reading.plane_hand import turns

if TYPE_CHECKING:
    from workstation.ui.reading.cell import ImageCell
    from workstation.ui.reading.page import ReadPage

STEP_DEGREES = 5.0


class PlaneActions:
    """`command` is Actions' own way to register one."""

    def __init__(self, page: ReadPage, command: Callable[..., None]) -> None:
        self._page, self._session, self._room = page, page.desk.session, page.room
        self._command = command
        self._lines()
        self._tilting()

    def _cell(self) -> ImageCell | None:
        return self._page.grid.active()

    def _has_lines(self) -> bool:
        cell = self._cell()
        return cell is not None and bool(cell.planes.fellows())

    def _is_volume(self) -> bool:
        state = self._session.active_cell
        return state is not None and state.display_set is not None and state.display_set.is_volume

    def _lines(self) -> None:
        self._command(
            "lines",
            "Lines of the planes",
            self._room.toggle_lines,
            "Image/Plane",
            "Shift+L",
            icon="crosshairs-gps",
            tip="Drag an end to turn the other planes, with Alt only its own; drag the line to move it",
            enabled=self._has_lines,
            checked=lambda: self._room.lines,
        )
        left, right = (lambda: self._turn(-STEP_DEGREES)), (lambda: self._turn(STEP_DEGREES))
        lines = self._has_lines
        self._command(
            "oblique.left", "Turn the other planes left", left, "Image/Plane", "Shift+Left", enabled=lines
        )
        self._command(
            "oblique.right", "Turn the other planes right", right, "Image/Plane", "Shift+Right", enabled=lines
        )
        self._command(
            "oblique.straight",
            "Straighten the planes",
            self._straighten,
            "Image/Plane",
            "Shift+M",
            enabled=self._is_oblique,
            tip="Planes as they were hung, at the place shown now",
        )

    def _tilting(self) -> None:
        def by(right: float, down: float) -> Callable[[], None]:
            return lambda: self._tilt(right * STEP_DEGREES, down * STEP_DEGREES)

        able = self._is_volume
        self._command("tilt.up", "Tilt the plane up", by(1, 0), "Image/Plane/Tilt", "Alt+Up", enabled=able)
        self._command(
            "tilt.down", "Tilt the plane down", by(-1, 0), "Image/Plane/Tilt", "Alt+Down", enabled=able
        )
        self._command(
            "tilt.left", "Tilt the plane left", by(0, -1), "Image/Plane/Tilt", "Alt+Left", enabled=able
        )
        self._command(
            "tilt.right", "Tilt the plane right", by(0, 1), "Image/Plane/Tilt", "Alt+Right", enabled=able
        )

    def _turn(self, degrees: float) -> None:
        cell = self._cell()
        if cell is not None:
            cell.planes.turn_by(degrees)

    def _tilt(self, about_right: float, about_down: float) -> None:
        cell = self._cell()
        if cell is not None:
            cell.planes.tilt(about_right, about_down)

    def _is_oblique(self) -> bool:
        return any(c.view.plane is Plane.OBLIQUE for c in self._session.cells)

    def _straighten(self) -> None:
        """Every oblique cell back to its plane of the plan, through the place it shows."""
        session = self._session
        assert session.plan is not None
        places = (*session.plan.current, *session.plan.prior)
        straight = {}
        for state in session.cells:
            if turns(state) and state.view.plane is Plane.OBLIQUE and state.number < len(places):
                hung = first_view(places[state.number])
                view = state.view.with_(plane=hung.plane, right=hung.right, down=hung.down, zoom=hung.zoom)
                point = linking.point_of(state)
                assert point is not None
                straight[state.number] = linking.at_point(replace(state, view=view), point)
        session.set_views(straight)
