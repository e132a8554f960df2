"""A volume on a coarse grid along the patient's axes, as registration compares them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import VolumeGeometry
from workstation.imaging.luts import Rescale, TableLut
from workstation.imaging.volume import Volume

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Ask = Callable[[], None]
AIR_AND_METAL = (-1000.0, 600.0)  # HU: beyond, only noise and streaks differ
LESS_THAN_AIR = -1500.0  # HU: nobody is there, whatever the padding is called
SOME = 0.01  # of a block
MOST = 320  # grid points along an axis
MARGIN = 4  # grid points kept about the body
EDGE = 2  # grid points away from where a volume ends, the ends themselves look like edges of the body


class Stopped(Exception):
    """Nobody waits for it any more."""


def toolkit() -> Any:
    """SimpleITK, imported when it is first needed; it carries no types."""
    import SimpleITK

    return SimpleITK


@dataclass(frozen=True, eq=False)
class Samples:
    """Modality values (z, y, x) every `mm` from `origin` (LPS), and `valid` where the volume is. `counts`
    says which places are to be compared; without it the body is.
    """

    values: Values
    valid: Mask
    origin: Floats
    mm: float
    modality: str
    counts: Mask | None = None

    def points(self) -> Floats:
        """All places, (n, 3) LPS mm, x fastest."""
        return places(self.values.shape, self.origin, self.mm)


@dataclass(frozen=True, eq=False)
class Grid:
    """Values (z, y, x) every `mm` from `origin` (LPS); `valid` where the volume is, `body` where the body.

    Values are scaled so that air is 0 and most of the body lies about 1.
    """

    values: Values
    valid: Mask
    body: Mask
    origin: Floats
    mm: float
    modality: str

    def points(self) -> Floats:
        """All places, (n, 3) LPS mm, x fastest."""
        return places(self.values.shape, self.origin, self.mm)

    def holds(self, points: Floats) -> Mask:
        """Which points (n, 3) lie where the volume is."""
        index = np.floor((points - self.origin) / self.mm + 0.5).astype(int)
        size = np.array(self.values.shape[::-1])
        inside = ((index >= 0) & (index < size)).all(axis=1)
        i, j, k = np.clip(index, 0, size - 1).T
        return np.asarray(inside & self.valid[k, j, i], dtype=np.bool_)

    def with_body(self, body: Mask) -> Grid:
        """The same with another mask of what counts."""
        return replace(self, body=body)

    @cached_property
    def body_points(self) -> Floats:
        """The places of the body, (n, 3) LPS mm, x fastest."""
        return np.asarray(self.origin + self.mm * np.argwhere(self.body)[:, ::-1])

    @cached_property
    def centre(self) -> Floats:
        """The middle of the body, LPS mm."""
        return np.asarray(self.body_points.mean(axis=0))

    @property
    def body_mm3(self) -> float:
        return float(self.body.sum()) * self.mm**3

    @property
    def body_depth(self) -> float:
        """The least of the body's extents along the axes, mm."""
        if not self.body.any():
            return 0.0
        places = np.nonzero(self.body)
        return float(min(p.max() - p.min() + 1 for p in places)) * self.mm

    def image(self) -> Any:
        """The values as an image."""
        return self._image(self.values)

    def masks(self) -> tuple[Any, Any]:
        """(body, valid) as masks, both a little inside of where the volume ends."""
        inner = self._inner
        return self._image((self.body & inner).astype(np.uint8)), self._image(inner.astype(np.uint8))

    @cached_property
    def _inner(self) -> Mask:
        """Where no neighbour, nor smoothing, brings in what lies beyond the volume's ends; less strict where
        little of the body would be left.
        """
        for edge in range(EDGE, 0, -1):
            inner = _eroded(self.valid, edge)
            if 2 * (inner & self.body).sum() > self.body.sum():
                return inner
        return self.valid

    def _image(self, array: npt.NDArray[np.generic]) -> Any:
        image = toolkit().GetImageFromArray(np.ascontiguousarray(array))
        image.SetSpacing((self.mm,) * 3)
        image.SetOrigin(tuple(float(v) for v in self.origin))
        return image


