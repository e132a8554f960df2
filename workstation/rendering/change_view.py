"""What has changed: the current study's plane less the prior at the same places of the patient.

The prior is sampled where the plane lies in it: directly in one frame of reference (PS3.3 C.7.4.1), else
through a registration. Both are taken in modality values, so that other rescales and other grids do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workstation.imaging.luts import LINEAR_EXACT, GreyChain, VoiWindow, to_grey
from workstation.imaging.registration import Confidence, Registration
from workstation.imaging.subtraction import subtraction_window
from workstation.imaging.view_frame import ViewFrame
from workstation.imaging.volume import Volume
from workstation.rendering import reformat
from workstation.rendering.engines import Cut, Engine, choose
from workstation.rendering.fusion_view import Overlay, overlaid
from workstation.rendering.overlays import Corner
from workstation.rendering.picture import Picture
from workstation.session.view_state import ViewState
from workstation.tools.planes import CannotReformat, geometry_of

Floats = npt.NDArray[np.float32]
SAME_FRAME = "in one frame of reference"


class CannotCompare(CannotReformat):
    """One of these two cannot be taken from the other; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Current less prior in modality units, float32 (height, width); NaN where one of them shows nothing.

    `words` says what ties the two.
    """

    frame: ViewFrame
    values: Floats
    unit: str
    words: str


def change(
    state: ViewState,
    current: Volume,
    prior: Volume,
    found: Registration | None,
    width: int,
    height: int,
    engine: Engine | None = None,
) -> Change:
    """The plane or slab of `state`; `found` None says that both share a frame of reference.

    Raises CannotCompare, CannotReformat, or CannotFuse where nothing ties the two.
    """
    _must_compare(current, prior, found)
    laid = reformat.reformat(state, current, width, height)
    into = None if found is None else found.transform.homogeneous
    there = overlaid(laid, current, Overlay(prior, into=into))
    engine = engine or choose()
    values = _values(current, laid.cut, engine) - _values(prior, there, engine)
    words = SAME_FRAME if found is None else found.words
    return Change(laid.frame, values, current.unit, words)


def _must_compare(current: Volume, prior: Volume, found: Registration | None) -> None:
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
    if found is not None and found.confidence is Confidence.LOW:
        raise CannotCompare("the registration of the two is not to be believed")


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
    found: Registration | None,
    width: int,
    height: int,
    corner: Corner | None = None,
    engine: Engine | None = None,
) -> Picture:
    """`change` in greys, nothing changed being the middle one and nothing known black; its words say what
    ties the two. The window of `state` is of the difference; without one, as wide as most of it.
    """
    left = change(state, current, prior, found, width, height, engine)
    known = np.isfinite(left.values)
    voi = subtraction_window(left.values[known])
    if state.window is not None:
        voi = VoiWindow(state.window.centre, state.window.width, LINEAR_EXACT)
    greys = to_grey(left.values, GreyChain(voi=voi, inverted=state.invert))
    window = (voi.centre, voi.width, voi.label)
    drawn = reformat.texts(state, current, left.frame, corner, window)
    words = f"Current less prior, {left.words}"
    return Picture(np.where(known, greys, np.uint8(0)), left.frame, drawn, "approximate", words, window)
