"""Commands of `reading-room` in this process, with what they print and how they end."""

from __future__ import annotations

import contextlib
import io
import logging
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from pacs_core.runtime.__main__ import main

ENDING = ("SIGTERM", "SIGINT", "SIGBREAK")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """Signal handlers and log levels are the process's: they are put back."""
    handlers = {n: signal.getsignal(getattr(signal, n)) for n in ENDING if hasattr(signal, n)}
    logger = logging.getLogger("reading_room")
    level = logger.level
    try:
        yield
    finally:
        logger.setLevel(level)
        for name, handler in handlers.items():
            signal.signal(getattr(signal, name), handler)


def command(*words: str, stdin: str = "") -> Ended:
    """Run one command to its end."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, _as_it_was():
        patch.setattr("sys.stdin", io.StringIO(stdin))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(words)
            except SystemExit as end:
                code = int(end.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())
