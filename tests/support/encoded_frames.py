"""Good compressed frames of every kind that can be made here, with the pixels they hold."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

RLE = "1.2.840.10008.1.2.5"
JPEG = "1.2.840.10008.1.2.4."


@dataclass(frozen=True)
class Encoded:
    """One frame: its bytes in a transfer syntax, its Image Pixel module, and the pixels where lossless."""

    uid: str
    data: bytes
    pixels: npt.NDArray[Any]
    stored: int
    lossless: bool
    photometric: str

    @property
    def rows(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def columns(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def samples(self) -> int:
        return 1 if self.pixels.ndim == 2 else int(self.pixels.shape[2])

    @property
    def allocated(self) -> int:
        return 8 * self.pixels.dtype.itemsize

    @property
    def signed(self) -> int:
        return int(self.pixels.dtype.kind == "i")


def picture(
    rows: int, columns: int, bits: int, signed: bool, samples: int, noise: int = 3
) -> npt.NDArray[Any]:
    """A smooth picture with edges and some noise that uses all of its bits."""
    chance = np.random.default_rng(rows * 1000 + columns * 10 + bits + samples)
    y, x = np.mgrid[0:rows, 0:columns]
    top = (1 << bits) - 1
    planes = []
    for k in range(samples):
        smooth = (np.sin(x / (7.0 + k)) + np.cos(y / (5.0 + k)) + 2.0) / 4.0 * top
        smooth[rows // 4 : rows // 2, columns // 4 : columns // 2] = top
        smooth[: rows // 8] = 0
        planes.append(np.clip(smooth + chance.integers(-noise, noise + 1, smooth.shape), 0, top))
    values = np.stack(planes, axis=-1) if samples > 1 else planes[0]
    whole = np.dtype(np.uint8 if bits <= 8 else np.uint16)
    if signed:
        return (values.astype(np.int64) - (1 << (bits - 1))).astype(whole.name.replace("u", ""))
    return values.astype(whole)


def _unsigned(pixels: npt.NDArray[Any], bits: int) -> npt.NDArray[Any]:
    """Two's complement within the bits stored, as codestreams without a sign hold it."""
    kind = f"u{pixels.dtype.itemsize}"
    return pixels.view(kind) & np.dtype(kind).type((1 << bits) - 1)


def _rle(pixels: npt.NDArray[Any], bits: int) -> bytes:
    import rle

    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    rows, columns = pixels.shape[:2]
    return bytes(
        rle.encode_pixel_data(
            pixels.tobytes(), byteorder="<", rows=rows, columns=columns, samples_per_pixel=samples,
            bits_allocated=8 * pixels.dtype.itemsize, number_of_frames=1,
        )
    )  # fmt: skip


def _jpeg_lossless(pixels: npt.NDArray[Any], bits: int, predictor: int = 1) -> bytes:
    import imagecodecs

    plain = _unsigned(pixels, bits)
    return bytes(imagecodecs.jpeg8_encode(plain, lossless=True, predictor=predictor, bitspersample=bits))


def _jpegls(pixels: npt.NDArray[Any], bits: int) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpegls_encode(_unsigned(pixels, bits)))


def jpegls_of_bits(pixels: npt.NDArray[Any], bits: int) -> bytes:
    """Unsigned grey pixels as JPEG-LS of exactly so many bits (2 to 16), which imagecodecs does not write."""
    import jpeg_ls

    rows, columns = pixels.shape
    return bytes(
        jpeg_ls.encode_pixel_data(
            pixels.tobytes(), rows=rows, columns=columns, samples_per_pixel=1, bits_stored=bits,
            bits_allocated=8 * pixels.dtype.itemsize, photometric_interpretation="MONOCHROME2",
        )
    )  # fmt: skip


def _jpeg2k(pixels: npt.NDArray[Any], bits: int) -> bytes:
    import imagecodecs

    return bytes(
        imagecodecs.jpeg2k_encode(pixels, reversible=True, codecformat="j2k", level=0, bitspersample=bits)
    )


def jpeg2000_of(pixels: npt.NDArray[Any], **options: Any) -> bytes:
    """Unsigned pixels of 8 or 16 bits as a JPEG 2000 codestream with Pillow's options (tiles, precincts,
    code-blocks, layers, orders), reversible unless said otherwise. Pillow must not be asked for tiles larger
    than the image, for which it writes beyond its memory, nor for tiles of 16 bits, which it mixes up.
    """
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG2000", **{"no_jp2": True, "irreversible": False} | options)
    return file.getvalue()


def _htj2k(pixels: npt.NDArray[Any], bits: int) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.htj2k_encode(pixels, reversible=True))


def _jpeg(pixels: npt.NDArray[Any], bits: int) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpeg8_encode(pixels, level=90, bitspersample=bits))


def _jpegxl(pixels: npt.NDArray[Any], bits: int) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpegxl_encode(pixels, lossless=True))


def _deflate(pixels: npt.NDArray[Any], bits: int) -> bytes:
    import zlib

    machine = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return machine.compress(pixels.tobytes()) + machine.flush()


def _sv1(pixels: npt.NDArray[Any], bits: int) -> bytes:
    return _jpeg_lossless(pixels, bits, 1)


def _any_predictor(pixels: npt.NDArray[Any], bits: int) -> bytes:
    return _jpeg_lossless(pixels, bits, 6)


LOSSLESS = {
    RLE: _rle,
    JPEG + "57": _any_predictor,
    JPEG + "70": _sv1,
    JPEG + "80": _jpegls,
    JPEG + "90": _jpeg2k,
    JPEG + "110": _jpegxl,
    JPEG + "201": _htj2k,
    "1.2.840.10008.1.2.8.1": _deflate,
}
DEPTHS = ((8, False), (8, True), (10, False), (12, False), (12, True), (16, False), (16, True))


@cache
def samples() -> tuple[Encoded, ...]:
    """Every lossless syntax at every depth it holds, grey and colour, and lossy JPEG at 8 and 12 bits."""
    made = []
    for uid, encode in LOSSLESS.items():
        for bits, signed in DEPTHS:
            if uid == JPEG + "110" and (signed or bits not in (8, 16)):
                continue
            pixels = picture(37, 50, bits, signed, 1)
            made.append(Encoded(uid, encode(pixels, bits), pixels, bits, True, "MONOCHROME2"))
        colour = picture(33, 46, 8, False, 3)
        made.append(Encoded(uid, encode(colour, 8), colour, 8, True, "RGB"))
    for uid, bits in ((JPEG + "50", 8), (JPEG + "51", 12)):
        pixels = picture(40, 48, bits, False, 1)
        made.append(Encoded(uid, _jpeg(pixels, bits), pixels, bits, False, "MONOCHROME2"))
    return tuple(made)
