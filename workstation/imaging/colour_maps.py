"""Colours for a level of 0 to 255: what a fused or a nuclear picture is painted with."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.uint8]
Levels = npt.NDArray[np.float64]
CLEAR_BELOW = 24  # levels over which a fused colour comes in, so that an edge is no line


def _hot_iron(level: Levels) -> list[Levels]:
    """PS3.6 B.1.1, Hot Iron."""
    return [2 * level, 2 * (level - 128), 4 * (level - 192)]


def _grey(level: Levels) -> list[Levels]:
    return [level] * 3


def _inverted(level: Levels) -> list[Levels]:
    return [255 - level] * 3


def _spectrum(level: Levels) -> list[Levels]:
    """Blue over green and yellow to red, black at nothing."""
    place = level / 255 * 4
    dim = np.minimum(level * 8, 255) / 255
    bands = [255 * (1.5 - np.abs(place - middle)) for middle in (3.5, 2.0, 0.9)]
    return [np.clip(band, 0, 255) * dim for band in bands]


MAPS: dict[str, Callable[[Levels], list[Levels]]] = {
    "hot iron": _hot_iron,
    "grey": _grey,
    "inverted grey": _inverted,
    "spectrum": _spectrum,
}


@lru_cache(maxsize=32)
def colours(name: str) -> Colours:
    """uint8 (256, 3) of a map by its name; raises KeyError for a name that is none of `MAPS`."""
    bands = MAPS[name](np.arange(256, dtype=np.float64))
    table = np.stack([np.clip(np.floor(band + 0.5), 0, 255) for band in bands], axis=1).astype(np.uint8)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=64)
def laid_over(name: str, opacity: float) -> Colours:
    """uint8 (256, 4): a map with its opacity (0..1), clear at level 0 so that what is cold hides nothing."""
    rise = np.minimum(np.arange(256) / CLEAR_BELOW, 1.0)
    alpha = np.floor(255 * min(max(opacity, 0.0), 1.0) * rise + 0.5)
    table = np.concatenate([colours(name), alpha.astype(np.uint8)[:, None]], axis=1)
    table.setflags(write=False)
    return table
