"""A real `serve` as a process of its own: started, spoken to, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pacs_core.remote.archive import RemoteDoor
from pacs_core.runtime.data_folder import RUNNING
from tests.machine import CHECKOUT

FREE = tuple(w for door in ("dicom", "hl7", "http") for w in (f"--{door}", "127.0.0.1:0"))
PATIENCE = 90.0


def program(*words: str) -> list[str]:
    """The command line of `reading-room` with these words."""
    return [sys.executable, "-m", "pacs_core.runtime", *words]


def run(*words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A command to its end."""
    return subprocess.run(
        program(*words),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
        timeout=PATIENCE,
        env={**os.environ, **environment},
    )


def port_of(place: str) -> int:
    """The port of ``HOST:PORT``."""
    return int(place.rsplit(":", 1)[1])


@dataclass
class Serving:
    """A node in another process, with everything it says."""

    process: subprocess.Popen[str]
    data: Path
    said: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    log: Path = Path()
    _reader: threading.Thread | None = None

    def begin(self) -> Serving:
        """Wait for READY and go on reading what it says."""
        stdout = self.process.stdout
        assert stdout is not None
        first = stdout.readline()
        self.said.append(first)
        if first.startswith("READY "):
            self.facts = json.loads(first.removeprefix("READY "))
        self._reader = threading.Thread(target=lambda: self.said.extend(stdout), daemon=True)
        self._reader.start()
        return self

    def door(self) -> RemoteDoor:
        """A door at the running node, with the secret that its owner can read."""
        left = json.loads((self.data / RUNNING).read_text(encoding="utf-8"))
        return RemoteDoor(left["http"], left["secret"], patience_s=0.1)

    def kill(self) -> None:
        """End it as a power cut of its process does."""
        self.process.kill()
        self._over()

    def end(self, how: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(how)
        return self._over()

    def _over(self) -> int:
        code = self.process.wait(PATIENCE)
        if self._reader is not None:
            self._reader.join(PATIENCE)
        return code

    def complaints(self) -> str:
        """What it wrote to standard error."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def serving(data: Path, *words: str, doors: Sequence[str] = FREE, **environment: str) -> Iterator[Serving]:
    """`serve` on a data folder, listening on free ports; killed at the end where it still runs."""
    log = data.parent / f"{data.name}.stderr"
    with log.open("a", encoding="utf-8") as errors:
        process = subprocess.Popen(
            program("serve", "--data", str(data), *doors, *words),
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=CHECKOUT,
            env={**os.environ, **environment},
        )
    made = Serving(process, data, log=log)
    try:
        yield made.begin()
    finally:
        if process.poll() is None:
            made.kill()
        if process.stdout is not None:
            process.stdout.close()
