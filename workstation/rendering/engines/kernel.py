"""The engine over the compiled kernels."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.rendering.engines.engine import (
    Array,
    Cut,
    Flat,
    Grey,
    Layer,
    Ribbon,
    Stations,
    Summits,
    ends_of,
    interpolation_number,
    slab_scale,
)
from workstation.rendering.engines.pool import in_bands

FINE, COARSE = 8, 32  # voxels to a brick, as _project_rows.h has it
NOWHERE = (0.0, 0.0, 0.0)


class KernelEngine:
    """Samples with the compiled modules of `workstation.imaging`, row bands on all cores."""

    def __init__(self, kernels: ModuleType, fusion: ModuleType, projection: ModuleType) -> None:
        self._kernels = kernels
        self._fusion = fusion
        self._projection = projection

    @property
    def name(self) -> str:
        return f"compiled kernels ({self._kernels.processor()})"

    def cut(self, volume: Array, cut: Cut, outside: int = 0, stations: Stations = None) -> Array:
        out = np.empty((cut.height, cut.width), dtype=volume.dtype)
        self._cut(volume, cut, out, outside, None, stations)
        return out

    def cut_grey(
        self, volume: Array, cut: Cut, table: Grey, background: int = 0, stations: Stations = None
    ) -> Grey:
        out = np.empty((cut.height, cut.width), dtype=np.uint8)
        self._cut(volume, cut, out, background, table, stations)
        return out

    def _cut(
        self, volume: Array, cut: Cut, out: Array, outside: int, table: Grey | None, stations: Stations
    ) -> None:
        mode, interpolation = slab_scale(cut.mode), interpolation_number(cut.interpolation)

        def band(row0: int, row1: int) -> None:
            self._kernels.cut(
                volume, out[row0:row1], cut.width, row0, row1, cut.origin, cut.across, cut.down, cut.through,
                cut.planes, mode, interpolation, outside, table, stations, None,
            )  # fmt: skip

        in_bands(cut.height, cut.height * cut.width * cut.planes, band)

    def curved(self, volume: Array, ribbon: Ribbon, outside: int = 0, stations: Stations = None) -> Array:
        out = np.empty((ribbon.height, ribbon.width), dtype=volume.dtype)
        self._curved(volume, ribbon, out, outside, None, stations)
        return out

    def curved_grey(
        self, volume: Array, ribbon: Ribbon, table: Grey, background: int = 0, stations: Stations = None
    ) -> Grey:
        out = np.empty((ribbon.height, ribbon.width), dtype=np.uint8)
        self._curved(volume, ribbon, out, background, table, stations)
        return out

    def _curved(
        self, volume: Array, ribbon: Ribbon, out: Array, outside: int, table: Grey | None, stations: Stations
    ) -> None:
        rows = np.ascontiguousarray(ribbon.rows, dtype=np.float64)
        mode, interpolation = slab_scale(ribbon.mode), interpolation_number(ribbon.interpolation)

        def band(row0: int, row1: int) -> None:
            self._kernels.cut(
                volume, out[row0:row1], ribbon.width, row0, row1, NOWHERE, NOWHERE, NOWHERE, NOWHERE,
                ribbon.planes, mode, interpolation, outside, table, stations, rows,
            )  # fmt: skip

        in_bands(ribbon.height, out.size * ribbon.planes, band)

    def fused(self, below: Layer, above: Layer, colours: Grey, background: int = 0) -> Grey:
        cut = below.cut
        out = np.empty((cut.height, cut.width, 3), dtype=np.uint8)
        layers = [_layer(layer) for layer in (below, above)]
        colours = np.ascontiguousarray(colours, dtype=np.uint8)

        def band(row0: int, row1: int) -> None:
            self._fusion.fuse(out[row0:row1], cut.width, row0, row1, *layers, background, colours)

        in_bands(cut.height, out.size * (cut.planes + above.cut.planes), band)
        return out

    def summits(self, volume: Array) -> Summits | None:
        bricks = [-(-n // FINE) for n in volume.shape]
        fine = np.empty(bricks, dtype=np.uint16)
        in_bands(bricks[0], volume.size, lambda z0, z1: self._projection.summits(volume, fine, z0, z1))
        return Summits(fine, _coarser(fine))

    def projected(
        self,
        volume: Array,
        cut: Cut,
        table: Grey,
        background: int = 0,
        stations: Stations = None,
        summits: Summits | None = None,
    ) -> Grey:
        known = None if stations is not None else summits or self.summits(volume)
        if known is None:
            return self.cut_grey(volume, cut, table, background, stations)
        lowest, highest = ends_of(table, volume.dtype)
        width = -(-cut.width // 8) * 8
        out = np.empty((cut.height, width), dtype=np.uint8)

        def band(row0: int, row1: int) -> None:
            self._projection.project(
                volume, out[row0:row1], width, row0, row1, cut.origin, cut.across, cut.down, cut.through,
                cut.planes, known.fine, known.coarse, lowest, highest, background, table,
            )  # fmt: skip

        in_bands(cut.height, out.size * cut.planes, band)
        return out if width == cut.width else np.ascontiguousarray(out[:, : cut.width])

    def flat(self, image: Array, flat: Flat, table: Grey | None, background: int = 0) -> Grey:
        shape = (flat.height, flat.width, 3) if image.ndim == 3 else (flat.height, flat.width)
        out = np.empty(shape, dtype=np.uint8)
        interpolation = interpolation_number(flat.interpolation)

        def band(row0: int, row1: int) -> None:
            self._kernels.flat(
                image, out[row0:row1], flat.width, row0, row1, flat.origin, flat.across, flat.down,
                flat.samples, interpolation, background, table,
            )  # fmt: skip

        in_bands(flat.height, out.size * flat.samples * flat.samples, band)
        return out


def _layer(layer: Layer) -> tuple[Any, ...]:
    cut = layer.cut
    return (
        layer.volume, cut.origin, cut.across, cut.down, cut.through, cut.planes, slab_scale(cut.mode),
        interpolation_number(cut.interpolation), layer.table, layer.stations,
    )  # fmt: skip


def _coarser(fine: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """The maxima of 4 x 4 x 4 bricks."""
    times = COARSE // FINE
    padded = np.pad(fine, [(0, -n % times) for n in fine.shape])
    z, y, x = (n // times for n in padded.shape)
    coarse = padded.reshape(z, times, y, times, x, times).max(axis=(1, 3, 5))
    return np.ascontiguousarray(coarse)
