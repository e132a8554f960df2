"""The arithmetic of measuring, once: lengths and areas in patient millimetres, statistics in modality units.

Where spacing cannot be trusted the answer is a `Refusal` with its reason, never a number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import Vector, add, cross, distance, dot, norm, scaled, subtract, unit
from workstation.imaging.headers import FrameHeader
from workstation.imaging.spacing import Calibration
from workstation.imaging.view_frame import ViewFrame
from workstation.imaging.volume import Volume


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no number, in words for the reader."""

    reason: str


def calibration_at(
    frame: ViewFrame, header: FrameHeader | None, points: tuple[Vector, ...]
) -> Calibration | Refusal:
    """The calibration that holds for these points, or why none does.

    Reformats measure in patient space. Of ultrasound with several regions all points have to lie in one
    (PS3.3 C.8.5.5).
    """
    if header is None or not header.regions or frame.in_patient:
        return frame.calibration if frame.calibration.trusted else Refusal(frame.calibration.reason)
    found = {_region_spacing(header, point) for point in points}
    if len(found) != 1:
        return Refusal("the points lie in different ultrasound regions")
    spacing = found.pop()
    if spacing is None:
        return Refusal("outside the calibrated ultrasound regions")
    return Calibration(spacing, True, "ultrasound region calibration")


def _region_spacing(header: FrameHeader, point: Vector) -> tuple[float, float] | None:
    """The innermost calibrated region at a pixel (regions may overlap)."""
    hits = [r for r in header.regions if r.left <= point[0] <= r.right and r.top <= point[1] <= r.bottom]
    hits.sort(key=lambda r: (r.right - r.left) * (r.bottom - r.top))
    return hits[0].spacing if hits else None


def in_millimetres(point: Vector, frame: ViewFrame, calibration: Calibration) -> Vector:
    """A point of the frame's coordinates in mm: patient points as they are, image pixels by the
    calibration.
    """
    if frame.in_patient:
        return point
    return point[0] * calibration.spacing[1], point[1] * calibration.spacing[0], 0.0


def length(a: Vector, b: Vector) -> float:
    """Mm between two points given in mm."""
    return distance(a, b)


def angle(a: Vector, corner: Vector, b: Vector) -> float | Refusal:
    """Degrees 0 to 180 at `corner` between the arms to a and b."""
    u, v = subtract(a, corner), subtract(b, corner)
    if norm(u) < 1e-9 or norm(v) < 1e-9:
        return Refusal("an arm of the angle has no length")
    return math.degrees(math.atan2(norm(cross(u, v)), dot(u, v)))


@dataclass(frozen=True, slots=True)
class EllipseShape:
    """An ellipse in a plane: centre and its two half axes as vectors at right angles, in the frame's
    coordinates.
    """

    centre: Vector
    half_a: Vector
    half_b: Vector


def ellipse_in_box(first: Vector, second: Vector, frame: ViewFrame) -> EllipseShape:
    """The ellipse that fills the box between two points, its sides along the frame's across and down."""
    right, down = unit(frame.across), unit(frame.down)
    span = subtract(second, first)
    centre = add(first, span, 0.5)
    return EllipseShape(centre, scaled(right, dot(span, right) / 2), scaled(down, dot(span, down) / 2))


def ellipse_points(shape: EllipseShape) -> tuple[Vector, Vector, Vector, Vector]:
    """The ends of the first and of the second axis: what TID 1500 keeps of an ellipse (PS3.3 C.18.6.1.2)."""
    ends = [add(shape.centre, half, sign) for half in (shape.half_a, shape.half_b) for sign in (-1.0, 1.0)]
    return ends[0], ends[1], ends[2], ends[3]


def ellipse_of_points(points: tuple[Vector, ...]) -> EllipseShape:
    """Back from the four axis ends."""
    a, b, c, d = points
    return EllipseShape(scaled(add(a, b), 0.5), scaled(subtract(b, a), 0.5), scaled(subtract(d, c), 0.5))


