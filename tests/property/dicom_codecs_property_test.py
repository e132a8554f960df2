"""Compressed frames: lossless ones come back to the last bit; damaged ones are refused, never a crash."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder

from pacs_core.dicom import rle_fallback
from pacs_core.dicom.codecs import DECODERS, Shape, by_charls
from pacs_core.dicom.codestreams import CodestreamError, ends_early, frame_size
from pacs_core.dicom.pixels import decode_frame
from pacs_core.domain.errors import Damaged
from tests.machine import CHECKOUT
from tests.support.encoded_frames import LOSSLESS, RLE, Encoded, jpegls_of_bits, picture, samples

_rle = pytest.importorskip("pacs_core.dicom._rle")
_jpegls = pytest.importorskip("pacs_core.dicom._jpegls")

FUZZED_SECONDS = 3.0


def frame_of(one: Encoded, data: bytes | None = None) -> np.ndarray[Any, Any]:
    return decode_frame(
        one.data if data is None else data, one.uid, one.rows, one.columns, one.samples, one.allocated,
        one.stored, one.signed, one.photometric,
    )  # fmt: skip


@pytest.mark.parametrize("uid", LOSSLESS)
def test_every_depth_and_sign_comes_back_to_the_last_bit(uid: str) -> None:
    made = [one for one in samples() if one.uid == uid]
    assert len(made) >= 3
    for one in made:
        found = frame_of(one)
        assert found.dtype == one.pixels.dtype, (one.stored, one.signed)
        assert np.array_equal(found, one.pixels), (one.stored, one.signed, one.samples)


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90",
                                 "1.2.840.10008.1.2.4.201"])  # fmt: skip
def test_the_reference_decoder_gives_the_same(uid: str) -> None:
    """Pydicom's plugins are the reference, not the engines that are used first; of JPEG-LS they leave the
    sign of values shorter than their container to the caller.
    """
    plugin = {"80": "pyjpegls", "5": "pydicom"}.get(uid.rpartition(".")[2], "pylibjpeg")
    for one in samples():
        unsigned = plugin == "pyjpegls" and one.signed and one.stored < one.allocated
        if one.uid != uid or unsigned:
            continue
        theirs, _ = get_decoder(uid).as_array(
            encapsulate([one.data]), index=0, raw=True, decoding_plugin=plugin, rows=one.rows,
            columns=one.columns, number_of_frames=1, samples_per_pixel=one.samples,
            bits_allocated=one.allocated, bits_stored=one.stored, pixel_keyword="PixelData",
            photometric_interpretation=one.photometric, pixel_representation=one.signed,
            planar_configuration=0,
        )  # fmt: skip
        assert np.array_equal(frame_of(one), theirs), (one.stored, one.signed, one.samples)


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([8, 12, 16]), st.sampled_from([0, 3, 60000]))
def test_rle_comes_back_at_any_size(rows: int, columns: int, bits: int, noise: int) -> None:
    pixels = picture(rows, columns, bits, False, 1, noise)
    data = LOSSLESS[RLE](pixels, bits)
    assert np.array_equal(decode_frame(data, RLE, rows, columns, 1, 8 * pixels.dtype.itemsize), pixels)


def rle_answer(module: object, *arguments: object) -> object:
    try:
        return module.decode(*arguments)  # type: ignore[attr-defined]  # both twins have it
    except ValueError as found:
        return str(found)


@given(st.data())
def test_the_rle_twins_agree_on_rubbish(data: st.DataObject) -> None:
    samples_, width = data.draw(st.sampled_from([(1, 1), (1, 2), (3, 1), (3, 2), (1, 4)]))
    count = samples_ * width
    places = sorted(data.draw(st.lists(st.integers(60, 140), min_size=count, max_size=count)))
    body = data.draw(st.binary(max_size=80))
    head = b"".join(n.to_bytes(4, "little") for n in (count, *places)).ljust(64, b"\0")
    pixels = data.draw(st.integers(1, 60))
    arguments = (head + body, pixels, samples_, width)
    assert rle_answer(_rle, *arguments) == rle_answer(rle_fallback, *arguments)
    assert rle_answer(_rle, body, pixels, samples_, width) == rle_answer(
        rle_fallback, body, pixels, samples_, width
    )


def as_jpeg_ls(pixels: np.ndarray[Any, Any], bits: int) -> bytes:
    """Encoded with exactly those bits, or, where pyjpegls finds it grows by that, with 8 or 16."""
    try:
        return jpegls_of_bits(pixels, bits)
    except RuntimeError:
        return LOSSLESS["1.2.840.10008.1.2.4.80"](pixels, bits)


@given(
    st.integers(1, 40),
    st.integers(1, 60),
    st.integers(2, 16),
    st.sampled_from([0, 1, 3, 60000]),
    st.booleans(),
)
def test_jpeg_ls_comes_back_at_any_size_and_depth(
    rows: int, columns: int, bits: int, noise: int, flat: bool
) -> None:
    pixels = picture(rows, columns, bits, False, 1, noise)
    if flat:
        pixels[:, columns // 3 :] = pixels[0, 0]
    data = as_jpeg_ls(pixels, bits)
    width, values = _jpegls.decode(data, rows, columns)
    assert width == pixels.dtype.itemsize
    assert np.array_equal(np.frombuffer(values, f"<u{width}").reshape(rows, columns), pixels)
    default = b"\xff\xf8\0\x0d\1" + bytes(10)
    assert _jpegls.decode(data[:2] + default + data[2:], rows, columns) == (width, values)


@given(st.data())
def test_where_our_jpeg_ls_answers_charls_says_the_same(data: st.DataObject) -> None:
    """Presets of other thresholds and bytes changed at random: an answer is CharLS' answer."""
    rows, columns, bits = (data.draw(st.integers(*ends)) for ends in ((1, 12), (1, 20), (2, 16)))
    pixels = picture(rows, columns, bits, False, 1, data.draw(st.sampled_from([0, 3])))
    good = as_jpeg_ls(pixels, bits)
    frame = bytearray(good)
    for _ in range(data.draw(st.integers(0, 2))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        low, middle, high = sorted(
            data.draw(st.lists(st.integers(1, (1 << bits) - 1), min_size=3, max_size=3))
        )
        numbers = ((1 << bits) - 1, low, middle, high, data.draw(st.sampled_from([3, 8, 64, 200])))
        frame[2:2] = b"\xff\xf8\0\x0d\1" + b"".join(n.to_bytes(2, "big") for n in numbers)
    try:
        width, values = _jpegls.decode(bytes(frame), rows, columns)
    except ValueError:
        return
    theirs = by_charls(bytes(frame), Shape(rows, columns, 1, 8 * width, "MONOCHROME2"))
    assert np.array_equal(np.frombuffer(values, f"<u{width}").reshape(rows, columns), theirs)


def test_what_our_jpeg_ls_does_not_know_goes_to_charls() -> None:
    pixels = picture(20, 30, 8, False, 1)
    import jpeg_ls

    near = bytes(jpeg_ls.encode_array(pixels, lossy_error=3))
    whole = jpegls_of_bits(pixels, 8)
    cut = whole[: len(whole) // 2]
    for data, says in ((near, "no lossless scan"), (cut, "do not end"), (whole[:20], "cut|needed|do not end"),
                       (whole + b"", "another size")):  # fmt: skip
        with pytest.raises(ValueError, match=says):
            _jpegls.decode(data, 20, 31 if data == whole else 30)
    found = decode_frame(near, "1.2.840.10008.1.2.4.81", 20, 30, 1, 8)
    assert 0 < np.abs(found.astype(int) - pixels).max() <= 3
    with pytest.raises(Damaged, match="CharLS"):
        decode_frame(cut, "1.2.840.10008.1.2.4.80", 20, 30, 1, 8)


@given(st.binary(max_size=200), st.sampled_from(sorted(DECODERS)))
def test_rubbish_is_refused(data: bytes, uid: str) -> None:
    with pytest.raises(Damaged):
        decode_frame(data, uid, 50, 37)


@given(st.binary(max_size=120), st.sampled_from([b"", b"\xff\xd8", b"\xff\x4f\xff\x51", b"\xff\xd8\xff\xc3"]))
def test_headers_of_rubbish_end(data: bytes, start: bytes) -> None:
    for uid in ("1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.90"):
        try:
            found = frame_size(start + data, uid)
        except CodestreamError:
            continue
        assert found is not None
        assert found.bits >= 0


def test_a_frame_that_says_another_size_is_refused_before_it_is_decoded() -> None:
    refused = 0
    for one in samples():
        if frame_size(one.data, one.uid) is None:
            continue
        with pytest.raises(Damaged, match="the header says"):
            decode_frame(one.data, one.uid, 4000, 4000, one.samples, one.allocated)
        refused += 1
    assert refused > 30


def test_streams_that_stop_early_are_known() -> None:
    known = 0
    for one in samples():
        assert not ends_early(one.data, one.uid)
        assert not ends_early(one.data + b"\0\0", one.uid)
        known += ends_early(one.data[: len(one.data) * 2 // 3], one.uid)
    assert known > 40


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"bits_allocated": 12}, "12 bits allocated"),
        ({"bits_allocated": 0}, "0 bits allocated"),
        ({"rows": 0}, "0 rows"),
        ({"columns": -3}, "-3 columns"),
        ({"samples": 9}, "9 samples"),
    ],
)
def test_image_pixel_modules_that_describe_nothing_are_refused(changes: dict[str, int], says: str) -> None:
    facts = {"rows": 4, "columns": 4, "samples": 1, "bits_allocated": 16, **changes}
    with pytest.raises(Damaged, match=says):
        decode_frame(bytes(100), "1.2.840.10008.1.2.1", **facts)


