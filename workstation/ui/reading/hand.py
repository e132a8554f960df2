"""The reader's hand on a cell: pointer events become strokes of a tool, effects become changes of the
session.

Left is the tool in hand (or the stroke under the pointer), right drag window and level, middle pan, the wheel
scrolls, with Ctrl or the right button it zooms; a right click that moved less than 4 px opens the menu.
Over a fused picture Shift and right drag is the window of the colours; a turning MIP is turned by left drag
and wheel.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent

from pacs_core.domain.measurement import Measurement
from workstation.imaging.geometry import subtract
from workstation.rendering.mip_view import turned_to
from workstation.session.view_state import Vector, ViewState
from workstation.tools import DRAWING, tool_named
from workstation.tools.calibrating import CALIBRATION, remeasured_with
from workstation.tools.measuring import moved_by, with_handle_moved
from workstation.tools.stacking import holding, tells_volume, told_anew
from workstation.tools.tool import Effect, Pointer, Scene, Tool
from workstation.ui import theme
from workstation.ui.reading.hit import Hit, hit

if TYPE_CHECKING:
    from workstation.ui.reading.cell import ImageCell

STILL_PX = 4
STEP = 120
ZOOM_STEP = 1.1
SMALLEST, LARGEST = 0.1, 40.0
LABEL_KEY = "label_at"
MODIFIERS = {
    Qt.KeyboardModifier.ShiftModifier: "shift",
    Qt.KeyboardModifier.ControlModifier: "ctrl",
    Qt.KeyboardModifier.AltModifier: "alt",
}
DEGREES_A_PIXEL = 0.5
DEGREES_A_STEP = 6.0
TOOL_KEYS = {"zoom": ("pan_zoom", "right"), "pan": ("pan_zoom", "left")}
ENDED_TWICE = {"path", "polygon_roi"}
"""Tools whose stroke a double click ends."""
ASKED_FIRST = {"text", "calibration", "spine_label"}
"""Kinds of strokes that are nothing without what is typed."""


class Hand:
    """One per cell; holds the stroke under way and nothing else."""

    def __init__(self, cell: ImageCell) -> None:
        self._cell = cell
        self._drawing: Tool | None = None
        self._side: Tool | None = None
        self._button = "left"
        self._grab: tuple[Hit, Vector] | None = None
        self._from: QPointF | None = None
        self._moved = False
        self._turned = 0
        self._over = False
        self._spun: tuple[float, float] | None = None
        self.preview: Measurement | None = None

    @property
    def busy(self) -> bool:
        """A stroke is under way."""
        held = self._grab is not None or self._cell.planes.held is not None
        held = held or self._spun is not None
        return held or self._side is not None or self._drawing is not None

    @property
    def turning(self) -> bool:
        """A turning MIP is under the hand: coarse pictures will do until it rests."""
        return self._spun is not None and self._moved

    # ── events ───────────────────────────────────────────────────────────────────────────────────────

    def press(self, event: QMouseEvent) -> None:
        self._from, self._moved = event.position(), False
        scene = self.scene()
        if scene is None:
            return
        button = event.button()
        if button == Qt.MouseButton.RightButton:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._over = shift and scene.view.fusion is not None
            self._begin_side("window_level", "left", event, self._overlaid(scene) if self._over else scene)
        elif button == Qt.MouseButton.MiddleButton:
            self._begin_side("pan_zoom", "left", event, scene)
        elif button == Qt.MouseButton.LeftButton:
            self._left(event, scene)

    def _overlaid(self, scene: Scene) -> Scene:
        """The scene of what is laid over: its volume, its window."""
        volume = self._cell.room.laid_over(scene.view)
        fusion = scene.view.fusion
        if volume is None or fusion is None:
            return scene
        return replace(scene, volume=volume, view=scene.view.with_(window=fusion.window))

    def _left(self, event: QMouseEvent, scene: Scene) -> None:
        if scene.view.turn is not None and self._cell.room.tool not in TOOL_KEYS:
            self._spun = (event.position().x(), scene.view.turn)
            return
        if self._drawing is None:
            found = self._under(event.position(), scene)
            if found is not None:
                self._grab = (found, self._pointer(event, scene).point)
                self._cell.session.select(found.stroke.tracking_uid)
                return
        self._cell.session.select("")
        if self._takes_lines and self._cell.planes.press(self._place(event), self._unit):
            return
        name, button = TOOL_KEYS.get(self._cell.room.tool, (self._cell.room.tool, "left"))
        if name not in DRAWING:
            self._begin_side(name, button, event, scene)
            return
        if self._drawing is None or self._drawing.name != name:
            self._drawing = tool_named(name)
        self._apply(self._drawing.press(self._pointer(event, scene), scene))

    @property
    def _takes_lines(self) -> bool:
        """A tool that draws draws over the lines of the planes, too."""
        return self._cell.room.tool not in DRAWING

    @property
    def _unit(self) -> float:
        """Viewport pixels of one at 96 dpi."""
        return self._cell.ratio * theme.current().scale

    def _place(self, event: QMouseEvent) -> tuple[float, float]:
        ratio = self._cell.ratio
        return event.position().x() * ratio, event.position().y() * ratio

    def _begin_side(self, name: str, button: str, event: QMouseEvent, scene: Scene) -> None:
        self._side, self._button = tool_named(name), button
        self._apply(self._side.press(self._pointer(event, scene, button), scene))

    def move(self, event: QMouseEvent) -> None:
        if self._from is not None and (event.position() - self._from).manhattanLength() >= STILL_PX:
            self._moved = True
        scene = self.scene()
        if scene is None:
            return
        if self._spun is not None:
            if self._moved:
                x, degrees = self._spun
                self._turn_to(degrees - (event.position().x() - x) * DEGREES_A_PIXEL)
        elif self._cell.planes.held is not None:
            alone = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            self._cell.planes.drag(self._place(event), alone)
        elif self._grab is not None:
            self._drag_grabbed(event, scene, done=False)
        elif self._side is not None:
            if self._moved:
                scene = self._overlaid(scene) if self._over else scene
                self._apply(self._side.drag(self._pointer(event, scene, self._button), scene))
        elif self._drawing is not None:
            self._apply(self._drawing.drag(self._pointer(event, scene), scene))
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier and scene.view.turn is None:
            self._apply(tool_named("crosshair").press(self._pointer(event, scene), scene))
        elif self._takes_lines:
            self._cell.planes.hover(self._place(event), self._unit)

    def release(self, event: QMouseEvent) -> None:
        scene, still = self.scene(), not self._moved
        if scene is not None:
            self._release(event, scene)
        self._grab, self._side, self._from = None, None, None
        self._cell.planes.release()
        self._over = False
        if self._spun is not None:
            self._spun = None
            self._cell.wish()
        if event.button() == Qt.MouseButton.RightButton and still:
            self._cell.menu_wanted.emit(self._cell.number, event.globalPosition().toPoint())

    def _release(self, event: QMouseEvent, scene: Scene) -> None:
        if self._grab is not None:
            if self._moved:
                self._drag_grabbed(event, scene, done=True)
            self.preview = None
        elif self._side is not None:
            if self._moved or self._side.name == "crosshair":
                self._apply(self._side.release(self._pointer(event, scene, self._button), scene))
        elif self._drawing is not None and event.button() == Qt.MouseButton.LeftButton:
            self._apply(self._drawing.release(self._pointer(event, scene), scene))

    def press_again(self, event: QMouseEvent) -> bool:
        """A double click: whether it belongs to the stroke under way, which it ends."""
        if self._drawing is None or self._drawing.name not in ENDED_TWICE:
            return False
        self.press(event)
        return True

    def wheel(self, event: QWheelEvent) -> None:
        self._turned += event.angleDelta().y() or event.angleDelta().x()
        steps = int(self._turned / STEP)
        self._turned -= STEP * steps
        if not steps:
            return
        if (
            event.modifiers() & Qt.KeyboardModifier.ControlModifier
            or event.buttons() & Qt.MouseButton.RightButton
        ):
            self._moved = True
            self.zoom(ZOOM_STEP**steps)
        else:
            self.scroll(-steps)

    # ── what keys do too ─────────────────────────────────────────────────────────────────────────────

    def scroll(self, steps: int) -> None:
        scene = self.scene()
        if scene is None:
            return
        if self._drawing is not None:
            self.drop()
        if scene.view.turn is not None:
            self._turn_to(scene.view.turn + steps * DEGREES_A_STEP)
            return
        self._apply(tool_named("scroll").wheel(steps, Pointer(scene.frame.centre, 0.0, 0.0), scene))

    def _turn_to(self, degrees: float) -> None:
        """The turning MIP from another side."""
        state, request = self._cell.state, self._cell.request
        size = self._cell.room.sizes.get(self._cell.number)
        if state is not None and request is not None and size is not None:
            view = turned_to(state.view, request.volume, degrees, size)
            self._cell.session.set_view(self._cell.number, view)

    def zoom(self, factor: float) -> None:
        state = self._cell.state
        if state is not None and state.display_set is not None:
            zoom = min(LARGEST, max(SMALLEST, state.view.zoom * factor))
            self._cell.session.set_view(self._cell.number, state.view.with_(zoom=zoom))

    def drop(self) -> None:
        """Forget the stroke under way (Escape)."""
        for tool in (self._drawing, self._side):
            if tool is not None:
                tool.cancel()
        self._drawing, self._side, self._grab, self.preview, self._from = None, None, None, None, None
        self._cell.planes.release()
        self._over, self._spun = False, None
        self._cell.update()

    # ── strokes that are there already ───────────────────────────────────────────────────────────────

    def _under(self, where: QPointF, scene: Scene) -> Hit | None:
        ratio = self._cell.ratio
        place = (where.x() * ratio, where.y() * ratio)
        return hit(
            scene.frame,
            scene.measurements,
            self._cell.session.selected,
            place,
            self._unit,
            self._cell.labels,
        )

    def _drag_grabbed(self, event: QMouseEvent, scene: Scene, done: bool) -> None:
        assert self._grab is not None
        found, first = self._grab
        if not self._moved or scene.frame.acquired != bool(found.stroke.instance_uid):
            return  # a stroke of an image is changed on that image, one of a plane on such a plane
        point = self._pointer(event, scene).point
        stroke = self._regrabbed(found, first, point, scene)
        if done:
            self.preview = None
            self.keep(stroke, scene)
        else:
            self.preview = stroke
        self._cell.update()

    def keep(self, stroke: Measurement, scene: Scene) -> None:
        """Put a stroke; with a calibration its image's other strokes, with a region its stack's volume."""
        session, geometry = self._cell.session, scene.volume.geometry
        if stroke.kind == CALIBRATION:
            session.replace_all(remeasured_with(scene, stroke), (), CALIBRATION)
            return
        before = session.measurements.get(stroke.tracking_uid)
        others = [m for m in session.strokes_on(stroke.study_uid) if m.tracking_uid != stroke.tracking_uid]
        if before is not None and tells_volume(before):
            stroke = holding(stroke, (*others, stroke), geometry)
        volumes = told_anew(stroke, (*others, stroke), geometry)
        if before is not None and before.label != stroke.label:
            volumes += told_anew(before, others, geometry)
        if volumes:
            session.replace_all((stroke, *volumes), (), f"change {stroke.kind.replace('_', ' ')}")
        else:
            session.put(stroke)

    @staticmethod
    def _regrabbed(found: Hit, first: Vector, point: Vector, scene: Scene) -> Measurement:
        if found.part == "handle":
            return with_handle_moved(scene, found.stroke, found.number, point)
        if found.part == "label":
            place = " ".join(f"{c:.3f}" for c in point)
            return replace(found.stroke, details={**found.stroke.details, LABEL_KEY: place})
        return moved_by(scene, found.stroke, subtract(point, first))

    # ── strokes ──────────────────────────────────────────────────────────────────────────────────────

    def scene(self) -> Scene | None:
        """The cell as a tool sees it; None until a picture of the present view is there."""
        cell = self._cell
        state, picture, request = cell.state, cell.shown.picture, cell.request
        if state is None or picture is None or request is None:
            return None
        strokes = cell.session.strokes_on(state.study_uid)
        return Scene(
            state.view,
            picture.frame,
            request.volume,
            strokes,
            state.study_uid,
            cell.room.desk.archive.who.name,
        )

    def _pointer(self, event: QMouseEvent, scene: Scene, button: str = "left") -> Pointer:
        ratio = self._cell.ratio
        held = frozenset(name for key, name in MODIFIERS.items() if event.modifiers() & key)
        x, y = event.position().x() * ratio, event.position().y() * ratio
        return Pointer(scene.frame.patient(x, y), x, y, button, held)

    def _apply(self, effect: Effect) -> None:
        cell = self._cell
        if effect.view is not None:
            cell.session.set_view(cell.number, self._meant(effect.view))
        if effect.measurement is not None:
            self._measured(effect.measurement, effect.done)
        if effect.crosshair is not None:
            cell.room.point(effect.crosshair, cell.number)
        if effect.message:
            cell.room.desk.say(effect.message, "waiting")
        cell.update()

    def _meant(self, view: ViewState) -> ViewState:
        """A window drawn for what is laid over goes to it, not to the picture below."""
        state = self._cell.state
        if not self._over or state is None or state.view.fusion is None:
            return view
        return state.view.with_(fusion=replace(state.view.fusion, window=view.window))

    def _measured(self, stroke: Measurement, done: bool) -> None:
        if not done:
            self.preview = stroke
            return
        self.preview, self._drawing = None, None
        if stroke.kind in ASKED_FIRST and not stroke.label:
            if not stroke.refusal:
                self._cell.caption.ask(stroke)
            return
        scene = self.scene()
        if scene is not None:
            self.keep(stroke, scene)
        else:
            self._cell.session.put(stroke)
        self._cell.session.select(stroke.tracking_uid)
        if stroke.kind == "arrow":
            self._cell.caption.ask(stroke)
