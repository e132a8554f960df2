"""The RLE decoder of ``_rle.c`` in Python, used where nothing was compiled; the answers are the same."""

from __future__ import annotations

import struct

HEADER = 64
MOST_SEGMENTS = 15


def decode(frame: bytes | bytearray | memoryview, pixels: int, samples: int, width: int) -> bytes:
    """Samples side by side, each little endian; raises ValueError where a segment cannot be true."""
    count = samples * width
    if pixels < 1 or samples < 1 or width < 1 or count > MOST_SEGMENTS:
        raise ValueError("pixels, samples and width are no frame")
    data = bytes(frame)
    out = bytearray(pixels * count)
    places = [*_offsets(data, count), len(data)]
    for n in range(count):
        sample, byte = divmod(n, width)
        plane = _unpacked(data[places[n] : places[n + 1]], pixels, n + 1)
        out[sample * width + width - 1 - byte :: count] = plane
    return bytes(out)


def _offsets(data: bytes, count: int) -> list[int]:
    if len(data) < HEADER:
        raise ValueError("the frame is shorter than its header")
    said = int.from_bytes(data[:4], "little")
    if said != count:
        raise ValueError(f"{said} segments where {count} are needed")
    found = list(struct.unpack_from(f"<{count}I", data, 4))
    if found != sorted(found) or found[0] < HEADER or found[-1] > len(data):
        raise ValueError("the segments' offsets cannot be true")
    return found


def _unpacked(segment: bytes, count: int, number: int) -> bytes:
    out = bytearray()
    at, end = 0, len(segment)
    while len(out) < count:
        if at == end:
            raise ValueError(f"segment {number} holds too few bytes")
        control = segment[at]
        at += 1
        left = count - len(out)
        if control < 128:
            if end - at < min(control + 1, left):
                raise ValueError(f"segment {number} ends within a run")
            out += segment[at : at + min(control + 1, left)]
            at += control + 1
        elif control > 128:
            if at == end:
                raise ValueError(f"segment {number} ends within a run")
            out += segment[at : at + 1] * min(257 - control, left)
            at += 1
    return bytes(out)
