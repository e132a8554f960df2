"""Dictation at the desk: hold a key, speak, let go; the words come back as a draft. Nothing blocks the
window.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from workstation.reporting.dictation import SpeechContext, Utterance
from workstation.ui import words
from workstation.ui.letting_go import let_go

if TYPE_CHECKING:
    from workstation.reporting.speech_process import SpeechProcess
    from workstation.ui.desk import Desk

LEVEL_MS = 100


class Dictation(QObject):
    """States: ready, opening, listening, recognising. `heard` carries an utterance, `command` a spoken
    command's id.
    """

    state_changed = Signal(str)
    level = Signal(float)
    heard = Signal(object)
    command = Signal(str)
    failed = Signal(str)

    def __init__(self, desk: Desk, context: Callable[[], SpeechContext]) -> None:
        super().__init__()
        self._desk, self._context = desk, context
        self._engine: SpeechProcess | None = None
        self._microphone: Any = None
        self._held = False
        self._commanding = False
        self.state = "ready"
        self._meter = QTimer(self, interval=LEVEL_MS)
        self._meter.timeout.connect(self._measure)
        desk.closing.append(self.close)

    def engine(self) -> SpeechProcess:
        """The offline engine in its child process, made at the first word."""
        if self._engine is None:
            from workstation.reporting.speech_models import find_model
            from workstation.reporting.speech_process import SpeechProcess

            chosen = self._desk.preferences.speech_model
            self._engine = SpeechProcess(find_model(Path(chosen)) if chosen else None)
        return self._engine

    def _become(self, state: str) -> None:
        self.state = state
        self.state_changed.emit(state)

    def press(self, commanding: bool = False) -> None:
        """The key went down: open the microphone, wake the engine."""
        if self.state != "ready":
            return
        self._held, self._commanding = True, commanding
        self._become("opening")
        self._desk.tasks.ask(
            self,
            words.t("wake the speech engine"),
            lambda: self.engine().warm(),
            lambda _none: None,
            self._fail,
            tag="warm",
        )
        self._desk.tasks.ask(
            self, words.t("open the microphone"), self._open, self._opened, self._fail, tag="open"
        )

    def _open(self) -> object:
        file = self._desk.sound_file or (
            Path(self._desk.preferences.sound_file) if self._desk.preferences.sound_file else None
        )
        if file is not None:
            return file
        from workstation.reporting.microphone import Microphone

        device = self._desk.preferences.microphone
        microphone = Microphone(int(device) if device.isdigit() else None)
        microphone.start()
        return microphone

    def _opened(self, microphone: object) -> None:
        self._microphone = microphone
        self._become("listening")
        if not isinstance(microphone, Path):
            self._meter.start()
        if not self._held:
            self._recognise()

    def _measure(self) -> None:
        if self._microphone is not None and not isinstance(self._microphone, Path):
            self.level.emit(float(self._microphone.level))

    def release(self) -> None:
        """The key went up: turn the sound into words."""
        if not self._held:
            return
        self._held = False
        if self.state == "listening":
            self._recognise()

    def _recognise(self) -> None:
        self._meter.stop()
        microphone, self._microphone = self._microphone, None
        self._become("recognising")
        if self._commanding:
            self._desk.tasks.ask(
                self,
                words.t("understand the command"),
                lambda: self.engine().recognise_command(sound_of(microphone)),
                self._command,
                self._fail,
                tag="recognise",
            )
            return
        context = self._context()
        self._desk.tasks.ask(
            self,
            words.t("write down what was said"),
            lambda: self.engine().transcribe(sound_of(microphone), context),
            self._done,
            self._fail,
            tag="recognise",
        )

    def transcribe_file(self, path: Path) -> None:
        """Write down what a sound file says."""
        if self.state == "ready":
            self._commanding, self._microphone = False, path
            self._recognise()

    def _done(self, utterance: Utterance) -> None:
        self._become("ready")
        if utterance.text.strip():
            self.heard.emit(utterance)
        else:
            self.failed.emit(getattr(utterance, "refusal", "") or words.t("Nothing was heard."))

    def _command(self, heard: Any) -> None:
        self._become("ready")
        if heard.accepted:
            self.command.emit(heard.command)
        else:
            self.failed.emit(words.t("That was no command I know."))

    def _fail(self, error: Exception) -> None:
        self._meter.stop()
        self._held, self._microphone = False, None
        self._become("ready")
        self.failed.emit(words.failure(error).words)

    def close(self) -> None:
        self._meter.stop()
        let_go(self)
        if self._engine is not None:
            engine, self._engine = self._engine, None
            self._desk.tasks.act(
                self._desk.window, words.t("end the speech engine"), engine.close, failed=lambda _error: None
            )


def sound_of(microphone: Any) -> Any:
    """The sound of a recording that ends now, or of a file."""
    if isinstance(microphone, Path):
        from workstation.reporting.sound import read_sound

        return read_sound(microphone)
    return microphone.stop()
