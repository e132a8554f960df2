"""What an engine is asked (`Cut`, `Flat`) and what it has to do (`Engine`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workstation.session.view_state import Interpolation, SlabMode

Array = npt.NDArray[Any]
Grey = npt.NDArray[np.uint8]
Stations = npt.NDArray[np.float64] | None
Index3 = tuple[float, float, float]
Index2 = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Cut:
    """A plane or slab through a volume, sampled at width x height places.

    Output pixel (x, y) of slab plane p lies at ``origin + x * across + y * down + p * through``, as
    (column, row, slice) in voxels; the slice counts in stations where a volume has them. A place more than
    half a voxel outside is outside; between the outermost centre and there the edge value holds.
    """

    origin: Index3
    across: Index3
    down: Index3
    width: int
    height: int
    through: Index3 = (0.0, 0.0, 0.0)
    planes: int = 1
    mode: SlabMode = SlabMode.MAXIMUM
    interpolation: Interpolation = Interpolation.LINEAR


@dataclass(frozen=True, slots=True)
class Flat:
    """An image laid into the viewport: output pixel (x, y) shows (column, row) ``origin + x * across + y *
    down``.

    `samples` > 1 averages so many squared places within each output pixel, for images shown smaller than
    they are.
    """

    origin: Index2
    across: Index2
    down: Index2
    width: int
    height: int
    samples: int = 1
    interpolation: Interpolation = Interpolation.LINEAR


class Engine(Protocol):
    """Samples stored values. Volumes are (slices, rows, columns) of int16, uint16 or uint8, C-contiguous."""

    @property
    def name(self) -> str:
        """What doctor and the about page call it."""
        ...

    def cut(self, volume: Array, cut: Cut, outside: int = 0, stations: Stations = None) -> Array:
        """Stored values (height, width) in the volume's type, within 0.51 of exact sampling."""
        ...

    def cut_grey(
        self, volume: Array, cut: Cut, table: Grey, background: int = 0, stations: Stations = None
    ) -> Grey:
        """The same looked up in a 65536-entry table: (height, width) uint8, `background` outside."""
        ...

    def flat(self, image: Array, flat: Flat, table: Grey | None, background: int = 0) -> Grey:
        """(rows, columns) through `table`, or (rows, columns, 3) uint8 without one, to (height, width[, 3])
        uint8.
        """
        ...


def slab_scale(mode: SlabMode) -> int:
    """The kernels' number of a slab mode."""
    return (SlabMode.MAXIMUM, SlabMode.MINIMUM, SlabMode.MEAN).index(mode)


def interpolation_number(interpolation: Interpolation) -> int:
    """The kernels' number of an interpolation."""
    return (Interpolation.NEAREST, Interpolation.LINEAR, Interpolation.CUBIC).index(interpolation)


def look_up(values: Array, table: Grey) -> Grey:
    """Stored values of 8 or 16 bits through a 65536-entry table."""
    return np.asarray(
        table[values.astype(np.uint16, copy=False) if values.dtype != np.int16 else values.view(np.uint16)]
    )
