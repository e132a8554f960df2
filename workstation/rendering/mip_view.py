"""Thick slabs: maximum (MIP), minimum (MinIP) or mean of planes a voxel apart, across the plane of the
view.
"""

from __future__ import annotations

from dataclasses import replace

from workstation.imaging.geometry import cross, dot
from workstation.imaging.volume import Volume
from workstation.rendering import reformat
from workstation.rendering.engines import Engine
from workstation.rendering.overlays import Corner
from workstation.rendering.picture import Picture
from workstation.session.view_state import ViewState


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
