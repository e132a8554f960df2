"""Planes and slabs through a volume, in patient space only: what axial means is said by the patient, not by
the scanner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import (
    GeometryError,
    Vector,
    VolumeGeometry,
    add,
    cross,
    scaled,
    unit,
)
from workstation.imaging.luts import GreyChain, TableLut, VoiWindow, grey_table
from workstation.imaging.spacing import Calibration
from workstation.imaging.view_frame import ViewFrame
from workstation.imaging.volume import Volume
from workstation.rendering.display_list import DisplayList
from workstation.rendering.engines import Cut, Engine, Layer, choose
from workstation.rendering.overlays import Corner, corner_texts, letters, position_words, scale_bar
from workstation.rendering.picture import Picture, Pixels
from workstation.rendering.stack_view import chosen_voi, window_words, zoom_words
from workstation.rendering.summits import summits_of
from workstation.session.view_state import Interpolation, SlabMode, ViewState, Window
from workstation.tools.planes import (
    CannotReformat,
    geometry_of,
    pixels_per_mm,
    plane_axes,
    plane_centre,
    scrolled,
    shown_index,
    step_along,
)

MANY_PLANES = 48
PATIENT_SPACE = Calibration((1.0, 1.0), True, "patient space")


@dataclass(frozen=True, slots=True)
class Reformat:
    """A plane or slab ready to be sampled: where it lies in the patient and in the volume."""

    frame: ViewFrame
    cut: Cut


def reformat(state: ViewState, volume: Volume, width: int, height: int, coarse: float = 1.0) -> Reformat:
    """Lay the plane of `state` through the volume, the planes of a slab `coarse` voxels apart; raises
    CannotReformat, GeometryError for axes without direction.
    """
    geometry = geometry_of(volume)
    right, down = plane_axes(state, volume)
    scale = pixels_per_mm(state, volume, width, height)
    across, below = scaled(right, 1.0 / scale), scaled(down, 1.0 / scale)
    centre = plane_centre(state, volume)
    origin = add(add(centre, across, -(width - 1) / 2), below, -(height - 1) / 2)
    through, planes = _slab(geometry, cross(right, down), state.slab, coarse)
    first = add(origin, through, -(planes - 1) / 2)
    frame = ViewFrame(
        width=width,
        height=height,
        origin=origin,
        across=across,
        down=below,
        calibration=PATIENT_SPACE,
        in_patient=True,
        series_uid=volume.display_set.series_uid,
        series_number=volume.display_set.series_number,
        frame_of_reference_uid=volume.display_set.frame_of_reference_uid,
        index=shown_index(state, volume),
        thickness=state.slab or step_along(geometry, cross(right, down)),
        acquired=False,
    )
    to_index = geometry.inverse[:, :3]
    cut = Cut(
        origin=_three(geometry.inverse @ np.array([*first, 1.0])),
        across=_three(to_index @ np.array(across)),
        down=_three(to_index @ np.array(below)),
        width=width,
        height=height,
        through=_three(to_index @ np.array(through)),
        planes=planes,
        mode=state.slab_mode,
        interpolation=state.interpolation,
    )
    return Reformat(frame, cut)


def _three(values: npt.NDArray[Any]) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])


def _slab(geometry: VolumeGeometry, normal: Vector, thickness: float, coarse: float) -> tuple[Vector, int]:
    """(step from plane to plane, how many): `coarse` voxels apart at most, the outermost at the slab's
    faces.
    """
    if thickness <= 0.0:
        return (0.0, 0.0, 0.0), 1
    planes = max(2, math.ceil(thickness / (coarse * step_along(geometry, normal)) - 1e-9) + 1)
    return scaled(unit(normal), thickness / (planes - 1)), planes


def reformat_voi(window: Window | None, volume: Volume) -> VoiWindow | TableLut:
    """What brings the greys of a reformat: the reader's window, else that of the middle image (or the loaded
    one nearest to it), else an automatic one.
    """
    return chosen_voi(window, volume, volume.nearest_loaded(len(volume.loaded) // 2) or 0)


def layer(state: ViewState, volume: Volume, cut: Cut) -> tuple[Layer, VoiWindow | TableLut]:
    """A cut with the greys the state asks for, and the window that brings them."""
    array, modality = volume.for_reformat()
    header = volume.header(0)
    voi = reformat_voi(state.window, volume)
    chain = GreyChain(
        modality,
        voi,
        inverse=header.inverse,
        inverted=state.invert,
        padding=header.padding if array is volume.pixels else None,
    )
    geometry = geometry_of(volume)
    stations = None if geometry.stations is None else np.asarray(geometry.stations, dtype=np.float64)
    return Layer(array, cut, grey_table(chain, array.dtype), stations), voi


def sampled(volume: Volume, found: Layer, engine: Engine) -> Pixels:
    """The greys of a layer; a linear MIP of many planes by projection, which skips what cannot be seen."""
    cut = found.cut
    mip = cut.mode is SlabMode.MAXIMUM and cut.interpolation is Interpolation.LINEAR
    if mip and cut.planes >= MANY_PLANES and volume.is_complete and found.stations is None:
        known = summits_of(volume, found.volume, engine)
        return engine.projected(found.volume, cut, found.table, 0, None, known)
    return engine.cut_grey(found.volume, cut, found.table, 0, found.stations)


def render(
    state: ViewState,
    volume: Volume,
    width: int,
    height: int,
    corner: Corner | None = None,
    engine: Engine | None = None,
    coarse: float = 1.0,
) -> Picture:
    """The picture of a plane or slab; slices not yet loaded stay black, and `status` says so.

    `coarse` above 1 takes a slab's planes so many voxels apart, while a hand is still moving.
    """
    laid = reformat(state, volume, width, height, coarse)
    found, voi = layer(state, volume, laid.cut)
    pixels = sampled(volume, found, engine or choose())
    missing = len(volume.loaded) - int(volume.loaded.sum())
    if missing:
        pixels = _without_missing(pixels, laid.cut, volume, geometry_of(volume))
    window = (voi.centre, voi.width, voi.label) if isinstance(voi, VoiWindow) else None
    status, words = (
        ("shown", "") if not missing else ("loading", f"{missing} of {len(volume.loaded)} images to come")
    )
    drawn = texts(state, volume, laid.frame, corner, window)
    return Picture(pixels, laid.frame, drawn, status, words, window)


def _without_missing(pixels: Pixels, cut: Cut, volume: Volume, geometry: VolumeGeometry) -> Pixels:
    """Black where the nearest slice is not there yet (of a slab: that of its middle plane)."""
    middle = cut.origin[2] + (cut.planes - 1) / 2 * cut.through[2]
    x, y = np.arange(cut.width), np.arange(cut.height)[:, None]
    place = middle + x * cut.across[2] + y * cut.down[2]
    if geometry.stations is not None:
        place = np.interp(place, geometry.stations, np.arange(len(geometry.stations)))
    nearest = np.clip(np.floor(place + 0.5), 0, len(volume.loaded) - 1).astype(np.intp)
    return np.where(volume.loaded[nearest], pixels, np.uint8(0))


def texts(
    state: ViewState,
    volume: Volume,
    frame: ViewFrame,
    corner: Corner | None,
    window: tuple[float, float, str] | None,
) -> DisplayList:
    """Corner texts, letters and scale bar; nothing at all without `corner`."""
    if corner is None:
        return DisplayList()
    slab = f"{state.slab_mode.value} {state.slab:.1f} mm" if state.slab > 0 else ""
    drawn = corner_texts(
        frame,
        (corner.series, slab or "Reformat", volume.display_set.label),
        (corner.patient, corner.date),
        (
            *corner.badges,
            *volume.display_set.badges,
            interpolation_words(state),
            zoom_words(state),
            window_words(window, None, volume),
        ),
        position_words(frame),
    )
    return drawn + letters(frame) + scale_bar(frame)


def interpolation_words(state: ViewState) -> str:
    return (
        "Nearest voxel"
        if state.interpolation is Interpolation.NEAREST
        else f"Interpolated ({state.interpolation.value})"
    )


__all__ = [
    "CannotReformat",
    "GeometryError",
    "Reformat",
    "geometry_of",
    "plane_axes",
    "plane_centre",
    "reformat",
    "reformat_voi",
    "render",
    "scrolled",
    "step_along",
]
