"""The commands of fusion and of the turning MIP: one key lays over, the next turns, the same takes away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from workstation.imaging.colour_maps import MAPS
from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.suv import SuvRefusal
from workstation.rendering.mip_view import turned_to
from workstation.session.fusing import NoPair, Pair, emission_of, pair
from workstation.session.hanging import Layout, Place, Role, first_view
from workstation.session.reading_session import CellState
from workstation.session.view_state import Fusion, ViewState
from workstation.ui import words
from workstation.ui.reading import uptake

if TYPE_CHECKING:
    from workstation.ui.reading.page import ReadPage

BLEND_STEP = 0.1
COLOURS = tuple(name for name in MAPS if name != "grey")


class FusionActions:
    """`command` is Actions' own way to register one."""

    def __init__(self, page: ReadPage, command: Callable[..., None]) -> None:
        self._page, self._session, self._room = page, page.desk.session, page.room
        self._command = command
        self._before: dict[str, tuple[DisplaySet, ViewState]] = {}
        self._fusing()
        self._painting()
        self._room.blended.connect(self.blend_to)

    # ── registering ──────────────────────────────────────────────────────────────────────────────────

    def _fusing(self) -> None:
        self._command(
            "fuse",
            "Fuse",
            self._fuse,
            "Image/Fusion",
            "F",
            icon="layers-plus",
            tip="The PET in colours over the CT of the same frame of reference; again: without",
            enabled=self._is_volume,
            checked=self._is_fused,
        )
        self._command(
            "fuse.four",
            "PET and CT in four cells",
            self._four,
            "Image/Fusion",
            "Shift+F",
            icon="view-grid-outline",
            tip="CT, PET, both fused and the PET turning",
            enabled=self._is_volume,
        )
        self._command(
            "turning",
            "Turning MIP",
            self._turning,
            "Image/Fusion",
            "Shift+P",
            icon="rotate-3d-variant",
            tip="The whole PET, or this series, turned by dragging; again: back",
            enabled=self._is_volume,
            checked=self._is_turning,
        )

    def _painting(self) -> None:
        fused = self._is_fused
        more, less = (lambda: self._blend(BLEND_STEP)), (lambda: self._blend(-BLEND_STEP))
        self._command("fuse.more", "More of the colours", more, "Image/Fusion", "Alt+PgUp", enabled=fused)
        self._command("fuse.less", "Less of the colours", less, "Image/Fusion", "Alt+PgDown", enabled=fused)
        self._command("fuse.next", "Next colour map", self._next, "Image/Fusion", "Alt+F", enabled=fused)
        for name in COLOURS:
            self._command(
                f"fuse.colours.{name.replace(' ', '_')}",
                f"{words.t('Colours')}: {words.t(name)}",
                lambda n=name: self._paint(n),
                "Image/Fusion",
                enabled=fused,
                checked=lambda n=name: self._fusion() is not None and self._fusion().colours == n,
            )

    # ── what there is ────────────────────────────────────────────────────────────────────────────────

    def _state(self) -> CellState | None:
        return self._session.active_cell

    def _fusion(self) -> Fusion | None:
        state = self._state()
        return state.view.fusion if state is not None else None

    def _is_volume(self) -> bool:
        state = self._state()
        return state is not None and state.display_set is not None and state.display_set.is_volume

    def _is_fused(self) -> bool:
        return self._fusion() is not None

    def _is_turning(self) -> bool:
        state = self._state()
        return state is not None and state.view.turn is not None

    def _pair(self, state: CellState) -> Pair | None:
        """The pair of the active cell's series; None after saying why there is none."""
        assert state.display_set is not None
        try:
            return pair(state.display_set, self._session.sets[state.role])
        except NoPair as why:
            self._page.desk.say(words.t("No fusion: {why}.").format(why=why), "waiting")
            return None

    # ── fusing ───────────────────────────────────────────────────────────────────────────────────────

    def _fuse(self) -> None:
        state = self._state()
        if state is None or state.display_set is None:
            return
        if state.view.fusion is not None:
            self._each_alike(state, None)
            return
        found = self._pair(state)
        if found is None:
            return
        fusion = Fusion(found.above.uid, window=uptake.usual_window(found.above))
        if found.below.uid != state.display_set.uid:
            self._session.show_at(state.number, found.below, ViewState(plane=state.view.plane, fusion=fusion))
        else:
            self._each_alike(state, fusion)
        self._say_uptake(found.above)

    def _each_alike(self, state: CellState, fusion: Fusion | None) -> None:
        """Every plane of the series that hangs as a reformat is fused with the active one."""
        views = {state.number: state.view.with_(fusion=fusion)}
        for cell in self._session.cells:
            if cell.display_set == state.display_set and cell.view.is_reformat and cell.view.turn is None:
                views[cell.number] = cell.view.with_(fusion=fusion)
        self._session.set_views(views)

    def _say_uptake(self, above: DisplaySet) -> None:
        found = uptake.scale_of(above, len(above) // 2) if uptake.is_pet(above) else None
        if isinstance(found, SuvRefusal):
            self._page.desk.say(words.t("No SUV: {why}.").format(why=found.reason), "waiting")

    def _four(self) -> None:
        state = self._state()
        found = self._pair(state) if state is not None and state.display_set is not None else None
        if state is None or found is None or state.role is not Role.CURRENT:
            return
        window = uptake.usual_window(found.above)
        fused = ViewState(fusion=Fusion(found.above.uid, window=window))
        first = first_view(Place(Role.CURRENT, found.below))
        pet = first_view(Place(Role.CURRENT, found.above)).with_(window=window, invert=True)
        volume = self._room.load(found.above, pet.index).volume
        mip = turned_to(pet, volume, 0.0, (1, 1))
        places = (
            Place(Role.CURRENT, found.below, first),
            Place(Role.CURRENT, found.above, pet),
            Place(Role.CURRENT, found.below, fused.with_(index=first.index)),
            Place(Role.CURRENT, found.above, mip),
        )
        self._session.show_places(places, Layout(2, 2), self._page.grid.upright)
        self._page.grid.focus()
        self._say_uptake(found.above)

    # ── colours ──────────────────────────────────────────────────────────────────────────────────────

    def _blend(self, by: float) -> None:
        fusion = self._fusion()
        if fusion is not None:
            self.blend_to(self._session.active, fusion.opacity + by)

    def blend_to(self, number: int, opacity: float) -> None:
        """How much of the colours is seen in a cell, and in the other planes of its series."""
        state = self._session.cells[number]
        if state.view.fusion is not None:
            held = round(min(max(opacity, 0.0), 1.0), 2)
            self._each_alike(state, replace(state.view.fusion, opacity=held))

    def _next(self) -> None:
        fusion = self._fusion()
        if fusion is not None:
            self._paint(COLOURS[(COLOURS.index(fusion.colours) + 1) % len(COLOURS)])

    def _paint(self, colours: str) -> None:
        state, fusion = self._state(), self._fusion()
        if state is not None and fusion is not None:
            self._each_alike(state, replace(fusion, colours=colours))

    # ── turning ──────────────────────────────────────────────────────────────────────────────────────

    def _turning(self) -> None:
        state = self._state()
        if state is None or state.display_set is None:
            return
        if state.view.turn is not None:
            shown, view = self._before.pop(
                f"{state.study_uid}|{state.number}", (state.display_set, first_view(_place(state)))
            )
            self._session.show_at(state.number, shown, view)
            return
        self._before[f"{state.study_uid}|{state.number}"] = (state.display_set, state.view)
        chosen = emission_of(state.display_set, self._session.sets[state.role])
        volume = self._room.load(chosen, len(chosen) // 2).volume
        size = self._room.sizes.get(state.number, (1, 1))
        own = state.view if chosen == state.display_set else ViewState(window=uptake.usual_window(chosen))
        seen = own.with_(invert=True) if uptake.is_pet(chosen) else own
        self._session.show_at(state.number, chosen, turned_to(seen, volume, 0.0, size))


def _place(state: CellState) -> Place:
    return Place(state.role, state.display_set)
