"""Numbers of the values inside a shape, in modality units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.tools.measures.refusal import Refusal, Why


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the pixels whose centre lies inside, in modality units; `unit` "HU", "BQML", ... or empty.

    `deviation` is the population's standard deviation; `median` the middle value.
    """

    count: int
    mean: float
    deviation: float
    lowest: float
    highest: float
    unit: str
    median: float = 0.0


def statistics(values: npt.NDArray[Any], unit_name: str) -> Statistics | Refusal:
    """Mean, population standard deviation, extremes, median; refused where there is no pixel."""
    kept = values[np.isfinite(values)]
    if kept.size == 0:
        return Refusal("no pixel lies inside", Why.PIXELS)
    flat = kept.astype(np.float64)
    return Statistics(
        int(flat.size),
        float(flat.mean()),
        float(flat.std()),
        float(flat.min()),
        float(flat.max()),
        unit_name,
        float(np.median(flat)),
    )


@dataclass(frozen=True, slots=True)
class Histogram:
    """`counts` of the values in equal bins from `low` to `high` (modality units), `high` in the last."""

    low: float
    high: float
    counts: tuple[int, ...]
    unit: str

    @property
    def width(self) -> float:
        """Of a bin, in modality units."""
        return (self.high - self.low) / len(self.counts)

    def centre(self, place: int) -> float:
        """The middle value of a bin."""
        return self.low + (place + 0.5) * self.width


def histogram(values: npt.NDArray[Any], unit_name: str, bins: int = 64) -> Histogram | Refusal:
    """How often which value occurs; whole numbers get bins of whole width, so that none is favoured."""
    kept = values[np.isfinite(values)].astype(np.float64)
    if kept.size == 0:
        return Refusal("no pixel lies inside", Why.PIXELS)
    low, high = float(kept.min()), float(kept.max())
    if low == high:
        return Histogram(low - 0.5, high + 0.5, (int(kept.size),), unit_name)
    if np.array_equal(kept, np.round(kept)):
        width = max(1.0, np.ceil((high - low + 1) / bins))
        count = int(np.ceil((high - low + 1) / width))
        low, high = low - 0.5, low - 0.5 + count * float(width)
    else:
        count = bins
    counts, _ = np.histogram(kept, bins=count, range=(low, high))
    return Histogram(low, high, tuple(int(n) for n in counts), unit_name)
