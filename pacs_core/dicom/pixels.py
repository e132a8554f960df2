"""Frames as arrays, for any transfer syntax; safe on many threads at once (PS3.3 C.7.6.3, PS3.5 8 and
annex A).

Values are stored values: no rescale, window or palette is applied. Raises Damaged where a frame does not
decode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pacs_core.dicom.codecs import DECODERS, SECONDS, Frame, Shape, native
from pacs_core.dicom.codestreams import CodestreamError, frame_size
from pacs_core.dicom.colour import decoded_photometric, to_rgb
from pacs_core.dicom.fragments import frame_fragments
from pacs_core.dicom.part10 import locate
from pacs_core.dicom.quiet import quiet_pydicom
from pacs_core.dicom.sources import inflate
from pacs_core.dicom.transcoding import transcode
from pacs_core.dicom.transfer_syntaxes import (
    BIG_ENDIAN,
    DEFLATED_DATA_SETS,
    GE_PRIVATE,
    NATIVE,
    VIDEO,
    name_of,
)
from pacs_core.domain.errors import Damaged, NotStorable
from pacs_core.domain.study import InstanceHeader

__all__ = [
    "PixelFormat",
    "decode_frame",
    "decoded_photometric",
    "decoder_name",
    "frame_fragments",
    "pixel_format",
    "read_frame",
    "to_rgb",
    "transcode",
]

Bytes = bytes | bytearray | memoryview
Fragments = Bytes | Sequence[Bytes]
PIXEL_DATA = "PixelData (7FE0,0010)"
DECODER_ERRORS = (RuntimeError, ValueError, TypeError, IndexError, OverflowError, MemoryError)
ALLOCATED = frozenset({1, 8, 16, 32, 64})


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """The Image Pixel module as far as decoding needs it; `float_kind` is float32 or float64 for float
    pixels.

    `words_swapped` marks 8-bit pixels sent as big-endian words (VR OW in Explicit VR Big Endian, PS3.5
    8.1.1).
    """

    rows: int
    columns: int
    samples: int = 1
    bits_allocated: int = 16
    bits_stored: int = 16
    high_bit: int = 15
    pixel_representation: int = 0
    photometric: str = "MONOCHROME2"
    planar: int = 0
    float_kind: str = ""
    words_swapped: bool = False

    @property
    def bits_per_frame(self) -> int:
        """Bits of one uncompressed frame as it is stored."""
        samples = 2 if self.photometric == "YBR_FULL_422" and self.samples == 3 else self.samples
        return self.rows * self.columns * samples * self.bits_allocated


def pixel_format(header: InstanceHeader) -> PixelFormat:
    """The pixel format of a received instance."""
    return format_of(header.rows, header.columns, header.attributes)


def format_of(rows: int, columns: int, attributes: Mapping[str, object]) -> PixelFormat:
    """The pixel format from rows, columns and the attributes kept by intake."""

    def number(keyword: str, default: int) -> int:
        value = attributes.get(keyword)
        return value if isinstance(value, int) else default

    allocated = number("BitsAllocated", 16)
    stored = number("BitsStored", allocated)
    return PixelFormat(
        rows=rows,
        columns=columns,
        samples=number("SamplesPerPixel", 1),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=number("HighBit", stored - 1),
        pixel_representation=number("PixelRepresentation", 0),
        photometric=str(attributes.get("PhotometricInterpretation", "MONOCHROME2")),
        planar=number("PlanarConfiguration", 0),
        float_kind=str(attributes.get("FloatPixels", "")),
        words_swapped=attributes.get("PixelWordsSwapped") is True,
    )


def decode_frame(
    fragments: Fragments,
    transfer_syntax_uid: str,
    rows: int,
    columns: int,
    samples: int = 1,
    bits_allocated: int = 16,
    bits_stored: int | None = None,
    pixel_representation: int = 0,
    photometric: str = "MONOCHROME2",
    planar: int = 0,
    *,
    bit_offset: int = 0,
    float_kind: str = "",
    words_swapped: bool = False,
    high_bit: int | None = None,
) -> Frame:
    """Decode one frame to (rows, columns) or (rows, columns, samples), in the integer type of its bits
    allocated.

    `fragments` is the frame's bytes, or its fragments in order. Signed where `pixel_representation` is 1;
    one-bit pixels become 0 and 1 (`bit_offset` says where the frame begins within the first byte). Native
    values whose High Bit lies above Bits Stored - 1 are brought down. Colours come as `decoded_photometric`
    says. Raises Damaged, saying what does not fit.
    """
    data = bytes(fragments) if isinstance(fragments, Bytes) else b"".join(fragments)
    shape = _checked_shape(rows, columns, samples, bits_allocated, photometric)
    stored = usable_bits(bits_allocated, bits_stored)
    try:
        if float_kind:
            return np.frombuffer(data, np.dtype(float_kind), rows * columns).reshape(rows, columns)
        if transfer_syntax_uid in NATIVE or transfer_syntax_uid not in DECODERS:
            words = _unswapped(data) if words_swapped else data
            values = _native(words, transfer_syntax_uid, shape, planar, bit_offset)
            lowest = 0 if high_bit is None else max(0, min(high_bit, bits_allocated - 1) + 1 - stored)
            return _typed(
                values >> lowest if lowest else values, bits_allocated, stored, pixel_representation
            )
    except ValueError as found:
        raise Damaged(f"{len(data)} bytes are too few for the frame ({found})", PIXEL_DATA) from found
    _check_size(data, transfer_syntax_uid, shape)
    values = _decompress(data, transfer_syntax_uid, shape, stored, pixel_representation)
    wanted = (rows, columns) if samples == 1 else (rows, columns, samples)
    if values.shape != wanted:
        raise _other_size(values.shape, wanted)
    if values.dtype.itemsize * 8 > max(bits_allocated, 8):
        raise Damaged(
            f"The compressed frame has {8 * values.dtype.itemsize} bits, {bits_allocated} are allocated",
            PIXEL_DATA,
        )
    return _typed(values, bits_allocated, stored, pixel_representation)


def usable_bits(allocated: int, stored: int | None) -> int:
    """Bits Stored where it can be true, else Bits Allocated."""
    return stored if stored is not None and 0 < stored <= allocated else allocated


def _checked_shape(rows: int, columns: int, samples: int, allocated: int, photometric: str) -> Shape:
    if allocated not in ALLOCATED:
        raise Damaged(f"{allocated} bits allocated a sample cannot be read", "BitsAllocated (0028,0100)")
    if rows < 1 or columns < 1 or not 1 <= samples <= 4:
        raise Damaged(f"{rows} rows, {columns} columns, {samples} samples are no image", "Rows (0028,0010)")
    return Shape(rows, columns, samples, allocated, photometric)


def _check_size(data: bytes, uid: str, shape: Shape) -> None:
    """Refuse a frame that says another size than the header, before a decoder allocates for it."""
    try:
        size = frame_size(data, uid)
    except CodestreamError as found:
        raise Damaged(f"{name_of(uid)} does not decode ({found})", PIXEL_DATA) from found
    if size is None or (size.rows, size.columns, size.components) == (
        shape.rows,
        shape.columns,
        shape.samples,
    ):
        return
    said = (size.rows, size.columns) if size.components == 1 else (size.rows, size.columns, size.components)
    wanted = (shape.rows, shape.columns) if shape.samples == 1 else (shape.rows, shape.columns, shape.samples)
    raise _other_size(said, wanted)


def _other_size(found: tuple[int, ...], wanted: tuple[int, ...]) -> Damaged:
    return Damaged(f"The compressed frame is {found}, the header says {wanted}", PIXEL_DATA)


def _unswapped(data: bytes) -> bytes:
    return np.frombuffer(data, "<u2").byteswap().tobytes()


def _native(data: bytes, uid: str, shape: Shape, planar: int, bit_offset: int) -> Frame:
    if uid in VIDEO:
        raise Damaged(f"{name_of(uid)} is a video stream, its frames are not separate", PIXEL_DATA)
    order = ">" if uid in (BIG_ENDIAN, GE_PRIVATE) else "<"
    values = native(data, shape, planar, order, bit_offset)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _decompress(data: bytes, uid: str, shape: Shape, bits_stored: int, signed: int) -> Frame:
    engine, decoder, plugin = DECODERS[uid]
    try:
        return decoder(data, shape)
    except DECODER_ERRORS as found:
        told = f"{engine}: {found}"
    second, other = SECONDS.get(uid, ("", None))
    if other is not None:
        try:
            return other(data, shape)
        except DECODER_ERRORS as found:
            told += f"; {second}: {found}"
    if not plugin:
        raise Damaged(f"{name_of(uid)} does not decode ({told})", PIXEL_DATA)
    return _by_plugin(data, uid, shape, bits_stored, signed, plugin, told)


def _by_plugin(
    data: bytes, uid: str, shape: Shape, bits_stored: int, signed: int, plugin: str, first: str
) -> Frame:
    """Let pydicom's named plugin try what the engine could not."""
    from pydicom.encaps import encapsulate
    from pydicom.pixels.decoders.base import get_decoder

    quiet_pydicom()
    options: dict[str, Any] = {
        "rows": shape.rows, "columns": shape.columns, "number_of_frames": 1,
        "samples_per_pixel": shape.samples, "bits_allocated": shape.bits_allocated,
        "bits_stored": bits_stored,
        "pixel_keyword": "PixelData",
        "photometric_interpretation": shape.photometric, "pixel_representation": signed,
        "planar_configuration": 0,
    }  # fmt: skip
    try:
        values, _ = get_decoder(uid).as_array(
            encapsulate([data]), index=0, raw=True, decoding_plugin=plugin, **options
        )
    except (RuntimeError, ValueError, TypeError, AttributeError, NotImplementedError, OSError) as second:
        both = f"{first}; pydicom {plugin}: {second}"
        raise Damaged(f"{name_of(uid)} does not decode ({both})", PIXEL_DATA) from second
    return np.asarray(values)


