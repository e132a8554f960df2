"""Transfer functions, crop boxes, cameras and scissors: the models of a 3D view."""

import json

import numpy as np
import pytest

from workstation.imaging.geometry import cross, dot, norm
from workstation.rendering.volume import marks
from workstation.rendering.volume.camera import SIDES, Camera, fitted
from workstation.rendering.volume.crop import CropBox, CropError
from workstation.rendering.volume.edits import Edits, ScissorsError, Snip, stencil
from workstation.rendering.volume.gpu import is_hardware
from workstation.rendering.volume.grid import Grid
from workstation.rendering.volume.presets import PRESETS, preset_named, presets_for
from workstation.rendering.volume.scene import Scene, from_plain, to_plain
from workstation.rendering.volume.transfer import (
    ColourPoint,
    OpacityPoint,
    TransferError,
    TransferFunction,
    tables,
)

BONE = preset_named("CT bone").function
GRID = Grid(
    (10, 12, 14), np.array([[1.0, 0, 0, -6], [0, 1.0, 0, -5], [0, 0, 1.0, 0]]), 1.0, 0.0, "HU", "CT", 0, 9
)


def test_there_are_presets_for_every_kind_of_volume():
    assert len(PRESETS) >= 12
    assert len({p.name for p in PRESETS}) == len(PRESETS)
    for modality in ("CT", "MR", "PT", "US", "XX"):
        assert presets_for(modality)
    assert presets_for("PT")[0].name == "PET"
    relative = preset_named("MR default").for_values(100.0, 1100.0)
    assert relative.extent == (100.0, 1100.0)


def test_points_are_added_moved_and_removed():
    more = BONE.with_opacity(200, 0.4).moved_opacity(1, 230, 0.5)
    assert [p.value for p in more.opacity][:3] == [140, 230, 260]
    squeezed = more.moved_opacity(1, 900, 0.5)
    assert squeezed.opacity[1].value < squeezed.opacity[2].value
    assert len(more.without_opacity(1).opacity) == len(BONE.opacity)
    assert BONE.with_colour(500, (1, 0, 0)).colour_at(np.array([500.0])).tolist() == [[1, 0, 0]]
    assert BONE.shifted(10).extent == (150, 2010)
    assert BONE.stretched(2.0).extent == (140 - 930, 2000 + 930)
    assert max(p.opacity for p in BONE.denser(9).opacity) == 1.0


@pytest.mark.parametrize(
    "opacity",
    [
        ((1, 0.0),),
        ((5, 0.0), (5, 1.0)),
        ((9, 0.0), (2, 1.0)),
        ((1, 0.0), (2, 1.5)),
        ((1, 0.0), (float("nan"), 1.0)),
    ],
)
def test_points_that_make_no_function_are_refused(opacity):
    with pytest.raises(TransferError):
        TransferFunction(
            "x",
            tuple(OpacityPoint(*p) for p in opacity),
            (ColourPoint(0, (0, 0, 0)), ColourPoint(1, (1, 1, 1))),
        )


def test_opacity_belongs_to_a_millimetre_whatever_the_step():
    one, half = tables(BONE, 1.0), tables(BONE, 0.5)
    assert np.allclose(1 - (1 - half.alpha) ** 2, one.alpha, atol=1e-5)


def test_stored_values_find_their_entry():
    t = tables(BONE, 1.0, slope=2.0, intercept=-1000.0)
    stored = (700.0 - -1000.0) / 2.0
    entry = round(stored * t.scale + t.bias)
    assert t.alpha[entry] == pytest.approx(BONE.opacity_at(np.array([700.0]))[0], abs=2e-3)


def test_a_scene_survives_json():
    box = CropBox.around(GRID.corners()).turned((0.6, 0.8, 0.0), (0.0, 0.0, 1.0))
    for preset in PRESETS:
        scene = Scene(fitted(GRID.corners()).turned(3, 4), preset.function, box, False)
        assert from_plain(json.loads(json.dumps(to_plain(scene)))) == scene


def test_a_camera_keeps_right_angles_and_looks_from_where_it_says():
    camera = fitted(GRID.corners())
    for _ in range(200):
        camera = camera.turned(17.3, -5.1).rolled(3.0)
    assert abs(dot(camera.right, camera.down)) < 1e-9
    assert norm(camera.right) == pytest.approx(1.0)
    for side, sight in {"anterior": (0, 1, 0), "left": (-1, 0, 0), "superior": (0, 0, -1)}.items():
        assert camera.from_side(side).sight == pytest.approx(sight)
    assert {marks.side_name(camera.from_side(side)) for side in SIDES} == set(SIDES)


def test_dragging_to_the_right_brings_the_right_side_of_the_body_forward():
    """Seen from in front it is at the left of the picture; a drag down brings the head."""
    camera = fitted(GRID.corners()).turned(90, 0)
    assert camera.sight == pytest.approx((1, 0, 0))
    assert marks.side_name(camera) == "right"
    assert marks.side_name(fitted(GRID.corners()).turned(0, 90)) == "superior"


