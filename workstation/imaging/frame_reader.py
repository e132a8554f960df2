"""One frame from its locator into the volume: straight from the file where bytes are pixels, else decoded."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pacs_core.archive.models import FramePixels, LocalFile
from pacs_core.dicom.codestreams import ends_early
from pacs_core.dicom.pixels import decode_frame, decoded_photometric, to_rgb
from workstation.imaging.headers import FrameHeader, PixelLayout

Array = npt.NDArray[Any]

fill: Callable[[Array, Sequence[tuple[str, int, int, int]]], bytes] | None = None
with suppress(ImportError, AttributeError):  # not compiled here, or a system without pread
    from pacs_core.dicom import _fill

    fill = _fill.fill

Fetch = Callable[[str, int], FramePixels]

NATIVE_LITTLE_ENDIAN = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"})


EARLY_END = "The compressed image ends early: what is missing of it is not what was recorded."


class FrameError(Exception):
    """A frame could not be had; the message is meant for the reader."""


def read_into(header: FrameHeader, target: Array, fetch: Fetch | None) -> str:
    """Fill `target`, one slice of a volume, from the header's locator; answers a warning or nothing.

    A missing or short file falls back to `fetch`; raises FrameError where nothing gives the frame, and
    whatever the decoder raises for damaged bytes.
    """
    locator = header.locator
    if isinstance(locator, LocalFile):
        if _is_raw(header, locator, target):
            if read_exactly(locator.path, locator.offset, target.data.cast("B")):
                mask_unused_bits(target, header.layout)
                return ""
        else:
            parts = file_parts(locator)
            if parts is not None:
                _store(target, decoded(header, parts, locator.transfer_syntax))
                return _warning(parts, locator.transfer_syntax)
    if fetch is None:
        raise FrameError("The file is missing or too short.")
    pixels = fetch(header.sop_instance_uid, header.frame)
    _store(target, decoded(header, pixels.fragments, pixels.transfer_syntax))
    return _warning(pixels.fragments, pixels.transfer_syntax)


def lies_plain(header: FrameHeader) -> bool:
    """Whether the frame lies in a file as plain grey values in our order of bytes."""
    return (
        isinstance(header.locator, LocalFile)
        and header.locator.transfer_syntax in NATIVE_LITTLE_ENDIAN
        and sys.byteorder == "little"
        and not header.layout.is_colour
    )


def read_together(pixels: Array, headers: Mapping[int, FrameHeader]) -> list[int]:
    """Fill those slices of a volume whose bytes in the files are those of the array, in one compiled call.

    Answers which are filled; every other has to go by `read_into`, which knows what to do or say. Raises what
    the call does for a frame that lies nowhere; nothing counts as filled then.
    """
    if fill is None:
        return []
    one = pixels[0]
    size = one.nbytes
    frames = [
        (k, (where.path, where.offset, k * size, size))
        for k, header in headers.items()
        if isinstance(where := header.locator, LocalFile) and _is_raw(header, where, one)
    ]
    there = fill(pixels, [place for _, place in frames]) if frames else b""
    filled = [k for (k, _), done in zip(frames, there, strict=True) if done]
    for k in filled:
        mask_unused_bits(pixels[k], headers[k].layout)
    return filled


def _warning(parts: tuple[bytes, ...], transfer_syntax: str) -> str:
    return EARLY_END if parts and ends_early(parts[-1], transfer_syntax) else ""


def _is_raw(header: FrameHeader, locator: LocalFile, target: Array) -> bool:
    """Whether the bytes in the file are the bytes of the array."""
    layout = header.layout
    return (
        lies_plain(header)
        and layout.is_low_aligned
        and layout.bits_allocated == 8 * target.dtype.itemsize
        and target.shape == (layout.rows, layout.columns)
        and locator.length >= target.nbytes
        and target.flags.c_contiguous
    )


def read_exactly(path: str, offset: int, into: memoryview) -> bool:
    """Fill `into` from the file at `offset`; False where the file is missing or ends before, or where no file
    can be or has such an offset.
    """
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError):  # a name with a NUL is no OSError
        return False
    try:
        done = 0
        while done < len(into):
            count = _read_some(file, into[done:], offset + done)
            if count == 0:
                return False
            done += count
        return True
    except (OSError, OverflowError):
        return False
    finally:
        os.close(file)


if hasattr(os, "preadv"):

    def _read_some(file: int, into: memoryview, offset: int) -> int:
        return os.preadv(file, [into], offset)

else:  # Windows has no preadv

    def _read_some(file: int, into: memoryview, offset: int) -> int:
        os.lseek(file, offset, os.SEEK_SET)
        found = os.read(file, len(into))
        into[: len(found)] = found
        return len(found)


def file_parts(locator: LocalFile) -> tuple[bytes, ...] | None:
    """The frame's fragments (or its native bytes) from the file, or None where one is missing or short."""
    parts = []
    for offset, length in locator.fragments or ((locator.offset, locator.length),):
        if length < 0 or length > _size(locator.path):
            return None
        buffer = bytearray(length)
        if not read_exactly(locator.path, offset, memoryview(buffer)):
            return None
        parts.append(bytes(buffer))
    return tuple(parts)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return -1


def decoded(header: FrameHeader, fragments: tuple[bytes, ...], transfer_syntax: str) -> Array:
    """The pixels of one frame: (rows, columns) stored values, or (rows, columns, 3) uint8 of a colour
    image.
    """
    layout = header.layout
    skipped = 0
    if layout.bits_allocated == 1 and transfer_syntax in NATIVE_LITTLE_ENDIAN:
        skipped = (header.frame - 1) * layout.rows * layout.columns % 8
    pixels = decode_frame(
        fragments,
        transfer_syntax,
        layout.rows,
        layout.columns,
        layout.samples,
        layout.bits_allocated,
        layout.bits_stored,
        layout.pixel_representation,
        layout.photometric,
        layout.planar,
        bit_offset=skipped,
        float_kind=layout.float_kind,
        words_swapped=layout.words_swapped,
        high_bit=layout.high_bit,
    )
    return _rgb(pixels, header, transfer_syntax) if layout.is_colour else pixels


def _rgb(pixels: Array, header: FrameHeader, transfer_syntax: str) -> Array:
    """Colour as it is shown, 8 bits a sample: the upper eight of those stored."""
    layout = header.layout
    photometric = decoded_photometric(transfer_syntax, layout.photometric)
    spare = layout.bits_allocated - layout.usable_bits
    if spare > 0 and photometric != "PALETTE COLOR":
        pixels = np.left_shift(pixels, spare)
    return to_rgb(pixels, photometric, header.palette)


def _store(target: Array, pixels: Array) -> None:
    """Copy into the volume; raises FrameError where the decoder gave a size the header did not promise."""
    if pixels.shape != target.shape:
        raise FrameError(f"The frame decodes to {pixels.shape}, the header says {target.shape}.")
    np.copyto(target, pixels, casting="unsafe")


def mask_unused_bits(pixels: Array, layout: PixelLayout) -> None:
    """Bits above Bits Stored mean nothing (old files keep overlays there): sign-extend or clear them in
    place.
    """
    spare = layout.bits_allocated - layout.usable_bits
    if spare <= 0 or pixels.dtype.kind not in "iu":
        return
    if pixels.dtype.kind == "u":
        np.bitwise_and(pixels, pixels.dtype.type((1 << layout.usable_bits) - 1), out=pixels)
    else:
        np.left_shift(pixels, pixels.dtype.type(spare), out=pixels)
        np.right_shift(pixels, pixels.dtype.type(spare), out=pixels)
