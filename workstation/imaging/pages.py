"""Memory for large arrays whose parts can be given back to the system one by one.

An anonymous private mapping where the system can drop its pages (`madvise`), else ordinary memory, of which
nothing is given back before the whole is.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

LEAST = 1 << 20
"""Bytes below which mapping is not worth it."""

CAN_DROP = hasattr(mmap, "MADV_DONTNEED") and hasattr(mmap, "MAP_PRIVATE") and hasattr(mmap, "MAP_ANONYMOUS")


class TooLarge(MemoryError):
    """The system has no room for an array of this size; the message says how large it is."""


def zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Array, mmap.mmap | None]:
    """An array of zeros, and the mapping it lies in where its pages can be dropped; raises TooLarge."""
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    try:
        if not CAN_DROP or size < LEAST:
            return np.zeros(shape, dtype=dtype), None
        mapping = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (MemoryError, OSError, ValueError, OverflowError) as found:
        raise TooLarge(f"{shape} pixels of {dtype} need {size / 2**30:.1f} GiB") from found
    if hasattr(mmap, "MADV_HUGEPAGE"):
        advise(mapping, mmap.MADV_HUGEPAGE, 0, size)
    return np.frombuffer(mapping, dtype=dtype).reshape(shape), mapping


def drop(mapping: mmap.mmap | None, start: int, length: int) -> None:
    """Give the whole pages of a span back; they read as zero afterwards (nothing happens without mapping)."""
    if mapping is None:
        return
    first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    last = (start + length) // mmap.PAGESIZE * mmap.PAGESIZE
    if last > first:
        advise(mapping, mmap.MADV_DONTNEED, first, last - first)


def advise(mapping: mmap.mmap, advice: int, start: int, length: int) -> None:
    """Advice is no order: a system that does not know it goes on without."""
    try:
        mapping.madvise(advice, start, length)
    except OSError:
        return
