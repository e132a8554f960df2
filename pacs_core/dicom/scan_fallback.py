"""The header scan of ``_scan.c`` in Python, used where nothing was compiled; the answers are the same."""

from __future__ import annotations

import struct
from typing import BinaryIO

Element = tuple[str, int, int]
Pixels = tuple[int, str, int, int, list[tuple[int, int]] | None]


class FileBytes:
    """A file that can be sliced like bytes without being held in memory; for objects too large to read
    whole."""

    BLOCK = 4096

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._at = 0
        self._block = b""

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, span: slice) -> bytes:
        start, stop, _ = span.indices(self._size)
        if stop <= start:
            return b""
        if start < self._at or stop > self._at + len(self._block):
            self._file.seek(start)
            self._block = self._file.read(max(self.BLOCK, stop - start))
            self._at = start
        return self._block[start - self._at : stop - self._at]


Buffer = bytes | bytearray | memoryview | FileBytes

UNDEFINED = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
DEEPEST = 64
SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())

_HEADER = struct.Struct("<HHI")


class Surprise(ValueError):
    """The bytes cannot be followed: (kind, tag, offset, needed)."""


class Walk:
    """A position in an encoded data set; `end` may lie beyond the bytes at hand (a window on a file)."""

    def __init__(self, data: Buffer, at: int, end: int) -> None:
        self.data = data
        self.at = at
        self.end = end

    def need(self, tag: int, count: int) -> None:
        if self.at + count > self.end:
            raise Surprise("truncated", tag, self.at, count)
        if self.at + count > len(self.data):
            raise Surprise("window", tag, self.at, count)

    def header(self, implicit: bool) -> tuple[int, str, int]:
        """Read tag, VR and length and stand at the value."""
        self.need(0, 8)
        group, element, length = _HEADER.unpack(self.data[self.at : self.at + 8])
        tag = group << 16 | element
        if implicit or group == 0xFFFE:
            self.at += 8
            return tag, "", length
        vr = bytes(self.data[self.at + 4 : self.at + 6])
        if vr in SHORT:
            self.at += 8
            return tag, vr.decode(), length >> 16
        if vr not in LONG:
            raise Surprise("vr", tag, self.at, 0)
        self.need(tag, 12)
        length = int.from_bytes(self.data[self.at + 8 : self.at + 12], "little")
        self.at += 12
        return tag, vr.decode(), length

    def jump(self, tag: int, length: int) -> None:
        if self.at + length > self.end:
            raise Surprise("truncated", tag, self.at, length)
        self.at += length

    def skip_item(self, implicit: bool, depth: int) -> None:
        while True:
            tag, vr, length = self.header(implicit)
            if tag == ITEM_END:
                return
            if tag >> 16 == 0xFFFE:
                raise Surprise("delimiter", tag, self.at - 8, 0)
            if length == UNDEFINED:
                self.skip_items(tag, implicit or vr == "UN", depth + 1)
            else:
                self.jump(tag, length)

    def skip_items(self, owner: int, implicit: bool, depth: int) -> None:
        if depth > DEEPEST:
            raise Surprise("depth", owner, self.at, 0)
        while True:
            tag, _, length = self.header(True)
            if tag == SEQUENCE_END:
                return
            if tag != ITEM:
                raise Surprise("item", owner, self.at - 8, 0)
            if length == UNDEFINED:
                self.skip_item(implicit, depth)
            else:
                self.jump(owner, length)

    def fragments(self, owner: int) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        while True:
            tag, _, length = self.header(True)
            if tag == SEQUENCE_END:
                return found
            if tag != ITEM or length == UNDEFINED:
                raise Surprise("item", owner, self.at - 8, 0)
            found.append((self.at, length))
            self.jump(owner, length)


def scan(data: Buffer, start: int, end: int, implicit: bool) -> tuple[dict[int, Element], Pixels | None]:
    """List the top-level elements and find the pixel data; raises Surprise."""
    walk = Walk(data, start, end)
    elements: dict[int, Element] = {}
    pixels: Pixels | None = None
    while walk.at < end:
        at = walk.at
        tag, vr, length = walk.header(implicit)
        if tag >> 16 == 0xFFFE:
            raise Surprise("delimiter", tag, at, 0)
        value = walk.at
        fragments = None
        if length != UNDEFINED:
            walk.jump(tag, length)
        elif tag == 0x7FE00010:
            fragments = walk.fragments(tag)
            length = walk.at - 8 - value
        else:
            walk.skip_items(tag, implicit or vr == "UN", 1)
            length = walk.at - 8 - value
        if tag in PIXEL_TAGS:
            pixels = (tag, vr, value, length, fragments)
        else:
            elements[tag] = (vr, value, length)
    return elements, pixels


def items(data: Buffer, start: int, end: int, implicit: bool) -> list[tuple[int, int]]:
    """List (offset, length) of the items of a sequence's value; raises Surprise."""
    walk = Walk(data, start, end)
    found: list[tuple[int, int]] = []
    while walk.at < end:
        at = walk.at
        tag, _, length = walk.header(True)
        if tag == SEQUENCE_END:
            break
        if tag != ITEM:
            raise Surprise("item", tag, at, 0)
        value = walk.at
        if length == UNDEFINED:
            walk.skip_item(implicit, 1)
            length = walk.at - 8 - value
        else:
            walk.jump(tag, length)
        found.append((value, length))
    return found


Picked = bytes | tuple[int, int] | None


def pick(data: Buffer, start: int, end: int, implicit: bool, tags: tuple[int, ...]) -> list[Picked]:
    """The values of these ascending top-level tags, of pixel data its place; raises Surprise."""
    walk = Walk(data, start, end)
    found: dict[int, Picked] = {}
    last = tags[-1] if tags else 0
    while walk.at < end and len(found) < len(tags):
        at = walk.at
        tag, vr, length = walk.header(implicit)
        if tag >> 16 == 0xFFFE:
            raise Surprise("delimiter", tag, at, 0)
        if tag > last:
            break
        if tag in tags and tag not in found and tag > max(found, default=-1):
            found[tag] = _picked(walk, tag, length)
            if tag == last:
                break
        if tag in PIXEL_TAGS and length == UNDEFINED:
            break
        if length == UNDEFINED:
            walk.skip_items(tag, implicit or vr == "UN", 1)
        else:
            walk.jump(tag, length)
    return [found.get(tag) for tag in tags]


def _picked(walk: Walk, tag: int, length: int) -> Picked:
    if tag in PIXEL_TAGS:
        if length != UNDEFINED and walk.at + length > walk.end:
            raise Surprise("truncated", tag, walk.at, length)
        return walk.at, length
    if length == UNDEFINED:
        raise Surprise("undefined", tag, walk.at, 0)
    walk.need(tag, length)
    return bytes(walk.data[walk.at : walk.at + length])


def differing(
    data: Buffer, elements: dict[int, Element], before: bytes, those: dict[int, Element]
) -> list[int] | None:
    """Tags whose values differ between two data sets of the same elements; None where the elements differ."""
    if len(elements) != len(those):
        return None
    found = []
    for (tag, (vr, at, length)), (other, (its_vr, there, its_length)) in zip(
        elements.items(), those.items(), strict=True
    ):
        if tag != other or vr != its_vr:
            return None
        if length != its_length or data[at : at + length] != before[there : there + its_length]:
            found.append(tag)
    return found
