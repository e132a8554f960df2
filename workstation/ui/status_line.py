"""The thin line at the foot of the window: what just happened, what is under way, who and where we are."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QLabel, QProgressBar, QSizePolicy

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
        self._warned, self._warning = QLabel(), Elided("", "waiting")
        self._warning.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._who = label("", "quiet", name=words.t("Signed in"))
        self._node = Elided("", "quiet").yielding()
        self._node.setAccessibleName(words.t("Node"))
        self.setLayout(
            row(
                self._icon,
                self._words,
                self._connection,
                self._work,
                self._bar,
                self._warned,
                self._warning,
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
        self.warn(())
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

    def warn(self, warnings: tuple[str, ...]) -> None:
        """What is wrong with the node for as long as it is set up so: it stays, whatever else is said."""
        more = words.t("and {count} more").format(count=len(warnings) - 1) if len(warnings) > 1 else ""
        self._warning.setText(f"{warnings[0]} {more}".rstrip() if warnings else "")
        self._warning.setAccessibleName(f"{words.t('Warning')}: " + "; ".join(warnings))
        self._warned.setToolTip("\n".join(warnings))
        for part in (self._warned, self._warning):
            part.setVisible(bool(warnings))
        if warnings:
            self._warned.setPixmap(theme.pixmap(ICONS["waiting"], "waiting", 16))

    def connection(self, text: str) -> None:
        self._connection.setText(text)
        self._connection.setVisible(bool(text))

    def person(self, text: str) -> None:
        self._who.setText(text)

    def node(self, text: str, tip: str = "") -> None:
        self._node.setText(text)
        self._node.setToolTip(tip)
