"""A row that goes on in the next line where there is no room: large text, narrow windows."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QFrame, QLayout, QLayoutItem, QSizePolicy, QStyle, QWidget

from workstation.ui import theme


class Flow(QLayout):
    """Widgets side by side in as many lines as they need; what is `pushed` stands at its line's far end, and
    goes into the next line together.

    `elastic` takes what its line has to spare.
    """

    def __init__(self, margin: tuple[int, int] = (0, 0), gap: int = 8) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._margin, self._gap = margin, gap
        self._pushed: set[int] = set()
        self._elastic: QWidget | None = None

    def add(self, *widgets: QWidget, pushed: bool = False, elastic: bool = False) -> None:
        """Put widgets at the end; the first of the pushed ones takes the rest with it."""
        for widget in widgets:
            if pushed and widget is widgets[0]:
                self._pushed.add(len(self._items))
            self.addWidget(widget)
            if elastic:
                self._elastic = widget

    # ── what Qt asks ──

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._lay(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._lay(rect, move=True)

    def sizeHint(self) -> QSize:
        px = theme.current().px
        widths = [self._wanted(item).width() for _n, item in self._shown()]
        width = sum(widths) + px(self._gap) * max(0, len(widths) - 1) + 2 * px(self._margin[0])
        return QSize(width, self.minimumSize().height())

    def minimumSize(self) -> QSize:
        px = theme.current().px
        sizes = [self._wanted(item) for _n, item in self._shown()]
        widest, highest = (
            max((s.width() for s in sizes), default=0),
            max((s.height() for s in sizes), default=0),
        )
        return QSize(widest + 2 * px(self._margin[0]), highest + 2 * px(self._margin[1]))

    # ── laying ──

    def _shown(self) -> list[tuple[int, QLayoutItem]]:
        return [(n, item) for n, item in enumerate(self._items) if not item.isEmpty()]

    def _wanted(self, item: QLayoutItem) -> QSize:
        return item.sizeHint().expandedTo(item.minimumSize())

    def _lines(self, width: int) -> list[list[tuple[int, QLayoutItem]]]:
        gap, used = theme.current().px(self._gap), 0
        lines: list[list[tuple[int, QLayoutItem]]] = [[]]
        for number, item in self._shown():
            wide = self._wanted(item).width()
            together = self._together(number, gap)
            if lines[-1] and used + gap + (together if together <= width else wide) > width:
                lines.append([])
                used = 0
            used += wide + (gap if lines[-1] else 0)
            lines[-1].append((number, item))
        return lines

    def _together(self, number: int, gap: int) -> int:
        """The width of what goes into the next line with an item: of all that is pushed with it."""
        if number not in self._pushed:
            return self._wanted(self._items[number]).width()
        later = min((n for n in self._pushed if n > number), default=len(self._items))
        widths = [self._wanted(item).width() for n, item in self._shown() if number <= n < later]
        return sum(widths) + gap * (len(widths) - 1)

    def _lay(self, rect: QRect, move: bool) -> int:
        px = theme.current().px
        sides, ends, gap = px(self._margin[0]), px(self._margin[1]), px(self._gap)
        room = rect.width() - 2 * sides
        y = rect.y() + ends
        for line in self._lines(room):
            high = max((self._wanted(item).height() for _n, item in line), default=0)
            if move:
                self._lay_line(line, QRect(rect.x() + sides, y, room, high), rect, gap)
            y += high + gap // 2
        return y - gap // 2 + ends - rect.y()

    def _lay_line(self, line: list[tuple[int, QLayoutItem]], place: QRect, whole: QRect, gap: int) -> None:
        spare = place.width() - sum(self._wanted(i).width() for _n, i in line) - gap * (len(line) - 1)
        x = place.x()
        right_to_left = self.parentWidget() is not None and (
            self.parentWidget().layoutDirection() == Qt.LayoutDirection.RightToLeft
        )
        direction = Qt.LayoutDirection.RightToLeft if right_to_left else Qt.LayoutDirection.LeftToRight
        for number, item in line:
            wide, high = self._wanted(item).toTuple()
            if item.widget() is self._elastic and spare > 0:
                more = min(spare, max(0, item.maximumSize().width() - wide))
                wide, spare = wide + more, spare - more
            if number in self._pushed and spare > 0:
                x, spare = x + spare, 0
            if item.widget() is not None and item.widget().property("look") == "upright":
                high = place.height()
            at = QRect(QPoint(x, place.y() + (place.height() - high) // 2), QSize(wide, high))
            item.setGeometry(QStyle.visualRect(direction, whole, at))
            x += wide + gap


def bar(flow: Flow, look: str = "") -> QFrame:
    """A frame around a flow, as high as its lines."""
    answer = QFrame()
    if look:
        answer.setProperty("look", look)
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    answer.setSizePolicy(policy)
    answer.setLayout(flow)
    return answer
