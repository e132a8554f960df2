"""A measurement of a phantom's pixels gives its truth: lengths within a pixel, volumes within a percent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.phantoms import (
    Grid,
    Rod,
    Scene,
    SliceStack,
    Sphere,
    Truth,
    chest_scene,
    classic_series,
    oblique,
    render,
    stack,
)

LUNG, NODULE = -850.0, 50.0


def width_at_half(
    profile: NDArray[np.float32], spacing: float, low: float = LUNG, high: float = NODULE
) -> float:
    """Full width at half maximum (mm) of a bump, its edges interpolated."""
    level = (low + high) / 2
    above = np.flatnonzero(profile > level)
    first, last = above[0], above[-1]
    left = first - (profile[first] - level) / (profile[first] - profile[first - 1])
    right = last + (profile[last] - level) / (profile[last] - profile[last + 1])
    return float((right - left) * spacing)


STACKS = {
    "axial": stack((80, 90, 12), (0.6, 0.45, 3.0)),
    "coronal": stack((80, 90, 12), (0.6, 0.45, 3.0), right=(1.0, 0.0, 0.0), down=(0.0, 0.0, -1.0)),
    "oblique": stack(
        (80, 90, 12), (0.6, 0.45, 3.0), right=oblique(20, 35, 10)[0], down=oblique(20, 35, 10)[1]
    ),
    "tilted": stack((80, 90, 12), (0.6, 0.45, 3.0), tilt_deg=-18.0),
    "thin with gaps": stack((80, 90, 12), (0.6, 0.45, 3.0), thickness=1.0),
}


@pytest.mark.parametrize("slices", STACKS.values(), ids=STACKS)
@pytest.mark.parametrize("diameter", [4.0, 8.0, 15.0])
def test_a_sphere_measures_its_diameter_on_the_nearest_slice(slices: SliceStack, diameter: float) -> None:
    ball = Sphere((1.3, -2.1, 0.7), diameter, NODULE)
    index = slices.nearest(ball.centre)
    plane = render(Scene((ball,), LUNG), slices)[index]
    row, column = (round(v) for v in slices.pixel(ball.centre, index))
    expected = ball.chord(slices.height(ball.centre, index))
    thick = slices.thickness / diameter  # a thick slice averages chords, which shortens them a little
    tolerance = 0.5 * slices.row_spacing + 0.3 * slices.thickness * thick
    assert width_at_half(plane[row], slices.column_spacing) == pytest.approx(expected, abs=tolerance)
    assert width_at_half(plane[:, column], slices.row_spacing) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("slices", [s for n, s in STACKS.items() if n not in ("tilted", "thin with gaps")])
def test_partial_volume_keeps_a_spheres_volume(slices: SliceStack) -> None:
    ball = Sphere((-3.0, 2.2, 1.1), 11.0, 1000.0)
    pixels = render(Scene((ball,), 0.0), slices)
    step = slices.row_spacing * slices.column_spacing * slices.thickness
    assert pixels.sum() / 1000.0 * step == pytest.approx(ball.volume, rel=0.005)


def test_a_rod_in_the_plane_measures_its_length() -> None:
    right, _ = oblique(0, 0, 30)
    slices = stack((100, 200, 3), (0.5, 0.5, 4.0))
    rod = Rod(tuple(-20.0 * np.asarray(right)), tuple(20.0 * np.asarray(right)), 3.9, NODULE)
    plane = render(Scene((rod,), LUNG), slices)[1]
    samples = np.arange(-30, 30, 0.1)
    points = samples[:, None] * np.asarray(right)
    pixels = np.array([slices.pixel(tuple(p), 1) for p in points])
    profile = plane[np.rint(pixels[:, 0]).astype(int), np.rint(pixels[:, 1]).astype(int)]
    assert rod.length == pytest.approx(40.0)
    assert np.count_nonzero(profile > (LUNG + NODULE) / 2) * 0.1 == pytest.approx(rod.length, abs=0.5)


def test_grid_lines_lie_one_pitch_apart() -> None:
    grid = Grid((0.0, 0.0, 0.0), 10.0, 5, 1.5, 1000.0)
    slices = stack((128, 128, 1), (0.4, 0.4, 1.0))
    plane = render(Scene((grid,), 0.0), slices)[0]
    row = round(slices.pixel((0.0, 5.0, 0.0), 0)[0])
    columns = np.arange(128)
    found = []
    for index in range(grid.lines):
        middle = slices.pixel(grid.node(index, 2), 0)[1]
        near = np.abs(columns - middle) < 6
        found.append(np.average(columns[near], weights=plane[row, near]) * slices.column_spacing)
    assert np.diff(found) == pytest.approx([10.0] * 4, abs=0.05)
    assert np.subtract(grid.node(4, 4), grid.node(0, 0)) == pytest.approx([40.0, 40.0, 0.0])


def test_a_chest_has_air_on_the_right_places() -> None:
    slices = stack((64, 64, 3), (6.0, 6.0, 20.0))
    plane = render(chest_scene(), slices)[1]
    row, right_lung = (round(v) for v in slices.pixel((-90.0, -5.0, 0.0), 1))
    spine = tuple(round(v) for v in slices.pixel((0.0, 84.0, 0.0), 1))
    assert plane[row, right_lung] == pytest.approx(LUNG, abs=60)
    assert plane[spine] > 300
    assert plane[0, 0] == -1000


def test_truth_lies_beside_the_files(tmp_path: Path) -> None:
    grid = Grid((0.0, 5.0, 0.0), 10.0, 3, 2.0, 300.0)
    ball = Sphere((0.0, 0.0, 0.0), 9.0, 40.0, "nodule")
    rod = Rod((0.0, 0.0, -5.0), (0.0, 9.0, 5.0), 2.0, 100.0)
    series = classic_series(Scene((ball, grid, rod)), STACKS["axial"], SeriesHeader("t", "CT"))
    paths = series.save(tmp_path / "out")
    read = Truth.from_json((tmp_path / "out" / "truth.json").read_text(encoding="utf-8"))
    assert len(paths) == 12
    assert read == series.truth
    assert read.sphere("nodule").diameter == 9.0
    assert (read.rods, read.grids) == ((rod,), (grid,))
    assert read.diameter_in(ball, 0) == 0.0


def test_the_same_seed_gives_the_same_noise() -> None:
    scene, slices = Scene((), 0.0), stack((32, 32, 2), (1.0, 1.0, 1.0))
    first = render(scene, slices, noise=10.0, seed=3)
    assert np.array_equal(first, render(scene, slices, noise=10.0, seed=3))
    assert not np.array_equal(first, render(scene, slices, noise=10.0, seed=4))
    assert first.std() == pytest.approx(10.0, rel=0.1)
