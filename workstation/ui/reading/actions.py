"""The commands of the reading room: tools, windows, planes, links, undo; keys as reading-room.md §4.1 has
them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.documents import DocumentRef
from workstation.imaging.luts import presets
from workstation.session.hanging import Layout
from workstation.session.view_state import Interpolation, Plane, SlabMode, ViewState, Window
from workstation.tools import DRAWING
from workstation.ui import words
from workstation.ui.commands import IMAGE, Command
from workstation.ui.reading.cine_actions import CineActions
from workstation.ui.reading.fusion_actions import FusionActions
from workstation.ui.reading.layout_actions import LayoutActions
from workstation.ui.reading.plane_actions import PlaneActions
from workstation.ui.reading.plane_hand import turns
from workstation.ui.reading.stroke_actions import StrokeActions
from workstation.ui.reading.subtraction_actions import SubtractionActions
from workstation.ui.reading.tool_names import TOOLS
from workstation.ui.reading.volume_actions import VolumeActions

if TYPE_CHECKING:
    from workstation.ui.reading.page import ReadPage

SLABS = (0.0, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0, 40.0)


class Actions:
    """Registers the commands and carries them out on the active cell."""

    def __init__(self, page: ReadPage) -> None:
        self._page, self._session, self._room = page, page.desk.session, page.room
        self._escaped = False
        page.desk.commands.set_image_area(page.grid)
        self._add_tools()
        self._add_windows()
        self._add_views()
        self._add_moves()
        self._add_planes()
        self.layouts = LayoutActions(page, self._command)
        self.planes = PlaneActions(page, self._command)
        self.cine = CineActions(page, self._command)
        self.fusion = FusionActions(page, self._command)
        self.subtraction = SubtractionActions(page, self._command)
        self.volume = VolumeActions(page, self._command)
        self.strokes = StrokeActions(page, self._command)

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────

    def _open(self) -> bool:
        cell = self._session.active_cell
        return cell is not None and cell.display_set is not None

    def _volume(self) -> bool:
        cell = self._session.active_cell
        return cell is not None and cell.display_set is not None and cell.display_set.is_volume

    def _command(
        self,
        name: str,
        words_: str,
        run: Callable[[], object],
        place: str,
        *keys: str,
        icon: str = "",
        tip: str = "",
        scope: str = IMAGE,
        enabled: Callable[[], bool] | None = None,
        checked: Callable[[], bool] | None = None,
    ) -> None:
        self._page.desk.commands.add(
            Command(
                f"read.{name}",
                words.t(words_),
                run,
                words.t(place),
                keys,
                words.t(tip),
                icon,
                scope,
                enabled or self._open,
                checked,
            )
        )

    def view(self, change: Callable[[ViewState], ViewState]) -> None:
        cell = self._session.active_cell
        if cell is not None and cell.display_set is not None:
            self._session.set_view(cell.number, change(cell.view))

    # ── tools and windows ────────────────────────────────────────────────────────────────────────────

    def _add_tools(self) -> None:
        for name, title, key, icon, tip in TOOLS:
            self._command(
                f"tool.{name}",
                title,
                lambda n=name: self._room.take_tool(n),
                "Tools/Measure" if name in DRAWING else "Tools",
                key,
                icon=icon,
                tip=tip,
                checked=lambda n=name: self._room.tool == n,
            )
        self._command(
            "escape",
            "Put the tool down",
            self._escape,
            "Tools",
            "Esc",
            tip="Drops the stroke under way; twice resets the view",
        )

    def _escape(self) -> None:
        cell = self._page.grid.active()
        if cell is None:
            return
        if cell.hand.busy or cell.hand.preview is not None:
            cell.hand.drop()
        elif self._room.tool != "window_level":
            self._room.take_tool("window_level")
        elif self._escaped:
            self._session.reset_view(cell.number)
        self._escaped = not self._escaped

    def _add_windows(self) -> None:
        for number in range(1, 10):
            self._command(
                f"preset.{number}",
                words.t("Window preset {number}").format(number=number),
                lambda n=number: self._preset(n),
                "Image/Window",
                str(number),
                tip="",
                enabled=lambda n=number: self._has_preset(n),
            )
        self._command(
            "preset.0",
            "The image's own window",
            lambda: self.view(lambda v: v.with_(window=None)),
            "Image/Window",
            "0",
        )
        self._command("preset.auto", "Automatic window", self._auto, "Image/Window", "~", "Shift+`")
        self._command(
            "invert",
            "Invert",
            lambda: self.view(lambda v: v.with_(invert=not v.invert)),
            "Image",
            "I",
            icon="invert-colors",
            checked=lambda: self._is(lambda v: v.invert),
        )

    def _modality(self) -> str:
        cell = self._session.active_cell
        return cell.display_set.modality if cell is not None and cell.display_set is not None else ""

    def _has_preset(self, number: int) -> bool:
        return number <= len(presets(self._modality()))

    def _preset(self, number: int) -> None:
        chosen = presets(self._modality())[number - 1]
        self.view(lambda v: v.with_(window=Window(chosen.centre, chosen.width, chosen.label)))
        self._page.desk.say(f"{words.t(chosen.label)}: W {chosen.width:g} L {chosen.centre:g}", "quiet")

    def _auto(self) -> None:
        cell = self._page.grid.active()
        if cell is not None and cell.request is not None and not cell.request.volume.is_colour:
            found = cell.request.volume.auto_window()
            self.view(lambda v: v.with_(window=Window(found.centre, found.width, found.label)))

    def _is(self, what: Callable[[ViewState], bool]) -> bool:
        cell = self._session.active_cell
        return cell is not None and what(cell.view)

    # ── views ────────────────────────────────────────────────────────────────────────────────────────

    def _add_views(self) -> None:
        def turn(by: int) -> Callable[[], None]:
            return lambda: self.view(lambda v: v.with_(rotation=(v.rotation + by) % 4))

        self._command("rotate.left", "Turn left", turn(-1), "Image", "L", icon="rotate-left")
        self._command("rotate.right", "Turn right", turn(1), "Image", "R", icon="rotate-right")
        self._command(
            "flip.h",
            "Flip left and right",
            lambda: self.view(lambda v: v.with_(flip_horizontal=not v.flip_horizontal)),
            "Image",
            "H",
            icon="flip-horizontal",
            checked=lambda: self._is(lambda v: v.flip_horizontal),
        )
        self._command(
            "flip.v",
            "Flip top and bottom",
            lambda: self.view(lambda v: v.with_(flip_vertical=not v.flip_vertical)),
            "Image",
            "V",
            icon="flip-vertical",
            checked=lambda: self._is(lambda v: v.flip_vertical),
        )
        self._command(
            "fit",
            "Fit to the cell",
            lambda: self.view(self._fitted),
            "Image",
            "=",
            icon="fit-to-page-outline",
        )
        self._command(
            "reset",
            "Reset the view",
            lambda: self._session.reset_view(self._session.active),
            "Image",
            icon="image-refresh-outline",
        )
        self._command(
            "overlay",
            "Overlay text",
            self._room.toggle_overlay,
            "Image",
            "Space",
            icon="format-text",
            checked=lambda: self._room.overlay,
        )
        self._command(
            "interpolate",
            "Interpolation",
            self._interpolate,
            "Image",
            icon="blur",
            tip="Nearest, linear, cubic in turn",
        )

    def _fitted(self, view: ViewState) -> ViewState:
        return view.with_(zoom=1.0, centre=None if view.plane is Plane.ACQUIRED else view.centre)

    def _interpolate(self) -> None:
        order = list(Interpolation)
        self.view(lambda v: v.with_(interpolation=order[(order.index(v.interpolation) + 1) % len(order)]))

    # ── moving ───────────────────────────────────────────────────────────────────────────────────────

    def _add_moves(self) -> None:
        def by(steps: int) -> Callable[[], None]:
            return lambda: self._scroll(steps)

        self._command("next", "Next image", by(1), "Go/Image", "Down")
        self._command("previous", "Previous image", by(-1), "Go/Image", "Up")
        self._command("next10", "Ten images on", by(10), "Go/Image", "Shift+Down")
        self._command("previous10", "Ten images back", by(-10), "Go/Image", "Shift+Up")
        self._command("first", "First image", by(-100_000), "Go/Image", "Home")
        self._command("last", "Last image", by(100_000), "Go/Image", "End")
        there = self._has_series
        back, on = (lambda: self._series(-1)), (lambda: self._series(1))
        self._command("series.next", "Next series", on, "Go/Image", "Right", "PgDown", enabled=there)
        self._command("series.previous", "Previous series", back, "Go/Image", "Left", "PgUp", enabled=there)
        self._command("cell.next", "Next cell", lambda: self._cell(1), "Go/Image", "Tab")
        self._command("cell.previous", "Previous cell", lambda: self._cell(-1), "Go/Image", "Shift+Tab")
        self._command("maximise", "Largest cell", self._maximise, "Image", "Ctrl+M", icon="arrow-expand-all")

    def _scroll(self, steps: int) -> None:
        cell = self._page.grid.active()
        if cell is not None:
            cell.hand.scroll(steps)

    def _series(self, step: int) -> None:
        """The next series, the documents of the study after them."""
        cell = self._session.active_cell
        if cell is None:
            return
        all_: tuple[DisplaySet | DocumentRef, ...] = (
            *self._session.sets[cell.role],
            *self._session.documents[cell.role],
        )
        here = cell.document or cell.display_set
        place = next((n for n, one in enumerate(all_) if one == here), -1)
        if not all_:
            return
        chosen = all_[(place + step) % len(all_)]
        if isinstance(chosen, DocumentRef):
            self._session.show_document(cell.number, chosen)
        else:
            self._session.show(cell.number, chosen)

    def _has_series(self) -> bool:
        cell = self._session.active_cell
        return cell is not None and bool(self._session.sets[cell.role] or self._session.documents[cell.role])

    def _cell(self, step: int) -> None:
        if self._session.cells:
            self._session.activate((self._session.active + step) % len(self._session.cells))
            self._page.grid.focus()

    def _maximise(self) -> None:
        self._session.maximise(None if self._session.maximised is not None else self._session.active)

    # ── planes, slabs, layouts, links ────────────────────────────────────────────────────────────────

    def _add_planes(self) -> None:
        self._command(
            "mpr",
            "Axial, coronal, sagittal",
            self._mpr,
            "Image/Plane",
            "M",
            icon="axis-arrow",
            enabled=self._volume,
            tip="Three planes of this volume; again: back to the acquired images",
            checked=self._in_mpr,
        )
        for number, plane in enumerate((Plane.ACQUIRED, Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL), 1):
            self._command(
                f"plane.{plane.value}",
                f"{words.t('Plane')}: {words.t(plane.value)}",
                lambda p=plane: self._plane(p),
                "Image/Plane",
                f"Alt+{number}",
                enabled=self._volume,
                checked=lambda p=plane: self._is(lambda v: v.plane is p),
            )
        self._command(
            "slab",
            "Slab MIP",
            self._slab_on,
            "Image/Slab",
            "Y",
            icon="layers-triple-outline",
            enabled=self._volume,
            tip="Thick slab on and off",
            checked=lambda: self._is(lambda v: v.slab > 0),
        )
        self._command(
            "slab.more", "Thicker slab", lambda: self._slab(1), "Image/Slab", "Shift+Y", enabled=self._volume
        )
        self._command(
            "slab.less", "Thinner slab", lambda: self._slab(-1), "Image/Slab", "Alt+Y", enabled=self._volume
        )
        for mode in SlabMode:
            self._command(
                f"slab.{mode.value}",
                f"{words.t('Slab')} {words.t(mode.value)}",
                lambda m=mode: self._slab_mode(m),
                "Image/Slab",
                enabled=self._volume,
                checked=lambda m=mode: self._is(lambda v: v.slab > 0 and v.slab_mode is m),
            )
        for rows, columns in ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3)):
            self._command(
                f"layout.{rows}x{columns}",
                f"{words.t('Layout')} {rows} × {columns}",
                lambda r=rows, c=columns: self._session.rehang(self._page.grid.upright, Layout(r, c)),
                "Image/Layout",
            )
        self._command(
            "link",
            "Link current and prior",
            lambda: self._session.set_linked(not self._session.linked),
            "Image/Link",
            "G",
            icon="link-variant",
            checked=lambda: self._session.linked and self._has_prior(),
            enabled=self._has_prior,
        )
        self._command(
            "anchor",
            "Anchor current and prior here",
            self._session.anchor_here,
            "Image/Link",
            "Shift+G",
            icon="anchor",
            enabled=self._has_prior,
        )

    def _has_prior(self) -> bool:
        return self._session.prior is not None

    def _in_mpr(self) -> bool:
        return any(turns(c) for c in self._session.cells)

    def _mpr(self) -> None:
        plan = self._session.plan
        own = plan is not None and not plan.planes and any(p.view.is_reformat for p in plan.current)
        if self._in_mpr() and not own:  # a stage that hangs reformats of its own is no way back
            self._session.rehang(self._page.grid.upright)
        else:
            self._session.show_reformats(self._page.grid.upright)
        self._page.grid.focus()

    def _plane(self, plane: Plane) -> None:
        self.view(lambda v: v.with_(plane=plane))

    def _slab_on(self) -> None:
        self.view(lambda v: v.with_(slab=0.0 if v.slab > 0 else 10.0))

    def _slab(self, step: int) -> None:
        def changed(view: ViewState) -> ViewState:
            near = min(range(len(SLABS)), key=lambda n: abs(SLABS[n] - view.slab))
            return view.with_(slab=SLABS[min(len(SLABS) - 1, max(0, near + step))])

        self.view(changed)

    def _slab_mode(self, mode: SlabMode) -> None:
        self.view(lambda v: v.with_(slab_mode=mode, slab=v.slab or 10.0))
