"""The slim rail at the left: the places, their keys and what waits in them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy, QToolButton

from workstation.ui import theme, words
from workstation.ui.commands import key_words
from workstation.ui.widgets.basics import column

PLACES = (
    ("worklist", "Worklist", "format-list-bulleted"),
    ("read", "Read", "image-outline"),
    ("schedule", "Schedule", "calendar-month-outline"),
    ("inbox", "Inbox", "inbox-outline"),
    ("settings", "Settings", "cog-outline"),
)


class PlaceButton(QToolButton):
    """An icon over its word, with a count in the corner where something waits."""

    def __init__(self, name: str, icon: str, key: str) -> None:
        super().__init__()
        self._name, self._icon, self._count = name, icon, 0
        self.setProperty("look", "rail")
        self.setText(words.t(name))
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(f"{words.t(name)} ({key_words(key)})")
        self.toggled.connect(lambda _on: self._dress())
        self._dress()
        theme.hub().changed.connect(self._dress)

    def _dress(self) -> None:
        look = theme.current()
        self.setIcon(theme.icon(self._icon, "text" if self.isChecked() else "quiet"))
        self.setIconSize(QSize(look.icon_size, look.icon_size))
        self.ensurePolished()
        self.setMinimumWidth(max(look.px(look.metrics["rail"]), self.sizeHint().width()))
        self.setFixedHeight(look.px(60))
        self.set_count(self._count)

    def set_count(self, count: int) -> None:
        self._count = count
        waits = f", {words.count(count, words.t('waits'), words.t('wait'))}" if count else ""
        self.setAccessibleName(words.t(self._name))
        self.setAccessibleDescription(f"{words.t(self._name)}{waits}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._count:
            return
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = str(self._count) if self._count < 100 else "99+"
        font = look.font(bold=True)
        font.setPixelSize(look.px(11))
        painter.setFont(font)
        width = max(look.px(18), painter.fontMetrics().horizontalAdvance(text) + look.px(8))
        badge = QRect(self.width() // 2 + look.px(4), look.px(4), width, look.px(18))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour("waiting"))
        painter.drawRoundedRect(badge, badge.height() / 2, badge.height() / 2)
        painter.setPen(look.colour("on_accent"))
        painter.drawText(badge, int(Qt.AlignmentFlag.AlignCenter), text)


class Rail(QFrame):
    """Places one under the other; below them the menu, the lock and who is signed in."""

    chosen = Signal(str)

    def __init__(self, lock: Callable[[], object], menu: Callable[[QToolButton], object]) -> None:
        super().__init__()
        self.setProperty("look", "panel")
        self.setAccessibleName(words.t("Places"))
        self._group = QButtonGroup(self)
        self.buttons: dict[str, PlaceButton] = {}
        for number, (key, name, icon) in enumerate(PLACES, 1):
            place = PlaceButton(name, icon, f"Ctrl+{number}")
            place.clicked.connect(lambda _on=False, k=key: self.chosen.emit(k))
            self._group.addButton(place)
            self.buttons[key] = place
        self.menu_button = self._small("menu", words.t("Menu"), "F10")
        self.menu_button.clicked.connect(lambda: menu(self.menu_button))
        self.lock_button = self._small("lock-outline", words.t("Lock"), "Ctrl+L")
        self.lock_button.clicked.connect(lock)
        self.setLayout(column(*self.buttons.values(), 1, self.menu_button, self.lock_button, gap=0))

    def _small(self, icon: str, name: str, key: str) -> QToolButton:
        answer = PlaceButton(name, icon, key)
        answer.setCheckable(False)
        return answer

    def show_place(self, key: str) -> None:
        self.buttons[key].setChecked(True)
