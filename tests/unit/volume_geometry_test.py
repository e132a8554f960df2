"""3D geometry on known millimetres: every order of axes, sheared stacks, surfaces that look outwards."""

import itertools
import struct

import numpy as np
import pytest

from workstation.imaging.bone import NoBone, find_bone
from workstation.rendering.volume.camera import SIDES, fitted
from workstation.rendering.volume.caster import KernelCaster
from workstation.rendering.volume.grid import Grid
from workstation.rendering.volume.mesh_files import NoMesh, ply_bytes, stl_bytes
from workstation.rendering.volume.presets import preset_named
from workstation.rendering.volume.scene import Quality, Scene
from workstation.rendering.volume.straight import straightened
from workstation.rendering.volume.surface import SurfaceWish, extract

# a box of 30 x 20 x 12 mm (left, posterior, head) about this place, in 48 orders of axes
CENTRE, SIZES = np.array([20.0, -15.0, 40.0]), np.array([30.0, 20.0, 12.0])
ORDERS = [
    (order, signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]
PIXELS = 200


def grid_of(steps: np.ndarray, shape: tuple[int, int, int]) -> Grid:
    """Voxel steps (columns) about the centre."""
    middle = steps @ ((np.array(shape[::-1]) - 1) / 2)
    matrix = np.concatenate([steps, (CENTRE - middle)[:, None]], axis=1)
    return Grid(shape, matrix, 1.0, 0.0, "HU", "CT", -1000.0, 1000.0)


def box_in(grid: Grid) -> np.ndarray:
    """1000 HU inside the box, linear through its walls as partial volume makes it."""
    k, j, i = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    places = np.stack([i, j, k], axis=-1) @ grid.matrix[:, :3].T + grid.matrix[:, 3]
    depth = (SIZES / 2 - np.abs(places - CENTRE)).min(axis=-1)
    return np.clip(depth * 1000.0, -1000.0, 1000.0).astype(np.int16)


def ordered(order: tuple[int, ...], signs: tuple[int, ...]) -> Grid:
    steps = np.zeros((3, 3))
    for axis, (to, sign) in enumerate(zip(order, signs, strict=True)):
        steps[to, axis] = sign * (1.0, 0.8, 1.5)[axis]
    shape = [int(np.ceil((SIZES[to] + 12) / np.abs(steps[to, axis]))) for axis, to in enumerate(order)]
    return grid_of(steps, (shape[2], shape[1], shape[0]))


def measured(grid: Grid, voxels: np.ndarray, side: str) -> tuple[float, float, float, float]:
    """Left, right, top and bottom edge of what shows, in mm along the picture's axes, from the pixels."""
    camera = fitted(grid.corners(), side)
    function = preset_named("CT MIP").function.shifted(-325)  # from -375 to 375: half grey at 0
    picture = KernelCaster(voxels, grid).render(Scene(camera, function), PIXELS, PIXELS, Quality(0.5))
    shown = picture[..., 0] >= 128
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    frame = camera.frame(PIXELS, PIXELS)
    first = np.array(frame.patient(columns[0], rows[0]))
    last = np.array(frame.patient(columns[-1], rows[-1]))
    right, down = np.array(camera.right), np.array(camera.down)
    return first @ right, last @ right, first @ down, last @ down


def assert_true(grid: Grid, voxels: np.ndarray, side: str) -> None:
    right, down = (np.array(v) for v in SIDES[side])
    pixel = fitted(grid.corners(), side).field / PIXELS
    left, right_edge, top, bottom = measured(grid, voxels, side)
    for found, axis, sign in ((left, right, -1), (right_edge, right, 1), (top, down, -1), (bottom, down, 1)):
        wanted = CENTRE @ axis + sign * (SIZES / 2) @ np.abs(axis)
        assert found == pytest.approx(wanted, abs=1.01 * pixel), side


@pytest.mark.parametrize(("order", "signs"), ORDERS, ids=lambda v: "".join(str(n) for n in v))
def test_a_box_has_its_millimetres_and_its_place_in_every_order_of_axes(order, signs):
    grid = ordered(order, signs)
    voxels = box_in(grid)
    for side in ("anterior", "left", "superior"):
        assert_true(grid, voxels, side)


SHEARED = np.array([[0.8, 0.0, 0.0], [0.0, 0.8, 0.7], [0.0, 0.0, 1.2]])
TURNED = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])


