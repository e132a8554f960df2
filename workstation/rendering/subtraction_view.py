"""An angiogram less its mask, in the place and size of the image itself (PS3.3 C.7.6.10)."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np

from workstation.imaging.luts import LINEAR_EXACT, GreyChain, Rescale, VoiWindow
from workstation.imaging.subtraction import (
    MaskOperation,
    SubtractionError,
    is_logarithmic,
    mask_operations,
    subtracted,
    subtraction_window,
)
from workstation.imaging.volume import Volume
from workstation.rendering.overlays import Corner
from workstation.rendering.picture import Picture
from workstation.rendering.stack_view import Painted, render_stack
from workstation.session.view_state import Subtraction, ViewState, Window
from workstation.tools.planes import shown_index

FINEST = 32_000.0
LOOKED_AT = 5


def operation_of(volume: Volume, index: int, chosen: Subtraction) -> MaskOperation:
    """The reader's mask, else what the tags say of this image, else the first image as the mask of all."""
    if chosen.mask is not None:
        return MaskOperation(masks=(chosen.mask,))
    said, _words = mask_operations(volume.header(index).attributes, len(volume.loaded))
    return next((one for one in said if one.holds_for(index + 1)), MaskOperation())


def difference(volume: Volume, index: int, chosen: Subtraction) -> np.ndarray:
    """Image `index` (from 0) less its mask, float32 (rows, columns); raises SubtractionError."""
    operation = operation_of(volume, index, chosen)
    wanted = (index + 1, *operation.masks_for(index + 1))
    if any(not volume.loaded[n - 1] for n in wanted if 1 <= n <= len(volume.loaded)):
        raise SubtractionError("the mask is still loading")
    header = volume.header(index)
    top = 0.0 if is_logarithmic(header.attributes) else 2.0**header.layout.usable_bits - 1
    return subtracted(volume.pixels, index + 1, operation, shift=chosen.shift, top=top)


def first_window(volume: Volume, index: int, chosen: Subtraction) -> Window:
    """A window that shows what is left throughout the run; raises SubtractionError where image `index` cannot
    be subtracted.

    Looks at some images beside this one, of which a mask, for one, leaves nothing to window by.
    """
    widest = subtraction_window(difference(volume, index, chosen))
    for other in np.linspace(0, len(volume.loaded) - 1, LOOKED_AT).astype(int):
        if volume.loaded[other]:
            with contextlib.suppress(SubtractionError):  # not every image of a run need have a mask
                found = subtraction_window(difference(volume, int(other), chosen))
                widest = max(widest, found, key=lambda window: window.width)
    return Window(widest.centre, widest.width)


def render_subtracted(
    state: ViewState, volume: Volume, width: int, height: int, corner: Corner | None = None
) -> Picture:
    """The image without its mask; the image itself, with words, where it cannot be subtracted."""
    index = shown_index(state, volume)
    if not volume.loaded[index] or volume.is_colour or state.subtraction is None:
        return render_stack(state, volume, width, height, corner)
    try:
        left = difference(volume, index, state.subtraction)
    except SubtractionError as why:
        picture = render_stack(state, volume, width, height, corner)
        return replace(picture, status="approximate", words=f"Not subtracted: {why}")
    return render_stack(state, volume, width, height, corner, painted=_painted(left, state, volume, index))


def _painted(left: np.ndarray, state: ViewState, volume: Volume, index: int) -> Painted:
    """What is left, in a type the engines take, and its grey."""
    slope = max(float(np.abs(left).max()), 1.0) / FINEST
    window = state.window or Window(0.0, 2.0 * slope * FINEST)
    voi = VoiWindow(window.centre, window.width, LINEAR_EXACT)
    inverse = volume.header(index).inverse
    chain = GreyChain(Rescale(slope, 0.0), voi, inverse=inverse, inverted=state.invert)
    return Painted(np.round(left / slope).astype(np.int16), chain)
