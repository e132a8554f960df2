"""What is connected to a point and lies between two values: threshold regions, in three dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import Vector
from workstation.imaging.volume import Volume
from workstation.tools.measures.refusal import Refusal, Why
from workstation.tools.measures.statistics import Statistics, statistics
from workstation.tools.measures.volumes import voxel_volume

Mask = npt.NDArray[np.bool_]
MOST_VOXELS = 40_000_000


@dataclass(frozen=True, eq=False)
class Segment:
    """A connected region: bool `mask` of the block from `first` (column, row, slice), its volume in mm³,
    and the numbers of its values.
    """

    first: tuple[int, int, int]
    mask: Mask
    volume: float
    numbers: Statistics


def threshold_at(
    volume: Volume, seed: Vector, low: float, high: float, within_mm: float
) -> Segment | Refusal:
    """The voxels connected (by faces) to the one at `seed` whose modality values lie in [low, high].

    Looked for within `within_mm` of the seed along each axis; refused where the region reaches that
    border, so that a leak is never a volume.
    """
    geometry = volume.geometry
    if volume.is_colour or geometry is None:
        return Refusal("the series is no volume", Why.VALUES)
    slices, rows, columns = geometry.shape
    at = tuple(int(np.floor(v + 0.5)) for v in geometry.index(seed))
    if not (0 <= at[0] < columns and 0 <= at[1] < rows and 0 <= at[2] < slices):
        return Refusal("the point lies outside the volume", Why.PIXELS)
    reach = [max(1, int(np.ceil(within_mm / step))) for step in geometry.spacing]
    ends = (columns, rows, slices)
    first = tuple(max(a - r, 0) for a, r in zip(at, reach, strict=True))
    last = tuple(min(a + r + 1, e) for a, r, e in zip(at, reach, ends, strict=True))
    if np.prod([b - a for a, b in zip(first, last, strict=True)]) > MOST_VOXELS:
        return Refusal("the region to look through is too large", Why.PIXELS)
    values = _values(volume, first, last)
    if values is None:
        return Refusal("the volume is not loaded yet", Why.PIXELS)
    inside: Mask = np.logical_and(values >= low, values <= high)
    start = (at[2] - first[2], at[1] - first[1], at[0] - first[0])
    if not inside[start]:
        return Refusal("the value at the point lies outside the limits", Why.VALUES)
    mask = connected(inside, start)
    open_ends = [a > 0 for a in first], [b < e for b, e in zip(last, ends, strict=True)]
    for axis, face in enumerate((2, 1, 0)):
        edge = np.asarray(mask.any(axis=tuple(n for n in range(3) if n != face)))
        if (edge[0] and open_ends[0][axis]) or (edge[-1] and open_ends[1][axis]):
            return Refusal(f"the region goes on beyond {within_mm:g} mm", Why.SHAPE)
    size = (mask.sum(axis=(1, 2)) * voxel_volume(geometry)[first[2] : last[2]]).sum()
    numbers = statistics(values[mask], volume.unit)
    if isinstance(numbers, Refusal):
        return numbers
    return Segment((first[0], first[1], first[2]), mask, float(size), numbers)


def _values(volume: Volume, first: tuple[int, ...], last: tuple[int, ...]) -> npt.NDArray[np.float64] | None:
    wanted = range(first[2], last[2])
    if not volume.loaded[first[2] : last[2]].all():
        return None
    block = [
        volume.modality_lut(k).apply(volume.pixels[k, first[1] : last[1], first[0] : last[0]]) for k in wanted
    ]
    for k, values in zip(wanted, block, strict=True):
        padding = volume.header(k).padding
        if padding is not None:
            stored = volume.pixels[k, first[1] : last[1], first[0] : last[0]]
            values[(stored >= padding[0]) & (stored <= padding[1])] = np.nan
    return np.stack(block)


def connected(inside: Mask, start: tuple[int, int, int]) -> Mask:
    """What of a mask hangs together with one of its voxels by faces, wave after wave of its surface."""
    found = np.zeros_like(inside)
    found[start] = True
    front = np.array([start])
    shape = np.array(inside.shape)
    steps = np.concatenate([np.eye(3, dtype=np.intp), -np.eye(3, dtype=np.intp)])
    while front.size:
        reached = (front[:, None] + steps).reshape(-1, 3)
        reached = reached[((reached >= 0) & (reached < shape)).all(axis=1)]
        flat = np.unique(np.ravel_multi_index(tuple(reached.T), inside.shape))
        flat = flat[inside.reshape(-1)[flat] & ~found.reshape(-1)[flat]]
        found.reshape(-1)[flat] = True
        front = np.stack(np.unravel_index(flat, inside.shape), axis=1)
    return found
