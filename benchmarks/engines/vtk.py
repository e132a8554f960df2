"""VTK at its best: STDThread for its SMP tools, filters kept from picture to picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from vtkmodules.util import numpy_support
from vtkmodules.vtkCommonCore import vtkLookupTable, vtkSMPTools
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkImagingCore import vtkImageBlend, vtkImageMapToColors, vtkImageReslice

from workstation.rendering.engines import Cut
from workstation.session.view_state import Interpolation, SlabMode

vtkSMPTools.SetBackend("STDThread")
to_vtk: Any = numpy_support.numpy_to_vtk  # without annotations in the package
to_numpy: Any = numpy_support.vtk_to_numpy


@lru_cache(maxsize=8)
def _image(address: int, shape: tuple[int, ...], held: _Held) -> vtkImageData:
    image = vtkImageData()
    image.SetDimensions(shape[2], shape[1], shape[0])
    image.GetPointData().SetScalars(to_vtk(held.volume.reshape(-1), deep=0))
    return image


class _Held:
    """A volume as a key: the same one by identity."""

    def __init__(self, volume: npt.NDArray[Any]) -> None:
        self.volume = volume

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.volume is self.volume


def image(volume: npt.NDArray[Any]) -> vtkImageData:
    """The array as vtkImageData in index space, made once."""
    return _image(volume.ctypes.data, volume.shape, _Held(volume))


class Reslice:
    """One vtkImageReslice laid as a Cut; `run()` makes it anew."""

    def __init__(self, volume: npt.NDArray[Any], cut: Cut) -> None:
        filter_ = vtkImageReslice()
        filter_.SetInputData(image(volume))
        # unit vectors in the axes, the pixel's size in the spacing, as VTK's own viewers do
        across, down = np.array(cut.across), np.array(cut.down)
        normal = np.cross(across / np.linalg.norm(across), down / np.linalg.norm(down))
        axes = vtkMatrix4x4()
        columns = (across / np.linalg.norm(across), down / np.linalg.norm(down), normal, cut.origin)
        for column, vector in enumerate(columns):
            for row in range(3):
                axes.SetElement(row, column, float(vector[row]))
        filter_.SetResliceAxes(axes)
        filter_.SetOutputDimensionality(2)
        filter_.SetOutputOrigin(0.0, 0.0, 0.0)
        thick = float(np.linalg.norm(cut.through)) or 1.0
        filter_.SetOutputSpacing(float(np.linalg.norm(across)), float(np.linalg.norm(down)), thick)
        filter_.SetOutputExtent(0, cut.width - 1, 0, cut.height - 1, 0, 0)
        filter_.SetBackgroundLevel(-1024.0)
        {
            Interpolation.NEAREST: filter_.SetInterpolationModeToNearestNeighbor,
            Interpolation.LINEAR: filter_.SetInterpolationModeToLinear,
            Interpolation.CUBIC: filter_.SetInterpolationModeToCubic,
        }[cut.interpolation]()
        if cut.planes > 1:
            filter_.SetSlabNumberOfSlices(cut.planes)
            {
                SlabMode.MAXIMUM: filter_.SetSlabModeToMax,
                SlabMode.MINIMUM: filter_.SetSlabModeToMin,
                SlabMode.MEAN: filter_.SetSlabModeToMean,
            }[cut.mode]()
        self.filter = filter_
        self.shape = (cut.height, cut.width)

    def run(self) -> npt.NDArray[Any]:
        """The picture made once more, as an array (no copy)."""
        self.filter.Modified()
        self.filter.Update()
        scalars = self.filter.GetOutput().GetPointData().GetScalars()
        return np.asarray(to_numpy(scalars)).reshape(self.shape)


def grey_map(low: float, high: float) -> vtkLookupTable:
    """A ramp of 256 greys over a window."""
    table = vtkLookupTable()
    table.SetNumberOfTableValues(256)
    table.SetTableRange(low, high)
    table.SetSaturationRange(0.0, 0.0)
    table.SetHueRange(0.0, 0.0)
    table.SetValueRange(0.0, 1.0)
    table.SetRampToLinear()
    table.Build()
    return table


def colour_map(low: float, high: float, colours: npt.NDArray[np.uint8]) -> vtkLookupTable:
    """256 RGB colours over a window."""
    table = grey_map(low, high)
    for n, (red, green, blue) in enumerate(colours.tolist()):
        table.SetTableValue(n, red / 255, green / 255, blue / 255, 1.0)
    return table


class Mapped:
    """A reslice through a colour map to RGB or grey bytes."""

    def __init__(self, reslice: Reslice, table: vtkLookupTable, colour: bool = False) -> None:
        self.reslice = reslice
        self.filter = vtkImageMapToColors()
        self.filter.SetLookupTable(table)
        if colour:
            self.filter.SetOutputFormatToRGB()
        else:
            self.filter.SetOutputFormatToLuminance()
        self.filter.SetInputConnection(reslice.filter.GetOutputPort())

    def run(self) -> npt.NDArray[Any]:
        """Resliced and mapped once more."""
        self.reslice.filter.Modified()
        self.filter.Update()
        scalars = self.filter.GetOutput().GetPointData().GetScalars()
        return np.asarray(to_numpy(scalars)).reshape(*self.reslice.shape, -1)


class Blended:
    """Two mapped reslices through vtkImageBlend."""

    def __init__(self, below: Mapped, above: Mapped, opacity: float) -> None:
        self.parts = (below, above)
        self.filter = vtkImageBlend()
        for part in self.parts:
            self.filter.AddInputConnection(part.filter.GetOutputPort())
        self.filter.SetOpacity(0, 1.0)
        self.filter.SetOpacity(1, opacity)

    def run(self) -> npt.NDArray[Any]:
        """Both resliced, mapped and blended once more."""
        for part in self.parts:
            part.reslice.filter.Modified()
        self.filter.Update()
        scalars = self.filter.GetOutput().GetPointData().GetScalars()
        return np.asarray(to_numpy(scalars)).reshape(*self.parts[0].reslice.shape, 3)


def each(parts: Sequence[Mapped]) -> list[npt.NDArray[Any]]:
    """All of them, one after the other: each uses every core by itself."""
    return [part.run() for part in parts]
