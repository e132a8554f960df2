"""A loaded volume as the voxels of a 3D picture, or the reason why it makes none.

A sheared, left-handed or anisotropic volume stays as it is, for rays are straight in index space too; only
unequal gaps are resampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workstation.imaging.geometry import Matrix, VolumeGeometry, norm
from workstation.imaging.luts import Rescale, TableLut
from workstation.imaging.volume import Volume
from workstation.rendering.volume.grid import Grid, Voxels

FEWEST_SLICES = 3
MOST_VOXELS = (1 << 31) - 1
LARGEST_MM, SMALLEST_MM, MOST_STRETCHED = 5000.0, 0.1, 50.0
SAMPLES = 200_000


class CannotShow(ValueError):
    """This display set makes no 3D picture; the message says why, for the reader."""


@dataclass(frozen=True, eq=False)
class Source:
    """A volume that can be shown in 3D: its grid, and how its voxels are written into an array."""

    grid: Grid
    volume: Volume
    places: tuple[float, ...] | None
    negative: bool
    lift: int

    def write(self, out: Voxels) -> None:
        """Fill `out` (slices, rows, columns); what is missing repeats its nearest neighbour."""
        there = np.flatnonzero(self.volume.loaded)
        pixels, lut = self.volume.for_reformat()
        for k in range(self.grid.shape[0]):
            place = float(k) if self.places is None else self.places[k]
            low = min(int(place), len(pixels) - 1)
            part = place - low
            one = self._slice(pixels, lut, int(there[np.argmin(np.abs(there - low))]))
            if part > 1e-6 and low + 1 < len(pixels):
                two = self._slice(pixels, lut, int(there[np.argmin(np.abs(there - low - 1))]))
                one = one * (1.0 - part) + two * part
                out[k] = np.floor(one + 0.5).astype(np.int16)
            else:
                out[k] = one

    def _slice(self, pixels: Any, lut: Rescale | TableLut, k: int) -> Any:
        stored = pixels[k]
        if isinstance(lut, TableLut):
            stored = np.clip(np.floor(lut.apply(stored) + 0.5), -32768, 32767).astype(np.int32)
        if stored.dtype == np.int16 and not self.negative:
            return stored
        wide = stored.astype(np.int32) - self.lift
        return np.clip(-wide if self.negative else wide, -32768, 32767).astype(np.int16)


def source_of(volume: Volume) -> Source:
    """Raises CannotShow with the reason."""
    geometry = _checked(volume)
    shape, matrix, places = _regular(geometry)
    if shape[0] * shape[1] * shape[2] > MOST_VOXELS:
        raise CannotShow(f"{shape[2]} by {shape[1]} by {shape[0]} voxels are more than 3D can take")
    pixels, lut = volume.for_reformat()
    lift = 32768 if pixels.dtype == np.uint16 and not isinstance(lut, TableLut) else 0
    slope, intercept = (lut.slope, lut.intercept) if isinstance(lut, Rescale) else (1.0, 0.0)
    intercept += slope * lift
    if slope == 0.0 or not np.isfinite([slope, intercept]).all():
        raise CannotShow(f"Rescale Slope {slope:g} and Intercept {intercept:g} give no values")
    low, high = _interest(volume)
    missing = len(volume.loaded) - int(volume.loaded.sum())
    words = (
        f"{missing} of {len(volume.loaded)} images are missing: 3D repeats their neighbours."
        if missing
        else ""
    )
    grid = Grid(
        shape, matrix, abs(slope), intercept, volume.unit, volume.display_set.modality, low, high, words
    )
    return Source(grid, volume, places, slope < 0, lift)


def _checked(volume: Volume) -> VolumeGeometry:
    """The geometry of a volume that can be shown; raises CannotShow."""
    shown = volume.display_set
    if volume.is_colour:
        raise CannotShow("colour images have no single value to look through")
    if volume.dtype.kind == "f":
        raise CannotShow("float pixels are not shown in 3D")
    if not shown.is_volume or volume.geometry is None:
        raise CannotShow(shown.reformat_refusal or "the images make no volume")
    slices, rows, columns = volume.geometry.shape
    if slices < FEWEST_SLICES:
        raise CannotShow(f"{slices} images are too few for 3D; {FEWEST_SLICES} are needed")
    if rows < 2 or columns < 2:
        raise CannotShow(f"images of {columns} by {rows} pixels make no volume")
    if not volume.loaded.any():
        raise CannotShow("none of the images could be read")
    _check_size(volume.geometry)
    return volume.geometry


def _check_size(geometry: VolumeGeometry) -> None:
    steps = [norm(v) for v in (geometry.column_step, geometry.row_step, geometry.slice_step)]
    sizes = [s * (n - 1) for s, n in zip(steps, geometry.shape[::-1], strict=True)]
    if not np.isfinite(steps).all() or max(steps) > MOST_STRETCHED * min(steps):
        raise CannotShow(f"voxels of {steps[0]:.3g} by {steps[1]:.3g} by {steps[2]:.3g} mm are absurd")
    if max(sizes) > LARGEST_MM or max(sizes) < SMALLEST_MM:
        raise CannotShow(f"a volume of {sizes[0]:.3g} by {sizes[1]:.3g} by {sizes[2]:.3g} mm is absurd")
    if abs(np.linalg.det(geometry.matrix[:, :3])) < 1e-3 * steps[0] * steps[1] * steps[2]:
        raise CannotShow("the images lie almost in one plane")


def _regular(geometry: VolumeGeometry) -> tuple[tuple[int, int, int], Matrix, tuple[float, ...] | None]:
    """Shape, matrix and, where gaps are unequal, the (fractional) source slice of each slice."""
    if geometry.stations is None:
        return geometry.shape, geometry.matrix.copy(), None
    stations = np.array(geometry.stations)
    step = max(float(np.diff(stations).min()), float(stations[-1]) / 2048)
    count = int(np.floor(stations[-1] / step + 1e-6)) + 1
    matrix = geometry.matrix.copy()
    matrix[:, 2] *= step
    places = np.interp(np.arange(count) * step, stations, np.arange(len(stations)))
    return (count, *geometry.shape[1:]), matrix, tuple(float(p) for p in places)


def _interest(volume: Volume) -> tuple[float, float]:
    """From the first to the last but few of the values."""
    there = np.flatnonzero(volume.loaded)
    chosen = there[:: max(1, there.size // 16)]
    few = max(1, volume.pixels[0].size * len(chosen) // SAMPLES)
    values = np.concatenate(
        [volume.modality_lut(int(k)).apply(volume.pixels[k].reshape(-1)[::few]) for k in chosen]
    )
    low, high = (float(v) for v in np.percentile(values, [1.0, 99.8]))
    return (low, high) if high > low else (low, low + 1.0)
