"""Colour frames as 8-bit RGB for the screen (PS3.3 C.7.6.3.1.2): RGB, YBR, palette, any depth."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.imaging.headers import Palette, PixelLayout

Rgb = npt.NDArray[np.uint8]
DECODED_TO_RGB = frozenset({"YBR_RCT", "YBR_ICT"})


class ColourError(ValueError):
    """A colour image that cannot be brought to RGB; the message says why."""


def to_rgb8(
    pixels: npt.NDArray[Any], layout: PixelLayout, palette: Palette | None, transfer_syntax: str
) -> Rgb:
    """(rows, columns[, samples]) as decoded to (rows, columns, 3) uint8; raises ColourError."""
    if layout.photometric == "PALETTE COLOR":
        if palette is None:
            raise ColourError("The image refers to a colour palette, but the file has none.")
        return palette_to_rgb(pixels, palette)
    if pixels.ndim != 3 or pixels.shape[2] < 3:
        raise ColourError(
            f"A {layout.photometric} image with {layout.samples} samples cannot be shown in colour."
        )
    eight = to_eight_bits(pixels[..., :3], layout.bits_stored)
    return ybr_full_to_rgb(eight) if layout.photometric in ("YBR_FULL", "YBR_FULL_422") else eight


def to_eight_bits(pixels: npt.NDArray[Any], bits_stored: int) -> Rgb:
    """The upper eight of the stored bits."""
    if pixels.dtype == np.uint8 and bits_stored >= 8:
        return np.ascontiguousarray(pixels)
    if bits_stored > 8:
        return np.ascontiguousarray((pixels >> (bits_stored - 8)).astype(np.uint8))
    return np.ascontiguousarray((pixels.astype(np.uint16) * 255 // (2**bits_stored - 1)).astype(np.uint8))


def ybr_full_to_rgb(pixels: Rgb) -> Rgb:
    """YBR_FULL to RGB by the matrix of PS3.3 C.7.6.3.1.2, rounded and clipped."""
    y, cb, cr = (pixels[..., n].astype(np.float32) for n in range(3))
    cb -= 128.0
    cr -= 128.0
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=-1)
    return np.clip(np.floor(rgb + 0.5), 0, 255).astype(np.uint8)


def palette_to_rgb(pixels: npt.NDArray[Any], palette: Palette) -> Rgb:
    """Indices to RGB; below the first mapped value the first entry, above the last the last (PS3.3
    C.7.6.3.1.5).
    """
    shift = palette_shift(palette)
    table = np.array([palette.red, palette.green, palette.blue], dtype=np.int64).T >> shift
    first = palette.first
    index = np.clip(pixels.astype(np.int64) - first, 0, len(table) - 1)
    return np.ascontiguousarray(np.clip(table, 0, 255).astype(np.uint8)[index])


def palette_shift(palette: Palette) -> int:
    """Entries said to have 16 bits may hold only 8 (seen in the field): then nothing is shifted away."""
    top = max(*palette.red, *palette.green, *palette.blue)
    return 8 if palette.bits > 8 and top > 255 else 0
