"""An angiogram less its mask, in the place and size of the image itself (PS3.3 C.7.6.10)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workstation.imaging.luts import LINEAR_EXACT, GreyChain, Rescale, VoiWindow, grey_table
from workstation.imaging.subtraction import (
    MaskOperation,
    SubtractionError,
    is_logarithmic,
    mask_operations,
    subtracted,
    subtraction_window,
)
from workstation.imaging.volume import Volume
from workstation.rendering.engines import choose
from workstation.rendering.overlays import Corner
from workstation.rendering.picture import Picture
from workstation.rendering.stack_view import render_stack, stack_flat
from workstation.session.view_state import Subtraction, ViewState, Window
from workstation.tools.planes import shown_index

FINEST = 32_000.0


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
    linear = not is_logarithmic(volume.header(index).attributes)
    return subtracted(volume.pixels, index + 1, operation, shift=chosen.shift, logarithm=linear)


def first_window(volume: Volume, index: int, chosen: Subtraction) -> Window:
    """A window that shows what is left of an image; raises SubtractionError."""
    found = subtraction_window(difference(volume, index, chosen))
    return Window(found.centre, found.width)


def render_subtracted(
    state: ViewState, volume: Volume, width: int, height: int, corner: Corner | None = None
) -> Picture:
    """The image without its mask; the image itself, with words, where it cannot be subtracted."""
    picture = render_stack(state, volume, width, height, corner)
    index = shown_index(state, volume)
    if picture.status != "shown" or state.subtraction is None:
        return picture
    try:
        left = difference(volume, index, state.subtraction)
    except SubtractionError as why:
        return replace(picture, status="approximate", words=f"Not subtracted: {why}")
    slope = max(float(np.abs(left).max()), 1.0) / FINEST
    stored = np.round(left / slope).astype(np.int16)
    window = state.window or Window(0.0, 2.0 * slope * FINEST)
    voi = VoiWindow(window.centre, window.width, LINEAR_EXACT)
    header = volume.header(index)
    chain = GreyChain(Rescale(slope, 0.0), voi, inverse=header.inverse, inverted=state.invert)
    flat = stack_flat(state, header, width, height)
    pixels = choose().flat(stored, flat, grey_table(chain, stored.dtype))
    return replace(picture, pixels=pixels, window=(window.centre, window.width, ""))
