"""Work in the background: what lies in an outbox to its destinations, one at a time for each."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from pacs_core.domain.errors import NotFound
from pacs_core.domain.times import read_instant
from pacs_core.ports import Clock, Index
from pacs_core.services.storage_commitment import Carrier, StorageCommitment

log = logging.getLogger("reading_room.deliver")

IDLE_S = 30.0
SHORTEST_S = 0.05
MOST_AT_ONCE = 32
"""Destinations that may be silent at the same time without holding up another."""


class Due(Protocol):
    """Something on its way to a destination."""

    @property
    def id(self) -> int: ...
    @property
    def destination(self) -> str: ...


class Outbox(Protocol):
    """What the worker works through; `services.delivering.Delivering` is one."""

    def due(self, limit: int = 100, without: Collection[str] = ()) -> Sequence[Due]: ...
    def next_due(self, without: Collection[str] = ()) -> str: ...
    def attempt(self, delivery_id: int, /) -> object: ...


class CommitmentOutbox:
    """Storage commitment as an outbox: requests and reports, and who carries them."""

    def __init__(self, commitment: StorageCommitment, carrier: Carrier) -> None:
        self.due = commitment.due
        self.next_due = commitment.next_due
        self._commitment = commitment
        self._carrier = carrier

    def attempt(self, commitment_id: int, /) -> object:
        """Try one."""
        return self._commitment.attempt(commitment_id, self._carrier)


class DeliveryWorker:
    """Wakes at each change of the journal but arriving images, and when something falls due; a silent
    destination holds up no other.
    """

    def __init__(self, delivering: Outbox, index: Index, clock: Clock) -> None:
        self._delivering = delivering
        self._index = index
        self._clock = clock
        self._stop = threading.Event()
        self._over = threading.Event()
        self._busy: dict[str, Future[None]] = {}
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, "delivery")
        self._thread = threading.Thread(target=self._run, name="delivery-worker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the attempts in flight, then end."""
        self._stop.set()
        self._thread.join()
        self._pool.shutdown(wait=True)

    def _run(self) -> None:
        sequence = 0
        while not self._stop.is_set():
            try:
                self._start_due()
                sequence = self._wait(sequence)
            except Exception as error:  # noqa: BLE001  # the worker's edge: results must not stop for one failure
                log.error("the delivery worker goes on after %s", type(error).__name__)
                self._stop.wait(1.0)

    def _start_due(self) -> None:
        """Begin an attempt for each destination that has something due and is not being tried already."""
        self._over.clear()
        while not self._stop.is_set():
            found = self._delivering.due(1, self._being_tried())
            if not found:
                return
            attempt = self._pool.submit(self._attempt, found[0].id)
            self._busy[found[0].destination] = attempt
            attempt.add_done_callback(lambda _: self._over.set())

    def _being_tried(self) -> frozenset[str]:
        return frozenset(name for name, attempt in self._busy.items() if not attempt.done())

    def _attempt(self, delivery_id: int) -> None:
        try:
            self._delivering.attempt(delivery_id)
        except NotFound:
            log.info("a result was taken away while it was on its way")  # a rehearsal's
        except Exception as error:  # noqa: BLE001  # the worker's edge: the delivery stays due
            log.error("an attempt to deliver failed: %s", type(error).__name__)
            self._stop.wait(1.0)

    def _wait(self, sequence: int) -> int:
        """Sleep until something changes, an attempt is over, something falls due, or the end is near."""
        remaining = self._until_due()
        while remaining > 0 and not self._stop.is_set() and not self._over.is_set():
            step = min(remaining, 0.5)
            newest = self._index.wait_for_change(sequence, step, arrivals=False)
            if newest > sequence:
                return newest
            remaining -= step
        return sequence

    def _until_due(self) -> float:
        due = self._delivering.next_due(self._being_tried())
        if not due:
            return IDLE_S
        seconds = (read_instant(due) - self._clock.now()).total_seconds()
        return max(SHORTEST_S, min(IDLE_S, seconds))
