"""Decoders of compressed frames, one per transfer syntax: imagecodecs, which releases the GIL on every one
of them.

Each gives the samples as they lie in the codestream, (rows, columns) or (rows, columns, samples), unsigned
or as the codestream says; signs and bit depths are put right by ``pixels``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pacs_core.dicom import rle_fallback
from pacs_core.dicom.codestreams import END, ends_early

rle: Any = rle_fallback
with suppress(ImportError):  # not compiled here: the Python twin serves
    from pacs_core.dicom import _rle

    rle = _rle

own_jpegls: Any = None
with suppress(ImportError):  # not compiled here: CharLS serves
    from pacs_core.dicom import _jpegls

    own_jpegls = _jpegls

own_jpeg2000: Any = None
with suppress(ImportError):  # not compiled here: OpenJPEG serves
    from pacs_core.dicom import _jpeg2000

    own_jpeg2000 = _jpeg2000

Frame = NDArray[Any]
Decoder = Callable[[bytes, "Shape"], Frame]


class Shape:
    """What a decoder may need to know of the frame."""

    __slots__ = ("bits_allocated", "columns", "photometric", "rows", "samples")

    def __init__(self, rows: int, columns: int, samples: int, bits_allocated: int, photometric: str) -> None:
        self.rows = rows
        self.columns = columns
        self.samples = samples
        self.bits_allocated = bits_allocated
        self.photometric = photometric

    @property
    def bytes_per_frame(self) -> int:
        """Bytes of the uncompressed frame; one-bit frames are packed."""
        return -(-self.rows * self.columns * self.samples * self.bits_allocated // 8)


def _jpeg(data: bytes, shape: Shape) -> Frame:
    """JPEG by libjpeg-turbo: lossy, 12 bit and lossless. Colours stay as compressed, but for mislabelled
    RGB."""
    import imagecodecs

    if shape.samples == 1:
        return np.asarray(imagecodecs.jpeg8_decode(data))
    stored = "YCbCr" if "YBR" in shape.photometric or is_jfif(data) else "RGB"
    wanted = "RGB" if shape.photometric == "RGB" else stored
    return np.asarray(imagecodecs.jpeg8_decode(data, colorspace=stored, outcolorspace=wanted))


def is_jfif(data: bytes) -> bool:
    """Say whether a JPEG's markers mean luminance and chrominance (JFIF, or Adobe with a transform)."""
    at = 2
    while at + 18 <= len(data) and data[at] == 0xFF and 0xE0 <= data[at + 1] <= 0xEF:
        if data[at + 1] == 0xEE and data[at + 4 : at + 9] == b"Adobe":
            return data[at + 15] == 1
        if data[at + 1] == 0xE0 and data[at + 4 : at + 8] == b"JFIF":
            return True
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def _jpegls_frame(data: bytes, shape: Shape) -> Frame:
    """JPEG-LS by our own kernel where it is a whole lossless grey frame, else by CharLS."""
    if own_jpegls is not None and shape.samples == 1:
        with suppress(ValueError):
            width, values = own_jpegls.decode(data, shape.rows, shape.columns)
            return np.frombuffer(values, f"<u{width}").reshape(shape.rows, shape.columns)
    return by_charls(data, shape)


def by_charls(data: bytes, shape: Shape) -> Frame:
    """JPEG-LS of any kind by CharLS, which searches for seconds in a stream without its end marker."""
    import imagecodecs

    whole = data + END if ends_early(data, "1.2.840.10008.1.2.4.80") else data
    return np.ascontiguousarray(imagecodecs.jpegls_decode(whole))


def _jpeg2k(data: bytes, shape: Shape) -> Frame:
    """JPEG 2000 by our own kernel where it is whole, reversible and of the plain style, else by OpenJPEG."""
    if own_jpeg2000 is not None:
        with suppress(ValueError):
            width, signed, values = own_jpeg2000.decode(data, shape.rows, shape.columns, shape.samples)
            size = (shape.rows, shape.columns)
            kind = f"{'i' if signed else 'u'}{width}"
            return np.frombuffer(values, kind).reshape(size if shape.samples == 1 else (*size, shape.samples))
    return by_openjpeg(data, shape)


def by_openjpeg(data: bytes, shape: Shape) -> Frame:
    """JPEG 2000 of any kind by OpenJPEG."""
    import imagecodecs

    return np.asarray(imagecodecs.jpeg2k_decode(data, numthreads=1))


def _htj2k(data: bytes, shape: Shape) -> Frame:
    import imagecodecs

    return np.asarray(imagecodecs.htj2k_decode(data))


def _jpeg_lossless_by_sof3(data: bytes, shape: Shape) -> Frame:
    import imagecodecs

    return np.ascontiguousarray(imagecodecs.jpegsof3_decode(data))


def _jpegxl(data: bytes, shape: Shape) -> Frame:
    import imagecodecs

    return np.asarray(imagecodecs.jpegxl_decode(data, numthreads=1))


def _rle_frame(data: bytes, shape: Shape) -> Frame:
    """RLE (PS3.5 annex G); frames of one bit a pixel are one segment of packed bytes."""
    if shape.bits_allocated == 1:
        return unpack_bits(rle.decode(data, shape.bytes_per_frame, 1, 1), shape)
    width = shape.bits_allocated // 8
    values = np.frombuffer(rle.decode(data, shape.rows * shape.columns, shape.samples, width), f"<u{width}")
    size = (shape.rows, shape.columns)
    return values.reshape(size if shape.samples == 1 else (*size, shape.samples))


