"""The button that names the layout and its stage, with why it hangs so in its tool-tip."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QToolButton

from workstation.ui import theme, words
from workstation.ui.commands import Commands
from workstation.ui.reading import layout_words
from workstation.ui.reading.room import Room

ICON = "view-dashboard-outline"
LONGEST = 120


class LayoutButton(QToolButton):
    """ "1/5" beside its sign, the protocol's name where it has one stage: a click opens the reasons."""

    def __init__(self, commands: Commands, room: Room) -> None:
        super().__init__()
        self._room = room
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(words.t("Layout"))
        self.clicked.connect(lambda _on=False: commands.run("read.layout.why"))
        session = room.session
        for signal in (session.opened, session.hung, session.closed):
            signal.connect(self.refresh)
        theme.hub().changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        session = self._room.session
        hanging, look = session.hangings.now, theme.current()
        self.setIcon(theme.icon(ICON))
        self.setIconSize(QSize(look.icon_size, look.icon_size))
        self.setVisible(session.dossier is not None)
        if session.dossier is None:
            return
        name = layout_words.title(session)
        several = hanging is not None and session.layout is None and hanging.place[1] > 1
        place = f"{hanging.place[0]}/{hanging.place[1]}" if several and hanging is not None else ""
        short = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, look.px(LONGEST))
        self.setText(place or short)
        name = f"{name} {place}".strip()
        tip = layout_words.tip(session)
        self.setToolTip(tip)
        self.setAccessibleName(f"{words.t('Layout')}: {name}")
        self.setAccessibleDescription(tip)
