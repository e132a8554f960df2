"""The prior laid upon the current study while the reader reads: no task of the window, never waited for."""

from __future__ import annotations

import contextlib
import logging
import threading

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal

from workstation.imaging.registration import Registration
from workstation.imaging.volume import Volume
from workstation.session import linking
from workstation.session.child_process import ChildGone, ChildRefused
from workstation.session.reading_session import CellState, ReadingSession
from workstation.session.registrar import Registrar

log = logging.getLogger("reading_room.view")


class Registering(QObject):
    """One registration at a time; a newer one, or leaving the study, ends it at once."""

    _found = Signal(object, object)

    def __init__(self, session: ReadingSession) -> None:
        super().__init__()
        self._session = session
        self.registrar = Registrar()
        self._worker: threading.Thread | None = None
        self._found.connect(self._take, Qt.ConnectionType.QueuedConnection)
        session.closed.connect(self.stop)

    def begin(self, one: CellState, other: CellState, current: Volume, prior: Volume) -> None:
        """Register two series that are there whole; the session's tie becomes the better for it."""
        self.stop()
        self.registrar = registrar = Registrar()

        def work() -> None:
            try:
                found = registrar.find(current, prior)
            except (ChildGone, ChildRefused, ValueError, ArithmeticError, MemoryError):
                log.warning("a prior could not be registered", exc_info=True)
                return
            if not registrar.stopped:
                self._tell((one, other, registrar), found)

        # no daemon: it ends at once when it is told to stop, and nothing may be torn out of NumPy
        self._worker = threading.Thread(target=work, name="register", daemon=False)
        self._worker.start()

    def _tell(self, asked: tuple[CellState, CellState, Registrar], found: object) -> None:
        """From the thread; the window may be gone, even between the question and the answer."""
        if shiboken6.isValid(self):
            with contextlib.suppress(RuntimeError):
                self._found.emit(asked, found)

    def stop(self) -> None:
        """Whatever is under way is not wanted any more."""
        self.registrar.stop()

    @property
    def busy(self) -> bool:
        """A registration is under way."""
        return self._worker is not None and self._worker.is_alive()

    def _take(self, asked: tuple[CellState, CellState, Registrar], found: object) -> None:
        one, other, registrar = asked
        if registrar.stopped or not isinstance(found, Registration):
            return
        log.info("prior registered: %s, %s", found.kind, found.confidence)
        tie = linking.registered(found)
        if tie is not None:
            self._session.refine(one, other, tie)
