"""The commands of subtraction: a run less its mask, another one, shifted by keys; a volume less its prior."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from workstation.imaging.subtraction import best_shift
from workstation.imaging.volume import Volume
from workstation.rendering import change_view
from workstation.rendering.subtraction_view import first_window, operation_of
from workstation.session.comparing import NotCompared, compared
from workstation.session.reading_session import CellState
from workstation.session.view_state import Subtraction, Window
from workstation.ui import words
from workstation.ui.reading.cine import plays

if TYPE_CHECKING:
    from workstation.ui.reading.page import ReadPage

STEP_PX = 0.5


class SubtractionActions:
    """`command` is Actions' own way to register one."""

    def __init__(self, page: ReadPage, command: Callable[..., None]) -> None:
        self._page, self._session, self._room = page, page.desk.session, page.room
        on, place = self._is_on, "Image/Subtraction"
        command(
            "dsa",
            "Subtract the mask or the prior",
            self._toggle,
            "Image/Subtraction",
            "Shift+D",
            icon="circle-half-full",
            tip="A run less its mask, a volume less the prior that is registered to it; again: as it is",
            enabled=lambda: self._able() or self._is_volume(),
            checked=lambda: on() or self._is_change(),
        )
        command("dsa.mask", "This image is the mask", self._take_mask, place, "Shift+K", enabled=on)
        command("dsa.fit", "Shift the mask to fit", self._fit, place, "Ctrl+Shift+Home", enabled=on)
        command("dsa.up", "Mask up", self._by(-1, 0), place, "Ctrl+Shift+Up", enabled=on)
        command("dsa.down", "Mask down", self._by(1, 0), place, "Ctrl+Shift+Down", enabled=on)
        command("dsa.left", "Mask to the left", self._by(0, -1), place, "Ctrl+Shift+Left", enabled=on)
        command("dsa.right", "Mask to the right", self._by(0, 1), place, "Ctrl+Shift+Right", enabled=on)

    def _state(self) -> CellState | None:
        return self._session.active_cell

    def _able(self) -> bool:
        state = self._state()
        if state is None or state.display_set is None or not plays(state):
            return False
        return state.display_set.modality in ("XA", "RF") and not state.display_set.is_colour

    def _is_volume(self) -> bool:
        state = self._state()
        shown = state.display_set if state is not None else None
        return shown is not None and shown.is_volume and not shown.is_colour

    def _is_change(self) -> bool:
        state = self._state()
        return state is not None and state.view.change is not None

    def _is_on(self) -> bool:
        state = self._state()
        return state is not None and state.view.subtraction is not None

    def _volume(self, state: CellState) -> Volume:
        assert state.display_set is not None
        return self._room.load(state.display_set, state.view.index).volume

    def _toggle(self) -> None:
        state = self._state()
        if state is None:
            return
        if state.view.subtraction is not None:
            view = state.view.with_(subtraction=None, window=state.view.subtraction.before)
            self._session.set_view(state.number, view)
        elif state.view.change is not None:
            view = state.view.with_(change=None, window=state.view.change.before)
            self._session.set_view(state.number, view)
        elif self._able():
            chosen = Subtraction(before=state.view.window)
            volume, index = self._volume(state), state.view.index
            self._show(state, lambda: first_window(volume, index, chosen), subtraction=chosen)
        else:
            self._less_the_prior(state)

    def _less_the_prior(self, state: CellState) -> None:
        try:
            chosen = compared(state, self._session.cells, self._session.tie)
        except NotCompared as why:
            self._page.desk.say(words.t("No subtraction: {why}.").format(why=why), "waiting")
            return
        view = state.view.with_(change=chosen, fusion=None)
        current, prior = self._volume(state), self._room.laid_over(view)
        assert prior is not None
        self._show(
            state, lambda: change_view.first_window(view, current, prior, chosen), change=chosen, fusion=None
        )

    def _show(self, state: CellState, look: Callable[[], Window], **chosen: object) -> None:
        """Subtract so, in a window for what is left, which another thread finds."""

        def done(window: Window) -> None:
            cell = self._session.cells[state.number] if state.number < len(self._session.cells) else None
            if cell is not None and cell.display_set == state.display_set:
                self._session.set_view(state.number, cell.view.with_(window=window, **chosen))
                self._page.desk.commands.refresh()

        def refused(why: Exception) -> None:
            self._page.desk.say(words.t("No subtraction: {why}.").format(why=why), "waiting")

        self._page.desk.tasks.ask(self._page, words.t("subtract"), look, done, refused)

    def _take_mask(self) -> None:
        """The image shown becomes the mask of all others; it itself would leave nothing to window by."""
        state = self._state()
        if state is not None and state.view.subtraction is not None:
            chosen = replace(state.view.subtraction, mask=state.view.index + 1)
            self._session.set_view(state.number, state.view.with_(subtraction=chosen))

    def _shift(self, state: CellState) -> tuple[float, float]:
        chosen = state.view.subtraction
        assert chosen is not None
        if chosen.shift is not None:
            return chosen.shift
        return operation_of(self._volume(state), state.view.index, chosen).shift

    def _by(self, rows: int, columns: int) -> Callable[[], None]:
        def run() -> None:
            state = self._state()
            if state is not None and state.view.subtraction is not None:
                down, right = self._shift(state)
                self._set_shift(state, (down + rows * STEP_PX, right + columns * STEP_PX))

        return run

    def _set_shift(self, state: CellState, shift: tuple[float, float]) -> None:
        if state.view.subtraction is not None:
            chosen = replace(state.view.subtraction, shift=shift)
            self._session.set_view(state.number, state.view.with_(subtraction=chosen))

    def _fit(self) -> None:
        """Find the shift by which mask and image lie best upon each other, on another thread."""
        state = self._state()
        if state is None or state.view.subtraction is None:
            return
        volume, index = self._volume(state), state.view.index
        masks = operation_of(volume, index, state.view.subtraction).masks_for(index + 1)
        if not masks or not all(volume.loaded[n - 1] for n in (index + 1, *masks)):
            self._page.desk.say(words.t("No subtraction: {why}.").format(why="no mask is there"), "waiting")
            return
        number = state.number

        def work() -> tuple[float, float]:
            mask = np.mean([volume.pixels[n - 1] for n in masks], axis=0)
            return best_shift(volume.pixels[index].astype(np.float32), np.asarray(mask, dtype=np.float32))

        def done(shift: tuple[float, float]) -> None:
            if number < len(self._session.cells):
                self._set_shift(self._session.cells[number], shift)

        self._page.desk.tasks.ask(self._page, words.t("fit the mask"), work, done)