def places(shape: tuple[int, ...], origin: Floats, mm: float) -> Floats:
    """The places of a grid (z, y, x), (n, 3) LPS mm, x fastest."""
    z, y, x = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    return np.asarray(origin + mm * np.stack([x, y, z], axis=-1).reshape(-1, 3))


def sampled(volume: Volume, mm: float, ask: Ask) -> Samples:
    """A volume of any geometry every `mm`; its voxels are averaged first where they are finer, and what is
    padded is not valid. `ask` is called again and again, and may raise.
    """
    geometry = volume.geometry
    assert geometry is not None
    columns_mm, rows_mm, step_mm = geometry.spacing
    fx, fy, fz = factors = [max(1, int(mm / s)) for s in (columns_mm, rows_mm, step_mm)]
    averaged, empty = _averaged(volume, fx, fy, fz, ask)
    corners = np.array(geometry.corners())
    low, high = corners.min(axis=0), corners.max(axis=0)
    counts = np.clip(np.ceil((high - low) / mm).astype(int), 1, MOST)
    origin = (low + high) / 2 - (counts - 1) / 2 * mm
    y, x = np.meshgrid(*(np.arange(n) for n in counts[1::-1]), indexing="ij")
    values, valid = np.empty(counts[::-1], np.float32), np.empty(counts[::-1], np.bool_)
    for k in range(int(counts[2])):
        ask()
        plane = origin[:, None] + mm * np.stack([x, y, np.full_like(x, k)]).reshape(3, -1)
        index, inside = _inside(geometry, plane)
        block = (index + 0.5) / np.array(factors)[:, None] - 0.5
        inside &= linear(empty, block) < SOME
        values[k], valid[k] = linear(averaged, block).reshape(x.shape), inside.reshape(x.shape)
    return Samples(values, valid, origin, mm, volume.display_set.modality)


def _inside(geometry: VolumeGeometry, places: Floats) -> tuple[Floats, Mask]:
    """(column, row, slice) of places (3, n), and whether the volume is there."""
    index = geometry.inverse[:, :3] @ places + geometry.inverse[:, 3:]
    if geometry.stations is not None:
        index[2] = np.interp(index[2], geometry.stations, np.arange(len(geometry.stations)), -9.0, 1e9)
    size = np.array(geometry.shape[::-1])[:, None]
    return index, np.asarray(((index >= -0.5) & (index <= size - 0.5)).all(axis=0))


def made(samples: Samples) -> Grid:
    """A grid of sampled modality values: scaled, and its body found."""
    values, valid = samples.values, samples.valid
    low, high = AIR_AND_METAL
    if samples.modality != "CT":
        inside = values[valid] if valid.any() else values.reshape(-1)
        low, high = (float(v) for v in np.percentile(inside, (1.0, 99.0)))
    scaled = np.clip((values - low) / max(high - low, 1e-6), 0.0, 1.0)
    scaled = np.where(valid, scaled, 0.0).astype(np.float32)
    threshold = 0.4375 if samples.modality == "CT" else 0.12  # CT: -300 HU
    body = _body(scaled > threshold, samples.mm) & valid
    if samples.counts is not None:
        body = samples.counts & valid
    return _about_the_body(Grid(scaled, valid, body, samples.origin, samples.mm, samples.modality))


def _about_the_body(grid: Grid) -> Grid:
    """The part of the grid that holds the body and a little more."""
    if not grid.body.any():
        return grid
    spans = []
    for axis in range(3):
        there = np.flatnonzero(grid.body.any(axis=tuple(n for n in range(3) if n != axis)))
        spans.append(slice(max(int(there[0]) - MARGIN, 0), int(there[-1]) + MARGIN + 1))
    block = (spans[0], spans[1], spans[2])
    first = np.array([s.start for s in reversed(spans)], dtype=np.float64)
    return replace(
        grid,
        values=np.ascontiguousarray(grid.values[block]),
        valid=np.ascontiguousarray(grid.valid[block]),
        body=np.ascontiguousarray(grid.body[block]),
        origin=grid.origin + grid.mm * first,
    )


def _eroded(mask: Mask, edge: int) -> Mask:
    """Without what lies within `edge` points of what is outside; the grid's own ends are no outside."""
    found = np.pad(mask, edge, mode="edge")
    for axis in range(3):
        rolled = [np.roll(found, n, axis) for n in range(-edge, edge + 1)]
        found = np.logical_and.reduce(rolled)
    return np.ascontiguousarray(found[edge:-edge, edge:-edge, edge:-edge])


