"""Digital subtraction angiography: frames less their mask, as Mask Subtraction asks (PS3.3 C.7.6.10).

Subtraction is of what the detector's logarithm would be: X-ray intensities are made logarithmic first
where the image says they are linear, else the stored values are taken as they are (PS3.3 C.8.7.1.1.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.imaging.luts import LINEAR_EXACT, VoiWindow
from workstation.imaging.values import Attributes, integer, numbers, text

Floats = npt.NDArray[np.float32]
AVERAGE, TID = "AVG_SUB", "TID"
FARTHEST_SHIFT = 64.0


class SubtractionError(ValueError):
    """A subtraction that cannot be done; the message says why."""


@dataclass(frozen=True, slots=True)
class MaskOperation:
    """One item of the Mask Subtraction Sequence.

    `frames` are the contrast frames it holds for (from 1, both ends; empty: all), `masks` the mask frames
    averaged (AVG_SUB), `offset` how many frames before each the mask lies (TID), `averaging` how many
    contrast frames are averaged, `shift` what the mask is moved by: (rows down, columns right), in pixels.
    """

    operation: str = AVERAGE
    frames: tuple[tuple[int, int], ...] = ()
    masks: tuple[int, ...] = (1,)
    offset: int = 1
    averaging: int = 1
    shift: tuple[float, float] = (0.0, 0.0)

    def holds_for(self, frame: int) -> bool:
        return not self.frames or any(a <= frame <= b for a, b in self.frames)

    def masks_for(self, frame: int) -> tuple[int, ...]:
        """The frames (from 1) whose mean is the mask of a frame; none where it has none."""
        if self.operation == TID:
            return (frame - self.offset,) if frame - self.offset >= 1 else ()
        return self.masks


def mask_operations(attributes: Attributes, frames: int) -> tuple[tuple[MaskOperation, ...], tuple[str, ...]]:
    """The usable operations of an instance with so many frames, and in words what is not."""
    value = attributes.get("MaskSubtractionSequence")
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    found: list[MaskOperation] = []
    said: list[str] = []
    for item in items:
        try:
            if isinstance(item, Mapping):
                found.append(_operation(item, frames))
        except SubtractionError as error:
            said.append(str(error))
    return tuple(found), tuple(said)


def _operation(item: Attributes, frames: int) -> MaskOperation:
    kind = text(item.get("MaskOperation")).upper()
    if kind == "NONE":
        raise SubtractionError("a mask item that asks for no subtraction")
    if kind not in (AVERAGE, TID):
        raise SubtractionError(f"unknown mask operation {kind[:20]!r}")
    flat = [int(v) for v in numbers(item.get("ApplicableFrameRange"))]
    if len(flat) % 2 or any(a > b for a, b in zip(flat[::2], flat[1::2], strict=False)):
        raise SubtractionError("Applicable Frame Range holds no pairs")
    masks = tuple(int(v) for v in numbers(item.get("MaskFrameNumbers")))
    if kind == AVERAGE and (not masks or any(not 1 <= m <= frames for m in masks)):
        raise SubtractionError(f"mask frames {masks} are not among the {frames} frames")
    shift = numbers(item.get("MaskSubPixelShift")) or (0.0, 0.0)
    if len(shift) != 2 or any(abs(s) > FARTHEST_SHIFT for s in shift):
        raise SubtractionError(f"a mask pixel shift of {shift} cannot be")
    offset = integer(item.get("TIDOffset"), 1) or 1
    pairs = tuple(zip(flat[::2], flat[1::2], strict=True))
    averaging = max(integer(item.get("ContrastFrameAveraging"), 1), 1)
    return MaskOperation(kind, pairs, masks or (1,), offset, averaging, (shift[0], shift[1]))


def is_logarithmic(attributes: Attributes) -> bool:
    """Whether stored values are proportional to the logarithm of intensity already (0028,1040)."""
    return text(attributes.get("PixelIntensityRelationship")).upper() != "LIN"


def logarithmic(values: npt.NDArray[Any], top: float) -> Floats:
    """Intensities as logarithms, so that subtraction takes what overlies away wherever it is thick.

    `top`, the brightest there can be, stays as it is; zero counts as one, the least intensity above it.
    """
    linear = np.maximum(values.astype(np.float32), 1.0)
    return np.asarray(np.log(linear) * (top / max(np.log(top), 1e-6)), dtype=np.float32)


def shifted(image: Floats, rows: float, columns: float) -> Floats:
    """The image moved down and to the right by fractions of a pixel (bilinear), held at its edges."""
    if rows == 0.0 and columns == 0.0:
        return image
    for axis, by in ((0, rows), (1, columns)):
        places = np.clip(np.arange(image.shape[axis]) - by, 0, image.shape[axis] - 1)
        low = np.minimum(np.floor(places).astype(np.intp), max(image.shape[axis] - 2, 0))
        high = np.minimum(low + 1, image.shape[axis] - 1)
        part = (places - low).astype(np.float32)
        part = part[:, None] if axis == 0 else part
        image = np.take(image, low, axis) * (1 - part) + np.take(image, high, axis) * part
    return image


def subtracted(
    pixels: npt.NDArray[Any],
    frame: int,
    operation: MaskOperation,
    *,
    shift: tuple[float, float] | None = None,
    top: float = 0.0,
) -> Floats:
    """One frame (from 1) of (frames, rows, columns) less its mask: vessels filled with contrast below zero.

    `shift` replaces the operation's own pixel shift. `top` is the brightest a stored value can be where they
    are intensities (they become logarithms first), 0 where they are logarithms already. Raises
    SubtractionError where the frame has no mask or is beyond the range.
    """
    count = len(pixels)
    if pixels.ndim != 3:
        raise SubtractionError("colour frames are not subtracted")
    if not 1 <= frame <= count:
        raise SubtractionError(f"there is no frame {frame} of {count}")
    if not operation.holds_for(frame):
        raise SubtractionError(f"frame {frame} is not to be subtracted")
    masks = operation.masks_for(frame)
    if not masks or any(not 1 <= m <= count for m in masks):
        raise SubtractionError(f"frame {frame} has no mask")
    last = min(frame + operation.averaging - 1, count)

    def prepare(values: npt.NDArray[Any]) -> Floats:
        return logarithmic(values, top) if top else values.astype(np.float32)

    contrast = np.asarray(
        np.mean([prepare(pixels[n - 1]) for n in range(frame, last + 1)], axis=0), dtype=np.float32
    )
    mask = np.asarray(np.mean([prepare(pixels[n - 1]) for n in masks], axis=0), dtype=np.float32)
    by = operation.shift if shift is None else shift
    return np.asarray(contrast - shifted(mask, *by), dtype=np.float32)


def best_shift(contrast: Floats, mask: Floats, farthest: float = 8.0) -> tuple[float, float]:
    """(rows, columns) by which the mask lies best under the contrast, to about a tenth of a pixel.

    By the phase of the cross spectrum of the edges, its peak refined by a parabola.
    """
    a, b = _edges(contrast), _edges(mask)
    product = np.fft.rfft2(a) * np.conj(np.fft.rfft2(b))
    surface = np.fft.irfft2(product / np.maximum(np.abs(product), 1e-9), a.shape)
    reach = int(np.ceil(farthest))
    span = np.arange(-reach, reach + 1)
    near = surface[np.ix_(span % a.shape[0], span % a.shape[1])]
    row, column = (int(v) for v in np.unravel_index(int(np.argmax(near)), near.shape))
    return float(span[row]) + _peak(near[:, column], row), float(span[column]) + _peak(near[row], column)


def _edges(image: Floats) -> Floats:
    """Brightness less its surroundings, faded out towards the border."""
    rows, columns = image.shape
    window = np.outer(np.hanning(rows), np.hanning(columns))
    return np.asarray((image - image.mean()) * window, dtype=np.float32)


def _peak(line: npt.NDArray[Any], at: int) -> float:
    if not 0 < at < len(line) - 1:
        return 0.0
    left, middle, right = (float(line[at + d]) for d in (-1, 0, 1))
    bend = left - 2 * middle + right
    return 0.0 if abs(bend) < 1e-12 else float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5))


def subtraction_window(difference: Floats) -> VoiWindow:
    """A window about nothing, as wide as most of what is left."""
    reach = float(np.percentile(np.abs(difference), 99.5)) if difference.size else 1.0
    return VoiWindow(0.0, max(2.0 * reach, 1.0), LINEAR_EXACT, "Subtraction")


__all__ = [
    "MaskOperation",
    "SubtractionError",
    "best_shift",
    "is_logarithmic",
    "logarithmic",
    "mask_operations",
    "shifted",
    "subtracted",
    "subtraction_window",
]
