"""The engine over vtkImageReslice: the fallback where nothing was compiled, and a second opinion in tests.

VTK samples regular grids on planes; volumes of unequal stations and curved surfaces go through the NumPy
reference, which is slower and exact. VTK holds places to 1/131072 of a voxel: between neighbours 1,000 units
apart that is 0.01 of a unit.
VTK is imported when the first picture is asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workstation.rendering.engines.by_planes import ByPlanes
from workstation.rendering.engines.engine import (
    Array,
    Cut,
    Flat,
    Grey,
    Layer,
    Ribbon,
    Stations,
    blended,
    look_up,
)
from workstation.rendering.engines.reference import ReferenceEngine
from workstation.session.view_state import Interpolation, SlabMode


class VtkEngine(ByPlanes):
    """Samples with vtkImageReslice, single modules of VTK only, no window and no GL."""

    def __init__(self) -> None:
        self._reference = ReferenceEngine()

    @property
    def name(self) -> str:
        return "VTK"

    def cut(self, volume: Array, cut: Cut, outside: int = 0, stations: Stations = None) -> Array:
        if stations is not None:
            return self._reference.cut(volume, cut, outside, stations)
        return np.where(self._inside(volume, cut), self._values(volume, cut), volume.dtype.type(outside))

    def cut_grey(
        self, volume: Array, cut: Cut, table: Grey, background: int = 0, stations: Stations = None
    ) -> Grey:
        if stations is not None:
            return self._reference.cut_grey(volume, cut, table, background, stations)
        grey = look_up(self._values(volume, cut), table)
        return np.where(self._inside(volume, cut), grey, np.uint8(background))

    def curved(self, volume: Array, ribbon: Ribbon, outside: int = 0, stations: Stations = None) -> Array:
        return self._reference.curved(volume, ribbon, outside, stations)

    def curved_grey(
        self, volume: Array, ribbon: Ribbon, table: Grey, background: int = 0, stations: Stations = None
    ) -> Grey:
        return self._reference.curved_grey(volume, ribbon, table, background, stations)

    def fused(self, below: Layer, above: Layer, colours: Grey, background: int = 0) -> Grey:
        grey = self.cut_grey(below.volume, below.cut, below.table, background, below.stations)
        level = self.cut_grey(above.volume, above.cut, above.table, 0, above.stations)
        everywhere = np.ones(65536, dtype=np.uint8)
        inside = (
            self._inside(above.volume, above.cut)
            if above.stations is None
            else self._reference.cut_grey(above.volume, above.cut, everywhere, 0, above.stations) > 0
        )
        return blended(grey, level, inside, colours)

    def _flat_plane(self, plane: Array, flat: Flat, table: Grey | None, background: int) -> Grey:
        if flat.samples > 1:
            return self._reference.flat(plane, flat, table, background)
        cut = Cut(
            (*flat.origin, 0.0), (*flat.across, 0.0), (*flat.down, 0.0), flat.width, flat.height,
            interpolation=flat.interpolation,
        )  # fmt: skip
        values = self._values(plane[None], cut)
        grey = values.astype(np.uint8) if table is None else look_up(values, table)
        return np.where(self._inside(plane[None], cut), grey, np.uint8(background))

    def _inside(self, volume: Array, cut: Cut) -> Any:
        """Where at least one plane of the slab is inside, as the other engines decide it."""
        found = np.zeros((cut.height, cut.width), dtype=np.bool_)
        x, y = np.arange(cut.width, dtype=np.float64), np.arange(cut.height, dtype=np.float64)[:, None]
        for p in range(cut.planes):
            inside = np.ones_like(found)
            for axis, size in enumerate(volume.shape[::-1]):
                start = cut.origin[axis] + p * cut.through[axis]
                place = start + x * cut.across[axis] + y * cut.down[axis]
                inside &= (place >= -0.5) & (place <= size - 0.5)
            found |= inside
        return found

    def _values(self, volume: Array, cut: Cut) -> Array:
        """One vtkImageReslice a plane, joined here; VTK's own slab counts planes outside, ours do not."""
        if cut.planes == 1:
            return self._plane(volume, cut, 0)
        return self._slab(volume, cut)

    def _slab(self, volume: Array, cut: Cut) -> Array:
        ends = np.iinfo(volume.dtype)
        empty = ends.min if cut.mode is SlabMode.MAXIMUM else ends.max
        mean = cut.mode is SlabMode.MEAN
        joined = np.zeros((cut.height, cut.width), dtype=np.float64) if mean else None
        count = np.zeros((cut.height, cut.width))
        best = np.full((cut.height, cut.width), empty, dtype=volume.dtype)
        for p in range(cut.planes):
            values = self._plane(volume, cut, p, as_float=mean)
            inside = self._inside(volume, _one_plane(cut, p))
            if joined is not None:
                joined += np.where(inside, values, 0.0)
                count += inside
            else:
                pick = np.maximum if cut.mode is SlabMode.MAXIMUM else np.minimum
                best = pick(best, np.where(inside, values, empty)).astype(volume.dtype)
        if joined is None:
            return best
        return np.floor(joined / np.maximum(count, 1) + 0.5).astype(volume.dtype)

    def _plane(self, volume: Array, cut: Cut, p: int, as_float: bool = False) -> Array:
        from vtkmodules.util import numpy_support
        from vtkmodules.vtkCommonCore import VTK_FLOAT
        from vtkmodules.vtkCommonMath import vtkMatrix4x4
        from vtkmodules.vtkImagingCore import vtkImageReslice

        one = _one_plane(cut, p)
        axes = vtkMatrix4x4()
        normal = np.cross(one.across, one.down)
        for column, vector in enumerate((one.across, one.down, tuple(normal.tolist()), one.origin)):
            for row in range(3):
                axes.SetElement(row, column, float(vector[row]))
        reslice = vtkImageReslice()
        reslice.SetInputData(_image(volume))
        reslice.SetResliceAxes(axes)
        reslice.SetOutputDimensionality(2)
        reslice.SetOutputOrigin(0.0, 0.0, 0.0)
        reslice.SetOutputSpacing(1.0, 1.0, 1.0)
        reslice.SetOutputExtent(0, one.width - 1, 0, one.height - 1, 0, 0)
        reslice.SetBorder(True)
        _set_interpolation(reslice, one.interpolation)
        if as_float:
            reslice.SetOutputScalarType(VTK_FLOAT)
        reslice.Update()
        scalars = reslice.GetOutput().GetPointData().GetScalars()
        to_numpy: Any = numpy_support.vtk_to_numpy  # without annotations in the package
        return np.asarray(to_numpy(scalars)).reshape(one.height, one.width).copy()


def _one_plane(cut: Cut, p: int) -> Cut:
    x, y, z = (o + p * t for o, t in zip(cut.origin, cut.through, strict=True))
    return Cut((x, y, z), cut.across, cut.down, cut.width, cut.height, interpolation=cut.interpolation)


def _set_interpolation(reslice: Any, interpolation: Interpolation) -> None:
    if interpolation is Interpolation.NEAREST:
        reslice.SetInterpolationModeToNearestNeighbor()
    elif interpolation is Interpolation.LINEAR:
        reslice.SetInterpolationModeToLinear()
    else:
        reslice.SetInterpolationModeToCubic()


def _image(volume: Array) -> Any:
    """The array as vtkImageData in index space, without a copy; the image keeps the array alive."""
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkCommonDataModel import vtkImageData

    image = vtkImageData()
    image.SetDimensions(volume.shape[2], volume.shape[1], volume.shape[0])
    to_vtk: Any = numpy_support.numpy_to_vtk  # without annotations in the package
    image.GetPointData().SetScalars(to_vtk(volume.reshape(-1), deep=0))
    return image
