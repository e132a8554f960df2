"""The speech child: reads frames from standard input, answers on standard output, needs nothing else.

Started by ``python -m workstation.reporting.speech_engine`` or, frozen, by the hidden subcommand
``speech-engine``. It has no network, leaves when its parent does, and by itself after a while of silence.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from workstation.reporting.dictation import SpeechContext, Utterance
from workstation.reporting.log_mel import Sound
from workstation.reporting.speech_protocol import MOST_BODY, sound_from_bytes
from workstation.reporting.spoken_commands import CommandHeard, CommandListener
from workstation.reporting.whisper import WhisperEngine
from workstation.session.child_pipes import own_ends, requests, write_frame

log = logging.getLogger("reading_room.report")

SUBCOMMAND = "speech-engine"
GRACE_SECONDS = 2.0  # a decode under way may end by itself
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Environment under which no library we load asks anyone for anything."""


def main(argv: list[str] | None = None) -> int:
    """Serve frames until the parent closes the pipe or asks nothing for `--idle` seconds; exit status 0."""
    parser = argparse.ArgumentParser(
        prog=SUBCOMMAND, description="speech engine of the workstation; not for hand use"
    )
    parser.add_argument("--model", type=Path, default=None, help="a model folder; none leaves commands alone")
    parser.add_argument("--name", default="")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--idle", type=float, default=300.0)
    options = parser.parse_args(sys.argv[1:] if argv is None else argv)
    os.environ.update(OFFLINE)
    wall_off_network()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the parent's business
    asked, answers = own_ends()
    engine = Engine(options.model, options.name, options.threads)
    for request in requests(asked, MOST_BODY, options.idle, GRACE_SECONDS):
        write_frame(answers, engine.answer(*request))
    return 0


def wall_off_network() -> None:
    """Refuse every socket in this process from now on (there is no way back)."""
    sys.addaudithook(_no_socket)


def _no_socket(event: str, _arguments: tuple[object, ...]) -> None:
    if event.startswith("socket."):
        raise PermissionError(f"the speech engine has no network ({event})")


class Engine:
    """Answers requests; each model is opened when it is first needed."""

    def __init__(self, model: Path | None, name: str = "", threads: int = 0) -> None:
        self._folder, self._name, self._threads = model, name, threads
        self._whisper: WhisperEngine | None = None
        self._commands: CommandListener | None = None

    def answer(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        """The answer to one request, a failure included."""
        number = header.get("id", 0)
        try:
            return {"id": number, "ok": True, **self._do(header, sound_from_bytes(body))}
        except Exception as error:  # the door's edge: whatever goes wrong is told and the next request served
            log.exception("speech request failed")
            return {"id": number, "ok": False, "error": f"{type(error).__name__}: {error}"}

    def _do(self, header: dict[str, Any], sound: Sound) -> dict[str, Any]:
        match header.get("do"):
            case "warm":
                return {"engine": self._speech().name}
            case "transcribe":
                context = SpeechContext(str(header.get("prompt", "")), tuple(header.get("hotwords", ())))
                return {"utterance": utterance_to_json(self._speech().transcribe(sound, context))}
            case "command":
                return {"heard": command_to_json(self._listener().recognise(sound))}
            case other:
                raise ValueError(f"unknown request {other!r}")

    def _speech(self) -> WhisperEngine:
        if self._folder is None:
            raise ValueError("no speech model was given")
        if self._whisper is None:
            self._whisper = WhisperEngine(self._folder, self._name, self._threads)
        return self._whisper

    def _listener(self) -> CommandListener:
        if self._commands is None:
            self._commands = CommandListener(self._speech() if self._folder is not None else None)
        return self._commands


def utterance_to_json(utterance: Utterance) -> dict[str, Any]:
    """An utterance as it travels."""
    return {
        "text": utterance.text,
        "words": [[w.text, w.start, w.end, w.probability] for w in utterance.words],
        "alternatives": list(utterance.alternatives),
        "seconds": utterance.seconds,
        "took": utterance.took,
        "engine": utterance.engine,
    }


def command_to_json(heard: CommandHeard) -> dict[str, Any]:
    """A heard command as it travels."""
    return {
        "command": heard.command,
        "phrase": heard.phrase,
        "confidence": heard.confidence,
        "accepted": heard.accepted,
    }


if __name__ == "__main__":
    sys.exit(main())
