"""One door to all views: the state says whether it is an acquired image, a plane or a slab."""

from __future__ import annotations

from dataclasses import replace

from workstation.imaging.volume import Volume
from workstation.rendering.change_view import render_change
from workstation.rendering.engines import Engine
from workstation.rendering.fusion_view import Overlay, render_fused
from workstation.rendering.mip_view import render_rotated, render_slab
from workstation.rendering.mpr_view import render_reformat
from workstation.rendering.overlays import Corner
from workstation.rendering.picture import Picture
from workstation.rendering.stack_view import render_stack
from workstation.rendering.subtraction_view import render_subtracted
from workstation.session.view_state import Plane, ViewState

SMALLEST = 1
LARGEST = 16384


def render(
    state: ViewState,
    volume: Volume,
    width: int,
    height: int,
    *,
    corner: Corner | None = None,
    engine: Engine | None = None,
) -> Picture:
    """The picture of a cell, width x height viewport pixels; pure, and safe on any thread.

    `corner` None leaves out texts, letters and scale bar. A reformat of what is no volume shows the
    acquired image instead, and `words` says why.
    """
    width, height = (min(max(int(v), SMALLEST), LARGEST) for v in (width, height))
    if not state.is_reformat:
        return render_stack(state, volume, width, height, corner, engine)
    if not volume.display_set.is_volume:
        shown = replace(state, plane=Plane.ACQUIRED, slab=0.0)
        picture = render_stack(shown, volume, width, height, corner, engine)
        return replace(picture, words=f"No reformat: {volume.display_set.reformat_refusal}.")
    view = render_slab if state.slab > 0.0 else render_reformat
    return view(state, volume, width, height, corner, engine)


def picture_of(
    state: ViewState,
    volume: Volume,
    above: Volume | None,
    size: tuple[int, int],
    corner: Corner | None = None,
    moving: bool = False,
) -> Picture:
    """What a cell shows: with `above` (the volume of `state.beside`) fused or less that, else `render`; a
    turning MIP is coarser while it is `moving`. Raises CannotCompare, CannotFuse, CannotReformat.
    """
    width, height = (min(max(int(v), SMALLEST), LARGEST) for v in size)
    if state.fusion is not None and above is not None:
        chosen = state.fusion
        overlay = Overlay(above, chosen.window, chosen.colours, chosen.opacity)
        return render_fused(state, volume, overlay, width, height, corner)
    if state.change is not None and above is not None:
        return render_change(state, volume, above, width, height, corner)
    if state.subtraction is not None:
        return render_subtracted(state, volume, width, height, corner)
    if state.turn is not None and moving:
        return render_rotated(state, volume, width, height, state.turn, moving=True, corner=corner)
    return render(state, volume, width, height, corner=corner)
