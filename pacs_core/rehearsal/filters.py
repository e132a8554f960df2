"""Resampling and blurring of volumes by small matrices along each axis: numpy alone, nothing compiled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Volume = NDArray[np.float32]
FWHM = 2.354820045


@dataclass(frozen=True, slots=True)
class Axis:
    """Evenly spaced samples: `first` is the centre of the first one, in millimetres."""

    count: int
    first: float
    step: float

    @property
    def centres(self) -> NDArray[np.float64]:
        """Millimetres of each sample."""
        return np.asarray(self.first + self.step * np.arange(self.count), np.float64)


def averaging(source: Axis, target: Axis) -> Volume:
    """The matrix that gives each target cell the mean of the source cells it covers (for going coarser)."""
    low = np.maximum((target.centres - target.step / 2)[:, None], (source.centres - source.step / 2)[None])
    high = np.minimum((target.centres + target.step / 2)[:, None], (source.centres + source.step / 2)[None])
    return np.asarray(np.clip(high - low, 0, None) / target.step, np.float32)


def interpolating(source: Axis, target: Axis) -> Volume:
    """The matrix of linear interpolation (for going finer); the ends go on as they are."""
    place = np.clip((target.centres - source.first) / source.step, 0, source.count - 1)
    weights = 1 - np.abs(place[:, None] - np.arange(source.count)[None])
    return np.asarray(np.clip(weights, 0, None), np.float32)


def blurring(count: int, sigma: float) -> Volume:
    """The matrix of a Gaussian of `sigma` samples; each row sums to 1, so edges keep their level."""
    distance = np.arange(count)[:, None] - np.arange(count)[None]
    weights = np.exp(-0.5 * (distance / max(sigma, 1e-6)) ** 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def along(volume: Volume, matrix: Volume, axis: int) -> Volume:
    """Apply a matrix along one axis of an array."""
    return np.moveaxis(np.tensordot(matrix, volume, (1, axis)), 0, axis)


def blurred(volume: Volume, fwhm_mm: float, spacing: tuple[float, ...]) -> Volume:
    """The array blurred by a Gaussian of that full width (mm) along all its axes."""
    for axis, step in enumerate(spacing):
        volume = along(volume, blurring(volume.shape[axis], fwhm_mm / FWHM / step), axis)
    return volume


def opened(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Masks without what is thinner than 2 × `radius` + 1 samples in their planes (the last two axes)."""
    return _spread(~_spread(~mask, radius), radius)


def _spread(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    for axis in (-1, -2):
        out = mask.copy()
        for shift in range(1, radius + 1):
            ahead = np.moveaxis(out, axis, 0), np.moveaxis(mask, axis, 0)
            ahead[0][shift:] |= ahead[1][:-shift]
            ahead[0][:-shift] |= ahead[1][shift:]
        mask = out
    return mask


def grain(shape: tuple[int, int], deviation: float, random: np.random.Generator) -> Volume:
    """Noise as reconstructed images have it: of the given standard deviation, a little correlated."""
    white = random.standard_normal(shape, np.float32)
    smooth = (white + np.roll(white, 1, 0) + np.roll(white, 1, 1) + np.roll(white, (1, 1), (0, 1))) / 2
    return np.asarray(smooth * deviation, np.float32)


def trilinear(volume: NDArray[np.int16], places: NDArray[np.float32], outside: float) -> Volume:
    """Values at fractional indices `places` (3: slice, row, column; …), `outside` beyond the samples."""
    sizes = np.array(volume.shape).reshape(3, *([1] * (places.ndim - 1)))
    inside = np.all((places >= 0) & (places <= sizes - 1), axis=0)
    base = np.clip(places.astype(np.int32), 0, sizes - 2)
    z, y, x = np.clip(places - base, 0, 1)
    flat, (_, rows, columns) = volume.reshape(-1), volume.shape
    start = (base[0] * rows + base[1]) * columns + base[2]
    out = np.zeros(places.shape[1:], np.float32)
    for corner in range(8):
        dz, dy, dx = corner >> 2, corner >> 1 & 1, corner & 1
        weight = (z if dz else 1 - z) * (y if dy else 1 - y) * (x if dx else 1 - x)
        out += weight * flat[start + (dz * rows + dy) * columns + dx]
    return np.where(inside, out, np.float32(outside))
