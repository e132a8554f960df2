"""The bar under the images: the tool in hand, measuring, planes and slabs, links, and the seven stages."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QSizePolicy, QToolButton

from workstation.tools import DRAWING
from workstation.ui import theme, words
from workstation.ui.commands import Commands
from workstation.ui.reading.layout_button import LayoutButton
from workstation.ui.reading.room import Room
from workstation.ui.widgets.basics import line
from workstation.ui.widgets.flow import Flow
from workstation.ui.widgets.stages import StagesStrip

MORE = "more"
"""The place of the button that holds the other tools that measure."""
GROUPS = (
    ("tool.window_level", "tool.scroll", "tool.zoom", "tool.pan", "tool.crosshair"),
    ("tool.length", "tool.angle", "tool.ellipse_roi", "tool.probe", MORE),
    ("undo", "redo", "delete", "key_image", "list"),
    ("mpr", "slab", "volume", "fuse", "turning", "cine", "link", "invert", "fit"),
)


class ToolsBar(QFrame):
    """Every button is a command; the tool in hand is the pressed one."""

    def __init__(self, commands: Commands, room: Room) -> None:
        super().__init__()
        self.setProperty("look", "panel")
        self.setAccessibleName(words.t("Tools"))
        self._commands, self._room = commands, room
        self.buttons: list[QToolButton] = []
        flow = Flow(margin=(8, 4), gap=4)
        for number, group in enumerate(GROUPS):
            if number:
                flow.add(line(upright=True))
            for name in group:
                self.buttons.append(self._more() if name == MORE else commands.button(f"read.{name}"))
                flow.add(self.buttons[-1])
        self.layout_button = LayoutButton(commands, room)
        flow.add(line(upright=True), self.layout_button)
        self.stages = StagesStrip()
        self.report = commands.button("report.show")
        flow.add(self.stages, self.report, pushed=True)
        self.setLayout(flow)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._size()
        room.tool_changed.connect(lambda _name: commands.refresh())
        room.overlay_changed.connect(commands.refresh)
        session = room.session
        session.strokes_changed.connect(commands.refresh)
        session.hung.connect(commands.refresh)
        session.closed.connect(commands.refresh)
        session.active_changed.connect(lambda _n: commands.refresh())
        session.link_changed.connect(commands.refresh)
        theme.hub().changed.connect(self._size)

    def _more(self) -> QToolButton:
        """All tools that measure, in a menu; the button shows the one in hand."""
        self._others = QToolButton()
        self._others.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._others.setMenu(self._commands.menu(self, words.t("Tools/Measure")))
        self._others.setCheckable(True)
        self._others.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._room.tool_changed.connect(self._show_tool)
        return self._others

    def _show_tool(self, name: str) -> None:
        """The tool in hand on the button of the menu, where it has no button of its own."""
        own = [tool for group in GROUPS for tool in group]
        held = name in DRAWING and f"tool.{name}" not in own
        title = words.t("More tools to measure")
        action = self._commands.action(f"read.tool.{name}") if held else None
        self._others.setIcon(action.icon() if action is not None else theme.icon("shape-outline"))
        self._others.setChecked(held)
        said = f"{title}: {action.text()}" if action is not None else title
        self._others.setAccessibleName(said)
        self._others.setToolTip(said)

    def _size(self) -> None:
        side = theme.current().icon_size
        for button in (*self.buttons, self.report):
            button.setIconSize(QSize(side, side))
        self._show_tool(self._room.tool)
        self.updateGeometry()
