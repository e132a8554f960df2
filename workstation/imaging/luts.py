"""From stored values to what is seen: modality, VOI, presentation (PS3.3 C.11, C.7.6.3; PS3.4 N.2).

`to_grey` is the one function; `grey_table` is the same function for every 16-bit value at once, which the
kernels look up after interpolating in stored units. The order is the standard's: modality LUT, VOI,
presentation LUT or its shape, the reader's inversion, and last the display's own table (PS3.14).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

LINEAR, LINEAR_EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"


@dataclass(frozen=True, slots=True)
class Rescale:
    """Rescale Slope and Intercept (PS3.3 C.11.1.1.2) and the unit they lead to ("HU", "BQML", ...)."""

    slope: float = 1.0
    intercept: float = 0.0
    unit: str = ""

    def apply(self, stored: npt.NDArray[Any]) -> Floats:
        return np.asarray(stored, dtype=np.float64) * self.slope + self.intercept


@dataclass(frozen=True, slots=True)
class TableLut:
    """A LUT of the Modality or VOI LUT Sequence: first stored value mapped, entries, bits of an entry."""

    first: int
    entries: tuple[int, ...]
    bits: int
    unit: str = ""

    @property
    def top(self) -> float:
        """The largest value an entry may have (PS3.3 C.11.2.1.1)."""
        return float(2**self.bits - 1)

    def apply(self, values: npt.NDArray[Any]) -> Floats:
        """Values below the first take the first entry, above the last the last (PS3.3 C.11.1.1.1)."""
        table = np.asarray(self.entries, dtype=np.float64)
        index = np.nan_to_num(np.floor(np.asarray(values, dtype=np.float64) + 0.5) - self.first)
        return np.asarray(table[np.clip(index, 0, len(table) - 1).astype(np.intp)], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class VoiWindow:
    """Window Center and Width with their function (PS3.3 C.11.2.1.2, C.11.2.1.3), in modality units."""

    centre: float
    width: float
    function: str = LINEAR
    label: str = ""

    def apply(self, values: Floats) -> Floats:
        """Values to 0..1; LINEAR needs a width of 1 or more, the others one above 0 (PS3.3 C.11.2.1.2.1)."""
        if self.function == SIGMOID:
            power = np.clip(-4.0 * (values - self.centre) / max(self.width, 1e-6), -700.0, 700.0)
            return np.asarray(1.0 / (1.0 + np.exp(power)), dtype=np.float64)
        if self.function == LINEAR_EXACT:
            return np.clip((values - self.centre) / max(self.width, 1e-6) + 0.5, 0.0, 1.0)
        width = max(self.width, 1.0)
        if width == 1.0:
            return np.where(values > self.centre - 0.5, 1.0, 0.0)
        return np.clip((values - (self.centre - 0.5)) / (width - 1.0) + 0.5, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class GreyChain:
    """All that stands between a stored value and a grey level.

    `voi` None shows `extent` (lowest, highest value in modality units). `inverse` is the image's own
    (MONOCHROME1, or Presentation LUT Shape INVERSE), `inverted` the reader's wish; both undo each other.
    `padding` is the closed range of stored values that mean nothing: black, whatever the image's polarity,
    and white where the reader inverted (PS3.3 C.7.5.1.1.2). `presentation` is a Presentation LUT (PS3.3
    C.11.6): the whole output of the VOI step is its input, its output P-values. `display` are the driving
    levels (0..255) of a monitor for evenly spaced P-values from none to all (PS3.14); None drives it with
    the P-values themselves.
    """

    modality: Rescale | TableLut = Rescale()
    voi: VoiWindow | TableLut | None = None
    extent: tuple[float, float] = (0.0, 1.0)
    inverse: bool = False
    inverted: bool = False
    padding: tuple[int, int] | None = None
    presentation: TableLut | None = None
    display: tuple[int, ...] | None = None


def _voi_to_unit(values: Floats, chain: GreyChain) -> Floats:
    if isinstance(chain.voi, VoiWindow):
        return chain.voi.apply(values)
    if isinstance(chain.voi, TableLut):
        return np.clip(chain.voi.apply(values) / chain.voi.top, 0.0, 1.0)
    low, high = chain.extent
    return np.clip((values - low) / max(high - low, 1e-12), 0.0, 1.0)


def _presented(level: Floats, table: TableLut) -> Floats:
    """VOI output 0..1 through a Presentation LUT, whose input range is all of its entries (PS3.3 C.11.6)."""
    places = level * (len(table.entries) - 1) + table.first
    return np.clip(table.apply(places) / table.top, 0.0, 1.0)


def to_p_values(stored: npt.NDArray[Any], chain: GreyChain) -> Floats:
    """Stored values (any shape, any number type) to P-values 0..1: the whole chain but for the display."""
    level = _voi_to_unit(chain.modality.apply(stored), chain)
    level = np.clip(np.nan_to_num(level, nan=0.0), 0.0, 1.0)
    if chain.presentation is not None:
        level = _presented(level, chain.presentation)
    if chain.inverse != chain.inverted:
        level = 1.0 - level
    if chain.padding is None:
        return level
    nothing = (stored >= chain.padding[0]) & (stored <= chain.padding[1])
    return np.where(nothing, 1.0 if chain.inverted else 0.0, level)


def to_grey(stored: npt.NDArray[Any], chain: GreyChain) -> Grey:
    """Stored values (any shape, any number type) to 0..255 by the whole chain, padding as background."""
    return _driven(to_p_values(stored, chain), chain)


def _driven(level: Floats, chain: GreyChain) -> Grey:
    """P-values 0..1 to what drives the display."""
    if chain.display is None:
        return np.floor(level * 255.0 + 0.5).astype(np.uint8)
    driving = np.asarray(chain.display, dtype=np.uint8)
    return np.asarray(driving[np.floor(level * (len(driving) - 1) + 0.5).astype(np.intp)])


def _window_reach(chain: GreyChain) -> tuple[float, float] | None:
    """(lowest, highest) stored value between which a straight window rises, a unit to spare; None where the
    chain has none.
    """
    window, modality = chain.voi, chain.modality
    if not isinstance(window, VoiWindow) or window.function == SIGMOID or not isinstance(modality, Rescale):
        return None
    exact = window.function == LINEAR_EXACT
    middle = window.centre if exact else window.centre - 0.5
    half = (max(window.width, 1e-6) if exact else max(window.width, 1.0) - 1.0) / 2
    if not all(map(math.isfinite, (middle, half, modality.slope, modality.intercept))) or modality.slope == 0:
        return None
    ends = sorted((middle + side * half - modality.intercept) / modality.slope for side in (-1, 1))
    return ends[0] - 1.0, ends[1] + 1.0


def _all_greys(chain: GreyChain, first: int, last: int) -> Grey:
    """Every stored value from `first` to `last`; only where a straight window rises is there much to do."""
    reach = _window_reach(chain)
    if reach is None:
        return to_grey(np.arange(first, last + 1), chain)
    low, high = (int(min(max(end, first), last)) for end in reach)
    greys = np.empty(last - first + 1, dtype=np.uint8)
    rising = greys[low - first : high - first + 1]
    rising[:] = to_grey(np.arange(low, high + 1), replace(chain, padding=None))
    greys[: low - first] = rising[0]
    greys[high - first + 1 :] = rising[-1]
    if chain.padding is not None:
        start, stop = (min(max(end, first), last + 1) for end in (chain.padding[0], chain.padding[1] + 1))
        greys[start - first : stop - first] = _driven(np.array([1.0 if chain.inverted else 0.0]), chain)
    return greys


@lru_cache(maxsize=64)
def _table(chain: GreyChain, signed: bool) -> Grey:
    first = -32768 if signed else 0
    table = np.roll(_all_greys(chain, first, first + 65535), first)
    table.setflags(write=False)
    return table


def grey_table(chain: GreyChain, dtype: np.dtype[Any]) -> Grey:
    """uint8[65536], indexed by the 16 bits of the stored value; for int16, uint16 and uint8 (its low 256)."""
    return _table(chain, bool(np.issubdtype(dtype, np.signedinteger)))


def background(chain: GreyChain) -> int:
    """The grey of what lies outside the picture: black, whatever the image's polarity."""
    return 0 if chain.display is None else chain.display[0]


