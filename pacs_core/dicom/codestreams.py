"""What a compressed frame says of itself, read before any decoder allocates for it.

Damaged frames may claim any size; decoders believe them. JPEG and JPEG-LS: frame header (ISO 10918-1 B.2.2,
ISO 14495-1 C.2.2); JPEG 2000 and HTJ2K: SIZ marker (ISO 15444-1 A.5.1), also inside a JP2 file.
"""

from __future__ import annotations

from dataclasses import dataclass

JPEG_UIDS = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 53, 55, 57, 70, 80, 81))
JPEG_2000_UIDS = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 92, 93, 201, 202, 203))

JPEG_LS_UIDS = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})

START_OF_IMAGE = b"\xff\xd8"
END = b"\xff\xd9"
"""End of a JPEG image and of a JPEG 2000 codestream alike."""
PADDING = 1024
CODESTREAM = b"\xff\x4f\xff\x51"
NO_FRAME_HEADERS = frozenset({0xC4, 0xC8, 0xCC})
STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
MOST_TILES = 65_535


class CodestreamError(ValueError):
    """The frame's own header cannot be followed; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class FrameSize:
    """Rows, columns, components and bits of a component, as the frame says."""

    rows: int
    columns: int
    components: int
    bits: int


def frame_size(data: bytes, transfer_syntax_uid: str) -> FrameSize | None:
    """What the frame says of itself; None for codecs whose header is not read here.

    Raises CodestreamError where there is no header, or one that contradicts itself.
    """
    if transfer_syntax_uid in JPEG_UIDS:
        return _jpeg(data)
    if transfer_syntax_uid in JPEG_2000_UIDS:
        return _jpeg_2000(data)
    return None


def ends_early(data: bytes, transfer_syntax_uid: str) -> bool:
    """Whether the stream stops before its end marker: what was decoded of it may be the image's upper part
    only. Bytes of padding behind the marker are allowed.
    """
    if transfer_syntax_uid not in JPEG_UIDS | JPEG_2000_UIDS:
        return False
    return data.rfind(END, max(0, len(data) - PADDING)) < 0


def _jpeg(data: bytes) -> FrameSize:
    if not data.startswith(START_OF_IMAGE):
        raise CodestreamError("no start of a JPEG image")
    at = 2
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if at + 4 > len(data) or data[at] != 0xFF:
            raise CodestreamError("no frame header")
        marker = data[at + 1]
        if marker in STANDALONE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if (0xC0 <= marker <= 0xCF and marker not in NO_FRAME_HEADERS) or marker == 0xF7:
            return _jpeg_frame(data[at + 4 : at + 2 + length])
        if length < 2 or marker in (0xD9, 0xDA):
            raise CodestreamError("no frame header before the image's data")
        at += 2 + length


def _jpeg_frame(segment: bytes) -> FrameSize:
    if len(segment) < 6 or len(segment) < 6 + 3 * segment[5]:
        raise CodestreamError("the frame header is cut")
    rows, columns = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
    return FrameSize(rows, columns, segment[5], segment[0])


def _jpeg_2000(data: bytes) -> FrameSize:
    start = data.find(CODESTREAM, 0, 1 << 16)
    if start < 0:
        raise CodestreamError("no start of a JPEG 2000 codestream")
    body = data[start + 6 : start + 6 + 36 + 3 * 16384]
    if len(body) < 36:
        raise CodestreamError("the SIZ marker is cut")
    right, bottom, left, top, width, height, tile_x, tile_y = (
        int.from_bytes(body[2 + 4 * n : 6 + 4 * n], "big") for n in range(8)
    )
    components = int.from_bytes(body[34:36], "big")
    if not (left < right and top < bottom and width and height and 0 < components <= 16384):
        raise CodestreamError("the SIZ marker contradicts itself")
    if tile_x > left or tile_y > top or tile_x + width <= left or tile_y + height <= top:
        raise CodestreamError("the tiles do not cover the image")
    tiles = -(-(right - tile_x) // width) * -(-(bottom - tile_y) // height)
    if tiles > MOST_TILES:
        raise CodestreamError(f"{tiles} tiles")
    parts = body[36 : 36 + 3 * components]
    if len(parts) < 3 * components:
        raise CodestreamError("the SIZ marker is cut")
    if 0 in parts[1::3] or 0 in parts[2::3]:
        raise CodestreamError("a component is sampled at no place")
    bits = max((part & 0x7F) + 1 for part in parts[::3])
    if bits > 38:
        raise CodestreamError(f"{bits} bits a component")
    return FrameSize(bottom - top, right - left, components, bits)
