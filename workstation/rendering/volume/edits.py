"""What is cut away from a volume: scissors, bone, and the way back. One byte a voxel, 0 hidden."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workstation.rendering.engines.pool import in_bands
from workstation.rendering.volume.camera import Camera
from workstation.rendering.volume.caster import MUCH, Mask, raycast
from workstation.rendering.volume.grid import Grid

MOST_STEPS = 20
Point = tuple[float, float]


class ScissorsError(ValueError):
    """A polygon that encloses nothing."""


@dataclass(frozen=True, slots=True)
class Snip:
    """A polygon in a view of width x height viewport pixels; `inside` says which side of it goes."""

    camera: Camera
    width: int
    height: int
    polygon: tuple[Point, ...]
    inside: bool = True


class Edits:
    """The mask of one volume and the steps that led to it."""

    def __init__(self, mask: Mask, grid: Grid) -> None:
        self.mask, self._grid = mask, grid
        self._history: list[bytes] = []
        mask[:] = 1

    @property
    def steps(self) -> int:
        """How many can be undone."""
        return len(self._history)

    def remember(self) -> None:
        """What is hidden now can be come back to."""
        self._history.append(zlib.compress(np.packbits(self.mask.reshape(-1)).tobytes(), 1))
        del self._history[:-MOST_STEPS]

    def undo(self) -> bool:
        """Back to before the last step; False where there was none."""
        if not self._history:
            return False
        bits = np.frombuffer(zlib.decompress(self._history.pop()), dtype=np.uint8)
        flat = self.mask.reshape(-1)
        flat[:] = np.unpackbits(bits, count=flat.size)
        return True

    def restore(self) -> None:
        """Everything is shown again; can be undone."""
        self.remember()
        self.mask[:] = 1

    def snip(self, snip: Snip) -> int:
        """Hide what projects into the polygon (or beside it); answers how many voxels went. Raises
        ScissorsError for a polygon of no area.
        """
        marks = stencil(snip.polygon, snip.width, snip.height)
        if not marks.any():
            raise ScissorsError("the line encloses nothing")
        self.remember()
        frame = snip.camera.frame(snip.width, snip.height)
        plane = np.array([frame.across, frame.down])
        to_pixels = plane / (plane**2).sum(axis=1)[:, None]  # across and down are at right angles
        linear = to_pixels @ self._grid.matrix[:, :3]
        start = to_pixels @ (self._grid.matrix[:, 3] - np.array(frame.origin))
        return _hide(self.mask, marks, start, linear, snip.inside)


def _hide(
    mask: Mask, marks: Mask, start: npt.NDArray[np.float64], linear: npt.NDArray[np.float64], inside: bool
) -> int:
    slices = mask.shape[0]
    hidden: list[int] = []
    vectors = [(float(v[0]), float(v[1])) for v in (start, linear[:, 0], linear[:, 1], linear[:, 2])]

    def band(first: int, last: int) -> None:
        if raycast is not None:
            hidden.append(raycast.snip(mask, mask.shape, marks, *vectors, inside, first, last))
        else:
            hidden.append(_snipped(mask, marks, vectors, inside, first, last))

    in_bands(slices, MUCH, band)
    return sum(hidden)


def _snipped(mask: Mask, marks: Mask, vectors: Sequence[Point], inside: bool, first: int, last: int) -> int:
    """The same in NumPy, slice by slice, where nothing was compiled."""
    start, right, down, step = (np.array(v) for v in vectors)
    y, x = np.mgrid[: mask.shape[1], : mask.shape[2]]
    hidden = 0
    for z in range(first, last):
        px = np.floor(start[0] + z * step[0] + x * right[0] + y * down[0] + 0.5).astype(int)
        py = np.floor(start[1] + z * step[1] + x * right[1] + y * down[1] + 0.5).astype(int)
        within = (px >= 0) & (py >= 0) & (px < marks.shape[1]) & (py < marks.shape[0])
        marked = np.zeros(px.shape, dtype=np.bool_)
        marked[within] = marks[py[within], px[within]] != 0
        goes = (marked == inside) & (mask[z] != 0)
        mask[z][goes] = 0
        hidden += int(goes.sum())
    return hidden


def stencil(polygon: Sequence[Point], width: int, height: int) -> Mask:
    """Which viewport pixels (uint8 height, width) have their middle inside a polygon (even-odd rule)."""
    marks = np.zeros((height, width), dtype=np.uint8)
    if len(polygon) < 3 or not np.isfinite(np.array(polygon)).all():
        return marks
    points = np.array([*polygon, polygon[0]], dtype=np.float64)
    for row in range(height):
        a, b = points[:-1], points[1:]
        crosses = (a[:, 1] <= row) != (b[:, 1] <= row)
        if not crosses.any():
            continue
        a, b = a[crosses], b[crosses]
        places = np.sort(a[:, 0] + (row - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1]))
        for left, right in zip(places[::2], places[1::2], strict=False):
            marks[row, max(0, int(np.ceil(left))) : max(0, int(np.floor(right)) + 1)] = 1
    return marks
