"""Thick slabs: maximum (MIP), minimum (MinIP) or mean of planes a voxel apart, across the plane of the
view; and the MIP of a whole volume, turned about the patient's long axis.
"""

from __future__ import annotations

import math
from dataclasses import replace

from workstation.imaging.geometry import cross, dot
from workstation.imaging.volume import Volume
from workstation.rendering import reformat
from workstation.rendering.engines import Engine
from workstation.rendering.overlays import Corner
from workstation.rendering.picture import Picture
from workstation.session.view_state import Plane, SlabMode, ViewState
from workstation.tools.planes import pixels_per_mm


def render_slab(
    state: ViewState,
    volume: Volume,
    width: int,
    height: int,
    corner: Corner | None = None,
    engine: Engine | None = None,
) -> Picture:
    """The slab `state.slab` mm thick about the plane of `state`; raises CannotReformat."""
    return reformat.render(state, volume, width, height, corner, engine)


def whole_slab(state: ViewState, volume: Volume) -> ViewState:
    """The same view with a slab through all of the volume, about its middle."""
    geometry = reformat.geometry_of(volume)
    right, down = reformat.plane_axes(state, volume)
    normal = cross(right, down)
    along = [dot(corner, normal) for corner in geometry.corners()]
    middle = replace(state, centre=geometry.centre, index=len(volume.loaded) // 2)
    return replace(middle, slab=max(along) - min(along))


MOVING_STEP = 2.0  # voxels between the planes of a MIP that is being turned
MOVING_SIZE = 256  # pixels of its shorter side, at least


def rotated(state: ViewState, volume: Volume, degrees: float) -> ViewState:
    """The whole volume's MIP, turned about the head-feet axis: 0 from in front, 90 from the left.

    One that was turned before keeps its height.
    """
    angle = math.radians(degrees)
    right = (math.cos(angle), math.sin(angle), 0.0)
    seen = replace(state, plane=Plane.OBLIQUE, right=right, down=(0.0, 0.0, -1.0), slab_mode=SlabMode.MAXIMUM)
    whole = replace(whole_slab(seen, volume), turn=degrees % 360.0)
    if state.turn is None or state.centre is None or whole.centre is None:
        return whole
    return replace(whole, centre=(*whole.centre[:2], state.centre[2]))


def turned_to(state: ViewState, volume: Volume, degrees: float, size: tuple[int, int]) -> ViewState:
    """`rotated` for a viewport of that size in pixels: one that is turned on keeps its scale."""
    there = rotated(state, volume, degrees)
    if state.turn is None:
        return replace(there, zoom=1.0, rotation=0, flip_horizontal=False, flip_vertical=False, fusion=None)
    before, after = (pixels_per_mm(view, volume, *size) for view in (state, there))
    return replace(there, zoom=there.zoom * before / after)


def render_rotated(
    state: ViewState,
    volume: Volume,
    width: int,
    height: int,
    degrees: float,
    *,
    moving: bool = False,
    corner: Corner | None = None,
    engine: Engine | None = None,
) -> Picture:
    """The MIP of everything from an angle; while `moving` half as large, at least 256 pixels, its samples two
    voxels apart. The picture's own size says which it is.
    """
    turned = rotated(state, volume, degrees)
    if not moving:
        return reformat.render(turned, volume, width, height, corner, engine)
    shrink = max(0.5, min(1.0, MOVING_SIZE / min(width, height)))
    small = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    return reformat.render(turned, volume, *small, corner, engine, MOVING_STEP)
