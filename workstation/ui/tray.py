"""The mark in the tray while the core goes on receiving without a window."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from pacs_core.archive.models import ChangesPage
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.events import Change
from workstation.session.arrivals import Arrivals
from workstation.ui import theme, words

if TYPE_CHECKING:
    from workstation.ui.shell import Workstation

log = logging.getLogger("reading_room.view")
Listen = Callable[[int, float], ChangesPage]
WAIT_S = 20.0
AGAIN_S = 2.0
SHOWN_MS = 8000


class Tray(QObject):
    """Open the window again, hear what arrived, or stop receiving and end.

    `listen(sequence, wait_s)` gives the changes after a number, waiting for the first; no one is signed in
    here, so nothing but counts is told.
    """

    heard = Signal(object)

    def __init__(
        self, window: Workstation, quit_: Callable[[], object], listen: Listen | None = None
    ) -> None:
        super().__init__(window)
        self._window, self._quit, self._listen = window, quit_, listen
        self._icon: QSystemTrayIcon | None = None
        self._menu = QMenu()
        self._ear: Ear | None = None
        self.arrivals = Arrivals()
        self.stopped = False
        self._fill()
        self.heard.connect(self._arrived, Qt.ConnectionType.QueuedConnection)

    @staticmethod
    def possible() -> bool:
        return QSystemTrayIcon.isSystemTrayAvailable()

    def stay(self) -> None:
        """The window is gone, the archive goes on: show the mark and listen."""
        self.leave()
        self.arrivals = Arrivals()
        self._fill()
        icon = self._icon = self._make()
        self._tell()
        icon.show()
        if self._listen is not None:
            self._ear = Ear(self._listen, self.heard.emit)

    def leave(self) -> None:
        """No mark any more."""
        if self._ear is not None:
            self._ear.stop()
            self._ear = None
        if self._icon is not None:
            self._icon.hide()
            self._icon.deleteLater()
            self._icon = None
        self._menu.close()

    def _make(self) -> QSystemTrayIcon:
        """A mark of its own for each time: one that was hidden hears no mouse on some desktops."""
        icon = QSystemTrayIcon(theme.icon("radiology-box-outline", "accent"), self)
        icon.setContextMenu(self._menu)
        icon.activated.connect(
            lambda reason: self.open() if reason == QSystemTrayIcon.ActivationReason.Trigger else None
        )
        icon.messageClicked.connect(lambda: None if self._menu.isVisible() else self.open())
        return icon

    def _fill(self) -> None:
        self._menu.clear()
        self._menu.addAction(words.t("Open Reading Room"), self.open)
        self._menu.addAction(words.t("Stop receiving and quit"), self.stop)
        self._menu.addSeparator()
        self._said = self._menu.addAction("")  # last: a menu opens with an end under the pointer
        self._said.setEnabled(False)

    def _arrived(self, changes: Iterable[Change]) -> None:
        told = self.arrivals.hear(changes)
        self._tell()
        if told and self._icon is not None and self._ear is not None:
            text = "\n".join(words.pieces(line) for line in dict.fromkeys(told))
            self._icon.showMessage("Reading Room", text, QSystemTrayIcon.MessageIcon.Information, SHOWN_MS)

    def _tell(self) -> None:
        came = words.pieces(self.arrivals.words())
        text = words.t("Arrived: {what}").format(what=came) if came else words.t("Nothing has arrived yet")
        self._said.setText(text)
        if self._icon is not None:
            self._icon.setToolTip(f"{words.t('Reading Room receives in the background')}\n{text}")

    def open(self) -> None:
        """The window again, at its sign-in."""
        self.leave()
        self._window.open_again()

    def stop(self) -> None:
        """End the archive and the program."""
        self.stopped = True
        self.leave()
        self._quit()


class Ear:
    """Hears the feed on a thread of its own, until it is stopped; whatever fails is tried again."""

    def __init__(self, listen: Listen, hear: Callable[[tuple[Change, ...]], object]) -> None:
        self._listen, self._hear = listen, hear
        self._over = threading.Event()
        threading.Thread(target=self._run, name="tray-ear", daemon=True).start()

    def stop(self) -> None:
        """Hear nothing any more; the thread ends with its last question."""
        self._over.set()

    def _run(self) -> None:
        sequence = -1
        while not self._over.is_set():
            try:
                sequence = self._once(sequence)
            except ReadingRoomError as error:
                log.info("the feed is not there for the tray: %s", type(error).__name__)
                self._over.wait(AGAIN_S)

    def _once(self, sequence: int) -> int:
        if sequence < 0:
            return self._listen(0, 0.0).sequence
        page = self._listen(sequence, WAIT_S)
        if page.changes and not self._over.is_set():
            self._hear(page.changes)
        return page.changes[-1].sequence if page.changes else page.sequence