def _typed(values: Frame, allocated: int, stored: int, signed: int) -> Frame:
    """Give decoded samples the type of their bits allocated and the sign that the bits stored give them.

    Unused high bits are no part of a sample (PS3.5 8.1.1): they are cleared, or filled with its sign.
    """
    if allocated == 1 or values.dtype == np.bool_:
        return values.astype(np.uint8)
    kind = np.dtype(f"{'i' if signed else 'u'}{allocated // 8}")
    out: Frame = values.astype(f"{values.dtype.kind}{allocated // 8}", copy=False).view(kind)
    if stored >= allocated:
        return out
    if not signed:
        return np.asarray(np.bitwise_and(out, kind.type((1 << stored) - 1)))
    if values.dtype.kind == "i" and values.dtype.itemsize * 8 < allocated:
        return out
    shift = allocated - stored
    return np.asarray(np.right_shift(np.left_shift(out, shift), shift))


def decoder_name(transfer_syntax_uid: str) -> str:
    """Which engine decodes a transfer syntax, for people; empty where none does."""
    if transfer_syntax_uid in NATIVE:
        return "numpy"
    return DECODERS[transfer_syntax_uid][0] if transfer_syntax_uid in DECODERS else ""


def read_frame(path: Path, header: InstanceHeader, index: int) -> Frame:
    """Read and decode one frame of a stored file (index from 0); raises Damaged, IndexError or OSError."""
    form = pixel_format(header)
    uid = header.transfer_syntax_uid
    if not 0 <= index < header.number_of_frames:
        raise IndexError(f"frame {index + 1} of {header.number_of_frames}")
    bit_offset = index * form.bits_per_frame % 8 if uid in NATIVE and form.bits_allocated == 1 else 0
    data = _frame_bytes(path, header, index, form)
    return decode_frame(
        data, uid, form.rows, form.columns, form.samples, form.bits_allocated, form.bits_stored,
        form.pixel_representation, form.photometric, form.planar, bit_offset=bit_offset,
        float_kind=form.float_kind, words_swapped=form.words_swapped, high_bit=form.high_bit,
    )  # fmt: skip


def _frame_bytes(path: Path, header: InstanceHeader, index: int, form: PixelFormat) -> Fragments:
    if header.transfer_syntax_uid in DEFLATED_DATA_SETS:
        return _inflated_frame(path, index, form)
    if index >= len(header.frames):
        raise Damaged(
            f"The pixel data holds {len(header.frames)} of {header.number_of_frames} frames", path.name
        )
    place = header.frames[index]
    with path.open("rb") as file:
        if not place.fragments:
            file.seek(place.offset)
            return file.read(place.length)
        parts = []
        for offset, length in place.fragments:
            file.seek(offset)
            parts.append(file.read(length))
        return parts


def _inflated_frame(path: Path, index: int, form: PixelFormat) -> bytes:
    from pacs_core.dicom.headers import scan

    data = path.read_bytes()
    inflated = inflate(data, locate(data, path.name).start)
    _, pixels = scan(inflated, 0, len(inflated), False)
    if pixels is None:
        raise NotStorable("The object holds no pixel data", path.name)
    first, last = index * form.bits_per_frame // 8, -(-(index + 1) * form.bits_per_frame // 8)
    return inflated[pixels[2] + first : pixels[2] + min(last, pixels[3])]