def _averaged(volume: Volume, fx: int, fy: int, fz: int, ask: Ask) -> tuple[Values, Values]:
    """Block means in modality units, and the share of each block that is padded; what is left over at the
    ends is left out.
    """
    slices, rows, columns = volume.pixels.shape[:3]
    out = np.zeros((slices // fz, rows // fy, columns // fx), dtype=np.float32)
    empty = np.zeros_like(out)
    for k in range(out.shape[0] * fz):
        ask()
        plane = volume.pixels[k, : out.shape[1] * fy, : out.shape[2] * fx]
        empty[k // fz] += _block_means(_padded(volume, k, plane), fx, fy) / fz
        lut = volume.modality_lut(k)
        mean = _block_means(lut.apply(plane) if isinstance(lut, TableLut) else plane, fx, fy)
        if isinstance(lut, Rescale):
            mean = mean * np.float32(lut.slope) + np.float32(lut.intercept)
        out[k // fz] += mean / fz
    return out, empty


def _block_means(plane: npt.NDArray[Any], fx: int, fy: int) -> Values:
    """Means of (fy, fx) blocks of a plane (rows, columns) that has whole ones."""
    rows, columns = plane.shape[0] // fy, plane.shape[1] // fx
    down = np.add.reduce(plane.reshape(rows, fy, -1), axis=1, dtype=np.float32)
    return np.asarray(down.reshape(rows, columns, fx).sum(axis=2) / (fx * fy), dtype=np.float32)


def _padded(volume: Volume, index: int, plane: npt.NDArray[Any]) -> Mask:
    """Which stored values of a slice are Pixel Padding (PS3.3 C.7.5.1.1.2), or less than air can be."""
    padding, lut = volume.header(index).padding, volume.modality_lut(index)
    found = np.zeros(plane.shape, np.bool_)
    if padding is not None:
        found |= (plane >= padding[0]) & (plane <= padding[1])
    if volume.display_set.modality == "CT" and isinstance(lut, Rescale) and lut.slope > 0.0:
        found |= plane < (LESS_THAN_AIR - lut.intercept) / lut.slope
    return found


def linear(array: Values, index: Floats) -> Floats:
    """Trilinear samples at (column, row, slice) places (3, n), held at the edges."""
    ends = np.array(array.shape[::-1])[:, None] - 1
    held = np.clip(index, 0, ends)
    low = np.minimum(held.astype(np.int32), np.maximum(ends - 1, 0))
    part = held - low
    high = np.minimum(low + 1, ends)
    flat = array.reshape(-1)
    row, plane = array.shape[2], array.shape[1] * array.shape[2]
    total = np.zeros(index.shape[1])
    for cz, wz in ((low[2], 1 - part[2]), (high[2], part[2])):
        for cy, wy in ((low[1], 1 - part[1]), (high[1], part[1])):
            base = cz * plane + cy * row
            total += wz * wy * ((1 - part[0]) * flat[base + low[0]] + part[0] * flat[base + high[0]])
    return total


def _body(bright: Mask, mm: float) -> Mask:
    """The largest connected bright part, opened (tables and tubes go), its holes filled, a little grown."""
    if not bright.any():
        return bright
    itk = toolkit()
    image = itk.GetImageFromArray(bright.astype(np.uint8))
    opened = itk.BinaryMorphologicalOpening(image, [1, 1, 1])
    parts = itk.RelabelComponent(itk.ConnectedComponent(opened), sortByObjectSize=True)
    largest = itk.Cast(parts == 1, itk.sitkUInt8)
    found = np.asarray(itk.GetArrayFromImage(largest), dtype=np.bool_)
    for k in range(found.shape[0]):
        plane = itk.GetImageFromArray(found[k].astype(np.uint8))
        found[k] = itk.GetArrayFromImage(itk.BinaryFillhole(plane)) > 0
    grown = itk.BinaryDilate(itk.GetImageFromArray(found.astype(np.uint8)), [1, 1, 1])
    return np.asarray(itk.GetArrayFromImage(grown), dtype=np.bool_)
