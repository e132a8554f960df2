"""Where each frame's bytes lie in the pixel data: native or in fragments (PS3.5 A.4; PS3.3 C.7.6.3.1.8)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from pacs_core.dicom.scan_fallback import Buffer
from pacs_core.domain.errors import Damaged

Span = tuple[int, int]

START_MARKERS = (
    b"\xff\xd8",
    b"\xff\x4f\xff\x51",
    b"\xff\x0a",
    b"\x00\x00\x00\x0cJXL ",
    b"\x00\x00\x00\x0cjP  ",
)
"""First bytes of a JPEG, JPEG 2000, JPEG XL or JP2 stream."""


def frame_fragments(
    data: Buffer,
    spans: Sequence[Span],
    frames: int,
    extended_offsets: Sequence[int] = (),
    extended_lengths: Sequence[int] = (),
) -> list[list[Span]]:
    """Group the fragments by frame; `spans` begins with the basic offset table's item.

    Tried in this order: one frame, the extended offset table, the basic one, one fragment a frame, the start
    markers of the codecs. Raises Damaged where none of them gives the number of frames.
    """
    table, parts = spans[0] if spans else (0, 0), list(spans[1:])
    if not parts:
        raise Damaged("The encapsulated pixel data holds no fragment", "PixelData (7FE0,0010)")
    if frames <= 1:
        return [parts]
    if len(extended_offsets) == frames:
        return _trimmed(_by_offsets(parts, extended_offsets), extended_lengths)
    offsets = _basic_offsets(data, table)
    if len(offsets) == frames:
        return _by_offsets(parts, offsets)
    if len(parts) == frames:
        return [[part] for part in parts]
    starts = [
        i
        for i, (at, size) in enumerate(parts)
        if bytes(data[at : at + min(size, 12)]).startswith(START_MARKERS)
    ]
    if len(starts) == frames and starts[0] == 0:
        return [parts[a:b] for a, b in zip(starts, [*starts[1:], len(parts)], strict=True)]
    raise Damaged(
        f"{len(parts)} fragments cannot be divided into {frames} frames: no usable offset table",
        "PixelData (7FE0,0010)",
    )


def _basic_offsets(data: Buffer, table: Span) -> tuple[int, ...]:
    count = table[1] // 4
    return struct.unpack(f"<{count}I", data[table[0] : table[0] + count * 4])


def _by_offsets(parts: list[Span], offsets: Sequence[int]) -> list[list[Span]]:
    """Offsets count from the first fragment's item tag, 8 bytes before its value."""
    origin = parts[0][0] - 8
    number = {at - 8 - origin: i for i, (at, _) in enumerate(parts)}
    starts = [number.get(offset) for offset in offsets]
    firsts = [s for s in starts if s is not None]
    if len(firsts) != len(starts) or firsts != sorted(set(firsts)) or firsts[0] != 0:
        raise Damaged("The offset table does not point at fragments in their order", "PixelData (7FE0,0010)")
    return [parts[a:b] for a, b in zip(firsts, [*firsts[1:], len(parts)], strict=True)]


def _trimmed(groups: list[list[Span]], lengths: Sequence[int]) -> list[list[Span]]:
    """Cut the padding byte of a frame in one fragment whose exact length the extended table gives."""
    if len(lengths) != len(groups):
        return groups
    return [
        [(g[0][0], size)] if len(g) == 1 and 0 < size <= g[0][1] else g
        for g, size in zip(groups, lengths, strict=True)
    ]


def native_frames(offset: int, length: int, frames: int, bits_per_frame: int) -> list[Span]:
    """Byte spans of the frames of native pixel data; frames that the value is too short for are left out.

    Frames of one bit per pixel may begin inside a byte (PS3.5 8.1.1): the span then begins at that byte.
    """
    found: list[Span] = []
    for index in range(frames):
        first, last = index * bits_per_frame // 8, -(-(index + 1) * bits_per_frame // 8)
        if last > length or bits_per_frame == 0:
            break
        found.append((offset + first, last - first))
    return found
