"""Acquired images: one slice laid into the viewport, windowed, zoomed, panned, turned and flipped; no
resampling in depth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.geometry import Vector, add, opposite_letters, scaled
from workstation.imaging.headers import FrameHeader
from workstation.imaging.luts import LINEAR, GreyChain, Rescale, TableLut, VoiWindow, grey_table
from workstation.imaging.presentation import cover, shown_colours
from workstation.imaging.view_frame import ViewFrame
from workstation.imaging.volume import Volume
from workstation.rendering.covers import covered
from workstation.rendering.engines import Engine, Flat, choose
from workstation.rendering.overlays import (
    Corner,
    calibration_badge,
    corner_texts,
    letters,
    position_words,
    scale_bar,
)
from workstation.rendering.picture import Picture, Pixels
from workstation.session.view_state import ViewState, Window, screen_to_image
from workstation.tools.planes import fit_scale, held_zoom, shown_index


def stack_flat(state: ViewState, header: FrameHeader, width: int, height: int) -> Flat:
    """Where every viewport pixel lies in the image."""
    scale = fit_scale(header, state, width, height) * held_zoom(state)
    row_mm, column_mm = header.calibration.spacing

    def step(x: float, y: float) -> tuple[float, float]:
        right, down = screen_to_image(state, x, y)
        return right / scale / column_mm, down / scale / row_mm

    across, down = step(1.0, 0.0), step(0.0, 1.0)
    column, row = _centre_pixel(state, header)
    aside = _aside(state, header, width, scale)
    column, row = column - aside * across[0], row - aside * across[1]
    half_w, half_h = (width - 1) / 2, (height - 1) / 2
    origin = (column - half_w * across[0] - half_h * down[0], row - half_w * across[1] - half_h * down[1])
    coarse = max(math.hypot(*across), math.hypot(*down))
    samples = 1 if coarse <= 1.25 else min(8, math.ceil(coarse - 0.25))
    return Flat(origin, across, down, width, height, samples, state.interpolation)


def _centre_pixel(state: ViewState, header: FrameHeader) -> tuple[float, float]:
    if state.centre is None:
        return (header.layout.columns - 1) / 2, (header.layout.rows - 1) / 2
    if header.plane is None:
        return state.centre[0], state.centre[1]
    column, row, _ = header.plane.pixel(state.centre)
    return column, row


def _aside(state: ViewState, header: FrameHeader, width: int, scale: float) -> float:
    """How many viewport pixels right of the middle the image lies, where it is held at the cell's edge."""
    if state.fit is None or not state.fit.side or state.centre is not None:
        return 0.0
    turned = state.rotation % 2 == 1
    count = header.layout.rows if turned else header.layout.columns
    spare = (width - count * header.calibration.spacing[0 if turned else 1] * scale) / 2
    return spare if state.fit.side == "right" else -spare


def stack_frame(state: ViewState, volume: Volume, index: int, width: int, height: int) -> ViewFrame:
    """The viewport in the patient (or in the image's own pixels) for one slice."""
    header = volume.header(index)
    flat = stack_flat(state, header, width, height)
    return _frame(volume.display_set, header, flat, index)


def _frame(display_set: DisplaySet, header: FrameHeader, flat: Flat, index: int) -> ViewFrame:
    plane = header.plane
    if plane is None:
        origin: Vector = (*flat.origin, 0.0)
        across: Vector = (*flat.across, 0.0)
        down: Vector = (*flat.down, 0.0)
    else:
        origin = plane.patient(*flat.origin)
        across = add(scaled(plane.column_step, flat.across[0]), plane.row_step, flat.across[1])
        down = add(scaled(plane.column_step, flat.down[0]), plane.row_step, flat.down[1])
    return ViewFrame(
        width=flat.width,
        height=flat.height,
        origin=origin,
        across=across,
        down=down,
        calibration=header.calibration,
        in_patient=plane is not None,
        series_uid=display_set.series_uid,
        series_number=display_set.series_number,
        frame_of_reference_uid=header.frame_of_reference_uid,
        instance_uid=header.sop_instance_uid,
        instance_number=header.instance_number,
        frame=header.frame,
        index=index,
        thickness=header.thickness or 0.0,
    )


def chosen_voi(window: Window | None, volume: Volume, index: int) -> VoiWindow | TableLut:
    """The reader's window (with the function of the image's own), or the image's own, or an automatic one."""
    own = volume.default_voi(index)
    if window is None:
        return own
    function = own.function if isinstance(own, VoiWindow) and volume.header(index).windows else LINEAR
    return VoiWindow(window.centre, window.width, function, window.label)


@dataclass(frozen=True, eq=False)
class Painted:
    """What is laid in the place of a slice's own values: (rows, columns), and the chain to grey."""

    image: np.ndarray[tuple[int, ...], np.dtype[np.generic]]
    chain: GreyChain


