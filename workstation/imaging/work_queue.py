"""A pool of threads that always takes the most urgent job next; jobs not yet begun can be dropped at once."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from enum import IntEnum

log = logging.getLogger("reading_room.view")


class Urgency(IntEnum):
    """Who is waiting: the reader's hand, a thumbnail, what comes next, or nobody."""

    INTERACTION = 0
    THUMBNAIL = 1
    PREFETCH = 2
    COMPUTE = 3


class Job:
    """One call, given itself, that waits its turn; `cancel` drops it if it has not begun."""

    __slots__ = ("_run", "cancelled")

    def __init__(self, run: Callable[[Job], None]) -> None:
        self._run = run
        self.cancelled = False

    def run(self) -> None:
        self._run(self)

    def cancel(self) -> None:
        self.cancelled = True


class WorkQueue:
    """`workers` daemon threads over one heap ordered by (urgency, rank, age)."""

    def __init__(self, name: str, workers: int) -> None:
        self._heap: list[tuple[int, int, int, Job]] = []
        self._age = itertools.count()
        self._ready = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True)
            for n in range(max(1, workers))
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job, urgency: Urgency, rank: int = 0) -> None:
        """Have the job run on one of the threads; lower rank first within one urgency."""
        with self._ready:
            if self._closed:
                raise RuntimeError("the work queue is closed")
            heapq.heappush(self._heap, (int(urgency), rank, next(self._age), job))
            self._ready.notify()

    def close(self) -> None:
        """Drop what waits, let what runs finish, and end the threads."""
        with self._ready:
            self._closed = True
            self._heap.clear()
            self._ready.notify_all()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _next(self) -> Job | None:
        with self._ready:
            while True:
                while self._heap:
                    job = heapq.heappop(self._heap)[3]
                    if not job.cancelled:
                        return job
                if self._closed:
                    return None
                self._ready.wait()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job.run()
            except Exception:  # the worker loop: one failed job must not end the thread
                log.exception("a loading job failed")
