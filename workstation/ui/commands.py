"""Every action of the window, once: a name, a key, a menu place, a tool-tip, and when it may run.

Keys of single letters have the scope `image`: they act only while an image cell has the focus, so a
letter typed into a report is never a tool. Everything else has the scope `window`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from workstation.ui import theme

IMAGE, WINDOW = "image", "window"


def always() -> bool:
    """Enabled at any time."""
    return True


@dataclass(frozen=True)
class Command:
    """One action. `place` is its menu path ("Image/Window level"); `keys` in Qt's portable spelling."""

    id: str
    name: str
    run: Callable[[], object]
    place: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    icon: str = ""
    scope: str = WINDOW
    enabled: Callable[[], bool] = always
    checked: Callable[[], bool] | None = None

    @property
    def tooltip(self) -> str:
        """Its words and its key, as every tool-tip shows them."""
        words = self.tip or self.name
        return f"{words} ({key_words(self.keys[0])})" if self.keys else words


def key_sequence(key: str) -> QKeySequence:
    """A key from its portable spelling, whatever Qt calls the keys in the chosen language."""
    return QKeySequence.fromString(key, QKeySequence.SequenceFormat.PortableText)


def key_words(key: str) -> str:
    """A key as this platform writes it."""
    return key_sequence(key).toString(QKeySequence.SequenceFormat.NativeText)


class Commands(QObject):
    """The registry: adds each command's action to the window or to the image grid, and offers menus."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.window = window
        self.image_area: QWidget | None = None
        self._commands: dict[str, Command] = {}
        self._actions: dict[str, QAction] = {}
        theme.hub().changed.connect(self._recolour)

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def __getitem__(self, command_id: str) -> Command:
        return self._commands[command_id]

    def set_image_area(self, widget: QWidget) -> None:
        """The widget whose cells own the single-letter keys; call it before adding image commands."""
        self.image_area = widget

    def add(self, *commands: Command) -> None:
        """Register commands; one id or one key of a scope twice is a mistake and raises ValueError."""
        for command in commands:
            self._check(command)
            self._commands[command.id] = command
            self._actions[command.id] = self._action(command)

    def _check(self, command: Command) -> None:
        if command.id in self._commands:
            raise ValueError(f"command {command.id} is there already")
        taken = {key: other.id for other in self for key in other.keys}
        for key in command.keys:
            if key in taken:
                raise ValueError(f"key {key} of {command.id} belongs to {taken[key]}")

    def _action(self, command: Command) -> QAction:
        action = QAction(command.name, self)
        action.setObjectName(command.id)
        action.setToolTip(command.tooltip)
        action.setStatusTip(command.tip)
        action.setShortcuts([key_sequence(key) for key in command.keys])
        action.setCheckable(command.checked is not None)
        if command.icon:
            action.setIcon(theme.icon(command.icon))
        image = command.scope == IMAGE and self.image_area is not None
        context = (
            Qt.ShortcutContext.WidgetWithChildrenShortcut if image else Qt.ShortcutContext.WindowShortcut
        )
        action.setShortcutContext(context)
        action.triggered.connect(lambda _checked=False, c=command: self.run(c.id))
        (self.image_area if image and self.image_area is not None else self.window).addAction(action)
        return action

    def action(self, command_id: str) -> QAction:
        return self._actions[command_id]

    def run(self, command_id: str) -> None:
        """Run one command if it is enabled now."""
        command = self._commands[command_id]
        if command.enabled():
            command.run()
        self.refresh()

    def refresh(self) -> None:
        """Ask every command whether it is enabled and checked, and show it."""
        for command in self:
            action = self._actions[command.id]
            if action.isEnabled() != (now := command.enabled()):
                action.setEnabled(now)
            if command.checked is not None and action.isChecked() != command.checked():
                action.setChecked(command.checked())

    def button(self, command_id: str, words: bool = False) -> QToolButton:
        """A tool button of one command, with its accessible name."""
        button = QToolButton()
        action = self._actions[command_id]
        button.setDefaultAction(action)
        button.setAccessibleName(self._commands[command_id].name)
        button.setAccessibleDescription(self._commands[command_id].tooltip)
        style = Qt.ToolButtonStyle
        button.setToolButtonStyle(style.ToolButtonTextBesideIcon if words else style.ToolButtonIconOnly)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def menu(self, parent: QWidget, under: str = "") -> QMenu:
        """The menu of all commands, or of those under one place, nested by their places."""
        self.refresh()
        menu = QMenu(parent)
        branches: dict[str, QMenu] = {under: menu}
        for command in self:
            if command.place == under or not under or command.place.startswith(under + "/"):
                self._branch(branches, command.place, under).addAction(self._actions[command.id])
        return menu

    def _branch(self, branches: dict[str, QMenu], place: str, under: str) -> QMenu:
        if place in branches:
            return branches[place]
        above, _, name = place.rpartition("/")
        parent = branches[under] if above == under else self._branch(branches, above, under)
        branches[place] = parent.addMenu(name)
        return branches[place]

    def _recolour(self) -> None:
        for command in self:
            if command.icon:
                self._actions[command.id].setIcon(theme.icon(command.icon))


class HeldKey(QObject):
    """A key that acts while it is held: `down` at the press, `up` at the release (auto-repeat ignored)."""

    def __init__(
        self,
        window: QWidget,
        key: Qt.Key,
        down: Callable[[], object],
        up: Callable[[], object],
        unless: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(window)
        self._key, self._down, self._up, self._unless, self._held = key, down, up, unless, False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent):  # asked of every event of the program: the cheapest first
            return False
        if event.type() not in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease) or event.key() != self._key:
            return False
        if event.isAutoRepeat():
            return self._held
        if not self._held and self._unless():
            return False
        pressed = event.type() == QEvent.Type.KeyPress
        if pressed == self._held:
            return False
        self._held = pressed
        (self._down if pressed else self._up)()
        return True
