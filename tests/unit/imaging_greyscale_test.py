"""The chain from stored value to grey as a truth table, its inputs damaged in every way that files are."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.dicom.attributes import expand_segments, packed
from pacs_core.dicom.colour import apply_palette, to_rgb
from pacs_core.dicom.intake import intake_file
from pacs_core.domain.errors import Damaged, NotStorable
from pacs_core.domain.study import InstanceHeader
from tests.support.series import series_of
from tests.unit.imaging_support import filled, instance, series
from workstation.imaging.display_sets import display_sets
from workstation.imaging.frame_reader import FrameError, read_into
from workstation.imaging.greyscale import greyscale_of
from workstation.imaging.icc import ProfileError, profile_of, to_srgb
from workstation.imaging.luts import (
    LINEAR_EXACT,
    GreyChain,
    Rescale,
    TableLut,
    VoiWindow,
    grey_table,
    to_grey,
)
from workstation.imaging.presentation import Cover, cover, present
from workstation.imaging.volume import Volume

FULL = VoiWindow(127.5, 255, LINEAR_EXACT)


def table(entries: list[int], first: int = 0, bits: int = 8, promised: int | None = None) -> dict[str, Any]:
    data = struct.pack(f"<{len(entries)}H", *entries)
    return {"Descriptor": [promised or len(entries), first, bits], "Data": packed(data)}


def grey(attributes: dict[str, Any], photometric: str = "MONOCHROME2", signed: bool = False) -> Any:
    return greyscale_of("OT", attributes, photometric, signed, False)


# MONOCHROME1 turns the greys, the shape decides where there is one, the reader turns once more
POLARITY = {
    ("MONOCHROME2", ""): False,
    ("MONOCHROME2", "IDENTITY"): False,
    ("MONOCHROME2", "INVERSE"): True,
    ("MONOCHROME1", ""): True,
    ("MONOCHROME1", "IDENTITY"): False,
    ("MONOCHROME1", "INVERSE"): True,
}


@pytest.mark.parametrize(("image", "turned"), POLARITY.items(), ids=str)
@pytest.mark.parametrize("inverted", [False, True])
def test_polarity(image: tuple[str, str], turned: bool, inverted: bool) -> None:
    photometric, shape = image
    found = grey({"PresentationLUTShape": shape}, photometric)
    assert found.inverse is turned
    contradicts = bool(shape) and (shape == "INVERSE") != (photometric == "MONOCHROME1")
    assert bool(found.warnings) is contradicts
    chain = GreyChain(voi=FULL, inverse=found.inverse, inverted=inverted, padding=(300, 310))
    dark_first = turned == inverted
    assert to_grey(np.array([0, 255]), chain).tolist() == ([0, 255] if dark_first else [255, 0])
    assert to_grey(np.array([305]), chain).tolist() == [255 if inverted else 0]


STEPS = {
    "rescale": (Rescale(2.0, -100.0), lambda v: 2.0 * v - 100.0),
    "table": (TableLut(0, tuple(range(255, -1, -1)), 8), lambda v: 255.0 - min(max(v, 0), 255)),
}
VOIS = {
    "window": (VoiWindow(50, 100, LINEAR_EXACT), lambda m: min(max(m / 100, 0.0), 1.0)),
    "table": (
        TableLut(10, (0, 64, 128, 255), 8),
        lambda m: (0, 64, 128, 255)[min(max(int(m) - 10, 0), 3)] / 255,
    ),
    "sigmoid": (VoiWindow(50, 100, "SIGMOID"), lambda m: 1 / (1 + np.exp(-4 * (m - 50) / 100))),
}
LUTS = {
    "none": (None, lambda p: p),
    "presentation": (
        TableLut(0, (0, 10, 200, 1023), 10),
        lambda p: (0, 10, 200, 1023)[int(p * 3 + 0.5)] / 1023,
    ),
}
DISPLAYS = {"plain": None, "display": tuple((np.arange(1024) ** 2 // 4105).tolist())}


@pytest.mark.parametrize(
    ("modality", "voi", "lut", "display", "inverse", "inverted"),
    list(itertools.product(STEPS, VOIS, LUTS, DISPLAYS, (False, True), (False, True))),
)
def test_every_step_in_every_combination(
    modality: str, voi: str, lut: str, display: str, inverse: bool, inverted: bool
) -> None:
    """The chain against the same steps written out one value at a time."""
    chain = GreyChain(
        STEPS[modality][0], VOIS[voi][0], inverse=inverse, inverted=inverted, padding=(7, 9),
        presentation=LUTS[lut][0], display=DISPLAYS[display],
    )  # fmt: skip
    stored = np.arange(0, 256, 3, dtype=np.uint8)
    got = to_grey(stored, chain)
    assert np.array_equal(got, grey_table(chain, stored.dtype)[stored])
    for value, level in zip(stored.tolist(), got.tolist(), strict=True):
        p = LUTS[lut][1](VOIS[voi][1](STEPS[modality][1](value)))
        p = 1 - p if inverse != inverted else p
        p = (1.0 if inverted else 0.0) if 7 <= value <= 9 else p
        ladder = DISPLAYS[display] or tuple(range(256))
        places = {int(p * (len(ladder) - 1) + 0.5 + e) for e in (-1e-9, 1e-9)}
        assert level in {ladder[min(n, len(ladder) - 1)] for n in places}


@pytest.mark.parametrize(
    ("attributes", "word"),
    [
        ({"VOILUTSequence": [table([0, 1, 2], promised=256)]}, "3 of the 256"),
        ({"VOILUTSequence": [table([0, 1, 4000])]}, "does not fit its 8 bits"),
        ({"VOILUTSequence": [{"Descriptor": [3, 0], "Data": "?"}]}, "descriptor"),
        ({"VOILUTSequence": [{"Descriptor": [3, 0, 8], "Data": "no base64"}]}, "0 of the 3"),
        ({"VOILUTSequence": ["text"]}, "cannot be read"),
        ({"ModalityLUTSequence": [table([5], promised=4096)]}, "modality LUT"),
        ({"PresentationLUTSequence": [table([5], promised=4096)]}, "presentation LUT"),
        ({"WindowCenter": [40], "WindowWidth": [0]}, "Width of 0"),
        ({"WindowCenter": [40], "WindowWidth": [-400]}, "Width of -400"),
        ({"WindowCenter": [40], "WindowWidth": [0.5]}, "Width of 0.5"),
        ({"WindowCenter": "MEDIASTINUM", "WindowWidth": "WIDE"}, "no numbers"),
        ({"WindowCenter": [40, 50], "WindowWidth": [400]}, "2 Window Centers"),
        ({"WindowCenter": 1, "WindowWidth": 2, "VOILUTFunction": "LOGISTIC"}, "LOGISTIC"),
        ({"RescaleSlope": 0.0, "RescaleIntercept": -1024}, "Slope is 0"),
        ({"PixelPaddingRangeLimit": 5}, "without Pixel Padding Value"),
        ({"PresentationLUTShape": "LIN OD"}, "LIN OD"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_and_not_used(attributes: dict[str, Any], word: str) -> None:
    found = grey(attributes)
    assert word in " ".join(found.warnings)
    assert not found.voi_luts
    assert found.modality_lut == Rescale()
    assert found.presentation is None


def test_what_is_usable_beside_it_is_used() -> None:
    found = grey({"WindowCenter": [40, 50], "WindowWidth": [0, 400]})
    assert found.windows == (VoiWindow(50, 400),)
    luts = grey({"VOILUTSequence": [table([1], promised=9), table([0, 255], 65535)]}, signed=True)
    assert [t.first for t in luts.voi_luts] == [-1]
    assert grey({"PixelPaddingValue": 63536, "PixelPaddingRangeLimit": -1990}, signed=True).padding == (
        -2000,
        -1990,
    )


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-70000, 70000), st.floats(), st.text(max_size=6),
    st.lists(st.one_of(st.floats(), st.text(max_size=3), st.none()), max_size=4),
    st.fixed_dictionaries({
        "Descriptor": st.lists(st.integers(-9, 70000), max_size=4), "Data": st.text(max_size=9)})
    .map(lambda item: [item]),
)  # fmt: skip
NAMES = """WindowCenter WindowWidth VOILUTFunction VOILUTSequence ModalityLUTSequence
 PresentationLUTSequence  PresentationLUTShape RescaleSlope RescaleIntercept RescaleType PixelPaddingValue
 PixelPaddingRangeLimit ShutterShape ShutterLeftVerticalEdge CenterOfCircularShutter RadiusOfCircularShutter
 VerticesOfThePolygonalShutter Overlays ShutterOverlayGroup ShutterPresentationValue ICCProfile
 Units""".split()


@given(st.dictionaries(st.sampled_from(NAMES), JUNK, max_size=8), st.booleans())
def test_rubbish_gives_a_picture_and_never_an_exception(facts: dict[str, Any], signed: bool) -> None:
    facts["PixelRepresentation"] = int(signed)
    if "ShutterShape" in facts:
        facts["ShutterShape"] = ["RECTANGULAR", "CIRCULAR", "POLYGONAL", "BITMAP"]
    shown = display_sets(series([instance(1, (0, 0, 0), (8, 9), **facts)]))[0]
    volume = filled(shown, lambda k: np.arange(72).reshape(8, 9))
    picture = present(volume.pixels[0], volume.grey_chain(0), cover(volume, 0))
    assert picture.shape == (8, 9)
    assert picture.dtype == np.uint8


# ── shutters and overlays ────────────────────────────────────────────────────────────────────────────


def one(**facts: Any) -> Volume:
    return filled(display_sets(series([instance(1, (0, 0, 0), (20, 30), **facts)]))[0], lambda k: 100)


def open_of(volume: Volume) -> Any:
    closed = cover(volume, 0).closed
    return None if closed is None else ~closed


def test_shutters_of_each_shape_and_together() -> None:
    rectangle = {"ShutterLeftVerticalEdge": 5, "ShutterRightVerticalEdge": 16,
                 "ShutterUpperHorizontalEdge": 3, "ShutterLowerHorizontalEdge": 9}  # fmt: skip
    found = open_of(one(ShutterShape=["RECTANGULAR"], **rectangle))
    assert (found.sum(), found[3:8, 5:15].all()) == (50, True)
    circle = {"CenterOfCircularShutter": [10, 15], "RadiusOfCircularShutter": 6}
    round_ = open_of(one(ShutterShape=["CIRCULAR"], **circle))
    y, x = np.mgrid[1:21, 1:31]
    assert np.array_equal(round_, (y - 10) ** 2 + (x - 15) ** 2 <= 36)
    corner = {"VerticesOfThePolygonalShutter": [1, 1, 1, 21, 21, 1]}
    polygon = open_of(one(ShutterShape=["POLYGONAL"], **corner))
    assert np.array_equal(polygon, (x - 1) + (y - 1) <= 20)
    all_ = open_of(one(ShutterShape="RECTANGULAR\\CIRCULAR\\POLYGONAL", **rectangle, **circle, **corner))
    assert np.array_equal(all_, found & round_ & polygon)
    white = one(ShutterShape=["CIRCULAR"], ShutterPresentationValue=65535, **circle)
    picture = present(white.pixels[0], white.grey_chain(0), cover(white, 0))
    assert (picture[~round_] == 255).all()


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"ShutterShape": ["RECTANGULAR"]}, "four edges"),
        ({"ShutterShape": ["CIRCULAR"], "CenterOfCircularShutter": [3, 3]}, "radius"),
        ({"ShutterShape": ["POLYGONAL"], "VerticesOfThePolygonalShutter": [1, 2, 3]}, "vertices"),
        ({"ShutterShape": ["BITMAP"]}, "overlay group"),
        ({"ShutterShape": ["BITMAP"], "ShutterOverlayGroup": 0x6000}, "is not there"),
        ({"ShutterShape": ["STAR"]}, "STAR"),
        (
            {
                "ShutterShape": ["CIRCULAR"],
                "CenterOfCircularShutter": [900, 900],
                "RadiusOfCircularShutter": 2,
            },
            "whole image",
        ),
    ],
)
def test_a_shutter_that_makes_no_sense_covers_nothing(facts: dict[str, Any], word: str) -> None:
    found = cover(one(**facts), 0)
    assert not found
    assert word in " ".join(found.words)


def overlay(bits: Any, **facts: Any) -> dict[str, Any]:
    rows, columns = bits.shape[-2:]
    data = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    return {"Group": 0x6000, "Rows": rows, "Columns": columns, "Frames": 1, "BitPosition": 0,
            "Origin": [1, 1], "Type": "G", "Data": packed(data), **facts}  # fmt: skip


@pytest.mark.parametrize("origin", [(1, 1), (4, 6), (-3, -2), (15, 28)])
def test_an_overlay_lies_where_its_origin_says(origin: tuple[int, int]) -> None:
    bits = np.random.default_rng(1).random((11, 13)) < 0.4
    volume = one(Overlays=[overlay(bits, Origin=list(origin))])
    expected = np.zeros((20, 30), dtype=bool)
    for r, c in np.argwhere(bits):
        y, x = r + origin[0] - 1, c + origin[1] - 1
        if 0 <= y < 20 and 0 <= x < 30:
            expected[y, x] = True
    assert np.array_equal(cover(volume, 0).drawn, expected)
    picture = present(volume.pixels[0], volume.grey_chain(0), cover(volume, 0))
    assert (picture[expected] == 255).all()


def test_a_bitmap_shutter_covers_and_is_not_drawn() -> None:
    bits = np.zeros((20, 30), dtype=bool)
    bits[:5] = True
    volume = one(
        Overlays=[overlay(bits), overlay(np.eye(20, 30, dtype=bool), Group=0x6002)],
        ShutterShape=["BITMAP"],
        ShutterOverlayGroup=0x6000,
    )
    found = cover(volume, 0)
    assert np.array_equal(found.closed, bits)
    assert found.drawn is not None
    assert found.drawn.sum() == 20


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"Rows": 0}, "no usable size"),
        ({"Data": packed(b"\1")}, "too short"),
        ({"Data": "", "Offset": 99, "Length": 3}, "missing"),
        ({"Data": "", "BitPosition": 3}, "belongs to the image"),
    ],
)
def test_a_damaged_overlay_is_told_and_not_drawn(facts: dict[str, Any], word: str) -> None:
    found = cover(one(Overlays=[overlay(np.ones((20, 30), dtype=bool), **facts)]), 0)
    assert found.drawn is None
    assert word in " ".join(found.words)


def readable(path: Path) -> InstanceHeader | None:
    """The header of a file that can be stored, None for the others."""
    try:
        return intake_file(path).header
    except (NotStorable, Damaged):
        return None


def test_overlays_of_real_files_are_those_pydicom_reads(shared_data: Path) -> None:
    import pydicom

    seen = 0
    for path in sorted((shared_data / "transfer-syntaxes/other").glob("*.dcm")):
        header = readable(path)
        if header is None:
            continue
        planes: Any = header.attributes.get("Overlays")
        if not planes or header.number_of_frames > 1:
            continue
        volume = Volume(display_sets(series_of([path]))[0])
        found = cover(volume, 0)
        data = pydicom.dcmread(path)
        for plane in planes:
            if plane["Length"]:
                bits = np.zeros((header.rows, header.columns), dtype=bool)
                array = data.overlay_array(plane["Group"]).astype(bool)
                bits[: array.shape[0], : array.shape[1]] = array[: header.rows, : header.columns]
                assert found.drawn is not None or not bits.any()
                if found.drawn is not None:
                    assert (found.drawn & bits).sum() == bits.sum()
                    seen += 1
    assert seen


def test_an_overlay_in_unused_bits(tmp_path: Path) -> None:
    from pacs_core.rehearsal.headers import SeriesHeader
    from pacs_core.rehearsal.phantoms import ball_scene, classic_series, stack

    image = classic_series(
        ball_scene([9.0], 10.0), stack((24, 32, 1), (1, 1, 1)), SeriesHeader("o", "CT")
    ).images[0]
    bits = np.random.default_rng(2).random((24, 32)) < 0.3
    values = (np.frombuffer(image.PixelData, "<u2").reshape(24, 32) & 0x0FFF) | (bits.astype(np.uint16) << 12)
    image.PixelData = values.astype("<u2").tobytes()
    image.BitsStored, image.HighBit, image.PixelRepresentation = 12, 11, 0
    for element, vr, value in ((0x10, "US", 24), (0x11, "US", 32), (0x40, "CS", "G"), (0x50, "SS", [1, 1]),
                               (0x100, "US", 16), (0x102, "US", 12)):  # fmt: skip
        image.add_new(0x60000000 | element, vr, value)
    path = tmp_path / "hidden.dcm"
    image.save_as(path, enforce_file_format=True)
    volume = Volume(display_sets(series_of([path]))[0])
    read_into(volume.header(0), volume.pixels[0], None)
    assert int(volume.pixels[0].max()) < 4096
    assert np.array_equal(cover(volume, 0).drawn, bits)


# ── colour ───────────────────────────────────────────────────────────────────────────────────────────


def test_palettes_plain_segmented_and_of_16_bits() -> None:
    ramp = struct.pack("<4H", 0, 0x4000, 0x8000, 0xFF00)
    wide = {c: {"Descriptor": [4, 10, 16], "Data": packed(ramp)} for c in ("Red", "Green", "Blue")}
    assert apply_palette(np.array([[9, 10, 11, 12, 13, 14]]), wide)[0, :, 0].tolist() == [
        0,
        0,
        0x40,
        0x80,
        0xFF,
        0xFF,
    ]
    narrow = {
        c: {"Descriptor": [4, 0, 8], "Data": packed(bytes([1, 2, 3, 250]))} for c in ("Red", "Green", "Blue")
    }
    assert apply_palette(np.array([[0, 3]]), narrow)[0, :, 2].tolist() == [1, 250]
    # discrete (two values), linear (four steps to 6), and the first segment once more
    words = struct.pack("<11H", 0, 2, 5, 2, 1, 4, 6, 2, 1, 0, 0)
    assert struct.unpack("<8H", expand_segments(words, 16)) == (5, 2, 3, 4, 5, 6, 5, 2)


def test_forms_of_ybr_meet_their_primaries() -> None:
    full = np.array(
        [[[76, 85, 255], [150, 44, 21], [29, 255, 107], [255, 128, 128], [0, 128, 128]]], dtype=np.uint8
    )
    partial = np.array(
        [[[81, 90, 240], [145, 54, 34], [41, 240, 110], [235, 128, 128], [16, 128, 128]]], dtype=np.uint8
    )
    rgb = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0]]], dtype=int)
    for name, pixels in (("YBR_FULL", full), ("YBR_FULL_422", full), ("YBR_PARTIAL_420", partial)):
        assert np.abs(to_rgb(pixels, name).astype(int) - rgb).max() <= 2


def test_an_icc_profile_leads_to_srgb_and_a_damaged_one_is_told() -> None:
    import imagecodecs

    pixels = np.random.default_rng(3).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    srgb = imagecodecs.cms_profile("srgb")
    assert np.abs(to_srgb(pixels, srgb).astype(int) - pixels).max() <= 1
    wide = imagecodecs.cms_profile("adobergb")
    green = np.zeros((1, 1, 3), dtype=np.uint8) + np.array([120, 180, 90], dtype=np.uint8)
    assert to_srgb(green, wide)[0, 0, 0] < 110  # less red than the wider space wrote
    good = profile_of({"ICCProfile": packed(wide)})
    assert good == wide
    for bad in (packed(wide[:100]), packed(b"x" * 400), "rubbish"):
        with pytest.raises(ProfileError):
            profile_of({"ICCProfile": bad})
    facts = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "BitsAllocated": 8, "BitsStored": 8}
    assert (present(green, None, Cover(), wide)[0, 0, 0]) < 110
    shown = display_sets(series([instance(1, (0, 0, 0), (4, 4), **facts, ICCProfile="rubbish")], "US"))[0]
    from workstation.imaging.presentation import shown_colours

    assert "ICC" in shown_colours(filled(shown, lambda k: 7), 0)[1]


def test_modality_and_voi_steps_are_those_of_pydicom(shared_data: Path) -> None:
    """Real files with modality LUTs, VOI LUTs and windows, against another implementation."""
    import pydicom
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    from workstation.imaging.luts import to_p_values

    compared = 0
    paths = [
        *(shared_data / "studies/cr-dx-mg").glob("*.dcm"),
        *(shared_data / "transfer-syntaxes/other").glob("*.dcm"),
    ]
    for path in sorted(paths):
        header = readable(path)
        if (
            header is None
            or header.number_of_frames > 1
            or header.attributes.get("SamplesPerPixel") != 1
            or header.rows > 1800
        ):
            continue
        data = pydicom.dcmread(path, force=True)
        sets = display_sets(series_of([path]))
        if (
            not sets
            or "TransferSyntaxUID" not in data.file_meta
            or "PALETTE" in data.PhotometricInterpretation
        ):
            continue
        volume = Volume(sets[0])
        try:
            read_into(volume.header(0), volume.pixels[0], None)
        except (FrameError, Damaged):
            continue  # what either does not decode is not the subject here
        volume.arrived(0)
        frame = volume.header(0)
        if not frame.windows and frame.voi_lut is None:
            continue
        stored = volume.pixels[0]
        modal = apply_modality_lut(stored, data)
        theirs = apply_voi_lut(modal, data, prefer_lut=not frame.windows).astype(float)
        ours = to_p_values(volume.pixels[0], GreyChain(frame.modality_lut, volume.default_voi(0)))
        spread = theirs.max() - theirs.min()
        if spread <= 0:
            continue
        same = np.corrcoef(theirs.reshape(-1), ours.reshape(-1))[0, 1]
        assert same > 0.9999, path.name
        compared += 1
    assert compared >= 3
