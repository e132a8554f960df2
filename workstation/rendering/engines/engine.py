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


@dataclass(frozen=True, slots=True, eq=False)
class Ribbon:
    """A curved plane or slab: every row of the output has its own place.

    `rows` is float64 (height, 9): origin, across and through of each row, as in `Cut`. Output pixel (x, y) of
    plane p lies at ``origin[y] + x * across[y] + p * through[y]``.
    """

    rows: npt.NDArray[np.float64]
    width: int
    planes: int = 1
    mode: SlabMode = SlabMode.MAXIMUM
    interpolation: Interpolation = Interpolation.LINEAR

    @property
    def height(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One volume of a fused picture: where it is cut, and its levels 0..255 as a 65536-entry table."""

    volume: Array
    cut: Cut
    table: Grey
    stations: Stations = None


@dataclass(frozen=True, slots=True, eq=False)
class Summits:
    """The largest value of every brick of 8 and of 32 voxels: by them a projection skips most of it."""

    fine: npt.NDArray[np.uint16]
    coarse: npt.NDArray[np.uint16]


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

    def curved(self, volume: Array, ribbon: Ribbon, outside: int = 0, stations: Stations = None) -> Array:
        """As `cut`, along a curved surface."""
        ...

    def curved_grey(
        self, volume: Array, ribbon: Ribbon, table: Grey, background: int = 0, stations: Stations = None
    ) -> Grey:
        """As `cut_grey`, along a curved surface."""
        ...

    def fused(self, below: Layer, above: Layer, colours: Grey, background: int = 0) -> Grey:
        """The levels of `above` in `colours` (256, 4: red, green, blue, opacity) over the greys of `below`:
        (height, width, 3); where `above` is outside it is clear.
        """
        ...

    def summits(self, volume: Array) -> Summits | None:
        """What `projected` wants to know beforehand about a volume, or None."""
        ...

    def projected(
        self,
        volume: Array,
        cut: Cut,
        table: Grey,
        background: int = 0,
        stations: Stations = None,
        summits: Summits | None = None,
    ) -> Grey:
        """`cut_grey` of a linear MIP, quick where its many planes go through a whole volume."""
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


def blended(grey: Grey, level: Grey, inside: npt.NDArray[np.bool_], colours: Grey) -> Grey:
    """Greys under coloured levels, rounded as the kernels do; clear where the upper layer is not inside."""
    picked = colours[level].astype(np.uint32)
    opacity = np.where(inside, picked[..., 3], 0)[..., None]
    total: Array = grey[..., None] * (255 - opacity) + picked[..., :3] * opacity
    return ((total + 127) // 255).astype(np.uint8)


def ends_of(table: Grey, dtype: np.dtype[Any]) -> tuple[int, int]:
    """(lowest, highest) stored value beyond which a table shows one grey."""
    ends = np.iinfo(dtype)
    values = np.arange(int(ends.min), int(ends.max) + 1)
    changes = np.flatnonzero(np.diff(table[values & 0xFFFF].astype(np.int16)))
    if changes.size == 0:
        return int(ends.min), int(ends.min)
    return int(values[changes[0]]), int(values[changes[-1] + 1])
