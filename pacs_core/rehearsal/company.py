"""The simulators as processes of their own, started and spoken to by who plays demo or rehearsal."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol, Self

from pacs_core.domain.errors import ReadingRoomError
from pacs_core.rehearsal.own_process import own_command, own_environment

MODULES = {"ris": "pacs_core.rehearsal.ris", "scanner": "pacs_core.rehearsal.scanner"}
END_S = 15.0


class SimulatorFailed(Exception):
    """A simulator did not start, or answered a command with an error; the message has its words."""


def simulator_command(who: str, options: Sequence[str]) -> list[str]:
    """How to start a simulator: the module, or the packaged program's own ``simulate`` command."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "simulate", who, *options]
    return own_command(MODULES[who], *options)


class Player(Protocol):
    """Somebody who is told what to do."""

    def tell(self, do: str, **arguments: object) -> Any:
        """Give a command and wait for its result; raises SimulatorFailed with the player's words."""
        ...


class Near:
    """A player in this process."""

    def __init__(self, who: str, commands: Mapping[str, Callable[..., object]]) -> None:
        self._who = who
        self._commands = commands

    def tell(self, do: str, **arguments: object) -> Any:
        """Give a command and wait for its result; raises SimulatorFailed with its words."""
        try:
            return self._commands[do](**arguments)
        except (ReadingRoomError, LookupError, ValueError, OSError) as failure:
            raise SimulatorFailed(f"{self._who}: {failure}") from failure


class Process:
    """A player in a process of its own; commands are answered in order, one at a time."""

    def __init__(self, who: str, command: Sequence[str], log: Path | None = None) -> None:
        self.who = who
        self._lock = threading.Lock()
        self._errors = log.open("ab") if log is not None else None
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors if self._errors is not None else subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=own_environment(),
        )
        try:
            self.facts = self._ready()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def tell(self, do: str, **arguments: object) -> Any:
        """Give a command and wait for its result; raises SimulatorFailed with the simulator's words."""
        with self._lock:
            answer = self._exchange({"do": do, **arguments})
        if "error" in answer:
            raise SimulatorFailed(f"{self.who}: {answer['error']}")
        return answer.get("ok")

    def stop(self) -> None:
        """End it by closing its input; one that is at work is told to end, one that does not is killed."""
        _close(self._process.stdin)
        if self._lock.locked():
            self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with self._lock:  # nobody can close what another thread waits to read from
            _close(self._process.stdout)
        if self._errors is not None:
            self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _ready(self) -> dict[str, Any]:
        line = self._line()
        if not line.startswith("READY "):
            raise SimulatorFailed(f"{self.who} did not say READY: {line.strip() or 'it ended'}")
        facts: dict[str, Any] = json.loads(line.removeprefix("READY "))
        return facts

    def _exchange(self, asked: Mapping[str, object]) -> dict[str, Any]:
        stdin = self._process.stdin
        try:
            if stdin is None:
                raise BrokenPipeError
            stdin.write(json.dumps(asked, ensure_ascii=False) + "\n")
            stdin.flush()
        except (OSError, ValueError):
            raise SimulatorFailed(f"{self.who} has ended") from None
        line = self._line()
        if not line:
            raise SimulatorFailed(f"{self.who} ended while it was working")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _line(self) -> str:
        return self._process.stdout.readline() if self._process.stdout is not None else ""


def _close(stream: IO[str] | None) -> None:
    if stream is not None:
        with contextlib.suppress(OSError):
            stream.close()


class Simulator(Process):
    """A simulated RIS or scanner."""

    def __init__(self, who: str, options: Sequence[str], log: Path | None = None) -> None:
        super().__init__(who, simulator_command(who, options), log)
