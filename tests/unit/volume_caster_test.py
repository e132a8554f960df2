"""The compiled ray caster against a float64 one that takes every sample, on small volumes."""

import numpy as np
import pytest

from workstation.rendering.volume.camera import Camera, fitted
from workstation.rendering.volume.caster import KernelCaster, Overtaken, raycast
from workstation.rendering.volume.crop import CropBox
from workstation.rendering.volume.grid import Grid
from workstation.rendering.volume.presets import PRESETS, preset_named
from workstation.rendering.volume.reference import ReferenceCaster
from workstation.rendering.volume.scene import Quality, Scene

SHAPE = (21, 26, 30)


def voxels_of(seed: int) -> np.ndarray:
    """Soft blobs over noise, bone in places, much air: all presets find something."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij")
    values = np.full(SHAPE, -1000.0)
    for value in (-700, -100, 50, 200, 400, 900, 1800):
        c, r = rng.uniform(4, 22, 3), rng.uniform(3, 7)
        inside = (z - c[0]) ** 2 + (y - c[1]) ** 2 + (x - c[2]) ** 2 < r * r
        values[inside] = value
    return np.clip(values + rng.normal(0, 25, SHAPE), -1024, 3071).astype(np.int16)


def grid_of(kind: str) -> Grid:
    matrix = {
        "plain": [[0.8, 0, 0, -12], [0, 0.8, 0, -10], [0, 0, 1.5, 5]],
        "sheared": [[0.8, 0, 0.1, -12], [0, 0.8, 0.45, -10], [0, 0, 1.2, 5]],
        "left-handed": [[0, -0.7, 0, 3], [0.9, 0, 0, 2], [0, 0, -1.1, 40]],
        "mirrored": [[-0.7, 0, 0, 3], [0, 0.9, 0, 2], [0, 0, 1.1, 40]],
    }[kind]
    return Grid(SHAPE, np.array(matrix, float), 1.0, 0.0, "HU", "CT", -1000.0, 1800.0)


def both(scene, voxels, grid, mask=None, size=(27, 22), sampling=1.1):
    quality = Quality(sampling)
    caster = KernelCaster(voxels, grid)
    caster.mask = mask
    exact = ReferenceCaster(voxels, grid, mask).render(scene, *size, quality)
    return caster.render(scene, *size, quality), exact


@pytest.fixture(params=raycast.choices() if raycast else ["missing"])
def processor(request):
    before = raycast.processor()
    raycast.use(request.param)
    yield request.param
    raycast.use(before)


def agree(made, exact):
    """Within one grey but for places where a value falls on the border of two table entries."""
    away = np.abs(made.astype(int) - exact.astype(int))
    assert exact.max() > 8
    assert np.mean(away > 1) <= 0.002
    assert away.max() <= 4


@pytest.mark.parametrize("kind", ["plain", "sheared", "left-handed", "mirrored"])
def test_geometry_of_any_hand_and_shear(processor, kind):
    grid = grid_of(kind)
    scene = Scene(fitted(grid.corners()).turned(31, 17).rolled(12), preset_named("CT abdomen").function)
    agree(*both(scene, voxels_of(1), grid))


@pytest.mark.parametrize("preset", [p for p in PRESETS if not p.relative], ids=lambda p: p.name)
def test_every_preset(processor, preset):
    grid = grid_of("sheared")
    agree(*both(Scene(fitted(grid.corners()).turned(-40, 9), preset.function), voxels_of(2), grid))


@pytest.mark.parametrize("side", ["anterior", "left", "superior", "inferior", "posterior", "right"])
def test_rays_along_an_axis(processor, side):
    grid = grid_of("plain")
    scene = Scene(fitted(grid.corners(), side), preset_named("CT transparent").function)
    agree(*both(scene, voxels_of(3), grid))


def test_gradient_opacity_mask_and_an_oblique_box(processor):
    grid, rng = grid_of("sheared"), np.random.default_rng(5)
    mask = (rng.uniform(size=SHAPE) > 0.3).astype(np.uint8)
    mask[:8] = 0
    camera = fitted(grid.corners()).turned(20, 30)
    function = preset_named("CT muscle").function.with_edges(((10.0, 0.0), (90.0, 1.0)))
    middle = grid.patient(14, 12, 10)
    box = CropBox(middle, ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), (8.0, 7.0, 9.0))
    box = box.turned(camera.right, camera.down)
    for one in (function, preset_named("CT MIP").function, preset_named("CT MinIP").function):
        agree(*both(Scene(camera, one, box), voxels_of(6), grid, mask))


def test_nothing_hidden_is_left_out_by_leaping(processor):
    """A few bright voxels anywhere are found, whatever block they lie in."""
    grid = grid_of("plain")
    scene = Scene(fitted(grid.corners()).turned(13, 29).zoomed(0.7), preset_named("CT bone").function)
    for place in ((1, 1, 1), (8, 8, 8), (7, 16, 24), (19, 24, 28), (19, 24, 8), (12, 1, 16)):
        voxels = np.full(SHAPE, -1000, np.int16)
        z, y, x = place
        voxels[z : z + 2, y : y + 2, x : x + 2] = 3000
        made, exact = both(scene, voxels, grid, size=(48, 48), sampling=0.5)
        assert made.any(), place
        assert np.abs(made.astype(int) - exact.astype(int)).max() <= 1


def test_the_same_picture_every_time_and_in_any_bands(monkeypatch, processor):
    grid = grid_of("sheared")
    scene = Scene(fitted(grid.corners()).turned(5, 5), preset_named("CT abdomen").function)
    caster = KernelCaster(voxels_of(7), grid)
    first = caster.render(scene, 61, 45, Quality())

    def in_odd_bands(height, pixels, work):
        for row in range(0, height, 7):
            work(row, min(height, row + 7))

    monkeypatch.setattr("workstation.rendering.volume.caster.in_bands", in_odd_bands)
    assert (caster.render(scene, 61, 45, Quality()) == first).all()


def test_both_processors_make_the_same_picture():
    if len(raycast.choices()) < 2:
        pytest.skip("this machine has one instruction set")
    grid, before, made = grid_of("sheared"), raycast.processor(), []
    scene = Scene(fitted(grid.corners()).turned(5, 50), preset_named("CT abdomen").function)
    for name in raycast.choices():
        raycast.use(name)
        made.append(KernelCaster(voxels_of(8), grid).render(scene, 64, 64, Quality()).astype(int))
    raycast.use(before)
    assert np.abs(made[0] - made[1]).max() <= 2


def test_a_newer_wish_ends_the_work(processor):
    grid = grid_of("plain")
    caster = KernelCaster(voxels_of(9), grid)
    newest = np.array([8], np.int32)
    scene = Scene(fitted(grid.corners()), preset_named("CT skin").function)
    with pytest.raises(Overtaken):
        caster.render(scene, 64, 64, Quality(), newest, 7)
    assert caster.render(scene, 64, 64, Quality(), newest, 8).any()


def test_half_a_ray_outside_and_cameras_far_away(processor):
    grid = grid_of("plain")
    near = fitted(grid.corners())
    for camera in (
        near.zoomed(30),
        near.panned(9, 4),
        near.panned(4000, 0),
        Camera(near.centre, near.right, near.down, 5000),
    ):
        made, exact = both(Scene(camera, preset_named("CT skin").function), voxels_of(10), grid)
        assert np.mean(np.abs(made.astype(int) - exact.astype(int)) > 1) < 0.01


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": (float("nan"), 0.0, 0.0)},
        {"along": (0.0, float("inf"), 0.0)},
        {"width": 0},
        {"row1": 99999},
        {"out": np.zeros(3, np.uint8)},
        {"leaps": np.zeros(3, np.uint8)},
        {"mask": np.zeros(5, np.uint8)},
        {"alpha": np.zeros(1, np.float32)},
        {"volume": np.zeros((1, 4, 4), np.int16)},
        {"volume": np.zeros((4, 4, 4), np.float32)},
        {"planes": np.full((40, 4), 1.0)},
        {"mode": 7},
    ],
    ids=lambda w: next(iter(w)),
)
def test_nonsense_is_refused(processor, wrong):
    said = {
        "volume": np.zeros((4, 4, 4), np.int16), "ranges": np.zeros((1, 1, 1, 2), np.int16),
        "leaps": np.zeros(5, np.uint8), "mask": None, "out": np.zeros((2, 2, 3), np.uint8), "width": 2,
        "row0": 0, "row1": 2, "origin": (0.0, 0.0, 0.0), "across": (1.0, 0.0, 0.0), "down": (0.0, 1.0, 0.0),
        "along": (0.0, 0.0, 1.0), "planes": None, "mode": 0, "scale": 1.0, "bias": 0.0,
        "alpha": np.zeros(16, np.float32), "colour": np.zeros(16, np.uint32), "edge": None, "edge_scale": 1.0,
        "light": None, "metric": (1.0,) * 3 + (0.0,) * 3, "sight": (0.0, 0.0, 1.0), "faint": 0.0,
        "floor": 0.0, "ceiling": 1.0, "newest": None, "mine": 0,
    }  # fmt: skip
    assert raycast.cast(*said.values()) is True
    with pytest.raises((ValueError, TypeError)):
        raycast.cast(*{**said, **wrong}.values())
