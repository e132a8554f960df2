"""Pictures whose every side is known: left is left, head is up, a millimetre is one, engines agree."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from tests.support.series import series_of
from tests.unit.imaging_support import filled, instance, series, stack
from workstation.imaging.display_sets import display_sets
from workstation.imaging.geometry import Vector, orientation_letters
from workstation.imaging.loader import Loader
from workstation.imaging.volume import Volume
from workstation.rendering.display_list import Line, ScaleBar, Text
from workstation.rendering.engines import engine_named
from workstation.rendering.mip_view import whole_slab
from workstation.rendering.overlays import Corner, crosshair_list, millimetres_down
from workstation.rendering.picture import Picture
from workstation.rendering.render import render
from workstation.rendering.thumbnails import thumbnail
from workstation.session.view_state import Interpolation, Plane, SlabMode, ViewState, Window

SIZE = 240
LEFT_ANTERIOR_HEAD: Vector = (25.0, -18.0, 12.0)
WINDOW = Window(500, 1000)
# how the three planes are acquired: row and column direction
ACQUIRED = {
    "axial": (1.0, 0, 0, 0, 1.0, 0),
    "axial from the head": (-1.0, 0, 0, 0, 1.0, 0),
    "coronal": (1.0, 0, 0, 0, 0, -1.0),
    "sagittal": (0, 1.0, 0, 0, 0, -1.0),
    "oblique": (0.8, 0.6, 0, -0.48, 0.64, 0.6),
}


def marked(orientation: tuple[float, ...], step: float = 2.0) -> Volume:
    """A cube of 80 mm about the origin with a bright ball to the left, in front and above."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    count = int(80 / step) + 1
    planes = []
    for k in range(count):
        position = -40.0 * row - 40.0 * column + (k * step - 40.0) * normal
        facts = {"ImageOrientationPatient": list(orientation), "PixelSpacing": [1.25, 1.0], "BitsStored": 16}
        planes.append(instance(k + 1, tuple(position.tolist()), (65, 81), **facts))
    shown = display_sets(series(planes))[0]

    def pixels(k: int) -> Any:
        plane = shown.frames[k].plane
        assert plane is not None
        i, j = np.meshgrid(np.arange(81), np.arange(65))
        at = [plane.origin[n] + i * plane.column_step[n] + j * plane.row_step[n] for n in range(3)]
        away = sum((a - c) ** 2 for a, c in zip(at, LEFT_ANTERIOR_HEAD, strict=True))
        return np.where(away < 64, 1000, 100)

    return filled(shown, pixels)


def brightest(picture: Picture) -> tuple[float, float]:
    y, x = np.nonzero(picture.pixels > 200)
    return float(x.mean()), float(y.mean())


@pytest.mark.parametrize("acquired", ACQUIRED)
@pytest.mark.parametrize(
    ("plane", "right", "down"),
    [(Plane.AXIAL, 0, 1), (Plane.CORONAL, 0, 2), (Plane.SAGITTAL, 1, 2)],
)
def test_left_is_left_and_head_is_up(acquired: str, plane: Plane, right: int, down: int) -> None:
    volume = marked(ACQUIRED[acquired])
    picture = render(ViewState(plane=plane, slab=78.0, window=WINDOW), volume, SIZE, SIZE, corner=Corner())
    x, y = brightest(picture)
    expected = picture.frame.viewport(LEFT_ANTERIOR_HEAD)
    assert (x, y) == pytest.approx(expected[:2], abs=2.0)
    sign = {0: 1, 1: 1, 2: -1}  # the patient's left to the right, back to the right or down, head up
    assert (x > SIZE / 2) == (LEFT_ANTERIOR_HEAD[right] * sign[right] > 0)
    assert (y > SIZE / 2) == (LEFT_ANTERIOR_HEAD[down] * sign[down] > 0)
    letters = {
        t.anchor: t.lines[0]
        for t in picture.display_list.items
        if isinstance(t, Text) and len(t.lines[0]) == 1
    }
    assert letters["right"] == ("L", "P", "")[right]
    assert letters["bottom"] == ("", "P", "F")[down]


@pytest.mark.parametrize("acquired", ACQUIRED)
@pytest.mark.parametrize(
    ("flip_h", "flip_v", "turns"), list(itertools.product([False, True], [False, True], range(4)))
)
def test_acquired_images_turn_with_their_letters(
    acquired: str, flip_h: bool, flip_v: bool, turns: int
) -> None:
    volume = marked(ACQUIRED[acquired])
    assert volume.geometry is not None
    index = round(volume.geometry.index(LEFT_ANTERIOR_HEAD)[2])
    state = ViewState(
        index=index, window=WINDOW, flip_horizontal=flip_h, flip_vertical=flip_v, rotation=turns
    )
    picture = render(state, volume, SIZE, SIZE + 40, corner=Corner())
    assert brightest(picture) == pytest.approx(picture.frame.viewport(LEFT_ANTERIOR_HEAD)[:2], abs=1.0)
    texts = {
        t.anchor: t.lines[0] for t in picture.display_list.items if isinstance(t, Text) and len(t.lines) == 1
    }
    assert texts["right"] == orientation_letters(picture.frame.across)
    row, column = ACQUIRED[acquired][:3], ACQUIRED[acquired][3:]
    right, down = np.array(row) * (-1 if flip_h else 1), np.array(column) * (-1 if flip_v else 1)
    for _ in range(turns):  # a quarter turn clockwise: what pointed right points down
        right, down = -down, right
    assert np.allclose(np.array(picture.frame.across) / np.linalg.norm(picture.frame.across), right)
    assert np.allclose(np.array(picture.frame.down) / np.linalg.norm(picture.frame.down), down)


