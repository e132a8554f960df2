"""Paints a display list: every item over a dark halo, colours and sizes from the theme."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from workstation.rendering.display_list import (
    DisplayList,
    Ellipse,
    Handle,
    Line,
    Polyline,
    ScaleBar,
    Text,
)
from workstation.rendering.overlays import MARGIN
from workstation.ui import theme

HALO = 2.0
LABELS_APART = 2.0
STEPS = (0, -1, 1, -2, 2, -3, 3, -4, 4)
"""How many of its own heights a label goes up or down to where nothing is written."""
ROLE_TOKENS = {
    "current": "current",
    "prior": "prior",
    "selected": "selected",
    "overlay": "text",
    "crosshair": "reference",
    "foreign": "text",
}
LEFT = {"top-left", "bottom-left", "left"}
RIGHT = {"top-right", "bottom-right", "right"}
TOP = {"top-left", "top-right", "top"}
BOTTOM = {"bottom-left", "bottom-right", "bottom"}
CORNERS = {"top-left", "top-right", "bottom-left", "bottom-right"}


def colour(role: str) -> QColor:
    """The theme's colour of a display list's role."""
    look = theme.current()
    if role in ROLE_TOKENS:
        return look.overlay(ROLE_TOKENS[role])
    return look.colour({"warning": "waiting"}.get(role, "quiet"))


class Brush:
    """One painter, one size: `unit` is device pixels of a pixel at 96 dpi, `text` the overlay's pixel
    size. `labels` are the places that the words of measurements took, by their owners.
    """

    def __init__(self, painter: QPainter, unit: float, text: float, size: QSize) -> None:
        self._painter, self._unit, self._text, self._size = painter, unit, text, size
        self._taken: list[QRectF] = []
        self.labels: dict[str, QRectF] = {}

    def paint(self, items: DisplayList) -> None:
        self._painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for item in items.items:
            if isinstance(item, ScaleBar):
                self._bar(item, items)
            else:
                self._item(item)

    def _item(self, item: Line | Polyline | Ellipse | Handle | Text) -> None:
        if isinstance(item, Text):
            self._words(item)
        elif isinstance(item, Handle):
            self._handle(item)
        else:
            self._stroke(self._path(item), item.role, item.width, item.dashed)

    def _path(self, item: Line | Polyline | Ellipse) -> QPainterPath:
        path = QPainterPath()
        if isinstance(item, Line):
            path.moveTo(*item.start)
            path.lineTo(*item.end)
        elif isinstance(item, Polyline):
            path.addPolygon(QPolygonF([QPointF(x, y) for x, y in item.points]))
            if item.closed:
                path.closeSubpath()
        else:
            path.addEllipse(QPointF(0, 0), *item.radii)
            path = QTransform().translate(*item.centre).rotate(item.degrees).map(path)
        return path

    def _stroke(self, path: QPainterPath, role: str, width: float, dashed: bool) -> None:
        painter, width = self._painter, width * self._unit
        halo = QPen(
            theme.current().overlay("halo"),
            width + HALO * self._unit,
            Qt.PenStyle.SolidLine,
            Qt.PenCapStyle.RoundCap,
            Qt.PenJoinStyle.RoundJoin,
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(halo)
        painter.drawPath(path)
        pen = QPen(
            colour(role),
            width,
            Qt.PenStyle.CustomDashLine if dashed else Qt.PenStyle.SolidLine,
            Qt.PenCapStyle.FlatCap if dashed else Qt.PenCapStyle.RoundCap,
            Qt.PenJoinStyle.RoundJoin,
        )
        if dashed:
            pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.drawPath(path)

    def _handle(self, item: Handle) -> None:
        half = item.size * self._unit / 2
        x, y = item.position
        path = QPainterPath()
        path.addRect(QRectF(x - half, y - half, 2 * half, 2 * half))
        self._stroke(path, item.role, 1.5, False)

    def _bar(self, item: ScaleBar, items: DisplayList) -> None:
        """Upright, on the words of the lower right corner; left of the letter at that edge if it must be."""
        under = [t for t in items.items if isinstance(t, Text) and t.anchor == "bottom-right" and not t.owner]
        taken = sum(self._metrics(t.size).height() * len(t.lines) for t in under)
        metrics, tick = self._metrics(item.size), 4 * self._unit
        bottom = self._size.height() - MARGIN - max(taken, item.above) - metrics.height() / 2
        x = self._size.width() - MARGIN - tick
        if bottom - item.length < self._size.height() / 2 + metrics.height():
            x -= metrics.horizontalAdvance("HL") + tick
        path = QPainterPath(QPointF(x, bottom))
        path.lineTo(x, bottom - item.length)
        for y in (bottom, bottom - item.length):
            path.moveTo(x - tick, y)
            path.lineTo(x + tick, y)
        self._stroke(path, item.role, 1.5, False)
        left = x - 2 * tick - metrics.horizontalAdvance(item.words)
        top = bottom - item.length / 2 - metrics.height() / 2
        self._line(item.words, left, top + metrics.ascent(), item.role)

    def _metrics(self, size: float) -> QFontMetrics:
        """The overlay's font at a relative size, in hand from now on."""
        font = theme.current().font("overlay")
        font.setPixelSize(max(1, round(self._text * size)))
        self._painter.setFont(font)
        return self._painter.fontMetrics()

    def _words(self, item: Text) -> None:
        metrics = self._metrics(item.size)
        lines = self._clear_of_the_letters(item, metrics)
        height = metrics.height() * len(lines)
        width = max((metrics.horizontalAdvance(line) for line in lines), default=0)
        place = QRectF(*self._corner(item, width, height), width, height)
        if item.owner:
            place = self._with_room(item, place)
            self.labels[item.owner] = place
        self._taken.append(place)
        for number, line in enumerate(lines):
            own = metrics.horizontalAdvance(line)
            at = (
                place.left()
                if item.anchor in LEFT
                else place.right() - own
                if item.anchor in RIGHT
                else place.left() + (width - own) / 2
            )
            self._line(line, at, place.top() + metrics.ascent() + number * metrics.height(), item.role)

    @staticmethod
    def _corner(item: Text, width: float, height: float) -> tuple[float, float]:
        """The upper left corner of a text at its own place."""
        x, y = item.position
        left = x if item.anchor in LEFT else x - width if item.anchor in RIGHT else x - width / 2
        top = y if item.anchor in TOP else y - height if item.anchor in BOTTOM else y - height / 2
        return left, top

    def _with_room(self, item: Text, own: QRectF) -> QRectF:
        """A measurement's label inside the picture, off its measurement and off other words: at its place, on
        the other side, or above or below, wherever first nothing is written; one that was put there stays.
        """
        if item.otherwise is None:
            return self._in_picture(own)
        step = own.height() + LABELS_APART * self._unit
        left = QRectF(own)
        left.moveTo(item.otherwise[0] - own.width(), item.otherwise[1] - own.height() / 2)
        sides = (own, left) if self._in_picture(own) == own else (left, own)
        places = [self._in_picture(side.translated(0, n * step)) for n in STEPS for side in sides]
        return next((p for p in places if not any(p.intersects(t) for t in self._taken)), places[0])

    def _in_picture(self, place: QRectF) -> QRectF:
        left = self._inside(place.left(), place.width(), self._size.width())
        top = self._inside(place.top(), place.height(), self._size.height())
        return QRectF(left, top, place.width(), place.height())

    def _clear_of_the_letters(self, item: Text, metrics: QFontMetrics) -> tuple[str, ...]:
        """Corner words end in … before they reach the orientation letter in the middle of the edge."""
        if item.owner or item.anchor not in CORNERS:
            return item.lines
        room = self._size.width() / 2 - item.position[0] if item.anchor in LEFT else 0.0
        room = room or item.position[0] - self._size.width() / 2
        wide = max(0, round(room - metrics.height()))
        return tuple(metrics.elidedText(line, Qt.TextElideMode.ElideRight, wide) for line in item.lines)

    def _inside(self, start: float, length: float, room: float) -> float:
        margin = 4 * self._unit
        return max(margin, min(start, room - length - margin))

    def _line(self, text: str, x: float, baseline: float, role: str) -> None:
        """Text with a halo: drawn dark around itself, then in its colour."""
        painter, reach = self._painter, max(1.0, self._unit)
        painter.setPen(theme.current().overlay("halo"))
        for dx, dy in ((-reach, -reach), (reach, reach), (-reach, reach), (reach, -reach)):
            painter.drawText(QPointF(x + dx, baseline + dy), text)
        painter.setPen(colour(role))
        painter.drawText(QPointF(x, baseline), text)
