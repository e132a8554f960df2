"""JPEG 2000 frames by our own kernel: where it answers, it answers as OpenJPEG does, to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.dicom.codecs import Shape, by_openjpeg
from pacs_core.dicom.intake import intake_file
from pacs_core.dicom.pixels import decode_frame, read_frame
from pacs_core.domain.errors import Damaged
from tests.support.encoded_frames import jpeg2000_of, picture

_jpeg2000 = pytest.importorskip("pacs_core.dicom._jpeg2000")

UID = "1.2.840.10008.1.2.4.90"
SIDES = st.one_of(st.integers(1, 9), st.integers(1, 150), st.sampled_from([16, 32, 33, 63, 64, 65, 128]))
SIZE_AT = 8
"""Right, bottom, left and top in the SIZ marker; behind them the tiles' width, height, left and top."""


def ours(frame: bytes, rows: int, columns: int, samples: int = 1) -> np.ndarray[Any, Any]:
    width, signed, values = _jpeg2000.decode(frame, rows, columns, samples)
    shape = (rows, columns) if samples == 1 else (rows, columns, samples)
    return np.frombuffer(values, f"{'i' if signed else 'u'}{width}").reshape(shape)


def theirs(frame: bytes) -> np.ndarray[Any, Any]:
    return by_openjpeg(frame, Shape(1, 1, 1, 16, "MONOCHROME2"))


