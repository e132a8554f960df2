"""A picture: pixels, what is drawn over them, and where they lie in the patient."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from workstation.imaging.view_frame import ViewFrame
from workstation.rendering.display_list import DisplayList

Pixels = npt.NDArray[np.uint8]
NOTHING_DRAWN = DisplayList()


@dataclass(frozen=True, eq=False)
class Picture:
    """`pixels` uint8 (height, width) grey or (height, width, 3) RGB, C-contiguous, row 0 on top.

    `display_list` is drawn over them. `status` is "shown", "loading" (the slice is not there yet),
    "approximate" (its nearest loaded neighbour is shown) or "failed"; `words` says so to the reader.
    `window` is (centre, width, label) as applied, None where a LUT or colour was.
    """

    pixels: Pixels
    frame: ViewFrame
    display_list: DisplayList = NOTHING_DRAWN
    status: str = "shown"
    words: str = ""
    window: tuple[float, float, str] | None = None

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def is_colour(self) -> bool:
        return self.pixels.ndim == 3

    @cached_property
    def sha256(self) -> str:
        """Of the shape and the pixels, hexadecimal: the same picture gives the same hash on every machine."""
        digest = hashlib.sha256(repr(self.pixels.shape).encode())
        digest.update(np.ascontiguousarray(self.pixels).tobytes())
        return digest.hexdigest()

    def png(self, texts: dict[str, str] | None = None) -> bytes:
        """The pixels (without the display list) as a PNG file."""
        return png_bytes(self.pixels, texts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bytes(pixels: Pixels, texts: dict[str, str] | None = None) -> bytes:
    """uint8 (h, w) or (h, w, 3) as PNG (ISO/IEC 15948), with Latin-1 tEXt chunks; raises ValueError for
    other arrays.
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise ValueError(f"no picture: {pixels.dtype} {pixels.shape}")
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + pixels[0].size), dtype=np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    notes = [
        _chunk(b"tEXt", key.encode("latin-1", "replace") + b"\0" + value.encode("latin-1", "replace"))
        for key, value in (texts or {}).items()
    ]
    body = zlib.compress(rows.tobytes(), 6)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + b"".join(notes)
        + _chunk(b"IDAT", body)
        + _chunk(b"IEND", b"")
    )
