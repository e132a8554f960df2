"""One cell: a picture, what is drawn over it, and the reader's hand on it. Always black, never mirrored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QEnterEvent,
    QFocusEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from pacs_core.domain.measurement_words import label_lines
from workstation.imaging.documents import DocumentRef
from workstation.imaging.loader import LoadRequest
from workstation.rendering.cross_lines import cross_list
from workstation.rendering.display_list import DisplayList, Text
from workstation.rendering.overlays import position_words
from workstation.rendering.picture import Picture
from workstation.rendering.render import picture_of
from workstation.rendering.strokes import lies_on
from workstation.session import linking
from workstation.session.hanging import Role
from workstation.session.reading_session import CellState
from workstation.tools.planes import slices_seen
from workstation.ui import theme, words
from workstation.ui.reading import corners, key_image, layout_words, strokes
from workstation.ui.reading.blend import BlendSlider
from workstation.ui.reading.brush import Brush
from workstation.ui.reading.caption import Caption
from workstation.ui.reading.document_view import DocumentView
from workstation.ui.reading.hand import Hand
from workstation.ui.reading.plane_hand import PlaneHand
from workstation.ui.reading.room import Room
from workstation.ui.reading.scroll_bar import CellScrollBar
from workstation.ui.reading.volume_view import VolumeView
from workstation.ui.widgets.basics import discard

BAR = 14
POINTER_GONE = (QEvent.Type.WindowDeactivate, QEvent.Type.Hide, QEvent.Type.Resize)
"""When nobody is told where the pointer went: a menu, another window, a cell that took another place."""
SIDE_BUTTONS = {
    Qt.MouseButton.ForwardButton: "read.stage.next",
    Qt.MouseButton.BackButton: "read.stage.previous",
}
MIME = "application/x-reading-room-display-set"


@dataclass
class Shown:
    """What the cell painted last: the picture, its bytes as an image, and the wish it answers."""

    serial: int = 0
    picture: Picture | None = None
    image: QImage | None = None
    failure: str = ""


class ImageCell(QWidget):
    """Paints pictures made elsewhere; never waits for one."""

    menu_wanted = Signal(int, object)
    maximise_wanted = Signal(int)

    def __init__(self, room: Room, number: int) -> None:
        super().__init__()
        self.room, self.session, self.number = room, room.session, number
        self.shown = Shown()
        self.request: LoadRequest | None = None
        self.pointer: QPointF | None = None
        self.crosshair: tuple[float, float, float] | None = None
        self.playing = ""
        self.labels: dict[str, QRectF] = {}
        self._serial = 0
        self._key = room.pictures.new_key()
        self.planes = PlaneHand(self)
        self.hand = Hand(self)
        self.caption = Caption(self)
        self.volume_view: VolumeView | None = None
        self._volume_of = ""
        self.document_view: DocumentView | None = None
        self.scroll_bar = CellScrollBar(self)
        self.blend = BlendSlider(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(96, 96))
        room.pictures.made.connect(self._take)
        room.arrived.connect(self._arrived)
        room.overlay_changed.connect(self.update)
        room.lines_changed.connect(self.update)
        room.pointed.connect(self._pointed)
        room.others.changed.connect(self.update)
        self.refresh()

    # ── what is to be shown ──────────────────────────────────────────────────────────────────────────

    @property
    def state(self) -> CellState | None:
        cells = self.session.cells
        return cells[self.number] if self.number < len(cells) else None

    @property
    def is_active(self) -> bool:
        return self.session.active == self.number

    @property
    def settled(self) -> bool:
        """The picture painted is the one last wished for, whole, and not one of a view that was left."""
        picture = self.shown.picture
        return picture is not None and picture.status == "shown" and self.shown.serial == self._serial

    @property
    def answered(self) -> bool:
        """The last wish was answered: nothing is being made for this cell."""
        return self.shown.serial == self._serial

    def refresh(self) -> None:
        """The session changed: load what is new, wish for its picture."""
        state = self.state
        self.blend.refresh()
        if state is None or state.display_set is None or state.display_set.uid != self._volume_of:
            self.close_volume()
        self._show_document(state.document if state is not None else None)
        if state is None or state.display_set is None:
            self.request, self.shown = None, Shown(self._serial)
            self._name()
            self.update()
            return
        request = self.room.load(state.display_set, state.view.index)
        if self.request is None or request.volume is not self.request.volume:
            self.room.hurry(state.display_set)
            if self.request is None or self.request.volume.display_set.uid != state.display_set.uid:
                self.shown = Shown(self._serial)
            self.request = request
        self.wish()

    def _show_document(self, wanted: DocumentRef | None) -> None:
        """A document over the empty cell, while one hangs here."""
        view = self.document_view
        if (view.shown if view is not None else None) == wanted:
            return
        if view is not None:
            discard(view)
        self.document_view = None
        if wanted is not None:
            self.document_view = DocumentView(self, wanted)
            self.document_view.wanted.connect(self._follow_link)
            self.document_view.setGeometry(self.rect())
            self.document_view.show()

    def _follow_link(self, sop_instance_uid: str, frame: int) -> None:
        if not self.session.show_image(sop_instance_uid, frame, self.number):
            self.room.desk.say(words.t("That image is in none of the studies that are open."), "waiting")

    def wish(self) -> None:
        """Ask for the picture of the present view in the present size."""
        state = self.state
        if state is None or self.request is None or self.width() < 8 or self.height() < 8:
            return
        self._serial += 1
        ratio = self.devicePixelRatioF()
        width, height = round(self.picture_area().width() * ratio), round(self.height() * ratio)
        self.room.sizes[self.number] = (width, height)
        view, volume = state.view, self.request.volume
        above, moving = self.room.laid_over(view), self.hand.turning
        said = (self.playing, *corners.said_of(view, volume, above))
        corner = corners.corner(self.session, state, volume, said)
        self.room.pictures.wish(
            self._key, self._serial, lambda: picture_of(view, volume, above, (width, height), corner, moving)
        )
        self._name()

    def _take(self, cell: int, serial: int, picture: Picture | Exception) -> None:
        if cell != self._key or serial < self.shown.serial or self.request is None:
            return
        if isinstance(picture, Exception):
            self.shown = Shown(
                serial, failure=words.t("This picture could not be made: {why}").format(why=picture)
            )
        else:
            self.shown = Shown(serial, picture, image_of(picture, self.devicePixelRatioF()))
            self._seen(picture)
        self._name()
        self.update()

    def redraw(self) -> None:
        """A stroke or the choice of one changed."""
        self._name()
        if self.document_view is not None:
            self.document_view.update()
        self.update()

    def _seen(self, picture: Picture) -> None:
        state = self.state
        if (
            picture.status == "shown"
            and state is not None
            and state.display_set is not None
            and self.request is not None
            and self.isVisible()
        ):
            for index in slices_seen(picture.frame, self.request.volume):
                self.session.saw(state.display_set.uid, index)

    def _arrived(self, uid: str) -> None:
        state = self.state
        if state is None or state.display_set is None:
            return
        if state.view.beside == uid:
            self.wish()
        if state.display_set.uid != uid:
            return
        if self.shown.picture is None or self.shown.picture.status != "shown" or state.view.is_reformat:
            self.wish()
        self.scroll_bar.update()

    def _pointed(self, where: tuple[float, float, float], source: int) -> None:
        """Somebody pointed at a place: show it here in this cell's own space, not where it came from."""
        state = self.state
        tie = None
        if state is not None and source < len(self.session.cells) and source != self.number:
            tie = self.session.tie(self.session.cells[source], state)
        self.crosshair = linking.carried(where, tie) if tie is not None else None
        self.update()

    def _name(self) -> None:
        state = self.state
        if state is not None and state.document is not None:
            name = words.t("Cell {n}: document {title}")
            self.setAccessibleName(name.format(n=self.number + 1, title=state.document.title))
            return
        if state is None or state.display_set is None:
            self.setAccessibleName(words.t("Cell {n}: empty").format(n=self.number + 1))
            return
        shown, whose = (
            state.display_set,
            words.t("current") if state.role is Role.CURRENT else words.t("prior"),
        )
        self.setAccessibleName(
            words.t("Cell {n}: {whose}, {what}").format(
                n=self.number + 1, whose=whose, what=shown.description or shown.modality
            )
        )
        self.setAccessibleDescription(self._seen_words())

    def _seen_words(self) -> str:
        """The painted picture in words: image, plane, position and measurements, as the overlay has them."""
        picture, state = self.shown.picture, self.state
        if picture is None or picture.status != "shown" or state is None or state.display_set is None:
            return self._words()[0]
        frame = picture.frame
        facts = [state.view.plane.value, *position_words(frame)[:1]]
        if frame.acquired or frame.instance_uid:
            facts[:0] = [f"{words.t('Image')} {frame.index + 1} {words.t('of')} {len(state.display_set)}"]
        drawn = [
            " ".join(label_lines(one))
            for one in self.session.strokes_on(state.study_uid)
            if not one.deleted and lies_on(frame, one)
        ]
        return ", ".join((*facts, *drawn))

    def toggle_volume(self) -> None:
        """3D over the picture, or away again."""
        state = self.state
        if self.volume_view is not None:
            self.close_volume()
        elif state is not None and state.display_set is not None and self.request is not None:
            self._volume_of = state.display_set.uid
            self.room.hurry(state.display_set)
            self.volume_view = VolumeView(self)
            self.volume_view.setGeometry(self.rect())
            self.volume_view.show()
            self.session.set_solid(self.number, True)

    def close_volume(self) -> None:
        view, self.volume_view, self._volume_of = self.volume_view, None, ""
        if view is not None:
            self.session.set_solid(self.number, False)
            view.leave()
            view.hide()
            view.deleteLater()

    # ── painting ─────────────────────────────────────────────────────────────────────────────────────

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme.current()
        painter.fillRect(self.rect(), look.colour("cell"))
        if self.shown.image is not None:
            painter.drawImage(self.picture_area(), self.shown.image)
            self._paint_over(painter)
        self._paint_words(painter)
        if self.is_active:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            token = "active" if self.hasFocus() else "active_unfocused"
            painter.setPen(QPen(look.overlay(token), look.px(2), j=Qt.PenJoinStyle.MiterJoin))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            inset = look.px(2) // 2
            painter.drawRect(self.rect().adjusted(inset, inset, -inset - 1, -inset - 1))

    def _paint_over(self, painter: QPainter) -> None:
        picture = self.shown.picture
        assert picture is not None
        ratio = self.ratio
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        look = theme.current()
        brush = Brush(
            painter, ratio * look.scale, look.pixels("overlay") * ratio, QSize(picture.width, picture.height)
        )
        lines = self.planes.crossing()
        if lines is not None:
            held = self.planes.held.part if self.planes.held is not None else self.planes.over
            brush.paint(cross_list(lines, ratio * look.scale, held))
        if self.room.overlay:
            brush.paint(picture.display_list)
            brush.paint(self._under_pointer(picture, ratio))
            brush.paint(self._others(picture))
        brush.paint(self.strokes(with_crosshair=lines is None))
        self.labels = brush.labels
        painter.restore()

    def strokes(self, with_crosshair: bool = True) -> DisplayList:
        """Measurements of this picture, the one being drawn and the crosshair, in viewport pixels."""
        state, picture = self.state, self.shown.picture
        if state is None or picture is None:
            return DisplayList()
        crosshair = self.crosshair if with_crosshair else None
        return strokes.over(self.session, state, picture.frame, self.hand.preview, crosshair)

    def _others(self, picture: Picture) -> DisplayList:
        """What others' objects say on this picture, and whether it is a key image."""
        state, frame = self.state, picture.frame
        if state is None or self.request is None:
            return DisplayList()
        header = self.request.volume.header(frame.index) if frame.acquired else None
        own = key_image.marked(self.session, state.study_uid, frame) is not None
        return self.room.others.over(frame, header) + key_image.badge(
            frame, own, self.room.others.key_words(frame)
        )

    def _under_pointer(self, picture: Picture, ratio: float) -> DisplayList:
        if self.pointer is None or self.request is None or self.hand.busy:
            return DisplayList()
        point = (self.pointer.x() * ratio, self.pointer.y() * ratio)
        view = self.state.view if self.state is not None else None
        above = self.room.laid_over(view) if view is not None else None
        change = view.change if view is not None else None
        text = corners.under_pointer(self.request.volume, picture.frame, *point, above, change)
        if not text or (view is not None and view.turn is not None):
            return DisplayList()
        corner = [i for i in picture.display_list.items if isinstance(i, Text) and i.anchor == "top-left"]
        x, y = corner[0].position if corner else (8.0 * ratio, 8.0 * ratio)
        size = corner[0].size if corner else 1.0
        line = theme.current().pixels("overlay") * size * ratio * 1.4
        lines = len(corner[0].lines) if corner else 0
        return DisplayList((Text(text, (x, y + line * (lines + 0.4)), "top-left", "overlay", size),))

    def _paint_words(self, painter: QPainter) -> None:
        """Empty, loading, partial or failed, in words."""
        text, token = self._words()
        if not text:
            return
        look = theme.current()
        painter.setFont(look.font())
        area = QRectF(self.rect()).adjusted(look.px(24), 0, -look.px(24), 0)
        flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
        if (
            self.shown.image is not None
            and self.shown.picture is not None
            and self.shown.picture.status == "approximate"
        ):
            area.setTop(area.bottom() - look.px(64))
        box = painter.boundingRect(area, flags, text).adjusted(
            -look.px(8), -look.px(4), look.px(8), look.px(4)
        )
        painter.fillRect(box, look.overlay("halo"))
        painter.setPen(look.colour(token) if token != "quiet" else look.overlay("text"))
        painter.drawText(area, flags, text)

    def _words(self) -> tuple[str, str]:
        state = self.state
        if state is None or state.display_set is None:
            free = words.t("Nothing hangs here. Drop a series, or choose one in the strip.")
            wanted = layout_words.wanted_words(self.session, self.number) if state is not None else ""
            return wanted or free, "quiet"
        if self.shown.failure:
            return self.shown.failure, "wrong"
        picture = self.shown.picture
        if picture is None or picture.status == "loading":
            return words.t("Loading …"), "quiet"
        if picture.status == "failed":
            return picture.words or words.t("This image cannot be shown."), "wrong"
        return (picture.words, "waiting") if picture.status == "approximate" else ("", "")

    # ── the hand ─────────────────────────────────────────────────────────────────────────────────────

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.session.activate(self.number)
        if event.button() in SIDE_BUTTONS:
            self.room.desk.commands.run(SIDE_BUTTONS[event.button()])
            return
        self.hand.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointer = event.position()
        self.hand.move(event)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.hand.release(event)
        if not self.rect().contains(event.position().toPoint()):  # a drag that ended outside
            self.pointer = None
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not self.hand.press_again(event):
            self.hand.drop()
            self.maximise_wanted.emit(self.number)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.session.activate(self.number)
        self.hand.wheel(event)
        event.accept()

    def leaveEvent(self, event: object) -> None:
        self.pointer, self.planes.over = None, None
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        self.pointer = event.position()

    def event(self, event: QEvent) -> bool:
        if event.type() in POINTER_GONE:
            self.pointer = None
            self.update()
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.session.activate(self.number)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def picture_area(self) -> QRect:
        """The cell but for the strip of its scroll bar, where there is something to scroll."""
        state = self.state
        single = state is not None and state.display_set is not None and len(state.display_set) == 1
        bar = 0 if single else theme.current().px(BAR)
        return QRect(0, 0, max(1, self.width() - bar), self.height())

    @property
    def ratio(self) -> float:
        """Viewport pixels of the picture to a pixel of the widget."""
        picture = self.shown.picture
        return (
            picture.width / max(1, self.picture_area().width())
            if picture is not None
            else self.devicePixelRatioF()
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        look = theme.current()
        self.scroll_bar.setGeometry(
            QRect(
                self.width() - look.px(BAR - 1),
                look.px(6),
                look.px(BAR - 4),
                max(0, self.height() - look.px(12)),
            )
        )
        if self.volume_view is not None:
            self.volume_view.setGeometry(self.rect())
        if self.document_view is not None:
            self.document_view.setGeometry(self.rect())
        self.blend.refresh()
        self.wish()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(MIME):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        uid = bytes(event.mimeData().data(MIME).data()).decode()
        found = next((s for sets in self.session.sets.values() for s in sets if s.uid == uid), None)
        if found is not None:
            self.session.show(self.number, found)
            event.acceptProposedAction()


class PixelImage(QImage):
    """An image over bytes that are not its own."""

    pixels: np.ndarray  # keeps the array alive as long as the image


def image_of(picture: Picture, ratio: float) -> QImage:
    """A QImage over the picture's own bytes (no copy; the picture keeps them alive beside it)."""
    pixels = np.ascontiguousarray(picture.pixels)
    height, width = pixels.shape[:2]
    kind = QImage.Format.Format_RGB888 if pixels.ndim == 3 else QImage.Format.Format_Grayscale8
    image = PixelImage(pixels.data, width, height, pixels.strides[0], kind)
    image.pixels = pixels
    image.setDevicePixelRatio(ratio)
    return image
