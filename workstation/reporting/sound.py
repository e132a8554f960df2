"""Sound as the recogniser wants it: mono float32 at 16 kHz, from any PCM wave file or microphone rate."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pacs_core.domain.errors import InvalidValue
from workstation.reporting.log_mel import SAMPLE_RATE, Sound

LONGEST_SECONDS = 600
"""A dictation longer than this is refused: no sentence is, and a lying header would fill the memory."""

_TAPS = 32
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


@dataclass(frozen=True, slots=True)
class WaveFormat:
    """The ``fmt`` chunk: encoding (1 PCM, 3 IEEE float), channels, rate in Hz, bits a sample."""

    encoding: int
    channels: int
    rate: int
    bits: int


def read_sound(path: Path) -> Sound:
    """Read a RIFF wave file (PCM 8, 16, 24, 32 bit or float 32, 64) as mono at 16 kHz, -1…1.

    Raises InvalidValue saying what is wrong with the file; a file cut short gives what is there.
    """
    size = path.stat().st_size
    if size > LONGEST_SECONDS * 192_000 * 8:
        raise InvalidValue(f"{path.name} is too large for a dictation ({size} bytes)", "sound file")
    return sound_of_wave(path.read_bytes(), path.name)


def sound_of_wave(data: bytes, name: str = "sound") -> Sound:
    """The same for the bytes of a wave file."""
    wave, samples = _chunks(data, name)
    values = _as_float(samples, wave, name)
    frames = len(values) // wave.channels
    mono = values[: frames * wave.channels].reshape(frames, wave.channels).mean(axis=1, dtype=np.float32)
    if frames > LONGEST_SECONDS * wave.rate:
        raise InvalidValue(f"{name} is longer than {LONGEST_SECONDS} s", "sound file")
    return resample(np.nan_to_num(mono), wave.rate)


def _chunks(data: bytes, name: str) -> tuple[WaveFormat, bytes]:
    """Find ``fmt`` and ``data``, believing no length beyond the end of the file."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise InvalidValue(f"{name} is not a RIFF wave file", "sound file")
    wave, at = None, 12
    while at + 8 <= len(data):
        kind, length = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        body = data[at + 8 : at + 8 + length]
        if kind == b"fmt ":
            wave = _format(body, name)
        elif kind == b"data" and wave is not None:
            return wave, body
        at += 8 + length + (length & 1)
    raise InvalidValue(f"{name} has no {'samples' if wave else 'format'} in it", "sound file")


def _format(body: bytes, name: str) -> WaveFormat:
    if len(body) < 16:
        raise InvalidValue(f"{name} has a format chunk of {len(body)} bytes", "sound file")
    encoding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if encoding == _EXTENSIBLE and len(body) >= 26:
        encoding = struct.unpack_from("<H", body, 24)[0]
    if not 1 <= channels <= 32 or not 1_000 <= rate <= 400_000:
        raise InvalidValue(f"{name} claims {channels} channels at {rate} Hz", "sound file")
    return WaveFormat(encoding, channels, rate, bits)


def _as_float(samples: bytes, wave: WaveFormat, name: str) -> NDArray[np.float32]:
    """Samples of any PCM width as float32 in -1…1."""
    width = wave.bits // 8
    if width:
        samples = samples[: len(samples) // width * width]
    kind = (wave.encoding, wave.bits)
    if kind in {(_FLOAT, 32), (_FLOAT, 64)}:
        return np.frombuffer(samples, f"<f{width}").astype(np.float32)
    if kind == (_PCM, 8):
        return np.asarray((np.frombuffer(samples, np.uint8).astype(np.float32) - 128) / 128, np.float32)
    if kind in {(_PCM, 16), (_PCM, 32)}:
        return np.asarray(np.frombuffer(samples, f"<i{width}") / 2.0 ** (wave.bits - 1), np.float32)
    if kind == (_PCM, 24):
        bytes_ = np.frombuffer(samples, np.uint8).reshape(-1, 3)
        wide = np.zeros((len(bytes_), 4), np.uint8)
        wide[:, 1:] = bytes_
        return np.asarray(wide.view("<i4")[:, 0] / 2.0**31, np.float32)
    raise InvalidValue(
        f"{name} is encoding {wave.encoding} with {wave.bits} bits; PCM or float is needed", "sound file"
    )


def resample(samples: NDArray[np.float32], rate: int, to: int = SAMPLE_RATE) -> Sound:
    """Band-limited resampling by a Hann-windowed sinc of 32 zero crossings; the length keeps its seconds."""
    if rate == to or not len(samples):
        return np.asarray(samples, np.float32)
    cutoff = min(1.0, to / rate)
    reach = int(np.ceil(_TAPS / cutoff))
    padded = np.pad(np.asarray(samples, np.float32), reach)
    out = np.empty(int(len(samples) * to / rate), np.float32)
    offsets = np.arange(-reach + 1, reach + 1)
    for start in range(0, len(out), 65_536):  # blocks keep the table of taps small
        place = np.arange(start, min(start + 65_536, len(out)), dtype=np.int64) * rate
        whole, part = place // to, (place % to) / to
        # The same fraction comes back every `to / gcd` samples, so the sinc is computed once for each.
        fractions, which = np.unique(part, return_inverse=True)
        distance = offsets[None, :] - fractions[:, None]
        taps = (
            np.sinc(distance * cutoff)
            * cutoff
            * (0.5 + 0.5 * np.cos(np.pi * np.clip(distance / reach, -1, 1)))
        )
        window = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach)[whole + 1]
        out[start : start + len(place)] = np.einsum("ij,ij->i", window, taps.astype(np.float32)[which])
    return out
