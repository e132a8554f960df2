"""The core as a watched child process: started with a secret over its pipe, back within seconds when it
dies.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pacs_core.domain.errors import StorageFailure
from pacs_core.rehearsal.own_process import own_command, own_environment
from pacs_core.runtime.addresses import reachable_url
from pacs_core.runtime.data_folder import RUNNING, held, running

log = logging.getLogger("reading_room.node")

READY_S = 60.0
RESTART_S = 0.3
QUICK_DEATH_S = 5.0
MOST_QUICK_DEATHS = 5
LOG = "core.log"
LOG_KEEP = 4 << 20
_NEW_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""Ctrl-C in the terminal goes to the window, which then ends the core in order."""


def command(*words: str) -> list[str]:
    """The command line of another `reading-room` process, frozen or not."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *words]
    return own_command("pacs_core.runtime", *words)


class CoreProcess:
    """Starts `serve`, restarts it when it dies unasked, ends it with the window or lets it stay."""

    def __init__(
        self, data: Path, arguments: Sequence[str] = (), on_restart: Callable[[], None] | None = None
    ) -> None:
        self._data = data
        self._arguments = list(arguments)
        self._on_restart = on_restart
        self._secret = secrets.token_urlsafe(32)
        self._facts: dict[str, object] = {}
        self._ending = False
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._watch: threading.Thread | None = None

    def start(self) -> dict[str, object]:
        """Start and wait for READY; raises StorageFailure with the core's own last line."""
        self._launch()
        self._watch = threading.Thread(target=self._run, name="core-watch", daemon=True)
        self._watch.start()
        return dict(self._facts)

    def adopt(self) -> None:
        """Watch the core that holds the folder, which others started; where it is killed, ours follows."""
        self._watch = threading.Thread(target=self._guard, name="core-watch", daemon=True)
        self._watch.start()

    def find(self) -> tuple[str, str] | None:
        """Where the core is now, ours or the adopted one: its URL and secret; None while it is not there."""
        if self._process is None:
            return find_running(self._data)()
        with self._lock:
            http = str(self._facts.get("http", ""))
        return (reachable_url(http), self._secret) if http else None

    @property
    def facts(self) -> dict[str, object]:
        """The READY facts of the core as it runs now."""
        with self._lock:
            return dict(self._facts)

    @property
    def pid(self) -> int:
        """Its process id, 0 while there is none."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def stop(self) -> None:
        """Ask it to finish what is in flight and end; wait for it."""
        self._ending = True
        self._tell("stop")
        if self._process is not None:
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.terminate()
                self._process.wait(10)
        self._close_pipes()
        if self._watch is not None:
            self._watch.join(5)

    def leave(self) -> None:
        """Let it go on receiving without us."""
        self._ending = True
        self._tell("stay")
        self._close_pipes()

    def _close_pipes(self) -> None:
        process = self._process
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    log.debug("a pipe of the core was closed already")

    def _tell(self, word: str) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            process.stdin.write(word + "\n")
            process.stdin.flush()
        except (OSError, ValueError):
            log.debug("the core is gone already")

    def _launch(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True, mode=0o700)
        log_path = self._data / LOG
        if log_path.exists() and log_path.stat().st_size > LOG_KEEP:
            log_path.replace(log_path.with_suffix(".log.1"))
        with log_path.open("a", encoding="utf-8") as core_log:
            process = subprocess.Popen(
                command("serve", "--child", "--data", str(self._data), *self._arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=core_log,
                text=True,
                env=own_environment(),
                creationflags=_NEW_GROUP,
                start_new_session=os.name != "nt",
            )
        self._process = process
        self._tell(self._secret)
        line = _first_line(process, READY_S)
        if not line.startswith("READY "):
            process.kill()
            process.wait()
            raise StorageFailure(f"the core did not start: {_last_line(log_path)}", "core")
        with self._lock:
            self._facts = json.loads(line.removeprefix("READY "))

    def _guard(self) -> None:
        """Until the adopted core is killed; one that ended in order took its facts away and stays ended."""
        while not self._ending:
            time.sleep(RESTART_S)
            if (self._data / RUNNING).exists() and not held(self._data) and not self._ending:
                log.error("the core was killed and is started again")
                self._try_again()
                if self._process is not None and self._process.poll() is None:
                    self._run()
                    return
                self._process = None  # somebody else was faster: theirs is watched

    def _run(self) -> None:
        quick = 0
        while self._process is not None:
            began = time.monotonic()
            self._process.wait()
            if self._ending:
                return
            with self._lock:
                self._facts = {}
            quick = quick + 1 if time.monotonic() - began < QUICK_DEATH_S else 0
            log.error("the core ended with %s and is started again", self._process.returncode)
            if quick > MOST_QUICK_DEATHS:
                time.sleep(QUICK_DEATH_S)
            time.sleep(RESTART_S)
            self._try_again()

    def _try_again(self) -> None:
        try:
            self._launch()
        except (StorageFailure, OSError) as error:
            log.error("the core could not be started again: %s", type(error).__name__)
            return
        if self._on_restart is not None:
            self._on_restart()


def find_running(data: Path) -> Callable[[], tuple[str, str] | None]:
    """Looks up the node that holds the folder, each time it is asked."""

    def find() -> tuple[str, str] | None:
        facts = running(data)
        return (str(facts["http"]), str(facts["secret"])) if facts else None

    return find


def _first_line(process: subprocess.Popen[str], patience_s: float) -> str:
    """The first line of the child's standard output, empty where none came in time."""
    found: list[str] = []

    def read() -> None:
        if process.stdout is not None:
            found.append(process.stdout.readline())

    reader = threading.Thread(target=read, name="core-ready", daemon=True)
    reader.start()
    reader.join(patience_s)
    return found[0] if found else ""


def _last_line(log_path: Path) -> str:
    lines = [
        line for line in log_path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
    ]
    return lines[-1] if lines else "it said nothing"
