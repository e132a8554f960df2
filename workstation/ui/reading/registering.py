"""The prior laid upon the current study while the reader reads: no task of the window, never waited for."""

from __future__ import annotations

import contextlib
import logging
import os
import threading

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal

from workstation.imaging.registration import Registration, register
from workstation.imaging.volume import Volume
from workstation.session import linking
from workstation.session.reading_session import CellState, ReadingSession

log = logging.getLogger("reading_room.view")
NICE = 10


class Registering(QObject):
    """One registration at a time on a thread of low priority; a newer one, or leaving the study, stops it."""

    _found = Signal(object, object)

    def __init__(self, session: ReadingSession) -> None:
        super().__init__()
        self._session = session
        self._stop = threading.Event()
        self._worker: threading.Thread | None = None
        self._found.connect(self._take, Qt.ConnectionType.QueuedConnection)
        session.closed.connect(self.stop)

    def begin(self, one: CellState, other: CellState, current: Volume, prior: Volume) -> None:
        """Register two series that are there whole; the session's tie becomes the better for it."""
        self.stop()
        self._stop = stop = threading.Event()

        def work() -> None:
            step_aside()
            try:
                found = register(current, prior, cancelled=stop.is_set)
            except (ValueError, ArithmeticError, RuntimeError, MemoryError):  # SimpleITK raises RuntimeError
                log.warning("a prior could not be registered", exc_info=True)
                return
            if not stop.is_set():
                self._tell((one, other, stop), found)

        # no daemon: a thread that is torn out of SimpleITK at the program's end takes the process down; it is
        # told to stop when the window closes, and ends at its next step
        self._worker = threading.Thread(target=work, name="register", daemon=False)
        self._worker.start()

    def _tell(self, pair: tuple[CellState, CellState, threading.Event], found: object) -> None:
        """From the thread; the window may be gone, even between the question and the answer."""
        if shiboken6.isValid(self):
            with contextlib.suppress(RuntimeError):
                self._found.emit(pair, found)

    def stop(self) -> None:
        """Whatever is under way is not wanted any more."""
        self._stop.set()

    @property
    def busy(self) -> bool:
        """A registration is under way."""
        return self._worker is not None and self._worker.is_alive()

    def _take(self, pair: tuple[CellState, CellState, threading.Event], found: object) -> None:
        one, other, stop = pair
        if stop.is_set() or not isinstance(found, Registration):
            return
        log.info("prior registered: %s, %s", found.kind, found.confidence)
        tie = linking.registered(found)
        if tie is not None:
            self._session.refine(one, other, tie)


def step_aside() -> None:
    """Let the window's threads go first, where the system knows priorities of single threads (Linux)."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        except OSError:
            log.debug("this thread keeps its priority", exc_info=True)
