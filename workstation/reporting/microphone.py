"""The microphone through PortAudio (sounddevice): pressed it records, released it gives the sound.

Where the system has no PortAudio or no input the reason is said in words, and sound files still work.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workstation.reporting.dictation import SpeechUnavailable
from workstation.reporting.log_mel import SAMPLE_RATE, Sound
from workstation.reporting.sound import LONGEST_SECONDS, resample

if TYPE_CHECKING:
    from types import ModuleType


@dataclass(frozen=True, slots=True)
class InputDevice:
    """A device that can record; `default` marks the one the system would choose."""

    index: int
    name: str
    channels: int
    rate: int
    default: bool = False


def _sounddevice() -> ModuleType:
    """The library, or why there is none."""
    try:
        import sounddevice
    except OSError as error:  # the wheel for Linux brings no PortAudio of its own
        raise SpeechUnavailable(
            "The microphone needs the PortAudio library (Debian: libportaudio2). Sound files do without it.",
            "microphone",
        ) from error
    except ImportError as error:
        raise SpeechUnavailable(f"The microphone is off: {error}", "microphone") from error
    module: ModuleType = sounddevice
    return module


def input_devices() -> tuple[InputDevice, ...]:
    """Every device that records, none where none is plugged in; raises SpeechUnavailable."""
    library = _sounddevice()
    try:
        chosen = library.default.device[0]
        rows = list(enumerate(library.query_devices()))
    except library.PortAudioError as error:
        raise SpeechUnavailable(f"The sound system does not answer: {error}", "microphone") from error
    return tuple(
        InputDevice(i, row["name"], row["max_input_channels"], int(row["default_samplerate"]), i == chosen)
        for i, row in rows
        if row["max_input_channels"] > 0
    )


class Microphone:
    """One recording at a time; `device` is an index of `input_devices`, None the system's choice.

    Recorded at the device's own rate and resampled here, for not every driver takes 16 kHz.
    """

    def __init__(self, device: int | None = None) -> None:
        self._device = device
        self._lock = threading.Lock()
        self._pieces: list[NDArray[np.float32]] = []
        self._length = 0
        self._rate = SAMPLE_RATE
        self._level = 0.0
        self._stream: Any = None  # sounddevice.InputStream; the library is untyped and imported late

    @property
    def recording(self) -> bool:
        return self._stream is not None

    @property
    def level(self) -> float:
        """Loudness of the last moment, root mean square 0-1, for the meter beside the key."""
        return self._level

    def start(self) -> None:
        """Begin to record; raises SpeechUnavailable saying why it cannot."""
        if self._stream is not None:
            return
        library = _sounddevice()
        if not input_devices():
            raise SpeechUnavailable("No microphone is connected.", "microphone")
        try:
            device = library.query_devices(self._device, "input")
            self._rate = int(device["default_samplerate"])
            self._pieces, self._length, self._level = [], 0, 0.0
            self._stream = library.InputStream(
                samplerate=self._rate, device=self._device, channels=1, dtype="float32", callback=self._take
            )
            self._stream.start()
        except (library.PortAudioError, ValueError) as error:
            self._stream = None
            raise SpeechUnavailable(f"The microphone cannot be opened: {error}", "microphone") from error

    def stop(self) -> Sound:
        """End the recording and give it at 16 kHz; empty where none was running."""
        stream, self._stream = self._stream, None
        if stream is None:
            return np.zeros(0, np.float32)
        stream.stop()
        stream.close()
        with self._lock:
            pieces, self._pieces, self._level = self._pieces, [], 0.0
        return resample(np.concatenate(pieces) if pieces else np.zeros(0, np.float32), self._rate)

    def _take(self, frames: NDArray[np.float32], count: int, _time: object, _status: object) -> None:
        """Called by PortAudio's own thread: keep the samples, do nothing else."""
        mono = frames[:, 0].copy()
        with self._lock:
            if self._length < LONGEST_SECONDS * self._rate:
                self._pieces.append(mono)
                self._length += count
            self._level = float(np.sqrt(np.mean(mono**2))) if count else 0.0
