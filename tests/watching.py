"""What a test left running, and what was logged as an error meanwhile."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from pathlib import Path

PATIENCE = 10.0
"""Seconds that what is ending may still take."""


def threads() -> set[threading.Thread]:
    """Threads that would keep the program from ending."""
    return {thread for thread in threading.enumerate() if thread.is_alive() and not thread.daemon}


def children() -> set[int]:
    """Living child processes (not those that ended and wait to be asked how)."""
    if not sys.platform.startswith("linux"):
        return {child.pid for child in multiprocessing.active_children() if child.pid is not None}
    tracker = getattr(resource_tracker._resource_tracker, "_pid", None)
    lists = [_read(path) for path in Path("/proc/self/task").glob("*/children")]
    return {int(pid) for text in lists for pid in text.split() if _runs(int(pid))} - {tracker}


def _read(path: Path) -> str:
    """A file's text; empty where the thread it tells of has just ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def timers() -> set[str]:
    """Qt timers that still tick.

    The bindings are asked, not `gc.get_objects`: that takes hold of tuples another thread is still building,
    which then cannot be finished ("bad argument to internal function").
    """
    core = sys.modules.get("PySide6.QtCore")
    shiboken = sys.modules.get("shiboken6")
    if core is None or shiboken is None:
        return set()
    alive = [one for one in shiboken.getAllValidWrappers() if isinstance(one, core.QTimer)]
    return {repr(one) for one in alive if one.isActive()}


@dataclass(frozen=True)
class Left:
    """What ran at one moment."""

    threads: set[threading.Thread]
    children: set[int]

    @classmethod
    def now(cls) -> Left:
        """What runs now."""
        return cls(threads(), children())

    def must_be_all(self, with_timers: bool = False, patience: float = PATIENCE) -> None:
        """Fail where, after `patience` seconds, more runs than then; children that are left are ended."""
        until = time.monotonic() + patience
        while (threads() - self.threads or children() - self.children) and time.monotonic() < until:
            time.sleep(0.02)
        names = sorted(thread.name for thread in threads() - self.threads)
        left = sorted(children() - self.children)
        for pid in left:
            os.kill(pid, signal.SIGTERM)
        ticking = sorted(timers()) if with_timers else []
        more = [f"{kind} {which}" for kind, which in _named(names, left, ticking) if which]
        assert not more, "left behind: " + ", ".join(more)


def _named(names: list[str], pids: list[int], ticking: list[str]) -> list[tuple[str, Sequence[object]]]:
    return [("threads", names), ("processes", pids), ("timers", ticking)]


def _ours_to_judge(record: logging.LogRecord) -> bool:
    """Every ERROR is, but pynetdicom's about what a peer did; its handlers' own failures are."""
    return (
        not record.name.startswith("pynetdicom") or bool(record.exc_info) or "handler" in record.getMessage()
    )


class _Keeping(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.ERROR)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


@contextlib.contextmanager
def errors_logged() -> Iterator[list[logging.LogRecord]]:
    """The records of ERROR and above while the block runs."""
    records: list[logging.LogRecord] = []
    handler = _Keeping(records)
    logging.getLogger().addHandler(handler)
    try:
        yield records
    finally:
        logging.getLogger().removeHandler(handler)


@dataclass
class Expectation:
    """Which errors a test announced."""

    patterns: list[str] = field(default_factory=list)

    def __call__(self, pattern: str) -> None:
        """Announce a regular expression: a record must match it, and all that match are no failure."""
        self.patterns.append(pattern)

    def check(self, records: list[logging.LogRecord]) -> None:
        """Fail where an error was not announced, or an announced one did not come."""
        texts = [f"{one.name}: {one.getMessage()}" for one in records if _ours_to_judge(one)]
        everything = [f"{one.name}: {one.getMessage()}" for one in records]
        unexpected = [
            text for text in texts if not any(re.search(pattern, text) for pattern in self.patterns)
        ]
        absent = [
            pattern for pattern in self.patterns if not any(re.search(pattern, text) for text in everything)
        ]
        assert not unexpected, f"logged as ERROR and not expected: {unexpected}"
        assert not absent, f"expected in the log and not there: {absent}"
