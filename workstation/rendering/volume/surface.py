"""Surfaces at a value: flying edges in index space, smoothed and thinned, then carried into the patient.

Index space first and the matrix after makes sheared and left-handed volumes come out right; where the hand
turns, so do the triangles.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.rendering.volume.grid import Grid, Voxels
from workstation.rendering.volume.mesh_files import Mesh, NoMesh

MOST_SMOOTHING = 200
MOST_TRIANGLES = 40_000_000


@dataclass(frozen=True, slots=True)
class SurfaceWish:
    """`value` in modality units; `smoothing` iterations (0 for none), `keep` the part 0..1 of the triangles
    that stays after thinning; `largest` keeps only the biggest connected piece; `step` takes every nth voxel.
    """

    value: float
    smoothing: int = 15
    keep: float = 1.0
    largest: bool = False
    step: int = 1

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_plain(cls, content: dict[str, Any]) -> SurfaceWish:
        """Of what `plain` made; raises TypeError or ValueError for anything else."""
        wish = cls(**content)
        good = np.isfinite(wish.value) and 0 <= wish.smoothing <= MOST_SMOOTHING and 0.0 < wish.keep <= 1.0
        if not good or wish.step < 1:
            raise ValueError(f"no surface can be made of {content}")
        return wish


def extract(voxels: Voxels, grid: Grid, wish: SurfaceWish, mask: npt.NDArray[np.uint8] | None = None) -> Mesh:
    """The surface between values below and above, closed at the volume's edge. Raises NoMesh."""
    poly = _contour(_prepared(voxels, grid, wish, mask), (wish.value - grid.intercept) / grid.slope)
    if wish.largest:
        poly = _largest(poly)
    if poly.GetNumberOfPolys() == 0:
        raise NoMesh(f"there is no surface at {wish.value:g} {grid.unit}")
    if wish.smoothing:
        poly = _smoothed(poly, wish.smoothing)
    if wish.keep < 1.0:
        poly = _thinned(poly, wish.keep)
    return _in_patient(poly, grid, wish.step)


def _prepared(voxels: Voxels, grid: Grid, wish: SurfaceWish, mask: npt.NDArray[np.uint8] | None) -> Voxels:
    """Every nth voxel, what is hidden made air, and a layer of air about it all."""
    n = wish.step
    part = voxels[::n, ::n, ::n]
    air = np.int16(min(int(part.min()), max(-32768, int((wish.value - grid.intercept) / grid.slope) - 1000)))
    if mask is not None:
        part = np.where(mask[::n, ::n, ::n] != 0, part, air)
    return np.pad(part, 1, constant_values=air)


def _contour(voxels: Voxels, stored: float) -> Any:
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    image = vtkImageData()
    image.SetDimensions(*voxels.shape[::-1])
    image.SetOrigin(-1.0, -1.0, -1.0)  # the layer of air
    to_vtk: Any = numpy_support.numpy_to_vtk  # without annotations in the package
    image.GetPointData().SetScalars(to_vtk(voxels.reshape(-1), deep=0))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, stored)
    edges.ComputeNormalsOff()
    edges.ComputeGradientsOff()
    edges.ComputeScalarsOff()
    edges.Update()
    poly = edges.GetOutput()
    if poly.GetNumberOfPolys() > MOST_TRIANGLES:
        raise NoMesh(f"{poly.GetNumberOfPolys():,} triangles are noise rather than a surface")
    return poly


def _largest(poly: Any) -> Any:
    from vtkmodules.vtkFiltersCore import vtkPolyDataConnectivityFilter

    chosen = vtkPolyDataConnectivityFilter()
    chosen.SetInputData(poly)
    chosen.SetExtractionModeToLargestRegion()
    chosen.Update()
    return _cleaned(chosen.GetOutput())


def _cleaned(poly: Any) -> Any:
    from vtkmodules.vtkFiltersCore import vtkCleanPolyData

    clean = vtkCleanPolyData()
    clean.SetInputData(poly)
    clean.PointMergingOff()
    clean.Update()
    return clean.GetOutput()


def _smoothed(poly: Any, iterations: int) -> Any:
    """Taubin's windowed sinc: smooths without shrinking."""
    from vtkmodules.vtkFiltersCore import vtkWindowedSincPolyDataFilter

    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputData(poly)
    smooth.SetNumberOfIterations(iterations)
    smooth.SetPassBand(0.1)
    smooth.BoundarySmoothingOff()
    smooth.FeatureEdgeSmoothingOff()
    smooth.NonManifoldSmoothingOn()
    smooth.NormalizeCoordinatesOn()
    smooth.Update()
    return smooth.GetOutput()


def _thinned(poly: Any, keep: float) -> Any:
    from vtkmodules.vtkFiltersCore import vtkQuadricDecimation

    thin = vtkQuadricDecimation()
    thin.SetInputData(poly)
    thin.SetTargetReduction(1.0 - keep)
    thin.VolumePreservationOn()
    thin.Update()
    return _cleaned(thin.GetOutput())


def _in_patient(poly: Any, grid: Grid, step: int) -> Mesh:
    from vtkmodules.util import numpy_support

    to_numpy: Any = numpy_support.vtk_to_numpy  # without annotations in the package
    index = np.asarray(to_numpy(poly.GetPoints().GetData()), dtype=np.float64) * step
    corners = np.asarray(to_numpy(poly.GetPolys().GetConnectivityArray())).reshape(-1, 3).astype(np.int32)
    points = index @ grid.matrix[:, :3].T + grid.matrix[:, 3]
    mesh = Mesh(np.ascontiguousarray(points, dtype=np.float32), np.ascontiguousarray(corners))
    return Mesh(mesh.points, np.ascontiguousarray(corners[:, ::-1])) if mesh.volume < 0 else mesh
