"""The compiled ray caster over a volume: bands of rows on all cores, empty space known beforehand."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.rendering.engines.pool import in_bands
from workstation.rendering.volume.grid import Grid, Voxels
from workstation.rendering.volume.rays import Rays, rays_of
from workstation.rendering.volume.scene import Quality, Scene
from workstation.rendering.volume.transfer import Projection

Mask = npt.NDArray[np.uint8]
Pixels = npt.NDArray[np.uint8]
MODES = (Projection.COMPOSITE, Projection.MAXIMUM, Projection.MINIMUM)
MUCH = 1 << 40  # always on all cores

raycast: ModuleType | None
try:
    from workstation.rendering import _raycast as _found

    raycast = _found
except ImportError:
    raycast = None


class Overtaken(Exception):
    """A newer picture is wanted; this one was given up."""


class KernelCaster:
    """Casts rays with `workstation.rendering._raycast`; raises LookupError where that was not compiled.

    `mask` uint8 like the voxels, 0 hides; change it and then call `mask_changed`.
    """

    def __init__(self, voxels: Voxels, grid: Grid) -> None:
        if raycast is None:
            raise LookupError("the compiled ray caster is not there")
        self._cast = raycast
        self.voxels, self.grid = voxels, grid
        self.mask: Mask | None = None
        self._ranges = _ranges(raycast, voxels)
        self._leaps: npt.NDArray[np.uint8] = np.zeros(self._ranges[..., 0].size + 4, dtype=np.uint8)
        self._leaps_of: tuple[bytes, float, float, int] | None = None
        self._mask_version = 0

    @property
    def name(self) -> str:
        return f"compiled ray caster ({self._cast.processor()})"

    def mask_changed(self) -> None:
        """Empty space has to be found anew."""
        self._mask_version += 1

    def render(
        self,
        scene: Scene,
        width: int,
        height: int,
        quality: Quality,
        newest: npt.NDArray[np.int32] | None = None,
        mine: int = 0,
    ) -> Pixels:
        """(height, width, 3) uint8. Raises Overtaken as soon as newest[0] is not `mine`."""
        rays = rays_of(scene, self.grid, width, height, quality)
        if rays.projection is Projection.COMPOSITE:
            self._find_empty(rays)
        out = np.zeros((height, width, 3), dtype=np.uint8)
        finished = [True]

        def band(row0: int, row1: int) -> None:
            if finished[0] and not self._rows(rays, out[row0:row1], row0, row1, newest, mine):
                finished[0] = False

        in_bands(height, MUCH, band)
        if not finished[0]:
            raise Overtaken
        return out

    def _rows(self, r: Rays, out: Pixels, row0: int, row1: int, newest: Any, mine: int) -> bool:
        t = r.tables
        done: bool = self._cast.cast(
            self.voxels, self._ranges, self._leaps, self.mask, out, r.width, row0, row1, r.origin, r.across,
            r.down, r.along, r.planes, MODES.index(r.projection), t.scale, t.bias, t.alpha, t.colour, t.edge,
            t.edge_scale, t.light, r.metric, r.sight, t.faint, r.floor, r.ceiling, newest, mine,
        )  # fmt: skip
        return done

    def _find_empty(self, rays: Rays) -> None:
        """Once a transfer function and mask; the step makes no difference."""
        t = rays.tables
        shows = np.packbits(t.alpha > 0).tobytes()
        wanted = (shows, t.scale, t.bias, self._mask_version)
        if wanted != self._leaps_of:
            self._cast.leaps(self.voxels, self._ranges, self.mask, t.alpha, t.scale, t.bias, self._leaps)
            self._leaps_of = wanted


def _ranges(raycast: ModuleType, voxels: Voxels) -> npt.NDArray[np.int16]:
    shape = raycast.block_shape(voxels)
    out = np.zeros((*shape, 2), dtype=np.int16)
    in_bands(shape[0], MUCH, lambda first, last: raycast.ranges(voxels, out, first, last))
    return out
