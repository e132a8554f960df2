"""Processes that are not our children: whether they live, and waiting for what they do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 30.0


def until(fact: Callable[[], bool]) -> None:
    """Wait for a fact of another process."""
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process lives; one that ended and waits to be asked how does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.is_file() or status.read_text().rpartition(")")[2].split()[0] not in "ZX"
