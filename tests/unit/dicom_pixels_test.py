"""Frames of every transfer syntax: the nine lossless ones equal to the last bit, the rest against pydicom."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_color_lut
from pydicom.pixels.decoders.base import get_decoder

from pacs_core.dicom import pixels
from pacs_core.dicom.codecs import DECODERS, SECONDS
from pacs_core.dicom.fragments import frame_fragments, native_frames
from pacs_core.dicom.intake import Intake, intake_bytes, intake_file
from pacs_core.dicom.part10 import locate
from pacs_core.dicom.pixels import (
    decode_frame,
    decoded_photometric,
    decoder_name,
    pixel_format,
    read_frame,
    to_rgb,
)
from pacs_core.dicom.transcoding import transcode
from pacs_core.dicom.transfer_syntaxes import EXPLICIT, IMPLICIT, NAMES, VIDEO
from pacs_core.domain.errors import Damaged, Refused
from tests.support.encoded_frames import samples

LOSSLESS = (
    "1.2.840.10008.1.2_", "1.2.840.10008.1.2.1_", "1.2.840.10008.1.2.2_", "1.2.840.10008.1.2.1.99_",
    "1.2.840.10008.1.2.5_", "1.2.840.10008.1.2.4.57_", "1.2.840.10008.1.2.4.70_", "1.2.840.10008.1.2.4.80_",
    "1.2.840.10008.1.2.4.90_",
)  # fmt: skip


def stored(path: Path, folder: Path) -> tuple[Path, Intake]:
    """The file as the archive would keep it."""
    found = intake_file(path)
    place = folder / "stored.dcm"
    place.write_bytes(found.prefix + path.read_bytes()[found.source_offset :])
    return place, found


def the_ct(shared_data: Path, start: str) -> Path:
    (path,) = (shared_data / "transfer-syntaxes/ct").glob(f"{start}*")
    return path


@pytest.fixture(scope="module")
def reference(shared_data: Path) -> np.ndarray:
    path = the_ct(shared_data, "1.2.840.10008.1.2.1_")
    return pydicom.dcmread(path).pixel_array


@pytest.mark.parametrize("start", LOSSLESS)
def test_lossless_syntaxes_are_equal_to_the_last_bit(
    shared_data: Path, reference: np.ndarray, start: str
) -> None:
    path = the_ct(shared_data, start)
    frame = read_frame(path, intake_file(path).header, 0)
    assert frame.dtype == reference.dtype == np.int16
    assert np.array_equal(frame, reference)


@pytest.mark.parametrize(("start", "most"), [("1.2.840.10008.1.2.4.81_", 1), ("1.2.840.10008.1.2.4.91_", 5)])
def test_lossy_syntaxes_are_near(shared_data: Path, reference: np.ndarray, start: str, most: int) -> None:
    path = the_ct(shared_data, start)
    frame = read_frame(path, intake_file(path).header, 0)
    difference = np.abs(frame.astype(int) - reference)
    assert 0 < difference.max() <= most


@pytest.mark.parametrize("number", ["50", "51", "53", "55"])
def test_dct_syntaxes_decode_to_the_same_picture(
    shared_data: Path, reference: np.ndarray, number: str
) -> None:
    path = the_ct(shared_data, f"1.2.840.10008.1.2.4.{number}_")
    frame = read_frame(path, intake_file(path).header, 0)
    assert frame.dtype == (np.uint8 if number == "50" else np.uint16)
    assert np.corrcoef(frame.ravel(), reference.ravel())[0, 1] > 0.9


def test_every_frame_equals_what_pydicom_decodes(
    shared_data: Path, tmp_path: Path, expect_errors: Callable[[str], None]
) -> None:
    """All objects with pixels outside the big series; where pydicom cannot, only the shape is compared."""
    expect_errors("pydicom.pixels.decoders.base: .*")
    compared = alone = 0
    folders = (
        "transfer-syntaxes",
        "objects",
        "studies/cr-dx-mg",
        "studies/us-echo-pediatric",
        "dicomdir/98892001",
    )
    for path in sorted(p for f in folders for p in (shared_data / f).rglob("*") if p.is_file()):
        try:
            place, found = stored(path, tmp_path)
        except pixels.NotStorable:
            continue
        header = found.header
        if "BitsAllocated" not in header.attributes or not header.rows:
            continue
        frames = np.stack([read_frame(place, header, i) for i in range(min(header.number_of_frames, 12))])
        data_set = pydicom.dcmread(place, force=True)
        try:
            theirs, _ = get_decoder(data_set.file_meta.TransferSyntaxUID).as_array(data_set, raw=True)
        except (RuntimeError, NotImplementedError, ValueError):
            alone += 1
            assert frames.shape[1:3] == (header.rows, header.columns)
            continue
        theirs = theirs if header.number_of_frames > 1 else theirs[None]
        assert frames.dtype == theirs.dtype.newbyteorder("="), path
        assert np.array_equal(frames, theirs[:12]), path
        compared += 1
    assert compared > 70
    assert alone < 25


def test_frames_split_over_fragments_equal_whole_ones(shared_data: Path) -> None:
    folder = shared_data / "transfer-syntaxes/fragments"
    whole = folder / "CT0012.not_fragmented_bot_rle.dcm"
    header = intake_file(whole).header
    wanted = [read_frame(whole, header, i) for i in range(2)]
    split = ("jpeg_lossless.57", "jpeg_lossless.70", "jpeg_ls.80")
    whole_ones = ("not_fragmented_no_bot_rle", "not_fragmented_bot_jpeg_ls.80")
    for name in (*(f"fragmented_no_bot_{n}" for n in split), *whole_ones):
        path = folder / f"CT0012.{name}.dcm"
        found = intake_file(path).header
        fragments = [len(place.fragments) for place in found.frames]
        assert (min(fragments) > 1) is name.startswith("fragmented")
        for frame, other in zip((read_frame(path, found, i) for i in range(2)), wanted, strict=True):
            assert np.array_equal(frame, other), name


def test_single_frames_over_fragments(shared_data: Path) -> None:
    for syntax in ("70", "90"):
        folder = shared_data / f"transfer-syntaxes/fragmented-series-4-{syntax}"
        path = min(p for p in folder.rglob("*") if p.is_file())
        header = intake_file(path).header
        assert len(header.frames[0].fragments) > 1
        assert read_frame(path, header, 0).max() > 100


def test_offset_tables_and_markers() -> None:
    data = b"\xff\xd8aa" + b"bbbb" + b"\xff\xd8cc" + b"dddd"
    table, spans = (0, 0), [(0, 4), (4, 4), (8, 4), (12, 4)]
    assert frame_fragments(data, [table, *spans], 1) == [spans]
    assert frame_fragments(data, [table, *spans], 2) == [spans[:2], spans[2:]]
    assert frame_fragments(data, [table, *spans], 4) == [[s] for s in spans]
    with pytest.raises(Damaged, match="4 fragments cannot be divided into 3 frames"):
        frame_fragments(data, [table, *spans], 3)
    with pytest.raises(Damaged, match="no fragment"):
        frame_fragments(data, [table], 1)


def test_offset_tables_are_followed_and_checked() -> None:
    basic = (0).to_bytes(4, "little") + (24).to_bytes(4, "little")
    parts = [(16, 4), (28, 4), (40, 4)]
    assert frame_fragments(basic, [(0, 8), *parts], 2) == [parts[:2], parts[2:]]
    assert frame_fragments(b"", [(0, 0), *parts], 2, [0, 24], [8, 3]) == [parts[:2], [(40, 3)]]
    with pytest.raises(Damaged, match="does not point at fragments"):
        frame_fragments(b"", [(0, 0), *parts], 2, [0, 13])


def test_bit_frames_may_begin_inside_a_byte() -> None:
    assert native_frames(100, 4, 3, 10) == [(100, 2), (101, 2), (102, 2)]
    assert native_frames(100, 3, 3, 10) == [(100, 2), (101, 2)]
    bits = np.array([1, 0, 1, 1, 0, 0, 1, 1, 1, 0], np.uint8)
    data = np.packbits(np.concatenate([[0] * 3, bits]), bitorder="little").tobytes()
    frame = decode_frame(data, EXPLICIT, 2, 5, bits_allocated=1, bits_stored=1, bit_offset=3)
    assert np.array_equal(frame.ravel(), bits)


def test_unused_high_bits_are_no_part_of_a_sample() -> None:
    raw = np.array([[0x0FFF, 0xF001]], "<u2").tobytes()
    unsigned = decode_frame(raw, EXPLICIT, 1, 2, bits_stored=12)
    signed = decode_frame(raw, EXPLICIT, 1, 2, bits_stored=12, pixel_representation=1)
    assert unsigned.tolist() == [[0x0FFF, 1]]
    assert signed.tolist() == [[-1, 1]]


def test_private_syntax_with_big_endian_pixels(reference: np.ndarray) -> None:
    frame = decode_frame(
        reference.astype(">i2").tobytes(), "1.2.840.113619.5.2", 512, 512, pixel_representation=1
    )
    assert np.array_equal(frame, reference)


def test_float_pixels() -> None:
    values = np.linspace(0, 1, 6, dtype="<f4").reshape(2, 3)
    assert np.array_equal(decode_frame(values.tobytes(), EXPLICIT, 2, 3, float_kind="float32"), values)


def test_too_few_bytes_are_told() -> None:
    with pytest.raises(Damaged, match="10 bytes are too few"):
        decode_frame(bytes(10), EXPLICIT, 4, 4)


def test_what_does_not_decode_is_told_with_its_engines(
    shared_data: Path, expect_errors: Callable[[str], None]
) -> None:
    expect_errors("pydicom.*Error decoding the J2K data")
    (whole,) = (
        s for s in samples() if s.uid.endswith("4.90") and (s.stored, s.signed, s.samples) == (16, 0, 1)
    )
    with pytest.raises(
        Damaged, match=r"JPEG 2000 Lossless does not decode \(.*imagecodecs jpeg2k .*; pydicom pylibjpeg: "
    ):
        decode_frame(whole.data[:200], whole.uid, whole.rows, whole.columns)
    path = shared_data / "broken/real/JPEG2000-embedded-sequence-delimiter.dcm"
    with pytest.raises(Damaged, match=r"JPEG 2000 does not decode \(14540801 tiles\)"):
        read_frame(path, intake_file(path).header, 0)
    with pytest.raises(Damaged, match=r"JPEG Lossless SV1 does not decode \(no frame header\)"):
        decode_frame(b"\xff\xd8rubbish", "1.2.840.10008.1.2.4.70", 4, 4)


def test_a_second_engine_takes_over_before_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0
    for one in samples():
        if one.uid not in SECONDS or one.stored != 8 * one.pixels.dtype.itemsize:
            continue
        monkeypatch.setitem(DECODERS, one.uid, ("engine", broken, ""))
        frame = decode_frame(one.data, one.uid, one.rows, one.columns, one.samples, one.allocated, one.stored,
                             one.signed, one.photometric)  # fmt: skip
        assert np.array_equal(frame, one.pixels), (one.uid, one.stored, one.samples)
        tried += 1
    assert tried >= 9


def broken(data: bytes, shape: object) -> np.ndarray:
    raise RuntimeError("engine gone")


def test_a_frame_of_another_size_is_told(shared_data: Path) -> None:
    path = the_ct(shared_data, "1.2.840.10008.1.2.4.80_")
    ((offset, length),) = intake_file(path).header.frames[0].fragments
    data = path.read_bytes()[offset : offset + length]
    with pytest.raises(Damaged, match=r"is \(512, 512\), the header says \(64, 64\)"):
        decode_frame(data, "1.2.840.10008.1.2.4.80", 64, 64)


def test_video_is_passed_through_not_decoded() -> None:
    with pytest.raises(Damaged, match="video stream"):
        decode_frame(b"", min(VIDEO), 4, 4)


def test_the_plugin_takes_over_where_the_engine_fails(
    shared_data: Path, reference: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0
    for start in ("1.2.840.10008.1.2.4.90_",):
        uid = start.rstrip("_")
        engine, _, plugin = DECODERS[uid]
        monkeypatch.setitem(DECODERS, uid, (engine, broken, plugin))
        path = the_ct(shared_data, start)
        assert np.array_equal(read_frame(path, intake_file(path).header, 0), reference)
        tried += 1
    assert tried == 1


def test_decoding_on_many_threads_gives_the_same(shared_data: Path, reference: np.ndarray) -> None:
    path = the_ct(shared_data, "1.2.840.10008.1.2.4.80_")
    header = intake_file(path).header
    barrier = threading.Barrier(4)

    def decode(_: int) -> bool:
        barrier.wait(timeout=30)
        return bool(np.array_equal(read_frame(path, header, 0), reference))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(decode, range(4)))


@pytest.mark.parametrize("uid", sorted(set(NAMES) - VIDEO))
def test_every_syntax_names_its_engine(uid: str) -> None:
    streamed = uid.startswith(("1.2.840.10008.1.2.7.", "1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95",
                               "1.2.840.10008.1.2.4.204", "1.2.840.10008.1.2.4.205"))  # fmt: skip
    assert bool(decoder_name(uid)) is not streamed


# ---------------------------------------------------------------- colour


def rgb_of(path: Path) -> np.ndarray:
    found = intake_file(path)
    header = found.header
    photometric = decoded_photometric(header.transfer_syntax_uid, pixel_format(header).photometric)
    palette = header.attributes.get("Palette")
    assert palette is None or isinstance(palette, dict)
    return to_rgb(read_frame(path, header, 0), photometric, palette)


def test_one_test_pattern_in_many_colour_encodings(shared_data: Path) -> None:
    folder = shared_data / "transfer-syntaxes/colour"
    wanted = rgb_of(folder / "TestPattern_RGB.dcm").astype(int)
    assert wanted.shape == (400, 640, 3)
    for name in ("JPEG-Lossless_RGB", "JPEG-LS-Lossless"):
        assert np.array_equal(rgb_of(folder / f"TestPattern_{name}.dcm"), wanted), name
    for name in (
        "JPEG-Baseline_YBR422",
        "JPEG-Baseline_YBRFull",
        "JPEG-LS-NearLossless",
        "Palette",
        "Palette_16",
    ):
        found = rgb_of(folder / f"TestPattern_{name}.dcm").astype(int)
        assert np.abs(found - wanted).mean() < 3, name


def test_palettes_are_applied_as_pydicom_does(shared_data: Path) -> None:
    for name in ("TestPattern_Palette", "TestPattern_Palette_16", "gdcm-US-ALOKA-16"):
        path = shared_data / f"transfer-syntaxes/colour/{name}.dcm"
        theirs = pydicom.dcmread(path)
        wanted = apply_color_lut(theirs.pixel_array, theirs)
        assert np.array_equal(rgb_of(path), wanted >> 8 if wanted.dtype == np.uint16 else wanted), name


def test_planar_and_interleaved_are_the_same_picture(shared_data: Path) -> None:
    folder = shared_data / "transfer-syntaxes/colour"
    assert np.array_equal(rgb_of(folder / "color-pl.dcm"), rgb_of(folder / "color-px.dcm"))


def test_ybr_equals_pydicoms_rgb(shared_data: Path) -> None:
    for name in (
        "colour/SC_ybr_full_uncompressed",
        "other/SC_ybr_full_422_uncompressed",
        "other/examples_ybr_color",
    ):
        path = shared_data / f"transfer-syntaxes/{name}.dcm"
        theirs = pydicom.dcmread(path)
        decoder = get_decoder(theirs.file_meta.TransferSyntaxUID)
        wanted, _ = decoder.as_array(theirs, index=0)
        assert np.abs(rgb_of(path).astype(int) - wanted).max() <= 1, name


def test_rgb_in_a_jpeg_stays_rgb(shared_data: Path) -> None:
    for name in ("SC_jpeg_no_color_transform", "SC_rgb_jpeg_app14_dcmd"):
        path = shared_data / f"transfer-syntaxes/other/{name}.dcm"
        theirs = pydicom.dcmread(path)
        wanted, _ = get_decoder(theirs.file_meta.TransferSyntaxUID).as_array(theirs, raw=True)
        assert np.array_equal(rgb_of(path), wanted)


def test_grey_is_no_colour() -> None:
    with pytest.raises(ValueError, match="no colour"):
        to_rgb(np.zeros((2, 2), np.uint8), "MONOCHROME2")
    with pytest.raises(ValueError, match="without its palette"):
        to_rgb(np.zeros((2, 2), np.uint8), "PALETTE COLOR")


# ---------------------------------------------------------------- transcoding


@pytest.mark.parametrize("target", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("start", LOSSLESS)
def test_transcoded_objects_hold_the_same_pixels(
    shared_data: Path, reference: np.ndarray, start: str, target: str
) -> None:
    out = transcode(the_ct(shared_data, start).read_bytes(), target)
    place, header = locate(out), intake_bytes(out).header
    assert place.transfer_syntax_uid == target
    form = pixel_format(header)
    at = header.frames[0]
    frame = decode_frame(
        out[at.offset : at.offset + at.length], target, form.rows, form.columns, pixel_representation=1
    )
    assert np.array_equal(frame, reference)
    assert header.patient_id == intake_file(the_ct(shared_data, start)).header.patient_id


def test_transcoding_keeps_private_elements_and_says_lossy(shared_data: Path) -> None:
    path = the_ct(shared_data, "1.2.840.10008.1.2.4.50_")
    out = pydicom.dcmread(io.BytesIO(transcode(path.read_bytes(), EXPLICIT)))
    before = pydicom.dcmread(path)
    assert out.LossyImageCompression == "01"
    private = [e.tag for e in before if e.tag.is_private and e.tag.element]
    assert private
    assert all(out[tag].value == before[tag].value for tag in private)


def test_colour_and_bits_transcode(shared_data: Path) -> None:
    for name in (
        "colour/US1_J2KR",
        "other/liver_rle",
        "other/emri_small_RLE",
        "other/SC_rgb_jpeg_app14_dcmd",
    ):
        path = shared_data / f"transfer-syntaxes/{name}.dcm"
        out = transcode(path.read_bytes(), EXPLICIT)
        theirs = pydicom.dcmread(io.BytesIO(out))
        header = intake_file(path).header
        frames = np.stack([read_frame(path, header, i) for i in range(header.number_of_frames)])
        assert np.array_equal(theirs.pixel_array.reshape(frames.shape), frames), name


def test_the_same_syntax_is_the_same_bytes(shared_data: Path) -> None:
    data = the_ct(shared_data, "1.2.840.10008.1.2.1_").read_bytes()
    assert transcode(data, EXPLICIT) is data


def test_nothing_is_compressed_on_demand(shared_data: Path) -> None:
    data = the_ct(shared_data, "1.2.840.10008.1.2.1_").read_bytes()
    with pytest.raises(Refused, match="JPEG Baseline"):
        transcode(data, "1.2.840.10008.1.2.4.50")
