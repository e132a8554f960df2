"""The picture of an axial slice through an off-screen VTK window, read back as an array."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

if sys.platform.startswith("linux"):
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import vtkmodules.vtkRenderingOpenGL2  # noqa: F401 - registers the window's implementation
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.vtkRenderingCore import (
    vtkImageSlice,
    vtkImageSliceMapper,
    vtkRenderer,
    vtkRenderWindow,
)

from benchmarks.engines.vtk import image, to_numpy


def offscreen(renderer: vtkRenderer, size: int) -> vtkRenderWindow:
    """A window of that many pixels each way that nobody sees."""
    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(size, size)
    window.AddRenderer(renderer)
    return window


class SliceWindow:
    """vtkImageSliceMapper in a window of `size` squared; `run` renders and reads back."""

    def __init__(self, volume: npt.NDArray[Any], size: int) -> None:
        self.mapper = vtkImageSliceMapper()
        self.mapper.SetInputData(image(volume))
        self.slice = vtkImageSlice()
        self.slice.SetMapper(self.mapper)
        self.slice.GetProperty().SetInterpolationTypeToLinear()
        renderer = vtkRenderer()
        renderer.AddViewProp(self.slice)
        camera = renderer.GetActiveCamera()
        camera.ParallelProjectionOn()
        middle = [(n - 1) / 2 for n in volume.shape[::-1]]
        camera.SetFocalPoint(*middle)
        camera.SetPosition(middle[0], middle[1], -1000.0)
        camera.SetViewUp(0.0, -1.0, 0.0)
        camera.SetParallelScale(volume.shape[1] / 2)
        camera.SetClippingRange(1.0, 3000.0)
        self.window = offscreen(renderer, size)
        self.size = size
        self.pixels = vtkUnsignedCharArray()

    def run(self, index: int, centre: float, width: float) -> npt.NDArray[np.uint8]:
        """RGB (size, size, 3), the last row first, as VTK keeps it."""
        self.mapper.SetSliceNumber(index)
        self.slice.GetProperty().SetColorWindow(width)
        self.slice.GetProperty().SetColorLevel(centre)
        self.window.Render()
        edge = self.size - 1
        self.window.GetPixelData(0, 0, edge, edge, 0, self.pixels, 0)
        return np.asarray(to_numpy(self.pixels)).reshape(self.size, self.size, 3)