def test_bits_stored_beyond_those_allocated_are_all_read() -> None:
    raw = np.array([[0x0FFF, 0xF001]], "<u2").tobytes()
    for stored in (0, -4, 17, 40):
        frame = decode_frame(raw, "1.2.840.10008.1.2.1", 1, 2, bits_stored=stored)
        assert frame.tolist() == [[0x0FFF, 0xF001]]


def test_values_stored_high_are_brought_down() -> None:
    raw = np.array([[0x1230, 0xFFF0, 0x8000]], "<u2").tobytes()
    facts = {"rows": 1, "columns": 3, "bits_stored": 12, "high_bit": 15}
    assert decode_frame(raw, "1.2.840.10008.1.2.1", **facts).tolist() == [[0x123, 0xFFF, 0x800]]
    signed = decode_frame(raw, "1.2.840.10008.1.2.1", pixel_representation=1, **facts)
    assert signed.tolist() == [[0x123, -1, -2048]]


def test_damaged_frames_never_take_the_process_with_them() -> None:
    """A few seconds of harm in a process of its own; longer runs: `python -m tests.support.decoder_fuzz`."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.decoder_fuzz", "20000", str(FUZZED_SECONDS)],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, (ran.stdout[-500:], ran.stderr[-500:])
    counts = json.loads(ran.stdout.splitlines()[-1])
    assert sum(counts.values()) > 40
