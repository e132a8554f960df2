"""The engine in plain float64 NumPy: slow, simple, and what the others are measured against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.rendering.engines.by_planes import ByPlanes
from workstation.rendering.engines.engine import (
    Array,
    Cut,
    Flat,
    Grey,
    Layer,
    Ribbon,
    Stations,
    blended,
    look_up,
)
from workstation.session.view_state import Interpolation, SlabMode

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class ReferenceEngine(ByPlanes):
    """Exact sampling of any stored type, whole pictures at once."""

    @property
    def name(self) -> str:
        return "NumPy reference"

    def cut(self, volume: Array, cut: Cut, outside: int = 0, stations: Stations = None) -> Array:
        values, inside = exact_cut(volume, cut, stations)
        return _stored(np.where(inside, values, outside), volume.dtype)

    def cut_grey(
        self, volume: Array, cut: Cut, table: Grey, background: int = 0, stations: Stations = None
    ) -> Grey:
        values, inside = exact_cut(volume, cut, stations)
        grey = look_up(_stored(values, volume.dtype), table)
        return np.where(inside, grey, np.uint8(background))

    def curved(self, volume: Array, ribbon: Ribbon, outside: int = 0, stations: Stations = None) -> Array:
        values, inside = exact_cut(volume, ribbon, stations)
        return _stored(np.where(inside, values, outside), volume.dtype)

    def curved_grey(
        self, volume: Array, ribbon: Ribbon, table: Grey, background: int = 0, stations: Stations = None
    ) -> Grey:
        values, inside = exact_cut(volume, ribbon, stations)
        grey = look_up(_stored(values, volume.dtype), table)
        return np.where(inside, grey, np.uint8(background))

    def fused(self, below: Layer, above: Layer, colours: Grey, background: int = 0) -> Grey:
        grey = self.cut_grey(below.volume, below.cut, below.table, background, below.stations)
        values, inside = exact_cut(above.volume, above.cut, above.stations)
        level = look_up(_stored(values, above.volume.dtype), above.table)
        return blended(grey, level, inside, colours)

    def _flat_plane(self, plane: Array, flat: Flat, table: Grey | None, background: int) -> Grey:
        values, inside = exact_flat(plane, flat)
        stored = _stored(values, plane.dtype)
        grey = stored.astype(np.uint8) if table is None else look_up(stored, table)
        return np.where(inside, grey, np.uint8(background))


def _stored(values: Floats, dtype: np.dtype[Any]) -> Array:
    ends = np.iinfo(dtype)
    return np.clip(np.floor(values + 0.5), ends.min, ends.max).astype(dtype)


def _places(
    origin: tuple[float, ...], across: tuple[float, ...], down: tuple[float, ...], w: int, h: int
) -> Floats:
    """(axes, h, w) index coordinates."""
    x, y = np.arange(w, dtype=np.float64), np.arange(h, dtype=np.float64)[:, None]
    axes = [o + x * a + y * d for o, a, d in zip(origin, across, down, strict=True)]
    return np.stack(np.broadcast_arrays(*axes))


def _plane_places(cut: Cut | Ribbon, p: int) -> Floats:
    """(3, h, w) index coordinates of plane p."""
    if isinstance(cut, Ribbon):
        origin, across, through = (cut.rows[:, n : n + 3].T[:, :, None] for n in (0, 3, 6))
        return np.asarray(origin + np.arange(cut.width) * across + p * through)
    first = tuple(o + p * t for o, t in zip(cut.origin, cut.through, strict=True))
    return _places(first, cut.across, cut.down, cut.width, cut.height)


def exact_cut(volume: Array, cut: Cut | Ribbon, stations: Stations = None) -> tuple[Floats, Bools]:
    """Values (height, width) in float64 and where they are inside; MIP, MinIP or mean over the planes of a
    slab.
    """
    joined: Floats | None = None
    count = np.zeros((cut.height, cut.width), dtype=np.int64)
    for p in range(cut.planes):
        values, inside = sampled(volume, _plane_places(cut, p), cut.interpolation, stations)
        joined = values if joined is None else _joined(joined, values, count > 0, inside, cut.mode)
        joined = np.where(inside | (count > 0), joined, 0.0)
        count += inside
    assert joined is not None
    if cut.mode is SlabMode.MEAN:
        joined = joined / np.maximum(count, 1)
    return joined, count > 0


def _joined(so_far: Floats, values: Floats, had: Bools, inside: Bools, mode: SlabMode) -> Floats:
    if mode is SlabMode.MEAN:
        return so_far + np.where(inside, values, 0.0)
    best = np.maximum(so_far, values) if mode is SlabMode.MAXIMUM else np.minimum(so_far, values)
    return np.where(inside & had, best, np.where(inside, values, so_far))


def exact_flat(plane: Array, flat: Flat) -> tuple[Floats, Bools]:
    """The mean of `samples` squared places around each output pixel; inside is decided at its middle."""
    places = _places(flat.origin, flat.across, flat.down, flat.width, flat.height)
    volume = plane[None]
    zero = np.zeros((1, flat.height, flat.width))
    _, inside = sampled(volume, np.concatenate([places, zero]), flat.interpolation, None)
    total = np.zeros((flat.height, flat.width))
    for u, v in _offsets(flat.samples):
        shift = [u * a + v * d for a, d in zip(flat.across, flat.down, strict=True)]
        at = np.concatenate([places + np.array(shift)[:, None, None], zero])
        total += sampled(volume, at, flat.interpolation, None)[0]
    return total / flat.samples**2, inside


def _offsets(samples: int) -> Iterator[tuple[float, float]]:
    steps = [(n + 0.5) / samples - 0.5 for n in range(samples)] if samples > 1 else [0.0]
    return ((u, v) for v in steps for u in steps)


def sampled(
    volume: Array, places: Floats, interpolation: Interpolation, stations: Stations
) -> tuple[Floats, Bools]:
    """Values at (column, row, slice) places (3, ...) with the edges held, and which of the places are
    inside.
    """
    nz, ny, nx = volume.shape
    last = float(stations[-1]) if stations is not None else nz - 1.0
    ends = (nx - 1.0, ny - 1.0, last)
    inside = np.ones(places.shape[1:], dtype=np.bool_)
    for axis, end in enumerate(ends):
        inside &= (places[axis] >= -0.5) & (places[axis] <= end + 0.5)
    x, y, z = (np.clip(places[axis], 0.0, end) for axis, end in enumerate(ends))
    if stations is not None:
        z = np.interp(z, stations, np.arange(nz))
    if interpolation is Interpolation.NEAREST:
        k, j, i = ((c + 0.5).astype(np.intp) for c in (z, y, x))
        return volume[k, j, i].astype(np.float64), inside
    weigh = _linear if interpolation is Interpolation.LINEAR else _cubic
    total = np.zeros(x.shape)
    for k, wz in weigh(z, nz):
        for j, wy in weigh(y, ny):
            for i, wx in weigh(x, nx):
                total += wz * wy * wx * volume[k, j, i]
    return total, inside


def _linear(place: Floats, size: int) -> list[tuple[npt.NDArray[np.intp], Floats]]:
    first = np.minimum(place.astype(np.intp), max(size - 2, 0))
    part = place - first
    return [(first, 1.0 - part), (np.minimum(first + 1, size - 1), part)]


def _cubic(place: Floats, size: int) -> list[tuple[npt.NDArray[np.intp], Floats]]:
    """Catmull-Rom: four neighbours, the edges held."""
    if size == 1:
        return [(place.astype(np.intp), np.ones(place.shape))]
    first = place.astype(np.intp)
    f = place - first
    weights = (
        f * (-0.5 + f * (1.0 - 0.5 * f)),
        1.0 + f * f * (-2.5 + 1.5 * f),
        f * (0.5 + f * (2.0 - 1.5 * f)),
        f * f * (-0.5 + 0.5 * f),
    )
    return [(np.clip(first - 1 + n, 0, size - 1), w) for n, w in enumerate(weights)]
