"""Bands of rows on as many threads as there are cores; the kernels let go of the GIL.

The caller works too, so a picture is made even where no other thread gets a turn. Threads come when there
is work and leave after a second without any.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from itertools import pairwise

CORES = max(1, min(16, os.cpu_count() or 1))
SMALL_PICTURE = 128 * 128
BANDS_PER_CORE = 4
IDLE_SECONDS = 1.0
CLOSE_SECONDS = 0.0003  # a band takes less: waking a thread that slept would take longer than its end

Work = Callable[[int, int], None]


class _Picture:
    """The bands of one picture: whoever is free takes the next one."""

    def __init__(self, edges: list[int], work: Work) -> None:
        self._bands = list(pairwise(edges))
        self._bands.reverse()  # taken from the top down: a band asks ahead for what the next one reads
        self._work = work
        self._lock = threading.Lock()
        self._left = len(self._bands)
        self._failure: BaseException | None = None
        self._finished = threading.Event()

    def help(self) -> None:
        """Make bands until none is left to begin."""
        while True:
            with self._lock:
                if not self._bands:
                    return
                band = self._bands.pop()
            try:
                self._work(*band)
            except BaseException as error:  # noqa: BLE001 - kept, and raised again on the caller's thread
                self._failure = error
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    self._finished.set()

    def wait(self) -> None:
        """Return when every band is made; raise what one of them raised."""
        until = time.perf_counter() + CLOSE_SECONDS
        while not self._finished.is_set():
            if time.perf_counter() > until:
                self._finished.wait()
            time.sleep(0)  # lets go of the GIL and of the core, and is back at once
        if self._failure is not None:
            raise self._failure


class _Helpers:
    """Threads that come and go with the work."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._calls: queue.SimpleQueue[_Picture] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._there = 0

    def call(self, picture: _Picture, wanted: int) -> None:
        """Ask so many helpers to join in."""
        for _ in range(min(wanted, self._most)):
            self._calls.put(picture)
            with self._lock:
                if self._there < self._most:
                    self._there += 1
                    threading.Thread(target=self._run, name="band", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self._calls.get(timeout=IDLE_SECONDS).help()
            except queue.Empty:
                with self._lock:
                    self._there -= 1
                return


_helpers = _Helpers(CORES - 1)


def in_bands(height: int, pixels: int, work: Work) -> None:
    """Call `work(row0, row1)` for every band; returns when all are done, raising what one of them raised.

    More bands than cores, so that one slow core does not hold the picture; small pictures in one go.
    """
    if CORES == 1 or pixels <= SMALL_PICTURE or height < 2:
        work(0, height)
        return
    bands = min(height, CORES * BANDS_PER_CORE)
    picture = _Picture([height * n // bands for n in range(bands + 1)], work)
    _helpers.call(picture, CORES - 1)
    picture.help()
    picture.wait()
