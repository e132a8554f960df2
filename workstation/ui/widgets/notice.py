"""A line across a place that says something and offers what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel

from workstation.ui import theme, words
from workstation.ui.widgets.basics import button, discard, label, relook, row, tool


class Notice(QFrame):
    """Hidden until `say`; goes when it is dismissed or `hush`ed."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "panel")
        self._icon, self._words = QLabel(), label("", "waiting", wrap=True)
        self._actions = QHBoxLayout()
        self._close = tool("close", words.t("Dismiss"), self.hide)
        layout = row(self._icon, self._words, self._actions, self._close, margin=(12, 4), gap=12)
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self.hide()

    def say(
        self, text: str, token: str = "waiting", actions: tuple[tuple[str, Callable[[], object]], ...] = ()
    ) -> None:
        icon = {
            "waiting": "alert-outline",
            "wrong": "alert-octagon-outline",
            "mismatch": "account-alert-outline",
        }
        self._icon.setPixmap(theme.pixmap(icon.get(token, "information-outline"), token))
        self._words.setText(text)
        relook(self._words, token)
        self.setAccessibleName(text)
        while (item := self._actions.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                discard(widget)
        for name, run in actions:
            self._actions.addWidget(button(name, run))
        self.show()

    @property
    def text(self) -> str:
        return self._words.text() if not self.isHidden() else ""

    def hush(self) -> None:
        self.hide()
