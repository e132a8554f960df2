"""Multiplanar reformats: axial, coronal, sagittal and oblique planes of a volume, one voxel thin."""

from __future__ import annotations

from dataclasses import replace

from workstation.imaging.volume import Volume
from workstation.rendering import reformat
from workstation.rendering.engines import Engine
from workstation.rendering.overlays import Corner
from workstation.rendering.picture import Picture
from workstation.rendering.reformat import CannotReformat, plane_axes, plane_centre, scrolled
from workstation.session.view_state import ViewState

__all__ = ["CannotReformat", "plane_axes", "plane_centre", "render_reformat", "scrolled"]


def render_reformat(
    state: ViewState,
    volume: Volume,
    width: int,
    height: int,
    corner: Corner | None = None,
    engine: Engine | None = None,
) -> Picture:
    """The plane of `state` without its slab; raises CannotReformat where the display set is no volume."""
    return reformat.render(replace(state, slab=0.0), volume, width, height, corner, engine)