def test_pixels_keep_their_proportions() -> None:
    volume = marked(ACQUIRED["axial"])
    frame = render(ViewState(index=20), volume, 300, 200).frame
    assert frame.pixel_size[0] == pytest.approx(frame.pixel_size[1])
    assert frame.pixel_size[0] * 200 == pytest.approx(65 * 1.25)


def test_the_scale_bar_has_its_length_and_its_source() -> None:
    picture = render(ViewState(index=20), marked(ACQUIRED["axial"]), 300, 300, corner=Corner())
    bar = next(i for i in picture.display_list.items if isinstance(i, ScaleBar))
    assert bar.length * millimetres_down(picture.frame) == pytest.approx(20.0)
    assert "20 mm" in picture.display_list.texts()


def test_no_scale_bar_without_trust() -> None:
    facts = {"ImagePositionPatient": None, "ImageOrientationPatient": None, "PixelSpacing": None}
    facts["ImagerPixelSpacing"] = [0.1, 0.1]
    shown = display_sets(
        series([instance(1, (0, 0, 0), (64, 64), PatientOrientation=["L", "F"], **facts)], "DX")
    )[0]
    picture = render(ViewState(rotation=1), filled(shown, lambda k: 3), 300, 300, corner=Corner())
    assert not any(isinstance(i, ScaleBar) for i in picture.display_list.items)
    texts = picture.display_list.texts()
    assert "not calibrated" in texts
    edges = {
        t.anchor: t.lines[0]
        for t in picture.display_list.items
        if isinstance(t, Text) and len(t.lines[0]) == 1
    }
    assert edges == {"bottom": "L", "top": "R", "left": "F", "right": "H"}


def test_monochrome1_padding_and_inversion() -> None:
    facts = {
        "PhotometricInterpretation": "MONOCHROME1",
        "PixelPaddingValue": -2000,
        "WindowCenter": 50,
        "WindowWidth": 100,
    }
    volume = filled(
        stack([0.0, 1.0, 2.0], **facts), lambda k: np.repeat([[0, 100, -2000, 50]], 16, 0).repeat(5, 1)
    )
    plain = render(ViewState(), volume, 20, 16).pixels[8]
    turned = render(ViewState(invert=True), volume, 20, 16).pixels[8]
    assert (plain[2], plain[7]) == (255, 0)
    assert (turned[2], turned[7]) == (0, 255)


def test_what_is_not_loaded_is_said() -> None:
    shown = stack([0.0, 1.0, 2.0, 3.0])
    volume = Volume(shown)
    assert render(ViewState(index=2), volume, 50, 50).status == "loading"
    volume.pixels[0] = 9
    volume.claim(0)
    volume.arrived(0)
    assert render(ViewState(index=2), volume, 50, 50).status == "approximate"
    assert render(ViewState(index=0), volume, 50, 50).status == "shown"
    assert render(ViewState(plane=Plane.CORONAL), volume, 50, 50).status == "loading"
    volume.failed(3, "The file is missing or too short.")
    failed = render(ViewState(index=3), volume, 50, 50)
    assert (failed.status, failed.words) == ("failed", "The file is missing or too short.")


def test_a_reformat_of_no_volume_shows_the_image_and_says_why() -> None:
    volume = filled(stack([0.0, 1.0]), lambda k: k)
    picture = render(ViewState(plane=Plane.CORONAL), volume, 64, 64)
    assert picture.words == "No reformat: too few images for a reformat."
    assert picture.frame.acquired


def test_slabs_join_their_planes() -> None:
    volume = filled(stack([float(n) for n in range(11)]), lambda k: 10 * k)
    state = ViewState(
        plane=Plane.AXIAL, slab=4.0, window=Window(50, 100), interpolation=Interpolation.NEAREST
    )
    centre = volume.geometry.centre if volume.geometry else None

    def middle(mode: SlabMode) -> int:
        picture = render(state.with_(slab_mode=mode, centre=centre), volume, 64, 64)
        return int(picture.pixels[32, 32])

    low, mean, high = middle(SlabMode.MINIMUM), middle(SlabMode.MEAN), middle(SlabMode.MAXIMUM)
    assert [round(g / 255 * 99) for g in (low, mean, high)] == pytest.approx([30, 50, 70], abs=1)
    assert whole_slab(state, volume).slab == pytest.approx(11.0)


