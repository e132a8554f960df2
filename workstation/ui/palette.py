"""The command palette (Ctrl+K): every command by a few letters of its name."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QDialog, QLineEdit, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from workstation.ui import theme, words
from workstation.ui.commands import Command, Commands, key_words
from workstation.ui.widgets.basics import column, label

COMMAND_ROLE = Qt.ItemDataRole.UserRole


def match(letters: str, text: str) -> float:
    """How well letters find a text: 0 not at all; beginnings of words and runs count more."""
    letters, text = letters.casefold(), text.casefold()
    if not letters:
        return 1.0
    if letters in text:
        return 10.0 - text.index(letters) / 100.0 + (5.0 if text.startswith(letters) else 0.0)
    place, points = 0, 0.0
    for letter in letters:
        found = text.find(letter, place)
        if found < 0:
            return 0.0
        points += 1.0 if found == 0 or text[found - 1] == " " else 0.2
        place = found + 1
    return points / len(letters)


class _Found(QAbstractListModel):
    def __init__(self, commands: Commands) -> None:
        super().__init__()
        self._commands = commands
        self.found: list[Command] = []

    def search(self, letters: str) -> None:
        self.beginResetModel()
        scored = [(match(letters, c.name) + 0.5 * match(letters, c.place), c) for c in self._commands]
        able = [(points, c) for points, c in scored if points > 0.5 and c.id != "palette"]
        self.found = [c for _points, c in sorted(able, key=lambda p: (not p[1].enabled(), -p[0], p[1].name))]
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008  (Qt's own signature)
        return 0 if parent.isValid() else len(self.found)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        command = self.found[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return command.name
        return command if role == COMMAND_ROLE else None


class _Line(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        self.initStyleOption(option, index)
        option.text = ""
        option.widget.style().drawControl(
            QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget
        )
        command, look = index.data(COMMAND_ROLE), theme.current()
        able = command.enabled()
        painter.save()
        area = option.rect.adjusted(look.px(12), 0, -look.px(12), 0)
        if command.icon:
            side = look.icon_size
            painter.drawPixmap(
                area.left(),
                area.center().y() - side // 2 + 1,
                theme.pixmap(command.icon, "text" if able else "line"),
            )
        area.setLeft(area.left() + look.px(32))
        flags = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(look.colour("text" if able else "quiet"))
        painter.drawText(area, int(flags | Qt.AlignmentFlag.AlignLeft), command.name)
        painter.setPen(look.colour("quiet"))
        keys = "   ".join([command.place, *(key_words(k) for k in command.keys[:2])])
        painter.drawText(area, int(flags | Qt.AlignmentFlag.AlignRight), keys)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(0, theme.current().px(32))


class Palette(QDialog):
    """Type, choose with Up and Down, run with Enter, leave with Escape."""

    def __init__(self, commands: Commands) -> None:
        super().__init__(commands.window, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self._commands, self._model = commands, _Found(commands)
        self.setAccessibleName(words.t("Commands"))
        self.setWindowTitle(words.t("Commands"))
        self._text, self._list = QLineEdit(), QListView()
        self._text.setPlaceholderText(words.t("Type a command"))
        self._text.setAccessibleName(words.t("Type a command"))
        self._list.setAccessibleName(words.t("Commands found"))
        self._list.setModel(self._model)
        self._list.setItemDelegate(_Line(self._list))
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._none = label("", "quiet", name=words.t("No command found"), wrap=True)
        whole = column(self._text, self._none, self._list, margin=(12,), gap=8)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        self._text.textChanged.connect(self._search)
        self._text.installEventFilter(self)
        self._list.clicked.connect(lambda _index: self._run())
        self._search("")

    def open_over(self) -> None:
        window, look = self._commands.window, theme.current()
        self.resize(
            min(look.px(640), window.width() - look.px(40)), min(look.px(440), window.height() - look.px(80))
        )
        corner = window.mapToGlobal(window.rect().topLeft())
        self.move(corner.x() + (window.width() - self.width()) // 2, corner.y() + look.px(64))
        self._text.clear()
        self._search("")
        self.show()
        self._text.setFocus()

    def _search(self, letters: str) -> None:
        self._commands.refresh()
        self._model.search(letters.strip())
        self._list.setCurrentIndex(self._model.index(0, 0))
        self._none.setVisible(not self._model.found)
        self._none.setText(words.t("No command is called “{letters}”.").format(letters=letters.strip()))

    def _run(self) -> None:
        command = self._list.currentIndex().data(COMMAND_ROLE)
        if command is not None and command.enabled():
            self.accept()
            self._commands.run(command.id)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._text and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
                self._list.event(event)
                self._list.keyPressEvent(event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
        return super().eventFilter(watched, event)
