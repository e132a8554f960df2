"""A volume on a coarse grid along the patient's axes, as registration compares them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.imaging.luts import Rescale, TableLut
from workstation.imaging.volume import Volume

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
AIR_AND_METAL = (-1000.0, 600.0)  # HU: beyond, only noise and streaks differ
MOST = 320  # grid points along an axis
MARGIN = 4  # grid points kept about the body


def toolkit() -> Any:
    """SimpleITK, imported when it is first needed; it carries no types."""
    import SimpleITK

    return SimpleITK


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
        z, y, x = np.meshgrid(*(np.arange(n) for n in self.values.shape), indexing="ij")
        return np.asarray(self.origin + self.mm * np.stack([x, y, z], axis=-1).reshape(-1, 3))

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
        """(body, valid) as masks."""
        return self._image(self.body.astype(np.uint8)), self._image(self.valid.astype(np.uint8))

    def _image(self, array: npt.NDArray[np.generic]) -> Any:
        image = toolkit().GetImageFromArray(np.ascontiguousarray(array))
        image.SetSpacing((self.mm,) * 3)
        image.SetOrigin(tuple(float(v) for v in self.origin))
        return image


def sampled(volume: Volume, mm: float) -> Grid:
    """A volume of any geometry on a grid; its voxels are averaged first where they are finer."""
    geometry = volume.geometry
    assert geometry is not None
    columns_mm, rows_mm, step_mm = geometry.spacing
    fx, fy, fz = (max(1, int(mm / s)) for s in (columns_mm, rows_mm, step_mm))
    averaged = _averaged(volume, fx, fy, fz)
    corners = np.array(geometry.corners())
    low, high = corners.min(axis=0), corners.max(axis=0)
    counts = np.clip(np.ceil((high - low) / mm).astype(int), 1, MOST)
    origin = (low + high) / 2 - (counts - 1) / 2 * mm
    z, y, x = np.meshgrid(*(np.arange(n) for n in counts[::-1]), indexing="ij")
    places = origin[:, None] + mm * np.stack([x, y, z]).reshape(3, -1)
    index = geometry.inverse[:, :3] @ places + geometry.inverse[:, 3:]
    if geometry.stations is not None:
        index[2] = np.interp(index[2], geometry.stations, np.arange(len(geometry.stations)), -9.0, 1e9)
    size = np.array(geometry.shape[::-1])[:, None]
    valid = ((index >= -0.5) & (index <= size - 0.5)).all(axis=0)
    factors = np.array([fx, fy, fz])[:, None]
    values = linear(averaged, (index + 0.5) / factors - 0.5)
    shape = (int(counts[2]), int(counts[1]), int(counts[0]))
    return made(values.reshape(shape), valid.reshape(shape), origin, mm, volume.display_set.modality)


def made(values: Floats, valid: Mask, origin: Floats, mm: float, modality: str) -> Grid:
    """A grid of modality values (z, y, x): scaled, and its body found."""
    low, high = AIR_AND_METAL
    if modality != "CT":
        inside = values[valid] if valid.any() else values.reshape(-1)
        low, high = (float(v) for v in np.percentile(inside, (1.0, 99.0)))
    scaled = (np.clip(values, low, high) - low) / max(high - low, 1e-6)
    scaled = np.where(valid, scaled, 0.0)
    threshold = 0.4375 if modality == "CT" else 0.12  # CT: -300 HU
    whole = Grid(scaled.astype(np.float32), valid, _body(scaled > threshold, mm), origin, mm, modality)
    return _about_the_body(whole)


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


def _averaged(volume: Volume, fx: int, fy: int, fz: int) -> Values:
    """Block means in modality units; what is left over at the ends is left out."""
    slices, rows, columns = volume.pixels.shape[:3]
    out = np.zeros((slices // fz, rows // fy, columns // fx), dtype=np.float32)
    for k in range(out.shape[0] * fz):
        lut = volume.modality_lut(k)
        plane = volume.pixels[k, : out.shape[1] * fy, : out.shape[2] * fx]
        if isinstance(lut, TableLut):
            plane = lut.apply(plane)
        down = np.add.reduce(plane.reshape(out.shape[1], fy, -1), axis=1, dtype=np.float32)
        mean = down.reshape(out.shape[1], out.shape[2], fx).sum(axis=2) / (fx * fy)
        if isinstance(lut, Rescale):
            mean = mean * np.float32(lut.slope) + np.float32(lut.intercept)
        out[k // fz] += mean / fz
    return out


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