PRESETS: dict[str, tuple[VoiWindow, ...]] = {
    "CT": (
        VoiWindow(40, 400, label="Abdomen"),
        VoiWindow(-600, 1500, label="Lung"),
        VoiWindow(50, 350, label="Mediastinum"),
        VoiWindow(400, 1800, label="Bone"),
        VoiWindow(40, 80, label="Brain"),
        VoiWindow(35, 40, label="Stroke"),
        VoiWindow(80, 200, label="Subdural"),
        VoiWindow(60, 150, label="Liver"),
        VoiWindow(250, 700, label="Angiography"),
    ),
}


def presets(modality: str) -> tuple[VoiWindow, ...]:
    """Windows of the keys 1 to 9 for a modality; empty where values have no common scale (MR, CR, US)."""
    return PRESETS.get(modality, ())


def auto_window(values: npt.NDArray[Any], low: float = 0.5, high: float = 99.5) -> VoiWindow:
    """A window from the 0.5th to the 99.5th percentile of modality values (sampled where there are many)."""
    flat = np.asarray(values).reshape(-1)
    step = max(1, flat.size // 250_000)
    sample = flat[::step].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return VoiWindow(0.5, 1.0, LINEAR_EXACT, "Auto")
    bottom, top = (float(v) for v in np.percentile(sample, (low, high)))
    if top <= bottom:
        bottom, top = float(sample.min()), max(float(sample.max()), float(sample.min()) + 1.0)
    return VoiWindow((bottom + top) / 2, top - bottom, LINEAR_EXACT, "Auto")


def emission_window(values: npt.NDArray[Any]) -> VoiWindow:
    """For counts and activity: from nothing to nearly the hottest, so that a small lesion keeps its grey."""
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    top = float(np.percentile(flat, 99.9)) if flat.size else 1.0
    return VoiWindow(max(top, 1e-9) / 2, max(top, 1e-9), LINEAR_EXACT, "Auto")