def _deflated_frame(data: bytes, shape: Shape) -> Frame:
    """Deflated Image Frame Compression (PS3.5 A.4.13): one raw deflate stream a frame."""
    size = shape.bytes_per_frame
    try:
        raw = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 2)
    except zlib.error as found:
        raise ValueError(str(found)) from found
    return native(raw, shape, planar=0)


def _encapsulated_plain(data: bytes, shape: Shape) -> Frame:
    return native(data, shape, planar=0)


def native(data: bytes, shape: Shape, planar: int, order: str = "<", bit_offset: int = 0) -> Frame:
    """Plain values of one frame; raises ValueError where the bytes are too few."""
    if shape.bits_allocated == 1:
        return unpack_bits(data, shape, bit_offset)
    if shape.photometric == "YBR_FULL_422" and shape.samples == 3:
        return _unpack_422(data, shape)
    kind = np.dtype(f"{order}u{shape.bits_allocated // 8}")
    count = shape.rows * shape.columns * shape.samples
    values = np.frombuffer(data, kind, count)
    if shape.samples == 1:
        return values.reshape(shape.rows, shape.columns)
    if planar == 1:
        planes = values.reshape(shape.samples, shape.rows, shape.columns)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    return values.reshape(shape.rows, shape.columns, shape.samples)


def unpack_bits(data: bytes, shape: Shape, bit_offset: int = 0) -> Frame:
    """One bit a pixel, least significant first (PS3.5 8.1.1), as 0 and 1."""
    count = shape.rows * shape.columns * shape.samples
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[bit_offset : bit_offset + count]
    return bits.reshape(
        (shape.rows, shape.columns) if shape.samples == 1 else (shape.rows, shape.columns, -1)
    )


def _unpack_422(data: bytes, shape: Shape) -> Frame:
    """Native YBR_FULL_422: two luminances share one pair of chrominances (PS3.3 C.7.6.3.1.2)."""
    count = shape.rows * shape.columns // 2
    quads = np.frombuffer(data, np.uint8, count * 4).reshape(count, 4)
    out = np.empty((count, 2, 3), np.uint8)
    out[:, :, 0] = quads[:, :2]
    out[:, :, 1] = quads[:, 2:3]
    out[:, :, 2] = quads[:, 3:4]
    return out.reshape(shape.rows, shape.columns, 3)


_JPEG = "imagecodecs jpeg8 (libjpeg-turbo)"
_OPENJPEG = "imagecodecs jpeg2k (OpenJPEG)"
_J2K = f"own (compiled), {_OPENJPEG} for the rest" if own_jpeg2000 else _OPENJPEG
_HTJ2K = "imagecodecs htj2k (OpenJPH)"
_JXL = "imagecodecs jpegxl (libjxl)"
_CHARLS = "imagecodecs jpegls (CharLS)"
_LS = f"own (compiled), {_CHARLS} for the rest" if own_jpegls else _CHARLS

DECODERS: dict[str, tuple[str, Decoder, str]] = {
    "1.2.840.10008.1.2.4.50": (_JPEG, _jpeg, "pillow"),
    "1.2.840.10008.1.2.4.51": (_JPEG, _jpeg, "pillow"),
    "1.2.840.10008.1.2.4.53": (_JPEG, _jpeg, ""),
    "1.2.840.10008.1.2.4.55": (_JPEG, _jpeg, ""),
    "1.2.840.10008.1.2.4.57": (_JPEG, _jpeg, ""),
    "1.2.840.10008.1.2.4.70": (_JPEG, _jpeg, ""),
    "1.2.840.10008.1.2.4.80": (_LS, _jpegls_frame, ""),
    "1.2.840.10008.1.2.4.81": (_LS, _jpegls_frame, ""),
    "1.2.840.10008.1.2.4.90": (_J2K, _jpeg2k, "pylibjpeg"),
    "1.2.840.10008.1.2.4.91": (_J2K, _jpeg2k, "pylibjpeg"),
    "1.2.840.10008.1.2.4.92": (_J2K, _jpeg2k, ""),
    "1.2.840.10008.1.2.4.93": (_J2K, _jpeg2k, ""),
    "1.2.840.10008.1.2.4.110": (_JXL, _jpegxl, ""),
    "1.2.840.10008.1.2.4.111": (_JXL, _jpegxl, ""),
    "1.2.840.10008.1.2.4.112": (_JXL, _jpegxl, ""),
    "1.2.840.10008.1.2.4.201": (_HTJ2K, _htj2k, "pylibjpeg"),
    "1.2.840.10008.1.2.4.202": (_HTJ2K, _htj2k, "pylibjpeg"),
    "1.2.840.10008.1.2.4.203": (_HTJ2K, _htj2k, "pylibjpeg"),
    "1.2.840.10008.1.2.5": (f"own ({'Python' if rle is rle_fallback else 'compiled'})", _rle_frame, ""),
    "1.2.840.10008.1.2.8.1": ("zlib", _deflated_frame, ""),
    "1.2.840.10008.1.2.1.98": ("numpy", _encapsulated_plain, ""),
}
"""Transfer syntax → (engine, decoder, pydicom plugin that is tried where the engine fails)."""

SECONDS: dict[str, tuple[str, Decoder]] = {
    "1.2.840.10008.1.2.4.57": ("imagecodecs jpegsof3", _jpeg_lossless_by_sof3),
    "1.2.840.10008.1.2.4.70": ("imagecodecs jpegsof3", _jpeg_lossless_by_sof3),
    "1.2.840.10008.1.2.4.201": (_OPENJPEG, by_openjpeg),
    "1.2.840.10008.1.2.4.202": (_OPENJPEG, by_openjpeg),
    "1.2.840.10008.1.2.4.203": (_OPENJPEG, by_openjpeg),
}
"""Transfer syntax → a second engine, slower by measurement, that is tried before pydicom's plugin."""
