"""The workstation's end of the speech child: started when first needed, watched, started again, released.

Whatever becomes of the child (killed, out of memory, stuck), the window stays as it is: an utterance under
way is given to a fresh child once, and if that fails too the reader is told in words and goes on typing.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import Any

from workstation.reporting.dictation import SpeechContext, SpeechUnavailable, Utterance, Word
from workstation.reporting.log_mel import SAMPLE_RATE, Sound
from workstation.reporting.sound import LONGEST_SECONDS
from workstation.reporting.speech_engine import OFFLINE, SUBCOMMAND
from workstation.reporting.speech_models import SpeechModel, find_model
from workstation.reporting.speech_protocol import MOST_BODY, sound_to_bytes
from workstation.reporting.spoken_commands import CommandHeard
from workstation.session.child_process import Child, ChildGone, ChildRefused, own_environment, own_program

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
        self._child: Child | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """The model's name; the words a reader sees while it listens."""
        return self._found().name

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        child = self._child
        return child.pid if child is not None and child.running else None

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
                try:
                    return self._running().ask(request, patience, body)[0]
                except ChildRefused as refusal:
                    raise SpeechUnavailable(f"Dictation failed: {refusal}", "speech") from refusal
                except ChildGone as gone:
                    log.warning("speech child gone (attempt %d): %s", attempt, gone)
                self._stop()
        raise SpeechUnavailable(
            "The speech engine stopped. Typing goes on; try the microphone again.", "speech"
        )

    def _running(self) -> Child:
        if self._child is None or not self._child.running:
            self._stop()
            self._child = self._start()
        return self._child

    def _start(self) -> Child:
        command = [*program(), "--idle", str(self._idle), "--threads", str(self._threads)]
        with contextlib.suppress(SpeechUnavailable):  # spoken commands do without a model
            command += ["--model", str(self._found().folder), "--name", self._found().name]
        return Child("the speech engine", command, environment())

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()


def program() -> list[str]:
    """How to start the child."""
    return own_program("workstation.reporting.speech_engine", SUBCOMMAND)


def environment() -> dict[str, str]:
    """The child's environment: offline, its threads asleep while they wait, so that the window has its
    processor.
    """
    return own_environment({**OFFLINE, "OMP_WAIT_POLICY": "PASSIVE"})


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
