"""What a view state means in space: the axes and the middle of a plane, the step of the wheel, the scale
that fits.

Tools and pictures ask here, so that a stroke lands where the picture shows it.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from workstation.imaging.geometry import Vector, VolumeGeometry, add, cross, dot, scaled, unit
from workstation.imaging.headers import FrameHeader
from workstation.imaging.view_frame import ViewFrame
from workstation.imaging.volume import Volume
from workstation.session.view_state import Plane, ViewState, screen_to_image

AXES: dict[Plane, tuple[Vector, Vector]] = {
    Plane.AXIAL: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    Plane.CORONAL: ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    Plane.SAGITTAL: ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}

ALONG = math.cos(math.radians(1.0))
THICKEST_SEEN_MM = 10.0
"""A thicker slab shows that something is there, not each of its images."""


class CannotReformat(ValueError):
    """This display set has no volume; the message says why."""


def shown_index(state: ViewState, volume: Volume) -> int:
    """The index of the state, held within the series."""
    return min(max(state.index, 0), len(volume.loaded) - 1)


def slices_seen(frame: ViewFrame, volume: Volume) -> range:
    """The images of the series that this picture shows whole: the acquired one, or those whose places lie in
    a plane along them, or in a slab of at most `THICKEST_SEEN_MM`; none where the plane cuts across them.
    """
    geometry = volume.geometry
    if frame.acquired or geometry is None:
        return range(frame.index, frame.index + 1)
    spacing = geometry.spacing[2]
    if abs(dot(frame.normal, geometry.normal)) < ALONG or frame.thickness > max(THICKEST_SEEN_MM, spacing):
        return range(0)
    middle = frame.patient((frame.width - 1) / 2, (frame.height - 1) / 2)
    at = geometry.slice_index(float(geometry.inverse[2] @ np.array([*middle, 1.0])))
    reach = max(frame.thickness / spacing, 1.0) / 2
    return range(max(math.ceil(at - reach), 0), min(math.floor(at + reach), geometry.shape[0] - 1) + 1)


def fit_scale(header: FrameHeader, state: ViewState, width: int, height: int) -> float:
    """Viewport pixels per mm (or per pixel width, without spacing) at zoom 1: the whole image just fits, or
    what `state.fit` says.
    """
    fit = state.fit
    if fit is not None and fit.pixel_mm > 0.0:
        return 1.0 / fit.pixel_mm
    if fit is not None and fit.extent is not None:
        return min(width / fit.extent[0], height / fit.extent[1])
    rows_mm = header.layout.rows * header.calibration.spacing[0]
    columns_mm = header.layout.columns * header.calibration.spacing[1]
    if state.rotation % 2:
        rows_mm, columns_mm = columns_mm, rows_mm
    return min(width / columns_mm, height / rows_mm)


def held_zoom(state: ViewState) -> float:
    """The zoom within what a screen can show."""
    return min(max(state.zoom, 0.02), 500.0)


def geometry_of(volume: Volume) -> VolumeGeometry:
    """The volume's geometry; raises CannotReformat in the display set's own words."""
    if not volume.display_set.is_volume or volume.geometry is None:
        raise CannotReformat(volume.display_set.reformat_refusal or "the series is no volume")
    return volume.geometry


def plane_axes(state: ViewState, volume: Volume) -> tuple[Vector, Vector]:
    """Unit vectors of the patient along the screen's right and down, flips and quarter turns included."""
    if state.plane is Plane.OBLIQUE:
        right = unit(state.right)
        down = unit(add(state.down, right, -dot(state.down, right)))
    elif state.plane is Plane.ACQUIRED:
        geometry = geometry_of(volume)
        right, down = unit(geometry.column_step), unit(geometry.row_step)
    else:
        right, down = AXES[state.plane]

    def turned(x: float, y: float) -> Vector:
        a, b = screen_to_image(state, x, y)
        return add(scaled(right, a), down, b)

    return turned(1.0, 0.0), turned(0.0, 1.0)


def plane_centre(state: ViewState, volume: Volume) -> Vector:
    """The patient point in the middle of the cell: `state.centre`, of an acquired plane moved onto its
    slice.
    """
    geometry = geometry_of(volume)
    if state.plane is not Plane.ACQUIRED:
        return state.centre or geometry.centre
    here = geometry.plane(shown_index(state, volume))
    if state.centre is None:
        return here.centre
    return add(state.centre, here.normal, -here.pixel(state.centre)[2])


def step_along(geometry: VolumeGeometry, direction: Vector) -> float:
    """Mm of one voxel along a direction: so far that one of the indices moves by one."""
    moved = np.abs(geometry.inverse[:, :3] @ np.array(unit(direction)))
    return float(1.0 / moved.max())


def extent(geometry: VolumeGeometry, axis: Vector) -> float:
    """How far the volume reaches along a direction, in mm."""
    along = [dot(corner, axis) for corner in geometry.corners()]
    return max(along) - min(along)


def scrolled(state: ViewState, volume: Volume, steps: int) -> ViewState:
    """The state after so many wheel steps: acquired planes by image, reformats by one voxel, kept inside
    the volume.

    Forward is on in the series; axial reformats go towards the feet, coronal to the back, sagittal to the
    right.
    """
    if state.plane is Plane.ACQUIRED:
        index = min(max(shown_index(state, volume) + steps, 0), len(volume.loaded) - 1)
        return replace(state, index=index)
    geometry = geometry_of(volume)
    forward = _forward(state, volume)
    centre = state.centre or geometry.centre
    depths = [dot(corner, forward) for corner in geometry.corners()]
    now = dot(centre, forward)
    wanted = min(max(now + steps * step_along(geometry, forward), min(depths)), max(depths))
    return replace(state, centre=add(centre, forward, wanted - now))


def pixels_per_mm(state: ViewState, volume: Volume, width: int, height: int) -> float:
    """Viewport pixels of a millimetre of the patient: fitted to the volume along the view's axes, zoomed."""
    geometry = geometry_of(volume)
    right, down = plane_axes(state, volume)
    return min(width / extent(geometry, right), height / extent(geometry, down)) * held_zoom(state)


def _forward(state: ViewState, volume: Volume) -> Vector:
    right, down = plane_axes(replace(state, rotation=0, flip_horizontal=False, flip_vertical=False), volume)
    normal = cross(right, down)
    return scaled(normal, -1.0) if state.plane is Plane.AXIAL else normal