def render_stack(
    state: ViewState,
    volume: Volume,
    width: int,
    height: int,
    corner: Corner | None = None,
    engine: Engine | None = None,
    painted: Painted | None = None,
) -> Picture:
    """The slice `state.index`; where it is not loaded its nearest loaded neighbour, and `status` says so.

    `corner` None draws no texts, letters or scale bar at all (thumbnails). `painted` takes the place of the
    slice, where that is loaded and grey.
    """
    wanted = shown_index(state, volume)
    frame = stack_frame(state, volume, wanted, width, height)
    index = wanted if volume.loaded[wanted] else volume.nearest_loaded(wanted)
    words = volume.failures.get(wanted, "")
    if index is None or (words and index != wanted):
        colour = volume.is_colour
        blank = np.zeros((height, width, 3) if colour else (height, width), dtype=np.uint8)
        status, words = ("failed", words) if words else ("loading", "Loading")
        return _picture(state, volume, blank, frame, corner, status, words, None)
    flat = stack_flat(state, volume.header(index), width, height)
    if volume.is_colour:
        voi = None
        pixels = _laid_colour(volume, index, flat, state.invert, engine or choose())
    else:
        if painted is None or index != wanted:
            painted = stack_chain(volume, index, chosen_voi(state.window, volume, index), state.invert)
        voi = painted.chain.voi
        pixels = _laid_grey(volume, index, flat, painted, engine or choose())
    status, words = ("shown", "") if index == wanted else ("approximate", f"Image {wanted + 1} is loading")
    return _picture(state, volume, pixels, frame, corner, status, words, voi)


def _laid_colour(volume: Volume, index: int, flat: Flat, inverted: bool, engine: Engine) -> Pixels:
    pixels = engine.flat(shown_colours(volume, index)[0], flat, None)
    return covered(255 - pixels if inverted else pixels, flat, cover(volume, index), None, engine)


def _laid_grey(volume: Volume, index: int, flat: Flat, painted: Painted, engine: Engine) -> Pixels:
    image, chain = painted.image, painted.chain
    grey = engine.flat(image, flat, grey_table(chain, image.dtype))
    return covered(grey, flat, cover(volume, index), chain, engine)


def stack_chain(volume: Volume, index: int, voi: VoiWindow | TableLut | None, inverted: bool) -> Painted:
    """One slice in a type the engines take, and the chain that leads from its values to grey."""
    header = volume.header(index)
    if volume.dtype.itemsize <= 2:
        return Painted(volume.pixels[index], volume.grey_chain(index, voi, inverted))
    array, lut = volume.for_reformat()
    scale = lut if isinstance(lut, Rescale) else Rescale()
    voi = voi or volume.default_voi(index)
    return Painted(array[index], GreyChain(scale, voi, inverse=header.inverse, inverted=inverted))


def _picture(
    state: ViewState,
    volume: Volume,
    pixels: Pixels,
    frame: ViewFrame,
    corner: Corner | None,
    status: str,
    words: str,
    voi: VoiWindow | TableLut | None,
) -> Picture:
    window = (voi.centre, voi.width, voi.label) if isinstance(voi, VoiWindow) else None
    if corner is None:
        return Picture(pixels, frame, status=status, words=words, window=window)
    header = volume.header(frame.index)
    image = corner.image or f"{frame.index + 1}/{len(volume.loaded)}"
    drawn = corner_texts(
        frame,
        (corner.series, f"Im {image}", corner.time, volume.display_set.label),
        (corner.patient, corner.date),
        (
            *corner.badges,
            *volume.display_set.badges,
            *_badges(header, frame),
            *presentation_words(volume, frame.index),
            zoom_words(state, header),
            window_words(window, voi, volume),
        ),
        position_words(frame),
    )
    drawn = drawn + letters(frame, image_letters(state, header)) + scale_bar(frame)
    return Picture(pixels, frame, drawn, status, words, window)


def _badges(header: FrameHeader, frame: ViewFrame) -> tuple[str, ...]:
    return (calibration_badge(frame), "lossy" if header.lossy else "")


def presentation_words(volume: Volume, index: int) -> tuple[str, ...]:
    """What of the image's greys, colours, overlays or shutters could not be used, for its corner."""
    said = [*volume.header(index).warnings, *cover(volume, index).words]
    if volume.is_colour:
        said.append(shown_colours(volume, index)[1])
    return tuple(words for words in said if words)[:MOST_WORDS]


MOST_WORDS = 3


def zoom_words(state: ViewState, header: FrameHeader | None = None) -> str:
    """Zoom, true size, quarter turns and flips for the corner."""
    turned = f" · {90 * (state.rotation % 4)}°" if state.rotation % 4 else ""
    flipped = " · flipped" if state.flip_horizontal != state.flip_vertical else ""
    at = "" if header is None or header.calibration.trusted else " at the detector"
    true = state.fit is not None and state.fit.pixel_mm > 0.0 and state.zoom == 1.0
    size = f" · true size{at}" if true else ""
    return f"Zoom {state.zoom:.2f}{size}{turned}{flipped}"


def window_words(
    window: tuple[float, float, str] | None, voi: VoiWindow | TableLut | None, volume: Volume
) -> str:
    """ "W 400 L 40 HU", or what else brings the greys."""
    if window is None:
        return "VOI LUT" if isinstance(voi, TableLut) else ""
    centre, width, label = window
    digits = 0 if width >= 20 else 3 if width < 2 else 1
    unit = f" {volume.unit}" if volume.unit == "HU" else ""
    return f"W {width:.{digits}f} L {centre:.{digits}f}{unit}" + (f" · {label}" if label else "")


def image_letters(state: ViewState, header: FrameHeader) -> tuple[str, str] | None:
    """(rightwards, downwards) letters of an image that has no vectors but names them (0020,0020)."""
    names = header.patient_orientation
    if len(names) != 2 or not all(names) or not all(set(n) <= set("LRPAHF") for n in names):
        return None

    def towards(x: float, y: float) -> str:
        along_row, along_column = screen_to_image(state, x, y)
        name = names[0] if abs(along_row) > abs(along_column) else names[1]
        return name if along_row + along_column > 0 else opposite_letters(name)

    return towards(1.0, 0.0), towards(0.0, 1.0)
