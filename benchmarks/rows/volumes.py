"""What the imaging rows work on: computed once a run, of the size a large CT has."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

SHAPE = (600, 512, 512)


@lru_cache(maxsize=1)
def ct() -> npt.NDArray[np.int16]:
    """600 slices of 512 x 512 in HU: air, an elliptic body with organs, vessels, bone and noise."""
    slices, rows, columns = SHAPE
    noise = np.random.default_rng(7)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    volume = np.empty(SHAPE, dtype=np.int16)
    for k in range(slices):
        volume[k] = _ct_slice(x, y, k, noise)
    return volume


def _ct_slice(x: Any, y: Any, k: int, noise: np.random.Generator) -> npt.NDArray[np.int16]:
    turn = k / 40.0
    body = ((x - 256) / 200) ** 2 + ((y - 256) / 140) ** 2
    lung = ((x - 160) / 70) ** 2 + ((y - 250) / 95) ** 2
    other = ((x - 352) / 70) ** 2 + ((y - 250) / 95) ** 2
    spine = ((x - 256) / 26) ** 2 + ((y - 345) / 24) ** 2
    vessel = (x - 256 - 60 * np.cos(turn)) ** 2 + (y - 250 - 40 * np.sin(turn)) ** 2
    values = np.where(body < 1, 40.0, -1000.0)
    values = np.where((lung < 1) | (other < 1), -850.0, values)
    values = np.where(vessel < 81, 300.0, values)
    values = np.where(spine < 1, 500.0 + 400.0 * (spine > 0.7), values)
    values += noise.normal(0.0, 18.0, values.shape)
    return np.clip(values, -1024, 3071).astype(np.int16)


@lru_cache(maxsize=1)
def pet() -> npt.NDArray[np.int16]:
    """300 slices of 200 x 200: a cool body with a few hot places."""
    k, j, i = np.mgrid[0:300, 0:200, 0:200].astype(np.float32)
    body = ((i - 100) / 78) ** 2 + ((j - 100) / 55) ** 2 < 1
    values = np.where(body, 1500.0, 20.0)
    for n in range(12):
        at = (60 + 7 * n, 70 + 5 * n, 20 + 22 * n)
        values += 20000.0 * np.exp(-((i - at[0]) ** 2 + (j - at[1]) ** 2 + (k - at[2]) ** 2) / 18.0)
    values += np.random.default_rng(3).normal(0.0, 60.0, values.shape)
    return np.clip(values, 0, 32767).astype(np.int16)
