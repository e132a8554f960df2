"""The mark in the tray while the core goes on receiving without a window."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from workstation.ui import theme, words

if TYPE_CHECKING:
    from workstation.ui.shell import Workstation


class Tray(QObject):
    """Open the window again, or stop receiving and end."""

    def __init__(self, window: Workstation, quit_: Callable[[], object]) -> None:
        super().__init__(window)
        self._window, self._quit = window, quit_
        self._icon: QSystemTrayIcon | None = None
        self._menu: QMenu | None = None
        self.stopped = False

    @staticmethod
    def possible() -> bool:
        return QSystemTrayIcon.isSystemTrayAvailable()

    def stay(self) -> None:
        """The window is gone, the archive goes on: show the mark."""
        if self._icon is None:
            self._icon = QSystemTrayIcon(theme.icon("radiology-box-outline", "accent"), self)
            self._menu = QMenu()
            self._menu.addAction(words.t("Open Reading Room"), self._open)
            self._menu.addAction(words.t("Stop receiving and quit"), self._stop)
            self._icon.setContextMenu(self._menu)
            self._icon.setToolTip(words.t("Reading Room receives in the background"))
            self._icon.activated.connect(
                lambda reason: self._open() if reason == QSystemTrayIcon.ActivationReason.Trigger else None
            )
        self._icon.show()

    def _open(self) -> None:
        assert self._icon is not None
        self._icon.hide()
        self._window.open_again()

    def _stop(self) -> None:
        self.stopped = True
        self._quit()