def folder(shared_data: Path, where: str) -> list[Path]:
    path = shared_data / "studies" / where
    return sorted(path.glob("*.dcm")) if path.is_dir() else [path]


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Any:
    """Loaded real series by folder, kept for the module."""
    loader, kept = Loader(), {}

    def volume(where: str) -> Volume:
        if where not in kept:
            kept[where] = loader.load(display_sets(series_of(folder(shared_data, where)))[0]).done.result(60)
        return kept[where]

    yield volume
    loader.close()


VIEWS = {
    "acquired": ViewState(index=7, zoom=1.3),
    "turned": ViewState(index=7, rotation=1, flip_horizontal=True),
    "small": ViewState(index=7, zoom=0.3),
    "sagittal": ViewState(plane=Plane.SAGITTAL),
    "oblique": ViewState(plane=Plane.OBLIQUE, right=(0.6, 0.7, 0.2), down=(0.1, 0.2, -1.0)),
    "slab": ViewState(plane=Plane.CORONAL, slab=12.0),
    "mean": ViewState(plane=Plane.AXIAL, slab=9.0, slab_mode=SlabMode.MEAN),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "where",
    [
        "ct-phantom-tilt/CT-0301-STEREOTAXIS",
        "mr-head-sagittal-hfs/MR-0003-t1-fl2d-sag",
        "mr-prostatex-0207/MR-0005-t2-tse-cor",
        "petct-acrin-nsclc-042/PT-0001-PET-AC",
    ],
)
def test_engines_agree_on_real_series(real: Any, where: str, view: str) -> None:
    volume = real(where)
    pictures = [
        render(VIEWS[view], volume, 150, 130, engine=engine_named(name)).pixels.astype(int)
        for name in ("reference", "kernel", "vtk")
    ]
    for picture in pictures[1:]:
        assert np.abs(picture - pictures[0]).max() <= 1
    assert pictures[0].std() > 3


def test_tilt_is_set_right(real: Any) -> None:
    """The phantom's straight edges in a sagittal reformat lean by the tilt in the slices, not in the
    patient.
    """
    volume = real("ct-phantom-tilt/CT-0301-STEREOTAXIS")
    assert volume.geometry.shear_degrees == pytest.approx(16.5, abs=0.1)
    frame = render(ViewState(plane=Plane.SAGITTAL), volume, 100, 100).frame
    for index in (0, 13):
        centre = volume.header(index).plane.centre
        x, y, _ = frame.viewport(centre)
        assert frame.patient(x, y)[1:] == pytest.approx(centre[1:])


@pytest.mark.parametrize(
    "where",
    [
        "us-echo-pediatric/I_000002.dcm",
        "mr-enhanced-siemens-xa30/DWI-dir80-PA-ColFA.dcm",
        "us-stress-echo/I_000007.dcm",
    ],
)
def test_colour_is_shown_in_colour(real: Any, where: str) -> None:
    picture = render(ViewState(index=3), real(where), 200, 160)
    assert picture.is_colour
    assert (picture.pixels.max(axis=2).astype(int) - picture.pixels.min(axis=2)).max() > 60


def test_png_is_a_png_of_the_same_pixels(real: Any) -> None:
    for where in ("us-echo-pediatric/I_000002.dcm", "mr-head-sagittal-hfs/MR-0003-t1-fl2d-sag"):
        picture = thumbnail(real(where), 90)
        assert np.array_equal(imagecodecs.png_decode(picture.png({"Title": "T1"})), picture.pixels)
        assert len(picture.sha256) == 64


def test_the_same_view_gives_the_same_hash(real: Any) -> None:
    volume = real("mr-head-sagittal-hfs/MR-0003-t1-fl2d-sag")
    first, second = (render(VIEWS["oblique"], volume, 200, 200).sha256 for _ in range(2))
    assert first == second
    assert render(VIEWS["slab"], volume, 200, 200).sha256 != first


def test_tiny_and_absurd_cells_are_survived(real: Any) -> None:
    volume = real("mr-head-sagittal-hfs/MR-0003-t1-fl2d-sag")
    for width, height in ((0, 0), (1, 1), (1, 300), (-5, 9)):
        for state in (
            ViewState(zoom=1e9),
            ViewState(zoom=0.0),
            ViewState(plane=Plane.AXIAL, centre=(9e5, 0, 0)),
        ):
            picture = render(state, volume, width, height, corner=Corner(series="s"))
            assert picture.pixels.shape == (max(height, 1), max(width, 1))


def test_crosshair_is_open_in_the_middle() -> None:
    frame = render(ViewState(index=20), marked(ACQUIRED["axial"]), 200, 200).frame
    lines = [i for i in crosshair_list(frame, frame.patient(100, 80)).items if isinstance(i, Line)]
    assert len(lines) == 4
    assert all(abs(i.start[0] - 100) + abs(i.start[1] - 80) >= 13 or abs(i.end[0] - 100) >= 13 for i in lines)
