"""Colour frames to RGB for showing (PS3.3 C.7.6.3.1.2, C.7.6.3.1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pacs_core.dicom.attributes import unpacked

Frame = NDArray[Any]

CODEC_GIVES_RGB = frozenset({"YBR_RCT", "YBR_ICT", "XYB"})
"""Photometric interpretations whose colour transform is part of the codestream, so that decoding undoes
it."""

JPEG_XL = frozenset({"1.2.840.10008.1.2.4.110", "1.2.840.10008.1.2.4.111", "1.2.840.10008.1.2.4.112"})


def decoded_photometric(transfer_syntax_uid: str, photometric: str) -> str:
    """The photometric interpretation of what `decode_frame` gives: RGB where the codec undoes the
    transform."""
    if photometric in CODEC_GIVES_RGB:
        return "RGB"
    if transfer_syntax_uid in JPEG_XL and photometric.startswith("YBR"):
        return "RGB"
    return "YBR_FULL" if photometric == "YBR_FULL_422" else photometric


def to_rgb(frame: Frame, photometric: str, palette: Mapping[str, object] | None = None) -> NDArray[np.uint8]:
    """A colour frame as RGB, 8 bits a sample, (rows, columns, 3).

    `photometric` is that of the decoded frame; `palette` the ``Palette`` of the instance's attributes
    where it is PALETTE COLOR. Raises ValueError for what is no colour.
    """
    if photometric == "PALETTE COLOR":
        if palette is None:
            raise ValueError("a palette colour image without its palette")
        return apply_palette(frame, palette)
    if frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f"{photometric} is no colour of three samples")
    eight = _eight_bits(frame)
    if photometric in ("YBR_FULL", "YBR_FULL_422"):
        return ybr_to_rgb(eight)
    if photometric in ("YBR_PARTIAL_420", "YBR_PARTIAL_422"):
        return _partial_to_rgb(eight)
    return eight


def _eight_bits(frame: Frame) -> NDArray[np.uint8]:
    if frame.dtype == np.uint8:
        return frame
    return (frame >> (8 * frame.dtype.itemsize - 8)).astype(np.uint8)


def ybr_to_rgb(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """YBR_FULL to RGB by the matrix of PS3.3 C.7.6.3.1.2 (CCIR 601-2, full range)."""
    y = frame[..., 0].astype(np.float32)
    b = frame[..., 1].astype(np.float32) - 128
    r = frame[..., 2].astype(np.float32) - 128
    return _clipped(y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b)


def _partial_to_rgb(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    y = (frame[..., 0].astype(np.float32) - 16) * 1.1644
    b = frame[..., 1].astype(np.float32) - 128
    r = frame[..., 2].astype(np.float32) - 128
    return _clipped(y + 1.5960 * r, y - 0.3918 * b - 0.8130 * r, y + 2.0172 * b)


def _clipped(*channels: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(np.rint(np.stack(channels, axis=-1)), 0, 255).astype(np.uint8)


def apply_palette(frame: Frame, palette: Mapping[str, object]) -> NDArray[np.uint8]:
    """Palette indices to RGB; 16-bit entries are brought to 8 bits, values outside the table take its
    ends."""
    channels = []
    for colour in ("Red", "Green", "Blue"):
        table = palette[colour]
        assert isinstance(table, Mapping)
        count, first, bits = table["Descriptor"]
        entries = np.frombuffer(unpacked(table["Data"]), np.uint8)
        count = count % 0x10000 or 0x10000
        wide = len(entries) >= 2 * count
        values = entries.view("<u2") if wide else entries
        if wide and (bits > 8 or values.max(initial=0) > 255):
            values = values >> 8
        at = np.clip(frame.astype(np.int64) - first, 0, min(count, len(values)) - 1)
        channels.append(values[at].astype(np.uint8))
    return np.stack(channels, axis=-1)