def same(found: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> bool:
    return found.dtype == wanted.dtype and np.array_equal(found, wanted)


@st.composite
def pictures(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    """Grey of 8 or 16 bits or colours; smooth, flat, noisy or mostly empty."""
    rows, columns, bits = draw(SIDES), draw(SIDES), draw(st.sampled_from([8, 16]))
    samples = draw(st.sampled_from([1, 1, 3])) if bits == 8 else 1
    pixels = picture(rows, columns, bits, False, samples, draw(st.sampled_from([0, 1, 40, 60000])))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        pixels[:] = draw(st.integers(0, (1 << bits) - 1))
    elif kind == 1:
        pixels[np.random.default_rng(rows).random(pixels.shape) < 0.95] = 1 << (bits - 1)
    return pixels


@st.composite
def encoded(draw: st.DrawFn) -> tuple[np.ndarray[Any, Any], bytes, bool]:
    """A picture, its codestream with any of Pillow's options, and whether nothing of it was left out."""
    pixels = draw(pictures())
    rows, columns = pixels.shape[:2]
    most = min(columns, rows).bit_length()
    options: dict[str, Any] = {"progression": draw(st.sampled_from(["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"]))}
    options["num_resolutions"] = draw(st.integers(1, min(7, most)))
    options["mct"] = draw(st.integers(0, 1))
    if draw(st.booleans()):
        options["codeblock_size"] = draw(st.sampled_from([(4, 4), (8, 64), (16, 16), (1024, 4), (4, 1024)]))
    if draw(st.booleans()):
        options["precinct_size"] = draw(st.sampled_from([(64, 64), (32, 128), (256, 64), (128, 16)]))
    if pixels.dtype == np.uint8 and draw(st.booleans()):
        wide, high = (draw(st.sampled_from([16, 33, 50, 64])) for _ in range(2))
        options["tile_size"] = (min(wide, columns), min(high, rows))
    layers = draw(st.sampled_from([None, None, [20, 4, 1], [9], [30, 10], [5, 4, 3, 2, 0]]))
    if layers is not None:
        options |= {"quality_mode": "rates", "quality_layers": layers}
    try:
        return pixels, jpeg2000_of(pixels, **options), layers is None
    except OSError:  # OpenJPEG does not hold every choice together
        return pixels, jpeg2000_of(pixels, num_resolutions=options["num_resolutions"]), True


@given(encoded())
def test_any_options_give_what_openjpeg_gives(made: tuple[np.ndarray[Any, Any], bytes, bool]) -> None:
    pixels, frame, lossless = made
    wanted = theirs(frame)
    found = ours(frame, *wanted.shape)
    assert same(found, wanted)
    if lossless:
        assert same(found, pixels)


@given(SIDES, SIDES, st.integers(1, 16), st.data())
def test_every_depth_and_sign(rows: int, columns: int, bits: int, data: st.DataObject) -> None:
    import imagecodecs

    noise = data.draw(st.sampled_from([0, (1 << bits) // 4]))  # imagecodecs has no room for frames that grow
    pixels = picture(rows, columns, bits, data.draw(st.booleans()), 1, noise)
    frame = imagecodecs.jpeg2k_encode(
        pixels, reversible=True, codecformat="j2k", level=0, bitspersample=bits,
        resolutions=data.draw(st.integers(1, min(7, min(rows, columns).bit_length()))),
    )  # fmt: skip
    assert same(ours(frame, rows, columns), pixels)


@given(encoded(), st.data())
def test_a_damaged_frame_is_answered_as_by_openjpeg_or_not_at_all(
    made: tuple[np.ndarray[Any, Any], bytes, bool], data: st.DataObject
) -> None:
    pixels, good, _ = made
    frame = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, min(len(frame), data.draw(st.sampled_from([120, 1 << 20]))) - 1))
        frame[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = ours(bytes(frame), *pixels.shape)
    except ValueError:
        return
    assert same(found, theirs(bytes(frame)))


@given(st.data())
def test_a_frame_without_its_end_is_not_answered(data: st.DataObject) -> None:
    pixels = picture(30, 41, 12, False, 1)
    frame = jpeg2000_of(pixels, precinct_size=(32, 32), codeblock_size=(16, 16))
    with pytest.raises(ValueError, match=r"cut|start|end where"):
        ours(frame[: data.draw(st.integers(0, len(frame) - 1))], 30, 41)
    assert same(ours(frame + b"\0", 30, 41), pixels)


@pytest.mark.parametrize("across", [0, 1 << 20])
@pytest.mark.parametrize("order", ["RPCL", "PCRL", "CPRL"])
def test_an_image_may_begin_anywhere(across: int, order: str) -> None:
    pixels = picture(90, 75, 16, False, 1)
    frame = bytearray(jpeg2000_of(pixels, precinct_size=(32, 32), codeblock_size=(16, 16), progression=order))
    for n, shift in enumerate([across, 1 << 21, across, 1 << 21, 0, 0, across, 1 << 21]):
        at = SIZE_AT + 4 * n
        frame[at : at + 4] = (int.from_bytes(frame[at : at + 4], "big") + shift).to_bytes(4, "big")
    assert same(theirs(bytes(frame)), pixels)
    assert same(ours(bytes(frame), 90, 75), pixels)


def test_what_is_not_known_goes_to_openjpeg() -> None:
    pixels = picture(60, 50, 8, False, 1)
    lossy = jpeg2000_of(pixels, irreversible=True)
    with pytest.raises(ValueError, match="not reversible"):
        ours(lossy, 60, 50)
    assert np.array_equal(decode_frame(lossy, UID, 60, 50, 1, 8), theirs(lossy))
    whole = jpeg2000_of(pixels)
    with pytest.raises(ValueError, match="another size"):
        ours(whole, 60, 51)
    boxed = jpeg2000_of(pixels, no_jp2=False)
    with pytest.raises(ValueError, match="no start"):
        ours(boxed, 60, 50)
    assert np.array_equal(decode_frame(boxed, UID, 60, 50, 1, 8), pixels)


def test_a_cut_frame_is_told_as_before(expect_errors: Any) -> None:
    expect_errors("pydicom.*Error decoding the J2K data")
    whole = jpeg2000_of(picture(60, 50, 8, False, 1))
    with pytest.raises(Damaged, match="OpenJPEG"):
        decode_frame(whole[:150], UID, 60, 50, 1, 8)


def test_real_frames(shared_data: Path) -> None:
    """Every lossless frame of the sample data by our kernel, every one as by OpenJPEG."""
    files = [
        *sorted((shared_data / "transfer-syntaxes").glob("fragmented-series-4-90/*/*.dcm")),
        *(
            shared_data / "transfer-syntaxes/other" / name
            for name in ("emri_small_jpeg_2k_lossless.dcm", "liver_j2k.dcm")
        ),
        *sorted((shared_data / "transfer-syntaxes/ct").glob("*.4.9?_*.dcm")),
        shared_data / "transfer-syntaxes/colour/US1_J2KR.dcm",
    ]
    assert len(files) >= 10
    seen = 0
    for path in files:
        header = intake_file(path).header
        place = header.frames[0]
        data = path.read_bytes()
        frame = b"".join(
            data[at : at + length] for at, length in place.fragments or ((place.offset, place.length),)
        )
        wanted = theirs(frame)
        assert same(ours(frame, *wanted.shape), wanted), path.name
        assert read_frame(path, header, 0).shape == wanted.shape
        seen += 1
    assert seen == len(files)