@pytest.mark.parametrize(
    "steps", [SHEARED, -SHEARED, TURNED @ SHEARED], ids=["sheared", "mirrored", "oblique"]
)
def test_sheared_volumes_are_true_as_they_are_and_straightened_for_vtk(steps):
    grid = grid_of(steps, (40, 80, 90))
    voxels = box_in(grid)
    straight = straightened(voxels, grid)
    assert np.linalg.det(straight.grid_matrix[:, :3]) > 0
    again = Grid(straight.voxels.shape, straight.grid_matrix, 1.0, 0.0, "HU", "CT", 0.0, 1.0)
    for side in ("anterior", "right", "inferior"):
        assert_true(grid, voxels, side)
        assert_true(again, straight.voxels, side)


@pytest.mark.parametrize(("order", "signs"), ORDERS[::5], ids=lambda v: "".join(str(n) for n in v))
def test_surfaces_lie_in_lps_and_look_outwards(order, signs):
    grid = ordered(order, signs)
    mesh = extract(box_in(grid), grid, SurfaceWish(0.0, smoothing=0))
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    assert low == pytest.approx(CENTRE - SIZES / 2, abs=0.1)
    assert high == pytest.approx(CENTRE + SIZES / 2, abs=0.1)
    assert mesh.volume == pytest.approx(SIZES.prod(), rel=0.02)
    middles = mesh.points[mesh.triangles].mean(axis=1) - CENTRE
    assert np.mean(np.einsum("ij,ij->i", middles, mesh.normals) >= 0) > 0.99


def test_smoothing_and_thinning_keep_place_and_size():
    grid = ordered((0, 1, 2), (1, 1, 1))
    voxels = box_in(grid)
    raw = extract(voxels, grid, SurfaceWish(0.0, smoothing=0))
    thin = extract(voxels, grid, SurfaceWish(0.0, smoothing=20, keep=0.3, largest=True))
    assert len(thin.triangles) < 0.4 * len(raw.triangles)
    assert thin.volume == pytest.approx(SIZES.prod(), rel=0.05)
    assert np.abs(thin.points.mean(axis=0) - CENTRE).max() < 1.5
    mask = np.ones(grid.shape, np.uint8)
    mask[: grid.shape[0] // 2] = 0
    assert extract(voxels, grid, SurfaceWish(0.0, 0), mask).volume == pytest.approx(SIZES.prod() / 2, rel=0.2)
    with pytest.raises(NoMesh):
        extract(voxels, grid, SurfaceWish(5000.0))


def test_files_say_lps_and_hold_every_triangle():
    grid = ordered((0, 1, 2), (1, 1, 1))
    mesh = extract(box_in(grid), grid, SurfaceWish(0.0, 0))
    stl = stl_bytes(mesh, "solid? no")
    assert stl.startswith(b"SPACE=LPS UNIT=mm")
    count = struct.unpack("<I", stl[80:84])[0]
    assert count == len(mesh.triangles)
    assert len(stl) == 84 + 50 * count
    first = np.frombuffer(stl[84 : 84 + 48], "<f4").reshape(4, 3)
    assert first[1:] == pytest.approx(mesh.points[mesh.triangles[0]])
    assert first[0] == pytest.approx(mesh.normals[0])
    ply = ply_bytes(mesh)
    head, _, body = ply.partition(b"end_header\n")
    assert f"element vertex {len(mesh.points)}".encode() in head
    assert len(body) == 12 * len(mesh.points) + 13 * len(mesh.triangles)


def test_bone_is_found_and_a_vessel_beside_it_stays():
    z, y, x = np.meshgrid(np.arange(60), np.arange(80), np.arange(80), indexing="ij")
    voxels = np.full(z.shape, 40, np.int16)
    column = (x - 30) ** 2 + (y - 40) ** 2
    voxels[column < 14**2] = 250  # marrow
    voxels[(column < 14**2) & (column >= 11**2)] = 900  # cortical bone
    vessel = (x - 62) ** 2 + (y - 40) ** 2 < 6**2
    voxels[vessel] = 380
    bone = find_bone(voxels, (1.0, 0.0), (1.0, 1.0, 1.0))
    assert bone[column < 13**2].mean() > 0.95
    assert bone[vessel].mean() < 0.02
    assert find_bone(voxels, (1.0, 0.0), (1.0, 1.0, 1.0), (30.0, 28.0, 30.0)).sum() == bone.sum()
    with pytest.raises(NoBone):
        find_bone(voxels, (1.0, 0.0), (1.0, 1.0, 1.0), (70.0, 5.0, 30.0))
    with pytest.raises(NoBone):
        find_bone(np.zeros((20, 20, 20), np.int16), (1.0, 0.0), (1.0, 1.0, 1.0))
