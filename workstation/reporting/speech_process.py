"""The workstation's end of the speech child: started when first needed, watched, started again, released.

Whatever becomes of the child (killed, out of memory, stuck), the window stays as it is: an utterance under
way is given to a fresh child once, and if that fails too the reader is told in words and goes on typing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

from workstation.reporting.dictation import SpeechContext, SpeechUnavailable, Utterance, Word
from workstation.reporting.log_mel import SAMPLE_RATE, Sound
from workstation.reporting.sound import LONGEST_SECONDS
from workstation.reporting.speech_engine import OFFLINE, SUBCOMMAND
from workstation.reporting.speech_models import SpeechModel, find_model
from workstation.reporting.speech_protocol import (
    MOST_BODY,
    ProtocolBroken,
    read_frame,
    sound_to_bytes,
    write_frame,
)
from workstation.reporting.spoken_commands import CommandHeard

log = logging.getLogger("reading_room.report")

_PATIENCE_SECONDS = 60.0
_PATIENCE_PER_SECOND = 6.0


class SpeechProcess:
    """A SpeechSource in a child process. Safe to call from any thread; one request runs at a time.

    `model` None takes the installed one. The child leaves by itself after `idle_seconds` without a request,
    when this object is closed, and when the workstation dies.
    """

    def __init__(
        self, model: SpeechModel | None = None, idle_seconds: float = 300.0, threads: int = 0
    ) -> None:
        self._model = model
        self._idle = idle_seconds
        self._threads = threads
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._complaints: IO[bytes] | None = None
        self._number = 0
        self._closed = False

    @property
    def name(self) -> str:
        """The model's name; the words a reader sees while it listens."""
        return self._found().name

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def warm(self) -> None:
        """Start the child and open its model, so that the words come sooner; raises SpeechUnavailable."""
        self._found()
        self._ask({"do": "warm"}, None)

    def transcribe(self, sound: Sound, context: SpeechContext) -> Utterance:
        """Words of a sound; blocks. Raises SpeechUnavailable."""
        self._found()
        request = {"do": "transcribe", "prompt": context.prompt, "hotwords": list(context.hotwords)}
        return _utterance(self._ask(request, sound)["utterance"])

    def recognise_command(self, sound: Sound) -> CommandHeard:
        """The spoken command in a sound; blocks. Raises SpeechUnavailable."""
        heard = self._ask({"do": "command"}, sound)["heard"]
        return CommandHeard(**heard)

    def release(self) -> None:
        """Let the child go and its memory with it; the next request starts another."""
        with self._lock:
            self._stop()

    def close(self) -> None:
        """Let the child go for good."""
        self._closed = True
        child = self._child
        if child is not None and self._lock.locked():
            child.kill()  # a decode under way would keep the window from closing
        self.release()

    def _found(self) -> SpeechModel:
        if self._model is None:
            self._model = find_model()
        return self._model

    def _ask(self, request: dict[str, Any], sound: Sound | None) -> dict[str, Any]:
        """One request and its answer; a child that dies over it is replaced once."""
        body = b"" if sound is None else sound_to_bytes(sound[: LONGEST_SECONDS * SAMPLE_RATE])
        assert len(body) <= MOST_BODY
        patience = _PATIENCE_SECONDS + _PATIENCE_PER_SECOND * len(body) / 4 / SAMPLE_RATE
        with self._lock:
            for attempt in (1, 2):
                if self._closed:
                    break
                with contextlib.suppress(OSError, ValueError, EOFError, ProtocolBroken):
                    return self._checked(self._exchange(request, body, patience))
                log.warning("speech child gone (attempt %d): %s", attempt, self._last_words())
                self._stop()
        raise SpeechUnavailable(
            "The speech engine stopped. Typing goes on; try the microphone again.", "speech"
        )

    def _exchange(self, request: dict[str, Any], body: bytes, patience: float) -> dict[str, Any]:
        child = self._running()
        assert child.stdin is not None
        assert child.stdout is not None
        self._number += 1
        watchdog = threading.Timer(
            patience, child.kill
        )  # reading a pipe cannot be given a time limit everywhere
        watchdog.daemon = True
        watchdog.start()
        try:
            write_frame(child.stdin, {"id": self._number, **request}, body)
            answer, _ = read_frame(child.stdout)
        finally:
            watchdog.cancel()
        if answer.get("id") != self._number:
            raise ProtocolBroken(f"answer {answer.get('id')} to request {self._number}")
        return answer

    def _checked(self, answer: dict[str, Any]) -> dict[str, Any]:
        if not answer.get("ok"):
            raise SpeechUnavailable(f"Dictation failed: {answer.get('error')}", "speech")
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._stop()
            self._child = self._start()
        return self._child

    def _start(self) -> subprocess.Popen[bytes]:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
        command = [*_program(), "--idle", str(self._idle), "--threads", str(self._threads)]
        with contextlib.suppress(SpeechUnavailable):  # spoken commands do without a model
            command += ["--model", str(self._found().folder), "--name", self._found().name]
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                env=_environment(),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise SpeechUnavailable(f"The speech engine could not be started: {error}", "speech") from error

    def _stop(self) -> None:
        """End the child: closing its pipe is enough for a well one, the rest are killed."""
        child, self._child = self._child, None
        if child is not None:
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            try:
                child.wait(timeout=1.0)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._complaints is not None:
            self._complaints.close()
            self._complaints = None

    def _last_words(self) -> str:
        """The end of what the child wrote to its standard error; tracebacks hold no patient data."""
        if self._complaints is None:
            return ""
        self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, self._complaints.tell() - 500))
        return self._complaints.read().decode(errors="replace").strip().rsplit("\n", 1)[-1]


def _program() -> list[str]:
    """How to start the child: the module, or the frozen program with its hidden subcommand."""
    if getattr(sys, "frozen", False):
        return [sys.executable, SUBCOMMAND]
    return [sys.executable, "-P", "-m", "workstation.reporting.speech_engine"]


def _environment() -> dict[str, str]:
    """The child's environment: offline, able to import us from where we were, without our secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("READING_ROOM")}
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, kept.get("PYTHONPATH", "").split(os.pathsep))]
    calm = {
        "OMP_WAIT_POLICY": "PASSIVE"
    }  # its threads sleep while they wait, and leave the window its processor
    return {**kept, **OFFLINE, **calm, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}


def _utterance(content: dict[str, Any]) -> Utterance:
    words = tuple(Word(text, start, end, chance) for text, start, end, chance in content["words"])
    return Utterance(
        content["text"],
        words,
        tuple(content["alternatives"]),
        content["seconds"],
        content["took"],
        content["engine"],
    )
