"""The engine over the compiled kernels."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from workstation.rendering.engines.engine import (
    Array,
    Cut,
    Flat,
    Grey,
    Stations,
    interpolation_number,
    slab_scale,
)
from workstation.rendering.engines.pool import in_bands


class KernelEngine:
    """Samples with `workstation.imaging._kernels`, row bands on all cores."""

    def __init__(self, kernels: ModuleType) -> None:
        self._kernels = kernels

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
                cut.planes, mode, interpolation, outside, table, stations,
            )  # fmt: skip

        in_bands(cut.height, cut.height * cut.width * cut.planes, band)

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
