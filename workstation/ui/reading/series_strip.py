"""The series of the study and of its prior, as thumbnails: viewed, unviewed, still loading; press or drag
one to hang it.
"""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QDrag, QFontMetrics, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QApplication, QBoxLayout, QFrame, QWidget

from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.documents.kinds import DocumentRef, Kind
from workstation.imaging.loader import Urgency
from workstation.rendering.picture import Picture
from workstation.rendering.thumbnails import thumbnail
from workstation.session.hanging import Role
from workstation.ui import theme, words
from workstation.ui.reading.cell import MIME, image_of
from workstation.ui.reading.room import Room
from workstation.ui.widgets.basics import discard, label
from workstation.ui.widgets.scrolling import ScrollArea

EDGE = 96
NAME_LINES = 3
"""Of a name under its thumbnail; two where the strip lies."""


class SeriesTile(QAbstractButton):
    """One display set: its middle image, number and count, and how much of it was seen."""

    def __init__(self, room: Room, shown: DisplaySet, role: Role, flat: bool = False) -> None:
        super().__init__()
        self.room, self.shown, self.role = room, shown, role
        self._lines = NAME_LINES - 1 if flat else NAME_LINES
        self.key = room.pictures.new_key()
        self._image: QImage | None = None
        self._from: QPoint | None = None
        number = "" if shown.series_number is None else f"{shown.series_number} "
        self._title = f"{number}{shown.description or shown.modality}".strip()
        whose = words.t("current") if role is Role.CURRENT else words.t("prior")
        self.setAccessibleName(f"{words.t('Series')} {self._title}, {whose}")
        problems = "\n".join(shown.problems)
        self.setToolTip(
            "\n".join(
                p
                for p in (self._title, words.count(len(shown), words.t("image"), words.t("images")), problems)
                if p
            )
        )
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._size()
        self.refresh()

    def _size(self) -> None:
        px = theme.current().px
        self.setFixedSize(QSize(px(EDGE) + px(16), px(EDGE) + room_below(self._lines)))

    def refresh(self) -> None:
        """Ask for the thumbnail once an image is there."""
        there, _count = self.room.progress(self.shown.uid)
        if self._image is None and there:
            request = self.room.load(self.shown, len(self.shown) // 2, Urgency.THUMBNAIL)
            edge = round(theme.current().px(EDGE) * self.devicePixelRatioF())
            self.room.pictures.wish(self.key, 1, lambda: thumbnail(request.volume, edge))
        self.update()

    def take(self, image: QImage) -> None:
        self._image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = theme.current(), QPainter(self)
        px = look.px
        picture = QRect(px(8), px(4), px(EDGE), px(EDGE))
        painter.fillRect(picture, look.colour("cell"))
        if self._image is not None:
            painter.drawImage(picture, self._image)
        painter.setPen(QPen(self._frame_colour(), px(1)))
        painter.drawRect(picture.adjusted(0, 0, -1, -1))
        self._paint_progress(painter, picture)
        metrics = painter.fontMetrics()
        line = QRect(px(8), picture.bottom() + px(2), px(EDGE), metrics.height())
        painter.setPen(look.colour("text"))
        for text in in_lines(self._title, metrics, line.width(), self._lines):
            painter.drawText(line, 0, text)
            line.translate(0, metrics.height() - px(2))
        painter.setPen(look.colour("quiet"))
        seen = len(self.room.session.viewed.get(self.shown.uid, ()))
        count = len(self.shown)
        told = (
            words.t("all seen")
            if seen >= count
            else f"{count}"
            if not seen
            else f"{seen}/{count} {words.t('seen')}"
        )
        painter.drawText(line, 0, told)
        if self.hasFocus():
            painter.setPen(QPen(look.colour("accent"), px(2)))
            painter.drawRect(self.rect().adjusted(1, 1, -2, -2))

    def _frame_colour(self) -> QColor:
        look, session = theme.current(), self.room.session
        hangs = any(c.display_set is not None and c.display_set.uid == self.shown.uid for c in session.cells)
        if hangs:
            return look.overlay("active_unfocused" if self.role is Role.CURRENT else "prior_frame")
        return look.colour("line")

    def _paint_progress(self, painter: QPainter, picture: QRect) -> None:
        there, count = self.room.progress(self.shown.uid)
        if not count or there >= count:
            return
        px = theme.current().px
        bar = QRect(
            picture.left() + 1, picture.bottom() - px(3), round((picture.width() - 2) * there / count), px(3)
        )
        painter.fillRect(bar, theme.current().colour("accent"))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._from = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        far = (
            self._from is not None
            and (event.position().toPoint() - self._from).manhattanLength() > QApplication.startDragDistance()
        )
        if not far or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        self._from = None
        drag, data = QDrag(self), QMimeData()
        data.setData(MIME, self.shown.uid.encode())
        drag.setMimeData(data)
        drag.setPixmap(self.grab(QRect(0, 0, self.width(), theme.current().px(EDGE) + theme.current().px(8))))
        self.setDown(False)
        drag.exec(Qt.DropAction.CopyAction)


class DocumentTile(QAbstractButton):
    """An object that is no image: its sign, its title and what it is."""

    def __init__(self, room: Room, shown: DocumentRef, role: Role, flat: bool = False) -> None:
        super().__init__()
        self.room, self.document, self.role = room, shown, role
        self._lines = NAME_LINES - 1 if flat else NAME_LINES
        whose = words.t("current") if role is Role.CURRENT else words.t("prior")
        self.setAccessibleName(f"{words.t('Document')} {shown.title}, {whose}")
        self.setToolTip(
            "\n".join(part for part in (shown.title, words.t(str(shown.kind)), shown.why_not) if part)
        )
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        px = theme.current().px
        self.setFixedSize(QSize(px(EDGE) + px(16), px(EDGE) // 2 + room_below(self._lines)))

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = theme.current(), QPainter(self)
        px = look.px
        sheet = QRect(px(8), px(4), px(EDGE), px(EDGE) // 2)
        painter.fillRect(sheet, look.colour("raised"))
        hangs = any(c.document == self.document for c in self.room.session.cells)
        painter.setPen(QPen(look.colour("accent" if hangs else "line"), px(1)))
        painter.drawRect(sheet.adjusted(0, 0, -1, -1))
        side = px(28)
        icon = theme.icon(SIGNS.get(self.document.kind, "file-document-outline"))
        icon.paint(painter, QRect(sheet.center().x() - side // 2, sheet.center().y() - side // 2, side, side))
        metrics = painter.fontMetrics()
        line = QRect(px(8), sheet.bottom() + px(2), px(EDGE), metrics.height())
        painter.setPen(look.colour("text"))
        for text in in_lines(self.document.title, metrics, line.width(), self._lines):
            painter.drawText(line, 0, text)
            line.translate(0, metrics.height() - px(2))
        painter.setPen(look.colour("quiet"))
        kind = metrics.elidedText(words.t(str(self.document.kind)), Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, 0, kind)
        if self.hasFocus():
            painter.setPen(QPen(look.colour("accent"), px(2)))
            painter.drawRect(self.rect().adjusted(1, 1, -2, -2))


SIGNS = {
    Kind.PDF: "file-pdf-box",
    Kind.WAVEFORM: "pulse",
    Kind.VIDEO: "filmstrip",
    Kind.KEY_OBJECTS: "key-outline",
    Kind.REPORT: "file-tree-outline",
}


def room_below(lines: int) -> int:
    """Height of the words under a thumbnail, the line of what was seen included."""
    return theme.current().px(26 + 18 * lines)


def in_lines(text: str, metrics: QFontMetrics, width: int, most: int) -> tuple[str, ...]:
    """A name on so many lines at most, broken between words; what does not fit has … in its middle."""
    lines: list[str] = []
    rest = text.split()
    while rest and len(lines) < most - 1:
        kept = rest.pop(0)
        while rest and metrics.horizontalAdvance(f"{kept} {rest[0]}") <= width:
            kept = f"{kept} {rest.pop(0)}"
        lines.append(metrics.elidedText(kept, Qt.TextElideMode.ElideMiddle, width))
    if rest:
        lines.append(metrics.elidedText(" ".join(rest), Qt.TextElideMode.ElideMiddle, width))
    return tuple(lines)


class SeriesStrip(QFrame):
    """A column of tiles, or a row of them in a low or narrow window."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self.room, self.session = room, room.session
        self.setProperty("look", "panel")
        self.setAccessibleName(words.t("Series"))
        self.tiles: list[SeriesTile] = []
        self.sheets: list[DocumentTile] = []
        self._inside = QWidget()
        self._layout = QBoxLayout(QBoxLayout.Direction.TopToBottom, self._inside)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._area = ScrollArea()
        self._area.setWidget(self._inside)
        self._area.setWidgetResizable(True)
        outer = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._area)
        self._flat = False
        self._late = QTimer(self, singleShot=True, interval=30)
        self._late.timeout.connect(self._fill)
        for signal in (self.session.opened, self.session.sets_changed, self.session.closed):
            signal.connect(self._late.start)
        self.session.hung.connect(self._repaint)
        self.session.view_changed.connect(
            lambda _n: self._soon.start() if not self._soon.isActive() else None
        )
        self._soon = QTimer(self, singleShot=True, interval=250)
        self._soon.timeout.connect(self._repaint)
        room.arrived.connect(self._arrived)
        room.pictures.made.connect(self._made)
        self.lie(False)

    def lie(self, flat: bool) -> None:
        """Lie down as a row above the cells, or stand as a column beside them."""
        if flat != self._flat:
            self._late.start()
        self._flat = flat
        px = theme.current().px
        direction = QBoxLayout.Direction.LeftToRight if flat else QBoxLayout.Direction.TopToBottom
        self._layout.setDirection(direction)
        off, needed = Qt.ScrollBarPolicy.ScrollBarAlwaysOff, Qt.ScrollBarPolicy.ScrollBarAsNeeded
        self._area.setHorizontalScrollBarPolicy(needed if flat else off)
        self._area.setVerticalScrollBarPolicy(off if flat else needed)
        whole = 16777215
        self.setFixedSize(QSize(whole, whole))
        self.setMinimumSize(QSize(0, 0))
        if flat:
            self.setFixedHeight(px(EDGE) + room_below(NAME_LINES - 1) + px(10))
            self.setMaximumWidth(whole)
        else:
            self.setFixedWidth(px(EDGE) + px(16) + px(10))
            self.setMaximumHeight(whole)

    def _fill(self) -> None:
        while (item := self._layout.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                discard(widget)
        self.tiles, self.sheets = [], []
        self._part(Role.CURRENT, words.t("Current"))
        if self.session.prior is not None:
            self._part(Role.PRIOR, words.iso_date(self.session.prior.study_date))
        self._layout.addStretch(1)

    def _part(self, role: Role, title: str) -> None:
        head = label(f"  {title}", "caption")
        head.setFixedHeight(theme.current().px(28))
        if role is Role.PRIOR:
            head.setStyleSheet(f"color: {theme.current().colours['prior']};")
        if not self._flat:
            self._layout.addWidget(head)
        for shown in self.session.sets[role]:
            self.room.load(shown, len(shown) // 2, Urgency.PREFETCH)
            tile = SeriesTile(self.room, shown, role, self._flat)
            tile.clicked.connect(lambda _on=False, s=shown: self.session.show(self._target(role), s))
            self.tiles.append(tile)
            self._layout.addWidget(tile)
        for document in self.session.documents[role]:
            sheet = DocumentTile(self.room, document, role, self._flat)
            sheet.clicked.connect(
                lambda _on=False, d=document: self.session.show_document(self._target(role), d)
            )
            self.sheets.append(sheet)
            self._layout.addWidget(sheet)

    def _target(self, role: Role) -> int:
        """The active cell where it is of that role, else the first that is."""
        active = self.session.active_cell
        if active is not None and active.role is role:
            return active.number
        return next((c.number for c in self.session.cells if c.role is role), self.session.active)

    def _arrived(self, uid: str) -> None:
        for tile in self.tiles:
            if tile.shown.uid == uid:
                tile.refresh()

    def _made(self, key: int, _serial: int, picture: object) -> None:
        for tile in self.tiles:
            if tile.key == key and isinstance(picture, Picture):
                tile.take(image_of(picture, tile.devicePixelRatioF()))

    def _repaint(self) -> None:
        for tile in (*self.tiles, *self.sheets):
            tile.update()
