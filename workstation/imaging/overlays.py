"""Overlay planes: one bit a pixel drawn over an image (PS3.3 C.9.2), also those in pixels' unused bits.

A plane is a bool array (rows, columns) of the *image*, whatever size and origin the overlay has.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pacs_core.dicom.attributes import unpacked
from workstation.imaging.values import Attributes, integer, numbers, text

Mask = npt.NDArray[np.bool_]
ReadBytes = Callable[[int, int], bytes | None]


class OverlayError(ValueError):
    """An overlay that cannot be drawn; the message says why."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """One overlay group of an image.

    `origin` is (row, column) of its first bit, the image's first pixel being (1, 1); `kind` "G" graphics or
    "R" region of interest. `bit` is the bit of the stored pixel where it hides, None where it has data of
    its own; `first_frame` is the image frame of its first plane.
    """

    group: int
    rows: int
    columns: int
    origin: tuple[int, int]
    kind: str
    label: str
    frames: int
    bit: int | None
    data: bytes | None
    place: tuple[int, int] | None
    first_frame: int = 1

    def plane(self, rows: int, columns: int, frame: int = 1, read: ReadBytes | None = None) -> Mask:
        """The overlay of one frame (from 1) laid upon an image of this size; `read(offset, length)` reads
        the file where the data are there alone. Raises OverlayError for hidden or missing data.
        """
        if self.bit is not None:
            raise OverlayError(f"overlay {self.group:04X} lies in the pixels' unused bits")
        which = frame - self.first_frame if self.frames > 1 else 0
        if not 0 <= which < self.frames:
            return np.zeros((rows, columns), dtype=np.bool_)
        return self._laid(self._bits(which, read), rows, columns)

    def hidden_plane(self, pixels: npt.NDArray[Any]) -> Mask:
        """The overlay out of the unused bits of stored pixels (rows, columns), which nothing has masked."""
        if self.bit is None or pixels.dtype.kind not in "iu" or self.bit >= 8 * pixels.dtype.itemsize:
            raise OverlayError(f"overlay {self.group:04X} lies in no bit of the pixels")
        unsigned = pixels.view(pixels.dtype.str.replace("i", "u"))
        return np.asarray((unsigned >> self.bit) & 1, dtype=np.bool_)

    def _bits(self, which: int, read: ReadBytes | None) -> Mask:
        size = self.rows * self.columns
        first = which * size
        start, stop = first // 8, -(-(first + size) // 8)
        raw = self.data[start:stop] if self.data is not None else None
        if raw is None and self.place is not None and read is not None and stop <= self.place[1]:
            raw = read(self.place[0] + start, stop - start)
        if raw is None or len(raw) < stop - start:
            raise OverlayError(f"overlay {self.group:04X}: its data are missing or too short")
        bits = np.unpackbits(np.frombuffer(raw, dtype=np.uint8), bitorder="little")
        shift = first - 8 * start
        return bits[shift : shift + size].reshape(self.rows, self.columns).astype(np.bool_)

    def _laid(self, bits: Mask, rows: int, columns: int) -> Mask:
        found = np.zeros((rows, columns), dtype=np.bool_)
        top, left = self.origin[0] - 1, self.origin[1] - 1
        y0, x0 = max(top, 0), max(left, 0)
        y1, x1 = min(top + self.rows, rows), min(left + self.columns, columns)
        if y1 > y0 and x1 > x0:
            found[y0:y1, x0:x1] = bits[y0 - top : y1 - top, x0 - left : x1 - left]
        return found


def overlays_of(attributes: Attributes) -> tuple[tuple[Overlay, ...], tuple[str, ...]]:
    """The overlays of an instance's attributes, and in words those that cannot be drawn."""
    items = attributes.get("Overlays")
    found: list[Overlay] = []
    said: list[str] = []
    for item in items if isinstance(items, Sequence) and not isinstance(items, str) else ():
        if not isinstance(item, Mapping):
            continue
        try:
            found.append(_overlay(item, attributes))
        except OverlayError as error:
            said.append(str(error))
    return tuple(found), tuple(said)


def _overlay(item: Attributes, attributes: Attributes) -> Overlay:
    group, rows, columns = (integer(item.get(k)) for k in ("Group", "Rows", "Columns"))
    if rows <= 0 or columns <= 0 or rows * columns > 1 << 28:
        raise OverlayError(f"overlay {group:04X} has no usable size ({columns} x {rows})")
    data = _data(item.get("Data"))
    place = (integer(item.get("Offset"), -1), integer(item.get("Length")))
    has_data = data is not None or (place[0] >= 0 and place[1] > 0)
    bit = None if has_data else integer(item.get("BitPosition"))
    if bit is not None and not _is_unused(bit, attributes):
        raise OverlayError(f"overlay {group:04X} has no data, and bit {bit} belongs to the image")
    origin = numbers(item.get("Origin"))
    where = (int(origin[0]), int(origin[1])) if len(origin) == 2 else (1, 1)
    return Overlay(
        group, rows, columns, where, text(item.get("Type")) or "G", text(item.get("Description")),
        max(integer(item.get("Frames"), 1), 1), bit, data, place if place[0] >= 0 else None,
        max(integer(item.get("FrameOrigin"), 1), 1),
    )  # fmt: skip


def _is_unused(bit: int, attributes: Attributes) -> bool:
    """Whether a bit of the pixel cell carries no image (PS3.5 8.1.1: the image is below High Bit)."""
    allocated = integer(attributes.get("BitsAllocated"), 16)
    stored = integer(attributes.get("BitsStored"), allocated)
    high = integer(attributes.get("HighBit"), stored - 1)
    return 0 <= bit < allocated and not high - stored < bit <= high


def _data(value: object) -> bytes | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        return unpacked(value)
    except (ValueError, zlib.error):
        return None
