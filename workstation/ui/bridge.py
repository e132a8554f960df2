"""The change feed of the archive, as one queued signal. Nothing in the window polls the database."""

from __future__ import annotations

import logging
import threading

import shiboken6
from PySide6.QtCore import QObject, Signal

from pacs_core.archive.protocol import Archive
from pacs_core.domain.errors import NotSignedIn, ReadingRoomError
from workstation.ui.letting_go import let_go

log = logging.getLogger("reading_room.view")
WAIT_S = 10.0
AGAIN_S = 1.0


class Bridge(QObject):
    """Listens on a thread of its own; `changed` carries a tuple of `Change`, in order, none left out."""

    changed = Signal(object)
    lost = Signal(object)
    back = Signal()
    signed_out = Signal(str)

    def __init__(self, archive: Archive, sequence: int = -1) -> None:
        super().__init__()
        self._archive, self._sequence = archive, sequence
        self._stop = threading.Event()
        self._away = False

    def start(self) -> None:
        """Listen from here on; after `stop`, or with another archive, it may be started again."""
        self._stop = threading.Event()
        threading.Thread(target=self._listen, args=(self._stop,), name="changes", daemon=True).start()

    def restart(self, archive: Archive) -> None:
        """Go on listening where we were, as another session of the same person."""
        self.stop()
        self._archive = archive
        self.start()

    def _listen(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._once(stop)
            except NotSignedIn as error:
                if not stop.is_set():
                    self.signed_out.emit(error.message)
                return
            except (ReadingRoomError, OSError) as error:
                self._lost(error, stop)
            except Exception as error:  # the worker loop's edge: the feed must come back whatever it was
                log.exception("the change feed failed")
                self._lost(error, stop)

    def _once(self, stop: threading.Event) -> None:
        first = self._sequence < 0
        page = self._archive.changes.since(
            max(0, self._sequence), 0.0 if first else WAIT_S, 1 if first else 500
        )
        if stop.is_set() or not shiboken6.isValid(self):
            return
        if self._away:
            self._away = False
            self.back.emit()
        self._sequence = (
            page.sequence if first else max((c.sequence for c in page.changes), default=self._sequence)
        )
        if page.changes and not first:
            self.changed.emit(page.changes)

    def _lost(self, error: Exception, stop: threading.Event) -> None:
        if stop.is_set() or not shiboken6.isValid(self):
            return
        if not self._away:
            self._away = True
            self.lost.emit(error)
        stop.wait(AGAIN_S)

    def stop(self) -> None:
        """Ask no more; the thread ends at its next answer."""
        self._stop.set()

    def leave(self) -> None:
        """Stop for good: whoever listened is about to go."""
        self.stop()
        self.blockSignals(True)
        let_go(self)
