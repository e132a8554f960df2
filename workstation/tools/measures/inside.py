"""Which values lie inside a shape: the image's own pixels, or of a reformat samples half a voxel apart."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import Vector, add, cross, norm, subtract, unit
from workstation.imaging.headers import FrameHeader
from workstation.imaging.shutters import inside_polygon
from workstation.imaging.view_frame import ViewFrame
from workstation.imaging.volume import Volume
from workstation.tools.measures.calibrated import pixel_of
from workstation.tools.measures.refusal import Refusal, Why
from workstation.tools.measures.sampling import trilinear
from workstation.tools.measures.shapes import EllipseShape, PolygonShape, Shape

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Values = Floats | Refusal
NO_PIXEL = Refusal("no pixel lies inside", Why.PIXELS)
MOST_SAMPLES = 512


def shape_values(shape: Shape, frame: ViewFrame, volume: Volume) -> Values:
    """The modality values inside; pixels of padding are left out.

    Refused for colour and for what is not loaded.
    """
    if volume.is_colour:
        return Refusal("colour images have no measured values", Why.VALUES)
    if not frame.acquired:
        return _resampled(shape, volume)
    if not volume.loaded[frame.index]:
        return Refusal("the image is not loaded yet", Why.PIXELS)
    header = volume.header(frame.index)
    found = pixels_inside(shape, header)
    return found if isinstance(found, Refusal) else own_values(found, frame.index, volume)


def ellipse_values(shape: EllipseShape, frame: ViewFrame, volume: Volume) -> Values:
    """`shape_values` of an ellipse."""
    return shape_values(shape, frame, volume)


def polygon_values(points: tuple[Vector, ...], frame: ViewFrame, volume: Volume) -> Values:
    """`shape_values` of an outline."""
    return shape_values(PolygonShape(points), frame, volume)


def own_values(inside: tuple[slice, slice, Mask], index: int, volume: Volume) -> Floats:
    """Modality values of one slice's pixels inside, padding left out."""
    rows, columns, mask = inside
    header = volume.header(index)
    stored = volume.pixels[index, rows, columns][mask]
    if header.padding is not None:
        stored = stored[(stored < header.padding[0]) | (stored > header.padding[1])]
    return header.modality_lut.apply(stored)


def pixels_inside(shape: Shape, header: FrameHeader) -> tuple[slice, slice, Mask] | Refusal:
    """The block of an image about a shape, and which of its pixel centres lie inside."""
    if isinstance(shape, PolygonShape):
        return _polygon_inside([pixel_of(header, p) for p in shape.points], header)
    centre = np.array(pixel_of(header, shape.centre))
    half_a = np.array(pixel_of(header, add(shape.centre, shape.half_a))) - centre
    half_b = np.array(pixel_of(header, add(shape.centre, shape.half_b))) - centre
    reach = np.hypot(half_a, half_b)
    block = _block(centre - reach, centre + reach, header)
    determinant = half_a[0] * half_b[1] - half_a[1] * half_b[0]
    if block is None or abs(determinant) < 1e-12:
        return NO_PIXEL
    x = np.arange(block[1].start, block[1].stop) - centre[0]
    y = (np.arange(block[0].start, block[0].stop) - centre[1])[:, None]
    u = (x * half_b[1] - y * half_b[0]) / determinant
    v = (y * half_a[0] - x * half_a[1]) / determinant
    return block[0], block[1], u * u + v * v <= 1.0


def _polygon_inside(
    points: list[tuple[float, float]], header: FrameHeader
) -> tuple[slice, slice, Mask] | Refusal:
    flat = np.asarray(points)
    if len(flat) < 3:
        return Refusal("an outline needs at least three points")
    block = _block(flat.min(axis=0), flat.max(axis=0), header)
    if block is None:
        return NO_PIXEL
    row = np.arange(block[0].start, block[0].stop)[:, None]
    column = np.arange(block[1].start, block[1].stop)
    return block[0], block[1], inside_polygon(tuple((y, x) for x, y in points), row, column)


