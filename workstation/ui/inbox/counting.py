"""The number beside the inbox on the rail: right from the sign-in on, whoever looked into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from pacs_core.archive.models import InboxCounts
from workstation.ui import words

if TYPE_CHECKING:
    from workstation.ui.desk import Desk

REFRESH_MS = 400


class Counting(QObject):
    """Counts what waits for a person, at the sign-in and after every change of the archive."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.window)
        self._desk = desk
        self._late = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._late.timeout.connect(self._ask)
        desk.bridge.changed.connect(self._changed)
        desk.bridge.back.connect(self._ask)
        desk.closing.append(self._end)
        QTimer.singleShot(0, self, self._ask)

    def _end(self) -> None:
        self._late.stop()
        self.deleteLater()

    def _changed(self, _changes: object) -> None:
        if not self._late.isActive():
            self._late.start()

    def _ask(self) -> None:
        inbox = self._desk.archive.inbox
        self._desk.tasks.ask(self, words.t("count the inbox"), inbox.counts, self._count, lambda _error: None)

    def _count(self, counts: InboxCounts) -> None:
        self._desk.show_count("inbox", counts.held + counts.messages + counts.deliveries)
