"""VTK's ray casters: on a graphics processor where there is one, else the fallback without a compiler.

VTK wants axes at right angles and a right hand, so other volumes are resampled first. Colours and opacities
are the same points; light is VTK's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.rendering.volume.caster import Overtaken
from workstation.rendering.volume.grid import Grid, Voxels
from workstation.rendering.volume.scene import Quality, Scene
from workstation.rendering.volume.straight import Straight, straightened
from workstation.rendering.volume.transfer import Projection, TransferFunction

FAR = 10_000.0
MOST_WITHOUT_GPU = 256


class VtkCaster:
    """One off-screen window and one volume; `mask` works on a copy of the voxels."""

    def __init__(self, voxels: Voxels, grid: Grid, gpu: bool, most: int = MOST_WITHOUT_GPU) -> None:
        self.mask: npt.NDArray[np.uint8] | None = None
        self._voxels, self._grid, self._gpu, self._most = voxels, grid, gpu, most
        self._window, self._renderer, self._volume, self._mapper = _stage(gpu)
        self._known: tuple[TransferFunction, bool] | None = None
        self._take(voxels)

    @property
    def name(self) -> str:
        return self._renderer_name if self._gpu else "VTK, without graphics processor"

    @property
    def _renderer_name(self) -> str:
        self._window.Render()
        return f"VTK on {gl_renderer(self._window)}"

    def mask_changed(self) -> None:
        """The hidden voxels become air in a copy."""
        if self.mask is None:
            self._take(self._voxels)
        else:
            self._take(np.where(self.mask != 0, self._voxels, self._voxels.min()))

    def _take(self, voxels: Voxels) -> None:
        self._straight = straightened(voxels, self._grid, 0 if self._gpu else self._most)
        self._mapper.SetInputData(_image(self._straight))
        self._volume.SetUserMatrix(_rotation(self._straight))

    def render(
        self,
        scene: Scene,
        width: int,
        height: int,
        quality: Quality,
        newest: npt.NDArray[np.int32] | None = None,
        mine: int = 0,
    ) -> npt.NDArray[np.uint8]:
        """(height, width, 3) uint8; raises Overtaken where newest[0] is another, RuntimeError without GL."""
        self._see(scene, quality)
        self._look(scene, width, height)
        self._window.SetSize(width, height)
        observer = self._mapper_watch(newest, mine)
        self._window.Render()
        self._window.RemoveObserver(observer)
        if newest is not None and newest[0] != mine:
            raise Overtaken
        return _grabbed(self._window, width, height)

    def _mapper_watch(self, newest: npt.NDArray[np.int32] | None, mine: int) -> int:
        """VTK asks now and then whether to go on."""

        def check(window: Any, _event: str) -> None:
            if newest is not None and newest[0] != mine:
                window.SetAbortRender(1)

        self._window.SetAbortRender(0)
        return int(self._window.AddObserver("AbortCheckEvent", check))

    def _see(self, scene: Scene, quality: Quality) -> None:
        shaded = scene.shaded and quality.shaded and scene.function.shading is not None
        if self._known != (scene.function, shaded):
            _apply(self._volume.GetProperty(), scene.function, self._grid, shaded)
            self._known = (scene.function, shaded)
        blends = {
            Projection.COMPOSITE: self._mapper.SetBlendModeToComposite,
            Projection.MAXIMUM: self._mapper.SetBlendModeToMaximumIntensity,
            Projection.MINIMUM: self._mapper.SetBlendModeToMinimumIntensity,
        }
        blends[scene.function.projection]()
        self._mapper.SetAutoAdjustSampleDistances(False)
        self._mapper.SetSampleDistance(self._grid.spacing * quality.sampling)
        self._mapper.RemoveAllClippingPlanes()
        if scene.crop is not None:
            for plane in scene.crop.planes():
                self._mapper.AddClippingPlane(_plane(plane))

    def _look(self, scene: Scene, width: int, height: int) -> None:
        camera, view = self._renderer.GetActiveCamera(), scene.camera
        centre, sight = np.array(view.centre), np.array(view.sight)
        camera.ParallelProjectionOn()
        camera.SetFocalPoint(*centre)
        camera.SetPosition(*(centre - FAR * sight))
        camera.SetViewUp(*(-np.array(view.down)))
        camera.SetParallelScale(view.field / min(width, height) * height / 2)
        self._renderer.ResetCameraClippingRange()


def _stage(gpu: bool) -> tuple[Any, Any, Any, Any]:
    from vtkmodules import vtkRenderingVolumeOpenGL2  # noqa: F401 - registers the mappers' drawing
    from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow, vtkVolume

    window, renderer, volume = vtkRenderWindow(), vtkRenderer(), vtkVolume()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    renderer.SetBackground(0.0, 0.0, 0.0)
    window.AddRenderer(renderer)
    mapper = _mapper(gpu)
    volume.SetMapper(mapper)
    volume.GetProperty().SetInterpolationTypeToLinear()
    volume.GetProperty().SetScalarOpacityUnitDistance(1.0)
    renderer.AddVolume(volume)
    return window, renderer, volume, mapper


def _mapper(gpu: bool) -> Any:
    if gpu:
        from vtkmodules.vtkRenderingVolume import vtkGPUVolumeRayCastMapper

        return vtkGPUVolumeRayCastMapper()
    from vtkmodules.vtkRenderingVolume import vtkFixedPointVolumeRayCastMapper

    mapper = vtkFixedPointVolumeRayCastMapper()
    mapper.SetImageSampleDistance(1.0)
    return mapper


def gl_renderer(window: Any) -> str:
    """What GL says draws a window that was rendered once."""
    for line in str(window.ReportCapabilities()).split("\n"):
        if line.startswith("OpenGL renderer string:"):
            return line.split(":", 1)[1].strip()
    return ""


def probe() -> str:
    """The GL renderer of an off-screen window in this process; a broken driver may end the process."""
    from vtkmodules import vtkRenderingOpenGL2  # noqa: F401 - registers the window
    from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetSize(8, 8)
    window.AddRenderer(vtkRenderer())
    window.Render()
    return gl_renderer(window)


def _image(straight: Straight) -> Any:
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkCommonDataModel import vtkImageData

    image = vtkImageData()
    image.SetDimensions(*straight.voxels.shape[::-1])
    image.SetSpacing(*straight.spacing)
    to_vtk: Any = numpy_support.numpy_to_vtk  # without annotations in the package
    image.GetPointData().SetScalars(to_vtk(straight.voxels.reshape(-1), deep=0))
    return image


def _rotation(straight: Straight) -> Any:
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    matrix = vtkMatrix4x4()
    for row in range(3):
        for column in range(3):
            matrix.SetElement(row, column, float(straight.axes[column][row]))
        matrix.SetElement(row, 3, float(straight.origin[row]))
    return matrix


def _plane(numbers: npt.NDArray[np.float64]) -> Any:
    from vtkmodules.vtkCommonDataModel import vtkPlane

    plane = vtkPlane()
    plane.SetNormal(*(float(v) for v in numbers[:3]))
    plane.SetOrigin(*(float(v) for v in -numbers[3] * numbers[:3]))
    return plane


def _apply(prop: Any, function: TransferFunction, grid: Grid, shaded: bool) -> None:
    from vtkmodules.vtkCommonDataModel import vtkPiecewiseFunction
    from vtkmodules.vtkRenderingCore import vtkColorTransferFunction

    colour, opacity = vtkColorTransferFunction(), vtkPiecewiseFunction()
    for c in function.colour:
        colour.AddRGBPoint((c.value - grid.intercept) / grid.slope, *c.colour)
    for o in function.opacity:
        opacity.AddPoint((o.value - grid.intercept) / grid.slope, o.opacity)
    if function.projection is not Projection.COMPOSITE:
        opacity = vtkPiecewiseFunction()
        opacity.AddPoint(-32768.0, 1.0)
        opacity.AddPoint(32767.0, 1.0)
    prop.SetColor(colour)
    prop.SetScalarOpacity(opacity)
    prop.SetDisableGradientOpacity(not function.edges)
    if function.edges:
        edges = vtkPiecewiseFunction()
        for gradient, factor in function.edges:
            edges.AddPoint(gradient / grid.slope, factor)
        prop.SetGradientOpacity(edges)
    prop.SetShade(bool(shaded))
    if function.shading is not None:
        prop.SetAmbient(function.shading.ambient)
        prop.SetDiffuse(function.shading.diffuse)
        prop.SetSpecular(function.shading.specular)
        prop.SetSpecularPower(function.shading.power)


def _grabbed(window: Any, width: int, height: int) -> npt.NDArray[np.uint8]:
    """The picture of the window, row 0 on top (VTK's is below)."""
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkRenderingCore import vtkWindowToImageFilter

    grabbing = vtkWindowToImageFilter()
    grabbing.SetInput(window)
    grabbing.ReadFrontBufferOff()
    grabbing.ShouldRerenderOff()
    grabbing.Update()
    to_numpy: Any = numpy_support.vtk_to_numpy  # without annotations in the package
    pixels = np.asarray(to_numpy(grabbing.GetOutput().GetPointData().GetScalars()))
    if pixels.size != width * height * 3:
        raise RuntimeError("the graphics driver gave no picture")
    return np.ascontiguousarray(pixels.reshape(height, width, 3)[::-1])