def test_letters_and_cube_follow_the_camera():
    camera = fitted(GRID.corners())
    drawn = marks.over(camera, 500, 500, ()).texts()
    assert {"L", "R", "H", "F", "A"} == {text for text in drawn if "m" not in text}
    assert "P" in marks.cube(camera.from_side("posterior"), 500, 500).texts()
    three = marks.cube(camera.turned(30, 30), 500, 500)
    assert len(three.texts()) == 3
    assert not marks.cube(camera, 60, 60).items


def test_a_box_has_its_faces_moved_and_its_planes_hold_what_is_inside():
    box = CropBox((1.0, 2.0, 3.0), ((1, 0, 0), (0, 1, 0), (0, 0, 1)), (4.0, 5.0, 6.0))
    grown = box.moved_face(1, 3.0)
    assert grown.face(1)[0] == pytest.approx(8.0)
    assert grown.face(0)[0] == pytest.approx(-3.0)
    assert box.moved_face(0, -100.0).half[0] == pytest.approx(0.5)
    rng = np.random.default_rng(1)
    oblique = box.turned((0.6, 0.8, 0), (-0.8, 0.6, 0.3))
    for point in rng.uniform(-12, 12, (200, 3)):
        kept = (oblique.planes() @ np.array([*point, 1.0]) >= 0).all()
        assert kept == oblique.holds(tuple(point))
    frame = Camera((0, 0, 0), (1, 0, 0), (0, 0, -1), 100.0).frame(200, 200)
    assert marks.face_drag(frame, box, 1, (10, 0)) == pytest.approx(5.0)
    assert marks.face_drag(frame, box, 3, (10, 10)) == 0.0


@pytest.mark.parametrize("half", [(0.0, 1, 1), (float("inf"), 1, 1), (-1, 1, 1)])
def test_a_box_without_size_is_refused(half):
    with pytest.raises(CropError):
        CropBox((0, 0, 0), ((1, 0, 0), (0, 1, 0), (0, 0, 1)), half)


def test_scissors_hide_what_projects_into_the_polygon_and_undo_brings_it_back(monkeypatch):
    mask = np.empty(GRID.shape, np.uint8)
    camera = fitted(GRID.corners())
    frame = camera.frame(140, 140)
    x0, y0, _ = frame.viewport((-2.5, 0.0, 3.5))
    x1, y1, _ = frame.viewport((3.5, 0.0, 7.5))
    snip = Snip(camera, 140, 140, ((x0, y0), (x1, y0), (x1, y1), (x0, y1)))
    edits = Edits(mask, GRID)
    gone = edits.snip(snip)
    z, _, x = np.nonzero(mask == 0)
    assert gone == len(z) == 4 * 12 * 6
    assert (x.min(), x.max(), z.min(), z.max()) == (4, 9, 4, 7)
    assert edits.undo()
    assert mask.all()
    assert not edits.undo()
    kept = edits.snip(Snip(camera, 140, 140, snip.polygon, inside=False))
    assert kept == mask.size - 4 * 12 * 6
    slow = np.empty(GRID.shape, np.uint8)
    monkeypatch.setattr("workstation.rendering.volume.edits.raycast", None)
    Edits(slow, GRID).snip(Snip(camera.turned(20, 10), 140, 140, snip.polygon))
    monkeypatch.undo()
    quick = np.empty(GRID.shape, np.uint8)
    Edits(quick, GRID).snip(Snip(camera.turned(20, 10), 140, 140, snip.polygon))
    assert (slow == quick).all()
    assert not slow.all()


def test_a_line_that_encloses_nothing_is_refused():
    edits = Edits(np.empty(GRID.shape, np.uint8), GRID)
    for polygon in (
        (),
        ((1, 1), (5, 5)),
        ((1.2, 1.2), (1.4, 1.2), (1.3, 1.4)),
        ((float("nan"), 0), (1, 1), (2, 0)),
    ):
        with pytest.raises(ScissorsError):
            edits.snip(Snip(fitted(GRID.corners()), 50, 50, polygon))
    assert edits.steps == 0


def test_a_stencil_is_even_odd():
    marks_ = stencil(((0, 0), (9, 0), (9, 9), (0, 9), (0, 0), (3, 3), (3, 6), (6, 6), (6, 3), (3, 3)), 10, 10)
    assert marks_[1, 1]
    assert not marks_[4, 4]


@pytest.mark.parametrize(
    ("name", "hardware"),
    [
        ("llvmpipe (LLVM 15.0.6, 256 bits)", False),
        ("", False),
        ("Google SwiftShader", False),
        ("Microsoft Basic Render Driver", False),
        ("NVIDIA RTX A2000/PCIe/SSE2", True),
        ("Mesa Intel(R) UHD", True),
    ],
)
def test_software_is_no_graphics_processor(name, hardware):
    assert is_hardware(name) is hardware


def test_cross_of_the_axes_is_the_sight():
    camera = fitted(GRID.corners())
    assert camera.sight == pytest.approx(cross(camera.right, camera.down))
