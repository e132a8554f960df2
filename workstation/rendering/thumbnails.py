"""Small pictures for the series strip: one slice, its own window, no texts."""

from __future__ import annotations

from workstation.imaging.volume import Volume
from workstation.rendering.picture import Picture
from workstation.rendering.stack_view import render_stack
from workstation.session.view_state import ViewState


def thumbnail(volume: Volume, edge: int = 112, index: int | None = None) -> Picture:
    """The given slice, else the middle one or the loaded one nearest to it, in edge x edge pixels."""
    middle = len(volume.loaded) // 2 if index is None else index
    nearest = volume.nearest_loaded(middle)
    return render_stack(ViewState(index=middle if nearest is None else nearest), volume, edge, edge)