def _block(low: Floats, high: Floats, header: FrameHeader) -> tuple[slice, slice] | None:
    """Rows and columns between two (column, row) places, within the image."""
    ends = np.nan_to_num([*np.floor(low), *np.ceil(high)], posinf=1e9, neginf=-1e9).clip(-1e9, 1e9)
    left, top, right, bottom = (int(v) for v in ends)
    rows = slice(max(top, 0), min(bottom, header.layout.rows - 1) + 1)
    columns = slice(max(left, 0), min(right, header.layout.columns - 1) + 1)
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None


# ── reformats ────────────────────────────────────────────────────────────────────────────────────────


def _resampled(shape: Shape, volume: Volume) -> Values:
    geometry = volume.geometry
    if geometry is None or not volume.loaded.all():
        return Refusal("the volume is not loaded yet", Why.PIXELS)
    points = _samples(shape, min(geometry.spacing) / 2)
    if isinstance(points, Refusal):
        return points
    array, lut = volume.for_reformat()
    index = geometry.inverse[:, :3] @ points + geometry.inverse[:, 3:]
    if geometry.stations is not None:
        places = np.arange(len(geometry.stations), dtype=np.float64)
        inner = np.interp(index[2], geometry.stations, places)
        last = geometry.stations[-1]
        beyond = np.where(index[2] < 0, index[2], np.where(index[2] > last, index[2] - last, 0.0))
        index[2] = inner + beyond
    return lut.apply(trilinear(array, index))


def _samples(shape: Shape, step: float) -> Floats | Refusal:
    """(3, n) points of the frame inside a shape, `step` mm apart."""
    if isinstance(shape, EllipseShape):
        return _ellipse_samples(shape, step)
    flat = np.asarray(shape.points, dtype=np.float64)
    if len(flat) < 3:
        return Refusal("an outline needs at least three points")
    away = flat - flat[0]
    normal = np.cross(away[1:-1], away[2:]).sum(axis=0)
    longest = away[int(np.argmax((away**2).sum(axis=1)))]
    if np.linalg.norm(normal) < 1e-9 or np.linalg.norm(longest) < 1e-9:
        return Refusal("the outline encloses nothing")
    u = longest / np.linalg.norm(longest)
    v = np.cross(normal / np.linalg.norm(normal), u)
    places = np.stack([away @ u, away @ v], axis=1)
    low, high = places.min(axis=0), places.max(axis=0)
    counts = np.clip(np.ceil((high - low) / step), 2, 2 * MOST_SAMPLES).astype(int)
    x, y = (low[n] + (np.arange(counts[n]) + 0.5) / counts[n] * (high[n] - low[n]) for n in (0, 1))
    inside = inside_polygon(tuple((float(b), float(a)) for a, b in places), y[:, None], x)
    across, along = (
        np.broadcast_to(x, inside.shape)[inside],
        np.broadcast_to(y[:, None], inside.shape)[inside],
    )
    return np.asarray(flat[0][:, None] + np.outer(u, across) + np.outer(v, along))


def _ellipse_samples(shape: EllipseShape, step: float) -> Floats | Refusal:
    if norm(cross(shape.half_a, shape.half_b)) < 1e-12:
        return NO_PIXEL
    n_a, n_b = (
        max(2, min(MOST_SAMPLES, math.ceil(2 * norm(half) / step))) for half in (shape.half_a, shape.half_b)
    )
    u = np.linspace(-1, 1, 2 * n_a + 1)[1::2]
    v = np.linspace(-1, 1, 2 * n_b + 1)[1::2][:, None]
    inside = u * u + v * v <= 1.0
    return np.stack([(shape.centre[n] + u * shape.half_a[n] + v * shape.half_b[n])[inside] for n in range(3)])


def normal_of(shape: Shape) -> Vector | Refusal:
    """The unit normal of a shape's plane; refused where it encloses nothing."""
    if isinstance(shape, EllipseShape):
        total = cross(shape.half_a, shape.half_b)
    else:
        total = (0.0, 0.0, 0.0)
        for a, b in zip(shape.points[1:], shape.points[2:], strict=False):
            total = add(total, cross(subtract(a, shape.points[0]), subtract(b, shape.points[0])))
    return unit(total) if norm(total) > 1e-9 else Refusal("the outline encloses nothing")


__all__ = [
    "Values",
    "ellipse_values",
    "normal_of",
    "own_values",
    "pixels_inside",
    "polygon_values",
    "shape_values",
]
