"""A child process of the workstation's own (speech, 3D, registration): started, asked, timed, ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from workstation.session.child_pipes import MOST_BODY, Header, PipeBroken, read_frame, write_frame

ROOT = str(Path(__file__).resolve().parents[2])


class ChildGone(Exception):
    """The child ended, said nonsense, or took too long; its last words are in the message."""


class ChildRefused(Exception):
    """The child answered that it cannot do this, and why."""


def own_program(module: str, subcommand: str) -> list[str]:
    """How to start one of our modules: by name, or the frozen program with its hidden subcommand."""
    if getattr(sys, "frozen", False):
        return [sys.executable, subcommand]
    return [sys.executable, "-P", "-m", module]


def own_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The child's environment: able to import us from where we were, without our secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("READING_ROOM")}
    paths = [ROOT, *filter(None, kept.get("PYTHONPATH", "").split(os.pathsep))]
    ours = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}
    return {**kept, **(more or {}), **ours}


class Child:
    """One running child; not for two threads at once. Raises ChildGone where it cannot be started.

    It reads frames ``{"id": n, …}`` and answers each with ``{"id": n, "ok": …}``; bodies of answers are at
    most `most` bytes.
    """

    def __init__(
        self, what: str, command: Sequence[str], environment: Mapping[str, str], most: int = MOST_BODY
    ) -> None:
        self._most, self._number = most, 0
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
        try:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                env=dict(environment),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            self._complaints.close()
            raise ChildGone(f"{what} could not be started: {error}") from error

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def ask(self, header: Header, patience: float, body: bytes = b"") -> tuple[Header, bytes]:
        """One request and its answer within so many seconds; raises ChildGone or ChildRefused."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._number += 1
        watchdog = threading.Timer(patience, self._child.kill)  # a pipe has no time limit everywhere
        watchdog.daemon = True
        watchdog.start()
        try:
            write_frame(self._child.stdin, {"id": self._number, **header}, body)
            answer, content = read_frame(self._child.stdout, self._most)
        except (OSError, ValueError, EOFError, PipeBroken) as error:
            raise ChildGone(self._last_words() or type(error).__name__) from error
        finally:
            watchdog.cancel()
        if answer.get("id") != self._number:
            raise ChildGone(f"answer {answer.get('id')} to request {self._number}")
        if not answer.get("ok"):
            raise ChildRefused(str(answer.get("error")))
        return answer, content

    def kill(self) -> None:
        """End it now, from any thread; who waits for an answer gets ChildGone."""
        with contextlib.suppress(OSError):
            self._child.kill()

    def close(self) -> None:
        """End it: closing its pipe is enough for a well one, the rest are killed."""
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self._child.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._complaints.close()

    def _last_words(self) -> str:
        """The end of what it wrote to its standard error; tracebacks hold no patient data."""
        with contextlib.suppress(OSError, ValueError):
            self._complaints.seek(0, os.SEEK_END)
            self._complaints.seek(max(0, self._complaints.tell() - 500))
            return self._complaints.read().decode(errors="replace").strip().rsplit("\n", 1)[-1]
        return ""
