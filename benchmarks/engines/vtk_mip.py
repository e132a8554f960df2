"""VTK's fixed-point ray caster as a maximum intensity projection, off-screen, read back as an array."""

from __future__ import annotations

import os
import platform
from typing import Any

import numpy as np
import numpy.typing as npt

if platform.system() == "Linux":
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import vtkmodules.vtkRenderingOpenGL2
import vtkmodules.vtkRenderingVolumeOpenGL2
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.vtkCommonDataModel import vtkPiecewiseFunction
from vtkmodules.vtkRenderingCore import (
    vtkColorTransferFunction,
    vtkRenderer,
    vtkVolume,
    vtkVolumeProperty,
)
from vtkmodules.vtkRenderingVolume import vtkFixedPointVolumeRayCastMapper

from benchmarks.engines.vtk import image, to_numpy
from benchmarks.engines.vtk_window import offscreen
from workstation.imaging.luts import VoiWindow

REGISTERED = (vtkmodules.vtkRenderingOpenGL2, vtkmodules.vtkRenderingVolumeOpenGL2)


class FixedPointMip:
    """`run(angle)` renders the volume about its long axis in `size` squared, samples `step` voxels apart."""

    def __init__(
        self, volume: npt.NDArray[Any], size: int, step: float, across: float, window: VoiWindow
    ) -> None:
        mapper = vtkFixedPointVolumeRayCastMapper()
        mapper.SetInputData(image(volume))
        mapper.SetBlendModeToMaximumIntensity()
        mapper.SetAutoAdjustSampleDistances(0)
        mapper.LockSampleDistanceToInputSpacingOff()
        mapper.SetSampleDistance(step)
        mapper.SetInteractiveSampleDistance(step)
        mapper.SetImageSampleDistance(1.0)
        grey, opacity = vtkColorTransferFunction(), vtkPiecewiseFunction()
        low, high = window.centre - window.width / 2, window.centre + window.width / 2
        grey.AddRGBPoint(low, 0.0, 0.0, 0.0)
        grey.AddRGBPoint(high, 1.0, 1.0, 1.0)
        opacity.AddPoint(low, 0.0)
        opacity.AddPoint(low + 1.0, 1.0)
        property_ = vtkVolumeProperty()
        property_.SetColor(grey)
        property_.SetScalarOpacity(opacity)
        property_.SetInterpolationTypeToLinear()
        actor = vtkVolume()
        actor.SetMapper(mapper)
        actor.SetProperty(property_)
        renderer = vtkRenderer()
        renderer.AddVolume(actor)
        self.camera = renderer.GetActiveCamera()
        self.camera.ParallelProjectionOn()
        self.camera.SetParallelScale(across / 2)
        self.renderer = renderer
        self.middle = (np.array(volume.shape[::-1]) - 1) / 2
        self.window = offscreen(renderer, size)
        self.size = size
        self.pixels = vtkUnsignedCharArray()

    def run(self, angle: float) -> npt.NDArray[np.uint8]:
        """RGB (size, size, 3), the last row first, as VTK keeps it."""
        away = np.array([-np.sin(angle), np.cos(angle), 0.0])
        self.camera.SetFocalPoint(*self.middle)
        self.camera.SetPosition(*(self.middle - 1500.0 * away))
        self.camera.SetViewUp(0.0, 0.0, 1.0)
        self.renderer.ResetCameraClippingRange()
        self.window.Render()
        edge = self.size - 1
        self.window.GetPixelData(0, 0, edge, edge, 0, self.pixels, 0)
        return np.asarray(to_numpy(self.pixels)).reshape(self.size, self.size, 3)
