"""Where the doors block: a bounded pool of threads, so that the event loop never does (architecture §8)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from pacs_core.domain.errors import Busy

P = ParamSpec("P")
T = TypeVar("T")


class Blocking:
    """Runs plain functions on `workers` threads; where `waiting` calls wait already, the next one is Busy."""

    def __init__(self, workers: int = 16, waiting: int = 256) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="web")
        self._limit = workers + waiting
        self._lock = threading.Lock()
        self._inside = 0

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run it on a thread and wait; raises Busy where too many wait."""
        with self._lock:
            if self._inside >= self._limit:
                raise Busy("the node has more to do than it can; ask again in a moment")
            self._inside += 1
        future = self._pool.submit(work, *args, **kwargs)
        future.add_done_callback(lambda _: self._left())
        return await asyncio.wrap_future(future)

    def _left(self) -> None:
        with self._lock:
            self._inside -= 1

    @property
    def inside(self) -> int:
        """How many calls run or wait."""
        return self._inside

    def close(self) -> None:
        """Let what runs finish, drop what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)
