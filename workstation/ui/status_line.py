"""The thin line at the foot of the window: what just happened, what is under way, who and where we are."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QLabel, QProgressBar

from workstation.ui import theme, words
from workstation.ui.widgets.basics import Elided, label, relook, row

ICONS = {
    "good": "check",
    "waiting": "alert-outline",
    "wrong": "alert-octagon-outline",
    "quiet": "information-outline",
}
STAYS_MS = 8000


class StatusLine(QFrame):
    """`say` words that go after a while unless they are wrong ones; `busy` while tasks run."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "panel")
        self._icon, self._words = QLabel(), Elided()
        self._words.setAccessibleName(words.t("Status"))
        self._work = label("", "quiet", name=words.t("Under way"))
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(theme.current().px(72))
        self._bar.setAccessibleName(words.t("Under way"))
        self._connection = label("", "waiting", name=words.t("Connection"))
        self._who = label("", "quiet", name=words.t("Signed in"))
        self._node = label("", "quiet", name=words.t("Node"))
        self.setLayout(
            row(
                self._icon,
                self._words,
                self._connection,
                self._work,
                self._bar,
                self._who,
                self._node,
                margin=(12, 2),
                gap=12,
            )
        )
        self.layout().setStretch(1, 1)
        self.setFixedHeight(theme.current().px(28))
        self._clear = QTimer(self, singleShot=True, interval=STAYS_MS)
        self._clear.timeout.connect(lambda: self.say("", "quiet"))
        self._late = QTimer(self, singleShot=True, interval=300)
        self._late.timeout.connect(lambda: self._show_work(True))
        self._doing = ""
        self._show_work(False)
        theme.hub().changed.connect(self._size)

    def _size(self) -> None:
        self.setFixedHeight(theme.current().px(28))

    def say(self, text: str, token: str = "quiet") -> None:
        self._words.setText(text)
        self._words.setAccessibleName(f"{words.t('Status')}: {text}" if text else words.t("Status"))
        relook(self._words, token if token != "quiet" else "")
        self._icon.setVisible(bool(text))
        if text:
            self._icon.setPixmap(theme.pixmap(ICONS.get(token, ICONS["quiet"]), token, 16))
        self._clear.stop()
        if text and token != "wrong":
            self._clear.start()

    def busy(self, count: int, what: str) -> None:
        """Shown only where it takes longer than a glance."""
        self._doing = what
        if count and not self._late.isActive() and not self._bar.isVisible():
            self._late.start()
        elif not count:
            self._late.stop()
            self._show_work(False)

    def _show_work(self, on: bool) -> None:
        self._bar.setVisible(on)
        self._work.setVisible(on)
        self._work.setText(self._doing[:1].upper() + self._doing[1:])

    def connection(self, text: str) -> None:
        self._connection.setText(text)
        self._connection.setVisible(bool(text))

    def person(self, text: str) -> None:
        self._who.setText(text)

    def node(self, text: str, tip: str = "") -> None:
        self._node.setText(text)
        self._node.setToolTip(tip)
