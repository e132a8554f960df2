"""The only two ways off the GUI thread: `ask` reads, `act` changes. Both come back by one queued signal.

An answer whose owner is gone, or that a newer question with the same tag has overtaken, is dropped.
Changes are never dropped and run one after another, in the order they were made.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal

log = logging.getLogger("reading_room.view")
T = TypeVar("T")


@dataclass
class Ticket:
    """One question or change under way; `cancel()` makes its answer unwanted."""

    number: int
    owner: QObject
    tag: str
    what: str
    done: Callable[[Any], object]
    failed: Callable[[Exception], object]
    changes: bool
    cancelled: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        self.cancelled.set()

    def wanted(self) -> bool:
        return not self.cancelled.is_set() and shiboken6.isValid(self.owner)


class Tasks(QObject):
    """Runs the window's work on threads; `busy` tells how much is under way and what the newest is."""

    busy = Signal(int, str)
    failed = Signal(str, object)
    _finished = Signal(object, object, object)

    def __init__(self, threads: int = 4) -> None:
        super().__init__()
        self._numbers = itertools.count(1)
        self._newest: dict[tuple[int, str], int] = {}
        self._open: dict[int, Ticket] = {}
        self._askers = ThreadPoolExecutor(threads, thread_name_prefix="ask")
        self._actor = ThreadPoolExecutor(1, thread_name_prefix="act")
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def ask(
        self,
        owner: QObject,
        what: str,
        work: Callable[[], T],
        done: Callable[[T], object],
        failed: Callable[[Exception], object] | None = None,
        tag: str = "",
    ) -> Ticket:
        """Read something. `tag` (default: `what`) names the question; a newer one of it wins."""
        ticket = self._ticket(owner, what, done, failed, tag or what, changes=False)
        self._newest[(id(owner), ticket.tag)] = ticket.number
        self._start(self._askers, ticket, work)
        return ticket

    def act(
        self,
        owner: QObject,
        what: str,
        work: Callable[[], T],
        done: Callable[[T], object] | None = None,
        failed: Callable[[Exception], object] | None = None,
    ) -> Ticket:
        """Change something; the change happens even if its owner goes."""
        ticket = self._ticket(owner, what, done or (lambda _answer: None), failed, what, changes=True)
        self._start(self._actor, ticket, work)
        return ticket

    def _ticket(
        self,
        owner: QObject,
        what: str,
        done: Callable[[Any], object],
        failed: Callable[[Exception], object] | None,
        tag: str,
        changes: bool,
    ) -> Ticket:
        on_failure = failed or (lambda error: self.failed.emit(what, error))
        return Ticket(next(self._numbers), owner, tag, what, done, on_failure, changes)

    def _start(self, pool: ThreadPoolExecutor, ticket: Ticket, work: Callable[[], Any]) -> None:
        self._open[ticket.number] = ticket
        self.busy.emit(len(self._open), ticket.what)
        pool.submit(self._run, ticket, work)

    def _run(self, ticket: Ticket, work: Callable[[], Any]) -> None:
        if not ticket.changes and ticket.cancelled.is_set():
            self._emit(ticket, None, None)
            return
        try:
            answer = work()
        except Exception as error:  # the worker's edge: whatever it was, the window must hear of it
            log.debug("%s failed", ticket.what, exc_info=True)
            self._emit(ticket, None, error)
        else:
            self._emit(ticket, answer, None)

    def _emit(self, ticket: Ticket, answer: Any, error: Exception | None) -> None:
        if shiboken6.isValid(self):
            self._finished.emit(ticket, answer, error)

    def _deliver(self, ticket: Ticket, answer: Any, error: Exception | None) -> None:
        self._open.pop(ticket.number, None)
        self.busy.emit(len(self._open), next((t.what for t in self._open.values()), ""))
        if not ticket.wanted() or self._stale(ticket):
            return
        if error is None:
            ticket.done(answer)
        else:
            ticket.failed(error)

    def _stale(self, ticket: Ticket) -> bool:
        return not ticket.changes and self._newest.get((id(ticket.owner), ticket.tag)) != ticket.number

    @property
    def idle(self) -> bool:
        return not self._open

    def finish(self, patience: float = 5.0) -> bool:
        """Wait until the changes that were begun are done; False where they take longer than `patience`
        seconds.
        """
        done = threading.Event()
        self._actor.submit(done.set)
        return done.wait(patience)

    def close(self) -> None:
        """Finish the changes that were begun, forget the questions."""
        self._askers.shutdown(wait=False, cancel_futures=True)
        self._actor.shutdown(wait=True)
