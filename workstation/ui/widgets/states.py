"""Empty, loading, partial, failed and denied: each with its own look and words, in every list and panel."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStackedLayout, QWidget

from workstation.ui import theme, words
from workstation.ui.widgets.basics import button, column, label, relook, row

LOOKS = {
    "empty": ("inbox-outline", "quiet"),
    "loading": ("timer-sand", "link"),
    "partial": ("progress-alert", "waiting"),
    "failed": ("alert-octagon-outline", "wrong"),
    "denied": ("lock-outline", "waiting"),
}


class StatePanel(QWidget):
    """Says in words why there is nothing to see here, and offers what can be done."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._title = label("", "title")
        self._words = label("", "quiet", wrap=True)
        self._details = label("", "quiet", wrap=True, selectable=True)
        self._bar = QProgressBar()
        self._action: Callable[[], object] = lambda: None
        self._button = button(words.t("Try again"), self._act)
        self._fold: QPushButton = button(words.t("Details"), self._unfold, "link")
        self._build()

    def _build(self) -> None:
        for text in (self._title, self._words, self._details):
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(theme.current().px(160))
        self._bar.setAccessibleName(words.t("Loading"))
        self._words.setFixedWidth(theme.current().px(420))
        centred = [row(1, w, 1) for w in (self._words, self._bar, self._button, self._fold)]
        self.setLayout(column(1, self._icon, self._title, *centred, self._details, 2, gap=12, margin=(24,)))

    def show_state(
        self,
        kind: str,
        title: str,
        text: str = "",
        action: tuple[str, Callable[[], object]] | None = None,
        details: str = "",
    ) -> None:
        icon, token = LOOKS[kind]
        self._icon.setPixmap(theme.pixmap(icon, token, 32))
        relook(self._title, token if kind in ("failed", "denied", "partial") else "title")
        self._title.setText(title)
        self._words.setText(text)
        self._words.setVisible(bool(text))
        self._bar.setVisible(kind == "loading")
        self._button.setVisible(action is not None)
        self._fold.setVisible(bool(details))
        self._details.setVisible(False)
        self._details.setText(details)
        if action:
            self._button.setText(action[0])
            self._button.setAccessibleName(action[0])
            self._action = action[1]
        self.setAccessibleName(f"{self._name}: {title}. {text}".strip())

    def _act(self) -> None:
        self._action()

    def _unfold(self) -> None:
        self._details.setVisible(not self._details.isVisible())


class Stateful(QWidget):
    """A widget with a state panel in front of it until there is something to show."""

    def __init__(self, content: QWidget, name: str) -> None:
        super().__init__()
        self.content, self.panel = content, StatePanel(name)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(content)
        self._stack.addWidget(self.panel)

    def ready(self) -> None:
        self._stack.setCurrentWidget(self.content)

    @property
    def is_ready(self) -> bool:
        return self._stack.currentWidget() is self.content

    def say(
        self,
        kind: str,
        title: str,
        text: str = "",
        action: tuple[str, Callable[[], object]] | None = None,
        details: str = "",
    ) -> None:
        self.panel.show_state(kind, title, text, action, details)
        self._stack.setCurrentWidget(self.panel)

    def loading(self, title: str = "") -> None:
        self.say("loading", title or words.t("Loading"))

    def failed(self, error: BaseException, again: Callable[[], object] | None = None) -> None:
        told = words.failure(error)
        self.say(
            told.kind, told.title, told.words, (words.t("Try again"), again) if again else None, told.details
        )
