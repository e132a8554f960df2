"""Volumes in mm³: of outlines drawn on parallel planes, and of voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import Vector, VolumeGeometry, cross, dot, subtract
from workstation.tools.measures.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Contour:
    """What was outlined on one plane: a point of the plane and the enclosed area in mm²."""

    point: Vector
    area: float


def stacked_volume(contours: Sequence[Contour], normal: Vector, step: float) -> float | Refusal:
    """mm³ of areas on parallel planes (Cavalieri): each stands for the depth half way to its neighbours.

    `normal` is the planes' unit normal, `step` (mm along it) how far the outermost reach outwards twice
    over: the slice distance. Several outlines on one plane add up. Planes may be unequally spaced, and a
    sheared stack counts by its distance along the normal.
    """
    if not contours or step <= 0.0:
        return Refusal("no outline to add up")
    depths = np.array([dot(subtract(c.point, contours[0].point), normal) for c in contours])
    areas = np.array([c.area for c in contours])
    order = np.argsort(depths)
    depths, areas = depths[order], areas[order]
    places, groups = _planes(depths, step)
    sums = np.bincount(groups, weights=areas, minlength=len(places))
    if len(places) == 1:
        return float(sums[0] * step)
    gaps = np.diff(places)
    if gaps.max() > 4.0 * max(step, float(gaps.min())):
        return Refusal(f"{gaps.max():.0f} mm lie between two outlines: too far to add them up")
    reach = np.concatenate([[min(step, gaps[0])], gaps, [min(step, gaps[-1])]])
    return float((sums * (reach[:-1] + reach[1:]) / 2).sum())


def _planes(
    depths: npt.NDArray[np.float64], step: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """The distinct depths (ascending) and which of them each contour has; a tenth of a step is the same."""
    fresh = np.concatenate([[True], np.diff(depths) > 0.1 * step])
    groups = np.cumsum(fresh) - 1
    return depths[fresh], groups


def voxel_volume(geometry: VolumeGeometry) -> npt.NDArray[np.float64]:
    """mm³ of a voxel of each slice, shear and unequal spacing included."""
    face = cross(geometry.column_step, geometry.row_step)
    whole = abs(dot(face, geometry.slice_step))
    slices = geometry.shape[0]
    if geometry.stations is None:
        return np.full(slices, whole)
    return whole * slice_depths(geometry.stations)


def slice_depths(stations: Sequence[float]) -> npt.NDArray[np.float64]:
    """What each slice stands for: half way to its neighbours, the outermost as far out as in."""
    gaps = np.diff(np.asarray(stations, dtype=np.float64))
    reach = np.concatenate([gaps[:1], gaps, gaps[-1:]])
    return np.asarray((reach[:-1] + reach[1:]) / 2)