def ellipse_area(half_a: Vector, half_b: Vector) -> float:
    """mm² of half axes in mm; also right where calibration made them oblique to one another."""
    return math.pi * norm(cross(half_a, half_b))


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the pixels whose centre lies inside, in modality units; `unit` "HU", "BQML", ... or empty."""

    count: int
    mean: float
    deviation: float
    lowest: float
    highest: float
    unit: str


def statistics(values: npt.NDArray[Any], unit_name: str) -> Statistics | Refusal:
    """Mean, population standard deviation, extremes; refused where there is no pixel."""
    kept = values[np.isfinite(values)]
    if kept.size == 0:
        return Refusal("no pixel lies inside")
    flat = kept.astype(np.float64)
    return Statistics(
        int(flat.size), float(flat.mean()), float(flat.std()), float(flat.min()), float(flat.max()), unit_name
    )


def ellipse_values(
    shape: EllipseShape, frame: ViewFrame, volume: Volume
) -> npt.NDArray[np.float64] | Refusal:
    """The modality values inside: the image's own pixels, or of a reformat samples half a voxel apart.

    Pixels of padding are left out. Refused for colour and for what is not loaded.
    """
    if volume.is_colour:
        return Refusal("colour images have no measured values")
    return _own_pixels(shape, frame, volume) if frame.acquired else _resampled(shape, volume)


def _own_pixels(shape: EllipseShape, frame: ViewFrame, volume: Volume) -> npt.NDArray[np.float64] | Refusal:
    if not volume.loaded[frame.index]:
        return Refusal("the image is not loaded yet")
    header = volume.header(frame.index)
    plane = header.plane

    def pixel(point: Vector) -> tuple[float, float]:
        column, row, _ = plane.pixel(point) if plane is not None else point
        return column, row

    centre = np.array(pixel(shape.centre))
    half_a = np.array(pixel(add(shape.centre, shape.half_a))) - centre
    half_b = np.array(pixel(add(shape.centre, shape.half_b))) - centre
    reach = np.hypot(half_a, half_b)
    (left, top), (right, bottom) = np.floor(centre - reach).astype(int), np.ceil(centre + reach).astype(int)
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, header.layout.columns - 1), min(bottom, header.layout.rows - 1)
    determinant = half_a[0] * half_b[1] - half_a[1] * half_b[0]
    if right < left or bottom < top or abs(determinant) < 1e-12:
        return Refusal("no pixel lies inside")
    x = np.arange(left, right + 1) - centre[0]
    y = (np.arange(top, bottom + 1) - centre[1])[:, None]
    u = (x * half_b[1] - y * half_b[0]) / determinant
    v = (y * half_a[0] - x * half_a[1]) / determinant
    stored = volume.pixels[frame.index, top : bottom + 1, left : right + 1][u * u + v * v <= 1.0]
    if header.padding is not None:
        stored = stored[(stored < header.padding[0]) | (stored > header.padding[1])]
    return header.modality_lut.apply(stored)


def _resampled(shape: EllipseShape, volume: Volume) -> npt.NDArray[np.float64] | Refusal:
    geometry = volume.geometry
    if geometry is None or not volume.loaded.all():
        return Refusal("the volume is not loaded yet")
    step = min(geometry.spacing) / 2
    n_a, n_b = (max(2, min(512, math.ceil(2 * norm(half) / step))) for half in (shape.half_a, shape.half_b))
    u = np.linspace(-1, 1, 2 * n_a + 1)[1::2]
    v = np.linspace(-1, 1, 2 * n_b + 1)[1::2][:, None]
    inside = u * u + v * v <= 1.0
    points = [(shape.centre[n] + u * shape.half_a[n] + v * shape.half_b[n])[inside] for n in range(3)]
    array, lut = volume.for_reformat()
    index = geometry.inverse[:, :3] @ np.stack(points) + geometry.inverse[:, 3:]
    if geometry.stations is not None:
        index[2] = np.interp(index[2], geometry.stations, np.arange(len(geometry.stations)))
    return lut.apply(_trilinear(array, index))


def _trilinear(array: npt.NDArray[Any], index: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """float64 samples at (column, row, slice) places; those outside the voxels are left out."""
    ends = np.array(array.shape[::-1], dtype=np.float64)[:, None] - 1.0
    index = index[:, ((index >= -0.5) & (index <= ends + 0.5)).all(axis=0)]
    held = np.clip(index, 0.0, ends)
    low = np.minimum(held.astype(np.intp), np.maximum(ends.astype(np.intp) - 1, 0))
    part = held - low
    total = np.zeros(index.shape[1])
    for corner in range(8):
        up = np.array([corner & 1, corner >> 1 & 1, corner >> 2 & 1])[:, None]
        weight = np.where(up == 1, part, 1.0 - part).prod(axis=0)
        i, j, k = np.minimum(low + up, ends.astype(np.intp))
        total += weight * array[k, j, i]
    return total
