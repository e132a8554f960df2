"""What travels in the frames between the workstation and its speech child: float32 samples."""

from __future__ import annotations

import numpy as np

from workstation.reporting.log_mel import Sound

MOST_BODY = 64_000_000
"""Bytes of the longest sound that is sent."""


def sound_to_bytes(sound: Sound) -> bytes:
    """Samples as they travel."""
    return np.ascontiguousarray(sound, dtype="<f4").tobytes()


def sound_from_bytes(body: bytes) -> Sound:
    """Samples as they arrived, whatever was odd in them made silence."""
    samples = np.frombuffer(body[: len(body) // 4 * 4], dtype="<f4").astype(np.float32)
    return np.clip(np.nan_to_num(samples), -1.0, 1.0)
