"""The log-mel spectrogram a Whisper model listens to, in numpy.

Slaney's mel scale and area normalisation, a periodic Hann window of 25 ms every 10 ms at 16 kHz, power in
log10 clipped 8 below its maximum and brought to about -1…1: the front end the model was trained with.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]

SAMPLE_RATE = 16_000
WINDOW_SECONDS = 30
FRAMES_PER_SECOND = 100
_WINDOW = 400
_HOP = 160


def _mel_to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear below 1 kHz (mel 15), logarithmic above: Slaney's auditory toolbox."""
    return np.where(mel < 15.0, mel * (200.0 / 3.0), 1000.0 * np.exp((mel - 15.0) * np.log(6.4) / 27.0))


@cache
def mel_filters(bands: int) -> NDArray[np.float32]:
    """Triangular filters, shape (bands, 201), each of unit area in Hz."""
    top = 15.0 + np.log(SAMPLE_RATE / 2 / 1000.0) * 27.0 / np.log(6.4)
    edges = _mel_to_hertz(np.linspace(0.0, top, bands + 2))
    bins = np.linspace(0.0, SAMPLE_RATE / 2, _WINDOW // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * area[:, None], dtype=np.float32)


def log_mel(sound: Sound, bands: int = 80) -> NDArray[np.float32]:
    """Spectrogram of at most 30 s of sound, padded with silence to shape (bands, 3000).

    Raises ValueError where the sound is longer: a caller cuts it at pauses first.
    """
    length = SAMPLE_RATE * WINDOW_SECONDS
    if sound.ndim != 1 or len(sound) > length:
        raise ValueError(f"one window takes at most {length} mono samples, not {sound.shape}")
    padded = np.pad(np.pad(sound, (0, length - len(sound))), _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][: length // _HOP]
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(_WINDOW) / _WINDOW)
    power = np.abs(np.fft.rfft(frames * hann.astype(np.float32), axis=1)).astype(np.float32) ** 2
    decibels = np.log10(np.maximum(mel_filters(bands) @ power.T, 1e-10))
    limited = np.maximum(decibels, decibels.max() - 8.0)
    return np.ascontiguousarray((limited + 4.0) / 4.0, dtype=np.float32)
