"""What has changed: the current study's plane less the prior at the same places of the patient.

The prior is sampled where the plane lies in it: directly in one frame of reference (PS3.3 C.7.4.1), else
through a registration. Both are taken in modality values, so that other rescales and other grids do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workstation.imaging.luts import LINEAR_EXACT, GreyChain, VoiWindow, to_grey
from workstation.imaging.subtraction import subtraction_window
from workstation.imaging.view_frame import ViewFrame
from workstation.imaging.volume import Volume
from workstation.rendering import reformat
from workstation.rendering.engines import Cut, Engine, choose
from workstation.rendering.fusion_view import Matrix, Overlay, overlaid
from workstation.rendering.overlays import Corner
from workstation.rendering.picture import Picture
from workstation.session.view_state import Change as Chosen
from workstation.session.view_state import ViewState, Window
from workstation.tools.planes import CannotReformat, geometry_of

Floats = npt.NDArray[np.float32]
LOOKED_AT = 256  # pixels


class CannotCompare(CannotReformat):
    """One of these two cannot be taken from the other; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Current less prior in `unit`, float32 (height, width); NaN where one of them shows nothing."""

    frame: ViewFrame
    values: Floats
    unit: str


def change(
    state: ViewState,
    current: Volume,
    prior: Volume,
    into: Matrix | None,
    width: int,
    height: int,
    engine: Engine | None = None,
) -> Change:
    """The plane or slab of `state`; `into` (4, 4) carries patient millimetres of the current study into those
    of the prior, None says that both share a frame of reference.

    Raises CannotCompare, CannotReformat, or CannotFuse where nothing ties the two.
    """
    _must_compare(current, prior)
    laid = reformat.reformat(state, current, width, height)
    there = overlaid(laid, current, Overlay(prior, into=into))
    engine = engine or choose()
    values = _values(current, laid.cut, engine) - _values(prior, there, engine)
    return Change(laid.frame, values, current.unit)


def _must_compare(current: Volume, prior: Volume) -> None:
    kinds = [v.display_set.modality for v in (current, prior)]
    if kinds[0] != kinds[1]:
        raise CannotCompare(f"values of {kinds[0]} and {kinds[1]} are not of one kind")
    if current.unit != prior.unit:
        raise CannotCompare(f"one is in {current.unit or 'no unit'}, the other in {prior.unit or 'no unit'}")
    if current.is_colour or prior.is_colour:
        raise CannotCompare("colours are no values")
    for name, volume in (("current", current), ("prior", prior)):
        if not volume.loaded.all():
            raise CannotCompare(f"the {name} series is still loading, or not all of it could be read")


def _values(volume: Volume, cut: Cut, engine: Engine) -> Floats:
    """Modality values of a cut; NaN outside of the volume and where it is padded."""
    array, modality = volume.for_reformat()
    stations = geometry_of(volume).stations
    places = None if stations is None else np.asarray(stations, dtype=np.float64)
    stored, again = (engine.cut(array, cut, outside, places) for outside in (0, 1))
    nothing = stored != again  # only what is outside depends on what is painted there
    padding = volume.header(0).padding
    if padding is not None and array is volume.pixels:
        nothing |= (stored >= padding[0]) & (stored <= padding[1])
    return np.where(nothing, np.float32(np.nan), modality.apply(stored)).astype(np.float32)


def render_change(
    state: ViewState,
    current: Volume,
    prior: Volume,
    width: int,
    height: int,
    corner: Corner | None = None,
    engine: Engine | None = None,
) -> Picture:
    """`change` as `state.change` has it, in greys: no change is the middle one, nothing known is black.

    The window of `state` is of the difference; without one it is as wide as most of it. The words say what
    ties the two.
    """
    chosen = state.change
    if chosen is None:
        raise CannotCompare("no prior is chosen")
    left = change(state, current, prior, matrix_of(chosen), width, height, engine)
    known = np.isfinite(left.values)
    voi = subtraction_window(left.values[known])
    if state.window is not None:
        voi = VoiWindow(state.window.centre, state.window.width, LINEAR_EXACT)
    greys = to_grey(left.values, GreyChain(voi=voi, inverted=state.invert))
    window = (voi.centre, voi.width, voi.label)
    drawn = reformat.texts(state, current, left.frame, corner, window)
    words = f"Current less prior, {chosen.words}"
    return Picture(np.where(known, greys, np.uint8(0)), left.frame, drawn, "shown", words, window)


def first_window(state: ViewState, current: Volume, prior: Volume, chosen: Chosen) -> Window:
    """A window for what is left in the plane of `state`; raises as `change` does."""
    left = change(state, current, prior, matrix_of(chosen), LOOKED_AT, LOOKED_AT)
    found = subtraction_window(left.values[np.isfinite(left.values)])
    return Window(found.centre, found.width)


def matrix_of(chosen: Chosen) -> Matrix | None:
    """(4, 4) from the rows of a choice."""
    return None if chosen.into is None else np.array([*chosen.into, (0.0, 0.0, 0.0, 1.0)])
