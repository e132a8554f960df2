"""SUVpeak: the hottest mean of a 1 cm³ sphere (Wahl et al., PERCIST, J Nucl Med 2009; QIBA FDG profile)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import Vector, VolumeGeometry
from workstation.imaging.volume import Volume
from workstation.tools.measures.refusal import Refusal, Why
from workstation.tools.measures.volumes import slice_depths

RADIUS_MM = float((3.0 * 1000.0 / (4.0 * np.pi)) ** (1.0 / 3.0))  # of 1 cm³: 6.204 mm
FINE = 5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Peak:
    """The mean in modality units (of PET Bq/ml), and the middle of the sphere (patient mm)."""

    value: float
    centre: Vector


def suv_peak(volume: Volume, centre: Vector, reach_mm: float) -> Peak | Refusal:
    """The hottest 1 cm³ about any voxel centre within `reach_mm` of `centre`.

    Voxels count by the share of theirs that lies in the sphere. Refused where a sphere would leave the
    volume at the hottest place, or the voxels are larger than the sphere.
    """
    geometry = volume.geometry
    if volume.is_colour or geometry is None:
        return Refusal("the series is no volume", Why.VALUES)
    if max(geometry.spacing) > 2 * RADIUS_MM:
        return Refusal("the voxels are larger than a sphere of 1 cm³", Why.SHAPE)
    block = _block(geometry, centre, reach_mm + 2 * RADIUS_MM)
    if not volume.loaded[block[2]].all():
        return Refusal("the volume is not loaded yet", Why.PIXELS)
    values = (
        np.stack(
            [
                volume.modality_lut(k).apply(volume.pixels[k, block[1], block[0]])
                for k in range(block[2].start, block[2].stop)
            ]
        )
        if block[2].stop > block[2].start
        else np.zeros((0, 0, 0))
    )
    if values.size == 0:
        return Refusal("the point lies outside the volume", Why.PIXELS)
    best: Peak | None = None
    for place in _centres(geometry, block, centre, reach_mm):
        found = _mean_about(geometry, values, block, place)
        if found is not None and (best is None or found > best.value):
            best = Peak(found, geometry.patient(*place))
    return best or Refusal("no whole sphere of 1 cm³ fits in there", Why.SHAPE)


def _block(geometry: VolumeGeometry, centre: Vector, reach: float) -> tuple[slice, slice, slice]:
    """Columns, rows and slices within `reach` mm of a point, along each axis of a (sheared) grid."""
    at = geometry.index(centre)
    per_mm = np.linalg.norm(geometry.inverse[:, :3], axis=1)
    slices, rows, columns = geometry.shape
    if geometry.stations is not None:
        per_mm[2] /= max(float(np.diff(geometry.stations).min()), 1e-6)
    found = []
    for place, rate, size in zip(at, per_mm, (columns, rows, slices), strict=True):
        low, high = int(np.floor(place - reach * rate)), int(np.ceil(place + reach * rate)) + 1
        found.append(slice(min(max(low, 0), size), min(max(high, 0), size)))
    return found[0], found[1], found[2]


def _centres(
    geometry: VolumeGeometry, block: tuple[slice, slice, slice], centre: Vector, reach: float
) -> list[tuple[int, int, int]]:
    """Indices of the voxels whose centre lies within `reach` mm; the nearest one where none does."""
    spans = [range(s.start, s.stop) for s in block]
    grid = np.array(list(product(*spans)), dtype=np.float64).reshape(-1, 3)
    stations = (
        grid[:, 2] if geometry.stations is None else np.asarray(geometry.stations)[grid[:, 2].astype(int)]
    )
    points = geometry.matrix[:, :3] @ np.stack([grid[:, 0], grid[:, 1], stations]) + geometry.matrix[:, 3:]
    far = np.linalg.norm(points - np.array(centre)[:, None], axis=0)
    near = far <= reach if (far <= reach).any() else far <= far.min()
    return [(int(i), int(j), int(k)) for i, j, k in grid[near]]


def _mean_about(
    geometry: VolumeGeometry, values: Floats, block: tuple[slice, slice, slice], place: tuple[int, int, int]
) -> float | None:
    """The mean over the sphere about a voxel centre, None where it leaves the block."""
    weights, low = _weights(geometry, place)
    first = [n + o - s.start for n, o, s in zip(place, low, block, strict=True)]
    size = weights.shape  # (slices, rows, columns)
    if min(first) < 0:
        return None
    part = values[first[2] : first[2] + size[0], first[1] : first[1] + size[1], first[0] : first[0] + size[2]]
    if part.shape != size:
        return None
    return float((part * weights).sum() / weights.sum())


_kept: dict[tuple[object, ...], tuple[Floats, tuple[int, int, int]]] = {}


def _weights(geometry: VolumeGeometry, place: tuple[int, int, int]) -> tuple[Floats, tuple[int, int, int]]:
    """Shares (slices, rows, columns) of the voxels about a voxel in the sphere, and the first one's offset.

    Equal everywhere in a regular grid, so kept for the last few grids.
    """
    where = None if geometry.is_regular else place[2]
    key = (geometry.column_step, geometry.row_step, geometry.slice_step, geometry.stations, where)
    if key not in _kept:
        while len(_kept) > 64:
            _kept.pop(next(iter(_kept)))
        _kept[key] = _shares(geometry, place)
    return _kept[key]


def _shares(geometry: VolumeGeometry, place: tuple[int, int, int]) -> tuple[Floats, tuple[int, int, int]]:
    per_mm = np.linalg.norm(geometry.inverse[:, :3], axis=1) * RADIUS_MM
    reach = np.floor(per_mm + 0.5).astype(int)
    slices = geometry.shape[0]
    stations = (
        np.arange(slices, dtype=np.float64) if geometry.stations is None else np.array(geometry.stations)
    )
    depths = np.ones(slices) if geometry.stations is None else slice_depths(geometry.stations)
    here = stations[place[2]]
    if geometry.stations is None:
        ks = np.arange(-reach[2], reach[2] + 1)
        stations_of, depths_of = ks.astype(np.float64), np.ones(len(ks))
    else:
        near = np.flatnonzero(np.abs(stations - here) <= per_mm[2] + depths)
        ks, stations_of, depths_of = near - place[2], stations[near] - here, depths[near]
    inner = (np.arange(FINE) + 0.5) / FINE - 0.5
    i = (np.arange(-reach[0], reach[0] + 1)[:, None] + inner).reshape(-1)
    j = (np.arange(-reach[1], reach[1] + 1)[:, None] + inner).reshape(-1)
    k = (stations_of[:, None] + depths_of[:, None] * inner).reshape(-1)
    z, y, x = np.meshgrid(k, j, i, indexing="ij")
    points = np.stack([x, y, z], axis=-1) @ geometry.matrix[:, :3].T
    inside = (points**2).sum(axis=-1) <= RADIUS_MM**2
    shape = (len(ks), FINE, 2 * reach[1] + 1, FINE, 2 * reach[0] + 1, FINE)
    shares = inside.reshape(shape).mean(axis=(1, 3, 5)) * depths_of[:, None, None]
    return np.asarray(shares), (-int(reach[0]), -int(reach[1]), int(ks[0]))
