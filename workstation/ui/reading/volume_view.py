"""The 3D picture of a cell's series, over the cell: turned with the hand, zoomed with the wheel."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shiboken6
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from workstation.imaging.geometry import GeometryError
from workstation.rendering.display_list import DisplayList, Polyline
from workstation.rendering.overlays import Corner
from workstation.rendering.volume import marks
from workstation.rendering.volume.camera import Camera, fitted
from workstation.rendering.volume.client import VolumeClient, VolumePicture
from workstation.rendering.volume.crop import CropBox
from workstation.rendering.volume.edits import Snip
from workstation.rendering.volume.presets import Preset, presets_for
from workstation.rendering.volume.scene import Scene
from workstation.rendering.volume.source import CannotShow, Source, source_of
from workstation.ui import theme, words
from workstation.ui.reading import corners
from workstation.ui.reading.brush import Brush

if TYPE_CHECKING:
    from workstation.ui.reading.cell import ImageCell

DEGREES_A_PIXEL = 0.5
ZOOM_STEP = 1.1
STEP = 120
STILL_PX = 4
REACH = 14.0


class VolumeView(QWidget):
    """Covers a cell's picture until it is closed; waits for the last image of the series first."""

    _opened = Signal(object)
    _refused = Signal(str)
    _made = Signal(object)
    _said = Signal(str)
    _cut = Signal(str)

    def __init__(self, cell: ImageCell) -> None:
        super().__init__(cell)
        self._cell = cell
        self.client: VolumeClient | None = None
        self.source: Source | None = None
        self.scene: Scene | None = None
        self.picture: VolumePicture | None = None
        self.words = words.t("Loading …")
        self.refusal = ""
        self.tool = "turn"
        self.first_camera: Camera | None = None
        self._image: QImage | None = None
        self._from = self._last = QPointF()
        self._button: Qt.MouseButton | None = None
        self._moved = False
        self._face: int | None = None
        self._line: list[tuple[float, float]] = []
        self._opening = False
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay with the cell
        self.setMouseTracking(True)
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._opened.connect(self._take_source)
        self._refused.connect(self._take_refusal)
        self._made.connect(self._take_picture)
        self._said.connect(self._take_words)
        self._cut.connect(lambda text: cell.room.desk.say(text, "waiting"))
        cell.room.arrived.connect(self._arrived)
        self._name()
        self._begin()

    # ── opening ──────────────────────────────────────────────────────────────────────────────────────

    def _arrived(self, _uid: str) -> None:
        if self.source is None and not self.refusal:
            self._begin()

    def _begin(self) -> None:
        """Read what the volume holds, on a thread, once all of its images are there."""
        request = self._cell.request
        if request is None or self._opening:
            return
        volume = request.volume
        if not volume.is_complete:
            there, total = int(volume.loaded.sum()), len(volume.loaded)
            self.words = f"{words.t('Loading …')} {there} {words.t('of')} {total}"
            self.update()
            return
        self._opening = True

        def work() -> None:
            try:
                found = source_of(volume)
            except (CannotShow, GeometryError) as error:
                self._tell(self._refused, str(error))
            else:
                self._tell(self._opened, found)

        threading.Thread(target=work, name="volume-source", daemon=True).start()

    def _tell(self, signal: object, content: object) -> None:
        """From any thread; the view may be gone."""
        if shiboken6.isValid(self):
            signal.emit(content)  # type: ignore[attr-defined]  # a bound signal, which has no public type

    def _take_source(self, source: Source) -> None:
        self.source = source
        self.client = VolumeClient(
            source, lambda p: self._tell(self._made, p), lambda w: self._tell(self._said, w)
        )
        preset = self.presets()[0]
        camera = fitted(source.grid.corners())
        self.first_camera = camera
        self.scene = Scene(camera, preset.for_values(source.grid.low, source.grid.high))
        self.words = words.t("Preparing 3D …")
        self._cell.room.desk.commands.refresh()
        self.wish()

    def _take_refusal(self, why: str) -> None:
        self.refusal = words.t("No 3D: {why}.").format(why=why.rstrip("."))
        self._name()
        self.update()

    # ── pictures ─────────────────────────────────────────────────────────────────────────────────────

    def wish(self, moving: bool = False) -> None:
        """Ask for the picture of the scene in the present size."""
        if self.client is None or self.scene is None or self.width() < 8 or self.height() < 8:
            return
        ratio = self.devicePixelRatioF()
        self.client.show(self.scene, round(self.width() * ratio), round(self.height() * ratio), moving)
        self._name()
        self.update()

    def change(self, scene: Scene, moving: bool = False) -> None:
        """Show another scene."""
        self.scene = scene
        self.wish(moving)

    def _take_picture(self, picture: VolumePicture) -> None:
        pixels = np.ascontiguousarray(picture.pixels)
        height, width = pixels.shape[:2]
        image = QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB888)
        self._image = image.copy()  # its own bytes: the array may go
        self.picture = picture
        if self.words in (words.t("Preparing 3D …"), words.t("Loading …")) or picture.final:
            self.words = self.source.grid.words if self.source is not None else ""
        if picture.final:
            self._name()
        self.update()

    def _take_words(self, text: str) -> None:
        self.words = words.t(text)
        self.update()

    # ── what commands do ─────────────────────────────────────────────────────────────────────────────

    def presets(self) -> tuple[Preset, ...]:
        """Those for this modality first."""
        return presets_for(self.source.grid.modality if self.source is not None else "CT")

    def take_preset(self, preset: Preset) -> None:
        if self.scene is not None and self.source is not None:
            grid = self.source.grid
            self.change(replace(self.scene, function=preset.for_values(grid.low, grid.high)))

    def next_preset(self, by: int) -> None:
        """The one after (or before) the present one."""
        if self.scene is not None:
            names = [p.name for p in self.presets()]
            self.take_preset(self.presets()[(names.index(self.scene.function.name) + by) % len(names)])

    def look_from(self, side: str) -> None:
        """The observer stands at anterior, left, superior ..."""
        if self.scene is not None and self.first_camera is not None:
            camera = replace(self.scene.camera, centre=self.first_camera.centre)
            self.change(replace(self.scene, camera=camera.from_side(side)))

    def toggle_light(self) -> None:
        if self.scene is not None:
            self.change(replace(self.scene, shaded=not self.scene.shaded))

    def take_tool(self, name: str) -> None:
        """turn, scissors or crop; the same again puts it down."""
        self.tool = "turn" if self.tool == name else name
        self._line = []
        if self.tool == "crop" and self.scene is not None and self.scene.crop is None:
            assert self.source is not None
            self.change(replace(self.scene, crop=CropBox.around(self.source.grid.corners())))
        self.update()

    def whole(self) -> None:
        """Everything that was cut away is shown again, from the first side."""
        if self.scene is None or self.client is None or self.first_camera is None:
            return
        if self.client.edits is not None:
            self.client.restore()
        self.change(replace(self.scene, crop=None, camera=self.first_camera))

    def undo(self) -> None:
        if self.client is not None and self.client.edits is not None:
            self.client.undo()

    @property
    def can_undo(self) -> bool:
        return self.client is not None and self.client.edits is not None and self.client.edits.steps > 0

    def remove_bone(self) -> None:
        if self.client is not None:
            self._cell.room.desk.say(words.t("Looking for bone …"), "quiet")
            self.client.remove_bone().add_done_callback(self._cut_done)

    def _cut_done(self, done: object) -> None:
        failure = done.exception() if not done.cancelled() else None  # type: ignore[attr-defined]
        if failure is not None:
            self._tell(self._cut, words.t("Nothing was cut away: {why}").format(why=failure))

    def tell_words(self, text: str) -> None:
        """For the status line; from any thread."""
        self._tell(self._cut, text)

    def leave(self) -> None:
        """The child ends and its memory is given back; the cell shows its images again."""
        if self.client is not None:
            self.client.close()
            self.client = None

    # ── painting ─────────────────────────────────────────────────────────────────────────────────────

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme.current()
        painter.fillRect(self.rect(), look.colour("cell"))
        if self._image is not None and not self.refusal:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(self.rect()), self._image)
            self._paint_over(painter)
        self._paint_words(painter)
        if self._cell.is_active:
            token = "active" if self._cell.hasFocus() else "active_unfocused"
            painter.setPen(QPen(look.overlay(token), look.px(2), j=Qt.PenJoinStyle.MiterJoin))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            inset = look.px(2) // 2
            painter.drawRect(self.rect().adjusted(inset, inset, -inset - 1, -inset - 1))

    def _paint_over(self, painter: QPainter) -> None:
        scene, look = self.scene, theme.current()
        if scene is None:
            return
        width, height = self.width(), self.height()
        brush = Brush(painter, look.scale, look.pixels("overlay"), QSize(width, height))
        items = DisplayList()
        if self._cell.room.overlay:
            items += marks.over(scene.camera, width, height, *self.titles(), self._hints())
        if self.tool == "crop" and scene.crop is not None:
            items += marks.box_list(scene.camera.frame(width, height), scene.crop)
        if len(self._line) > 1:
            items += DisplayList((Polyline(tuple(self._line), "selected", closed=True),))
        brush.paint(items)

    def titles(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(series and preset, patient and date), as every picture of the series has them in its corners."""
        state, request = self._cell.state, self._cell.request
        corner = Corner()
        if state is not None and request is not None:
            corner = corners.corner(self._cell.session, state, request.volume)
        preset = words.t(self.scene.function.name) if self.scene is not None else ""
        return (corner.series, f"3D · {preset}"), (corner.patient, corner.date)

    def _hints(self) -> tuple[str, ...]:
        if self.tool == "scissors":
            return (words.t("Draw around what goes; with Shift, around what stays"),)
        if self.tool == "crop":
            return (words.t("Drag a face of the box"),)
        return ()

    def _paint_words(self, painter: QPainter) -> None:
        text = self.refusal or self.words
        if not text:
            return
        look = theme.current()
        painter.setFont(look.font())
        area = QRectF(self.rect()).adjusted(look.px(24), 0, -look.px(24), 0)
        if self._image is not None and not self.refusal:
            area.setTop(area.bottom() - look.px(64))
        flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
        box = painter.boundingRect(area, flags, text)
        painter.fillRect(box.adjusted(-look.px(8), -look.px(4), look.px(8), look.px(4)), look.overlay("halo"))
        painter.setPen(look.colour("wrong") if self.refusal else look.overlay("text"))
        painter.drawText(area, flags, text)

    def _name(self) -> None:
        name = words.t("3D of cell {n}").format(n=self._cell.number + 1)
        self.setAccessibleName(name)
        if self.refusal or self.scene is None:
            self.setAccessibleDescription(self.refusal or self.words)
        else:
            side = words.t("seen from {side}").format(side=words.t(marks.side_name(self.scene.camera)))
            coming = "" if self.picture is not None and self.picture.final else f", {words.t('Loading …')}"
            self.setAccessibleDescription(f"{words.t(self.scene.function.name)}, {side}{coming}")

    # ── the hand ─────────────────────────────────────────────────────────────────────────────────────

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._cell.setFocus(Qt.FocusReason.MouseFocusReason)
        self._cell.session.activate(self._cell.number)
        self._from = self._last = event.position()
        self._button, self._moved, self._face = event.button(), False, None
        if self.scene is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if self.tool == "scissors":
            self._line = [(event.position().x(), event.position().y())]
        elif self.tool == "crop" and self.scene.crop is not None:
            frame = self.scene.camera.frame(self.width(), self.height())
            found = marks.box_list(frame, self.scene.crop).handle_at(
                event.position().x(), event.position().y()
            )
            self._face = found.number if found is not None else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._button is None or self.scene is None:
            return
        self._moved |= (event.position() - self._from).manhattanLength() >= STILL_PX
        moved = event.position() - self._last
        if not self._moved:
            return
        self._last = event.position()
        if self._button == Qt.MouseButton.LeftButton and self.tool == "scissors":
            self._line.append((event.position().x(), event.position().y()))
            self.update()
            return
        self.change(self._dragged(self.scene, moved.x(), moved.y()), moving=True)

    def _dragged(self, scene: Scene, x: float, y: float) -> Scene:
        frame = scene.camera.frame(self.width(), self.height())
        pixel = frame.pixel_size[1]
        if self._button == Qt.MouseButton.MiddleButton:
            return replace(scene, camera=scene.camera.panned(x * pixel, y * pixel))
        if self._button == Qt.MouseButton.RightButton:
            low, high = scene.function.extent
            moved = scene.function.shifted(y * (high - low) / 400.0).stretched(1.0 + x / 200.0)
            return replace(scene, function=moved)
        if self._face is not None and scene.crop is not None:
            by = marks.face_drag(frame, scene.crop, self._face, (x, y))
            return replace(scene, crop=scene.crop.moved_face(self._face, by))
        return replace(scene, camera=scene.camera.turned(x * DEGREES_A_PIXEL, y * DEGREES_A_PIXEL))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        button, self._button = self._button, None
        if button == Qt.MouseButton.RightButton and not self._moved:
            self._cell.menu_wanted.emit(self._cell.number, event.globalPosition().toPoint())
        elif self._line:
            self._snip(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif self._moved:
            self.wish()
        self._face = None

    def _snip(self, outside: bool) -> None:
        line, self._line = tuple(self._line), []
        if self.client is not None and self.scene is not None and len(line) > 2:
            snip = Snip(self.scene.camera, self.width(), self.height(), line, not outside)
            self.client.snip(snip).add_done_callback(self._cut_done)
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._cell.maximise_wanted.emit(self._cell.number)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._cell.session.activate(self._cell.number)
        turned = event.angleDelta().y() or event.angleDelta().x()
        if self.scene is not None and turned:
            factor = ZOOM_STEP ** (turned / STEP)
            self.change(replace(self.scene, camera=self.scene.camera.zoomed(factor)))
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.wish()
