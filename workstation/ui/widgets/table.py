"""Tables: a model of frozen rows with columns declared as data, sortable, columns kept, keyboard first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QHelpEvent, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolTip,
    QWidget,
)

from workstation.ui import theme, words

R = TypeVar("R")
ELASTIC = 0.8
ROW_ROLE = Qt.ItemDataRole.UserRole
LOOK_ROLE = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True)
class Cell:
    """What one field of a table shows: words, optionally behind a shape, in a colour of the theme."""

    text: str
    icon: str = ""
    token: str = "text"
    tip: str = ""
    bold: bool = False
    trailing: str = ""


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column: its key (kept in the preferences), heading, field and width at 100 %.

    `keep` orders who goes when room is short, the highest first, 0 never. Lists that sort themselves
    do it by `order`, or by what the cell says. A table with a column of two `lines` has rows as high.
    """

    key: str
    heading: str
    cell: Callable[[R], Cell]
    width: int
    keep: int = 0
    stretch: bool = False
    order: Callable[[R], Any] | None = None
    right: bool = False
    lines: int = 1


class RowsModel(QAbstractTableModel, Generic[R]):
    """Rows and columns; replacing rows repaints only what differs and keeps the selection by identity."""

    def __init__(self, columns: Sequence[Column[R]], identity: Callable[[R], object]) -> None:
        super().__init__()
        self.columns, self.identity = tuple(columns), identity
        self.rows: list[R] = []
        self.more: Callable[[], None] | None = None
        self.sorter: Callable[[str, bool], None] | None = None
        self._sorted: tuple[Column[R], bool] | None = None

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008  (Qt's own signature)
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008  (Qt's own signature)
        return 0 if parent.isValid() else len(self.columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return words.t(column.heading) if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == ROW_ROLE:
            return row
        cell = self.columns[index.column()].cell(row)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{cell.text} {cell.trailing}".strip()
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell.tip or None
        return cell if role == LOOK_ROLE else None

    def replace(self, rows: Sequence[R]) -> None:
        """Show these rows; where only contents differ, only those rows are repainted."""
        rows = self._in_order(rows)
        same = [self.identity(r) for r in rows] == [self.identity(r) for r in self.rows]
        if not same:
            self.beginResetModel()
            self.rows = list(rows)
            self.endResetModel()
            return
        for number, (old, new) in enumerate(zip(self.rows, rows, strict=True)):
            if old != new:
                self.rows[number] = new
                self.dataChanged.emit(self.index(number, 0), self.index(number, len(self.columns) - 1))

    def append(self, rows: Sequence[R]) -> None:
        if rows:
            self.beginInsertRows(QModelIndex(), len(self.rows), len(self.rows) + len(rows) - 1)
            self.rows.extend(rows)
            self.endInsertRows()

    def _in_order(self, rows: Sequence[R]) -> list[R]:
        if self._sorted is None:
            return list(rows)
        column, down = self._sorted
        key = column.order or (lambda r: column.cell(r).text.casefold())
        return sorted(rows, key=key, reverse=down)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if column < 0:
            return
        down = order == Qt.SortOrder.DescendingOrder
        if self.sorter is not None:
            self.sorter(self.columns[column].key, down)
        else:
            self._sorted = (self.columns[column], down)
            self.replace(self.rows)

    def canFetchMore(self, parent: QModelIndex) -> bool:
        return self.more is not None and not parent.isValid()

    def fetchMore(self, parent: QModelIndex) -> None:
        if self.more is not None:
            self.more()

    def find(self, identity: object) -> int:
        """The row number of an identity, -1 where it is not there."""
        return next((n for n, r in enumerate(self.rows) if self.identity(r) == identity), -1)


class CellDelegate(QStyledItemDelegate):
    """Paints shape, words and trailing quiet words of a `Cell`."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        self.initStyleOption(option, index)
        option.text = ""
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        cell = index.data(LOOK_ROLE)
        if isinstance(cell, Cell):
            painter.save()
            self._paint_cell(painter, option, cell, index)
            painter.restore()

    def _paint_cell(
        self, painter: QPainter, option: QStyleOptionViewItem, cell: Cell, index: QModelIndex
    ) -> None:
        look = theme.current()
        area = option.rect.adjusted(look.px(8), 0, -look.px(8), 0)
        if cell.icon:
            side = look.px(16)
            where = QRect(area.left(), area.center().y() - side // 2 + 1, side, side)
            painter.drawPixmap(where, theme.pixmap(cell.icon, cell.token, 16))
            area.setLeft(where.right() + look.px(8))
        column = self._column(index)
        if column is not None and column.lines > 1:
            self._paint_lines(painter, area, cell)
        else:
            self._paint_words(painter, area, cell, column is not None and column.right)

    @staticmethod
    def _column(index: QModelIndex) -> Column[Any] | None:
        model = index.model()
        return model.columns[index.column()] if isinstance(model, RowsModel) else None

    def _paint_lines(self, painter: QPainter, area: QRect, cell: Cell) -> None:
        """Words that go on in the next line where one is not enough."""
        look = theme.current()
        painter.setFont(look.font(bold=cell.bold))
        painter.setPen(look.colour(cell.token))
        painter.setClipRect(area)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(area, int(flags) | int(Qt.TextFlag.TextWordWrap), cell.text)

    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: QModelIndex,
    ) -> bool:
        """What has no tip of its own but is cut says all of it."""
        cell = index.data(LOOK_ROLE)
        if isinstance(cell, Cell) and not cell.tip and event.type() == QEvent.Type.ToolTip:
            said = f"{cell.text}  {cell.trailing}".strip()
            cut = self.sizeHint(option, index).width() > option.rect.width() + theme.current().px(2)
            QToolTip.showText(event.globalPos(), said if cut else "", view)
            return True
        return super().helpEvent(event, view, option, index)

    def _paint_words(self, painter: QPainter, area: QRect, cell: Cell, right: bool) -> None:
        look = theme.current()
        painter.setFont(look.font(bold=cell.bold))
        painter.setPen(look.colour(cell.token))
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(cell.text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), shown)
        left = area.left() + metrics.horizontalAdvance(shown) + look.px(8)
        if cell.trailing and area.right() - left > look.px(16):
            painter.setPen(look.colour("quiet"))
            painter.setFont(look.font())
            rest = QRect(left, area.top(), area.right() - left + 1, area.height())
            text = painter.fontMetrics().elidedText(cell.trailing, Qt.TextElideMode.ElideRight, rest.width())
            painter.drawText(rest, int(Qt.AlignmentFlag.AlignVCenter), text)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        cell = index.data(LOOK_ROLE)
        look = theme.current()
        width = (
            option.fontMetrics.horizontalAdvance(f"{cell.text}  {cell.trailing}")
            if isinstance(cell, Cell)
            else 0
        )
        return QSize(width + look.px(28 if cell and cell.icon else 20), look.px(look.metrics["row"]))


class Table(QTableView):
    """A table view: Enter or double click opens, columns fall away where room is short."""

    opened = Signal(object)
    chosen = Signal(object)
    menu_wanted = Signal(object, QPoint)

    def __init__(
        self,
        model: RowsModel[Any],
        name: str,
        widths: dict[str, int] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.rows_model = model
        self._widths, self._hidden_by_hand = dict(widths or {}), set[str]()
        self._kept: object = None
        self.setAccessibleName(name)
        self.setModel(model)
        self._dress()
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        self.doubleClicked.connect(lambda index: self.opened.emit(index.data(ROW_ROLE)))
        self.selectionModel().currentRowChanged.connect(lambda now, _before: self._announce(now))
        theme.hub().changed.connect(self._resize_rows)

    def _dress(self) -> None:
        behaviour = QAbstractItemView
        self.setItemDelegate(CellDelegate(self))
        self.setSelectionBehavior(behaviour.SelectionBehavior.SelectRows)
        self.setSelectionMode(behaviour.SelectionMode.SingleSelection)
        self.setEditTriggers(behaviour.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(behaviour.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setSortIndicatorShown(False)
        header.setSectionsClickable(True)
        header.sectionClicked.connect(self._sort_by)
        header.sectionResized.connect(self._resized)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._choose_columns)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        self._resize_rows()

    def _resize_rows(self) -> None:
        look = theme.current()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        lines = max(column.lines for column in self.rows_model.columns)
        more = (lines - 1) * QFontMetrics(look.font()).lineSpacing()
        self.verticalHeader().setDefaultSectionSize(look.px(look.metrics["row"]) + more)
        self.horizontalHeader().setMinimumSectionSize(look.px(32))
        self._fit()

    def current_row(self) -> Any:
        index = self.currentIndex()
        return index.data(ROW_ROLE) if index.isValid() else None

    def choose(self, identity: object) -> bool:
        """Select a row by its identity; False where it is not there."""
        number = self.rows_model.find(identity)
        if number >= 0:
            self.setCurrentIndex(self.rows_model.index(number, 0))
        return number >= 0

    def column_widths(self) -> dict[str, int]:
        """Widths the reader chose, at 100 %, by column key."""
        return dict(self._widths)

    def _keep(self) -> None:
        row = self.current_row()
        self._kept = None if row is None else self.rows_model.identity(row)

    def _restore(self) -> None:
        number = self.rows_model.find(self._kept) if self._kept is not None else -1
        if number >= 0:
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(
                self.rows_model.index(number, 0), flags.ClearAndSelect | flags.Rows
            )
        elif self._kept is not None:
            self.chosen.emit(None)

    def _announce(self, index: QModelIndex) -> None:
        self.chosen.emit(index.data(ROW_ROLE) if index.isValid() else None)

    def _sort_by(self, section: int) -> None:
        header = self.horizontalHeader()
        down = (
            header.isSortIndicatorShown()
            and header.sortIndicatorSection() == section
            and header.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder
        )
        order = Qt.SortOrder.DescendingOrder if down else Qt.SortOrder.AscendingOrder
        header.setSortIndicatorShown(True)
        header.setSortIndicator(section, order)
        self.rows_model.sort(section, order)

    def _resized(self, section: int, _old: int, new: int) -> None:
        if not self._fitting:
            self._widths[self.rows_model.columns[section].key] = round(new / theme.current().scale)

    def _choose_columns(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for number, column in enumerate(self.rows_model.columns):
            action = menu.addAction(words.t(column.heading) or column.key)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(number))
            action.toggled.connect(lambda on, key=column.key: self._hide_by_hand(key, not on))
        menu.popup(self.horizontalHeader().mapToGlobal(where))

    def _hide_by_hand(self, key: str, hide: bool) -> None:
        (self._hidden_by_hand.add if hide else self._hidden_by_hand.discard)(key)
        self._fit()

    def _menu(self, where: QPoint) -> None:
        index = self.indexAt(where)
        if index.isValid():
            self.menu_wanted.emit(index.data(ROW_ROLE), self.viewport().mapToGlobal(where))

    _fitting = False

    def _fit(self) -> None:
        """Give every column its width; short of room the elastic ones give way, then the least needed go."""
        self._fitting = True
        columns = self.rows_model.columns
        wanted = {c.key: theme.current().px(self._widths.get(c.key, c.width)) for c in columns}
        least = {c.key: round(wanted[c.key] * (ELASTIC if c.stretch else 1.0)) for c in columns}
        shown = [c for c in columns if c.key not in self._hidden_by_hand]
        room = self.viewport().width()
        while sum(least[c.key] for c in shown) > room and any(c.keep for c in shown):
            shown.remove(max(shown, key=lambda c: c.keep))
        given = self._shared(shown, wanted, least, room)
        for number, column in enumerate(columns):
            self.setColumnHidden(number, column not in shown)
            if column in shown:
                self.setColumnWidth(number, given[column.key])
        self._fitting = False

    @staticmethod
    def _shared(
        shown: Sequence[Column[Any]], wanted: dict[str, int], least: dict[str, int], room: int
    ) -> dict[str, int]:
        """Widths that fill the room: elastic columns take what is spare, or give what is missing."""
        elastic = [c for c in shown if c.stretch]
        spare = room - sum(wanted[c.key] for c in shown)
        given = {c.key: wanted[c.key] for c in shown}
        for number, column in enumerate(elastic):
            share = spare // (len(elastic) - number)
            given[column.key] = max(least[column.key], wanted[column.key] + share)
            spare -= given[column.key] - wanted[column.key]
        return given

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current_row() is not None:
            self.opened.emit(self.current_row())
            return
        super().keyPressEvent(event)
