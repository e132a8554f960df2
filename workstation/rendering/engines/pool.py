"""Bands of rows on a pool of as many threads as there are cores; the kernels let go of the GIL."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

CORES = max(1, min(16, os.cpu_count() or 1))
SMALL_PICTURE = 128 * 128

_pool = ThreadPoolExecutor(CORES, thread_name_prefix="band")


def in_bands(height: int, pixels: int, work: Callable[[int, int], None]) -> None:
    """Call `work(row0, row1)` for every band; returns when all are done, raising what one of them raised.

    More bands than cores, so that one slow core does not hold the picture; small pictures in one go.
    """
    if CORES == 1 or pixels <= SMALL_PICTURE or height < 2:
        work(0, height)
        return
    bands = min(height, CORES * 4)
    edges = [height * n // bands for n in range(bands + 1)]
    running = [_pool.submit(work, a, b) for a, b in zip(edges[1:], edges[2:], strict=False)]
    work(edges[0], edges[1])
    for band in running:
        band.result()
