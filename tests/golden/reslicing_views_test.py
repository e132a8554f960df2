"""Planes, slabs, curves, fusions, projections: a millimetre is one, whichever way the voxels lie."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.unit.imaging_support import filled, instance, series
from workstation.imaging.centreline import Centreline, centreline
from workstation.imaging.colour_maps import MAPS, colours, laid_over
from workstation.imaging.display_sets import display_sets
from workstation.imaging.geometry import GeometryError, Vector, cross, dot
from workstation.imaging.volume import Volume
from workstation.rendering.curved_view import Curving, render_curved
from workstation.rendering.engines import choose, engine_named
from workstation.rendering.fusion_view import CannotFuse, Overlay, render_fused
from workstation.rendering.mip_view import render_rotated, rotated, whole_slab
from workstation.rendering.reformat import layer, reformat
from workstation.rendering.render import render
from workstation.session.view_state import Interpolation, Plane, ViewState, Window
from workstation.tools.oblique import companions, four, free, turned
from workstation.tools.planes import plane_axes

ONE: Vector = (14.0, -9.0, 11.0)
OTHER: Vector = (-17.0, 12.0, -8.0)
WINDOW = Window(8000, 16000)


def made(
    column: Vector,
    row: Vector,
    onward: Vector,
    beads: list[Vector],
    shape: tuple[int, int, int] = (44, 70, 86),
    frame: str = "1.2.3.9",
    wide: float = 3.0,
) -> Volume:
    """A volume of given steps (mm, LPS) about the origin, a smooth bead of `wide` mm at each place."""
    slices, rows, columns = shape
    steps = np.array([column, row, onward])
    origin = -(steps * (np.array([columns, rows, slices])[:, None] - 1) / 2).sum(axis=0)
    unit = [np.array(v) / np.linalg.norm(v) for v in (column, row)]
    facts = {
        "ImageOrientationPatient": [float(v) for v in np.concatenate(unit)],
        "PixelSpacing": [float(np.linalg.norm(row)), float(np.linalg.norm(column))],
        "FrameOfReferenceUID": frame,
    }
    places = [tuple((origin + k * steps[2]).tolist()) for k in range(slices)]
    shown = display_sets(
        series([instance(k + 1, p, (rows, columns), **facts) for k, p in enumerate(places)])
    )[0]
    j, i = np.mgrid[0:rows, 0:columns]

    def pixels(k: int) -> Any:
        plane = shown.frames[k].plane
        assert plane is not None
        at = [plane.origin[n] + i * plane.column_step[n] + j * plane.row_step[n] for n in range(3)]
        away = [sum((a - c) ** 2 for a, c in zip(at, bead, strict=True)) for bead in beads]
        return sum(16000 * np.exp(-d / (2 * wide**2)) for d in away)

    return filled(shown, pixels)


def along_axes(order: tuple[int, ...], signs: tuple[int, ...]) -> list[Vector]:
    found = []
    for axis, sign, spacing in zip(order, signs, (0.9, 1.1, 1.9), strict=True):
        step = [0.0, 0.0, 0.0]
        step[axis] = sign * spacing
        found.append((step[0], step[1], step[2]))
    return found


ORDERS = [
    (order, signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]
SHEARED: list[Vector] = [(0.9, 0.0, 0.0), (0.0, 1.1, 0.0), (0.0, 0.55, 1.9)]
TURNED: list[Vector] = [(0.72, 0.54, 0.0), (-0.528, 0.704, 0.66), (0.684, -0.912, 1.52)]


def measured(state: ViewState, volume: Volume) -> float:
    """Mm between the two beads, by their centres of mass in all thin planes across the volume."""
    laid = reformat(whole_slab(state, volume), volume, 260, 240)
    found, _ = layer(state, volume, laid.cut)
    values = np.zeros((240, 260))
    for p in range(laid.cut.planes):
        x, y, z = (o + p * t for o, t in zip(laid.cut.origin, laid.cut.through, strict=True))
        values += choose().cut(found.volume, replace(laid.cut, origin=(x, y, z), planes=1), 0)
    y, x = np.mgrid[0:240, 0:260]
    centres = []
    for bead in (ONE, OTHER):
        at_x, at_y, _ = laid.frame.viewport(bead)
        near = (x - at_x) ** 2 + (y - at_y) ** 2 < (9.0 / laid.frame.pixel_size[0]) ** 2
        weight = np.where(near, values, 0.0)
        centres.append((float((weight * x).sum() / weight.sum()), float((weight * y).sum() / weight.sum())))
    (ax, ay), (bx, by) = centres
    return math.hypot((ax - bx) * laid.frame.pixel_size[1], (ay - by) * laid.frame.pixel_size[0])


def true_length(state: ViewState, volume: Volume) -> float:
    right, down = plane_axes(state, volume)
    apart: Vector = (ONE[0] - OTHER[0], ONE[1] - OTHER[1], ONE[2] - OTHER[2])
    return math.hypot(dot(apart, right), dot(apart, down))


def planes(volume: Volume) -> list[ViewState]:
    plain = [ViewState(plane=p) for p in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)]
    leaning = turned(turned(plain[0], volume, (1.0, 0.0, 0.0), 31.0), volume, (0.0, 1.0, 0.0), -22.0)
    return [*plain, leaning]


@pytest.mark.parametrize(("order", "signs"), ORDERS)
def test_lengths_in_each_of_the_48_axis_orders(order: tuple[int, ...], signs: tuple[int, ...]) -> None:
    volume = made(*along_axes(order, signs), [ONE, OTHER], (36, 60, 72))
    states = planes(volume)
    for state in (states[hash((order, signs)) % 3], states[3]):
        assert measured(state, volume) == pytest.approx(true_length(state, volume), abs=0.1)


@pytest.mark.parametrize("steps", [SHEARED, TURNED], ids=["gantry tilt", "oblique"])
def test_lengths_in_sheared_and_oblique_volumes(steps: list[Vector]) -> None:
    volume = made(*steps, [ONE, OTHER])
    for state in planes(volume):
        assert measured(state, volume) == pytest.approx(true_length(state, volume), abs=0.1)


@pytest.mark.parametrize("interpolation", list(Interpolation))
@pytest.mark.parametrize("steps", [SHEARED, TURNED, along_axes((2, 0, 1), (1, -1, 1))])
def test_engines_show_the_same_reformat(steps: list[Vector], interpolation: Interpolation) -> None:
    volume = made(*steps, [ONE, OTHER])
    for state in planes(volume):
        seen = replace(state, window=WINDOW, interpolation=interpolation, centre=ONE)
        pictures = [render(seen, volume, 90, 70, engine=engine_named(n)).pixels for n in ("kernel", "vtk")]
        away = np.abs(pictures[0].astype(int) - pictures[1])
        assert np.percentile(away, 99.5) <= 1
        if interpolation is Interpolation.LINEAR:
            assert away.max() <= 1


def test_turning_makes_oblique_and_double_oblique() -> None:
    volume = made(*TURNED, [ONE])
    coronal = ViewState(plane=Plane.CORONAL, centre=ONE)
    sagittal = turned(coronal, volume, (0.0, 0.0, 1.0), 90.0)
    assert plane_axes(sagittal, volume)[0] == pytest.approx((0.0, 1.0, 0.0))
    assert sagittal.centre == pytest.approx(ONE)
    double = turned(sagittal, volume, sagittal.right, 25.0, about=OTHER)
    right, down = plane_axes(double, volume)
    assert (dot(right, right), dot(down, down), dot(right, down)) == pytest.approx((1.0, 1.0, 0.0))
    distance = math.dist(double.centre or ONE, OTHER)
    assert distance == pytest.approx(math.dist(ONE, OTHER))
    back = turned(double, volume, sagittal.right, -25.0, about=OTHER)
    assert back.centre == pytest.approx(ONE)
    with pytest.raises(GeometryError):
        turned(coronal, volume, (0.0, 0.0, 0.0), 10.0)


def test_a_flipped_plane_set_free_looks_the_same() -> None:
    volume = made(*along_axes((0, 1, 2), (1, 1, 1)), [ONE, OTHER])
    state = ViewState(plane=Plane.CORONAL, flip_horizontal=True, rotation=1, window=WINDOW, slab=30.0)
    one, two = (render(s, volume, 80, 80).pixels for s in (state, free(state, volume)))
    assert np.array_equal(one, two)


def test_companions_stand_at_right_angles() -> None:
    volume = made(*TURNED, [ONE])
    state = turned(ViewState(plane=Plane.AXIAL, centre=ONE), volume, (1.0, 1.0, 0.2), 33.0)
    normals = [cross(*plane_axes(s, volume)) for s in (state, *companions(state, volume))]
    for a, b in itertools.combinations(normals, 2):
        assert dot(a, b) == pytest.approx(0.0, abs=1e-12)
    shown = four(state, volume)
    assert [s.plane for s in shown] == [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL, Plane.OBLIQUE]
    for s in shown:
        picture = render(replace(s, window=WINDOW), volume, 101, 101)
        assert picture.pixels[50, 50] > 230  # the bead is in the middle of all four


@pytest.mark.parametrize("degrees", [0, 37, 90, 180, 251])
def test_the_turning_mip_shows_beads_where_they_are(degrees: float) -> None:
    volume = made(*TURNED, [ONE])
    still = render_rotated(ViewState(window=WINDOW), volume, 300, 280, degrees)
    y, x = np.nonzero(still.pixels > 200)
    expected = still.frame.viewport(ONE)
    assert (float(x.mean()), float(y.mean())) == pytest.approx(expected[:2], abs=1.0)
    state = rotated(ViewState(window=WINDOW), volume, degrees)
    found, _ = layer(state, volume, reformat(state, volume, 300, 280).cut)
    slab = choose().cut_grey(found.volume, found.cut, found.table)
    assert np.abs(slab.astype(int) - still.pixels).max() <= 1
    moving = render_rotated(ViewState(window=WINDOW), volume, 600, 560, degrees, moving=True)
    assert min(moving.pixels.shape) >= 256
    y, x = np.nonzero(moving.pixels > 180)
    assert (float(x.mean()), float(y.mean())) == pytest.approx(moving.frame.viewport(ONE)[:2], abs=2.0)


def test_a_slice_that_comes_late_is_seen_in_the_mip() -> None:
    volume = made(*along_axes((0, 1, 2), (1, 1, 1)), [])
    before = render_rotated(ViewState(window=WINDOW), volume, 256, 256, 20)
    assert before.pixels.max() == 0
    volume.pixels[20] = 16000
    volume.arrived(20)
    assert render_rotated(ViewState(window=WINDOW), volume, 256, 256, 20).pixels.max() > 200


RADIUS, PITCH = 26.0, 0.22  # a helix: mm, and mm along z for each mm round


def helix(degrees: float) -> Vector:
    angle = math.radians(degrees)
    return (RADIUS * math.cos(angle), RADIUS * math.sin(angle), PITCH * RADIUS * (angle - 1.4))


BEADS = [20.0, 75.0, 140.0]


def helix_line(step: float = 0.5) -> Centreline:
    return centreline([helix(5.0 * n) for n in range(33)], step)


def centres(pixels: Any, expected: list[tuple[float, float]]) -> list[tuple[float, float]]:
    y, x = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]]
    found = []
    for at_x, at_y in expected:
        weight = np.where((x - at_x) ** 2 + (y - at_y) ** 2 < 14**2, pixels.astype(float), 0.0)
        found.append((float((weight * x).sum() / weight.sum()), float((weight * y).sum() / weight.sum())))
    return found


@pytest.mark.parametrize("engine", ["kernel", "vtk"])
@pytest.mark.parametrize("steps", [SHEARED, TURNED, along_axes((1, 2, 0), (-1, 1, 1))])
def test_lengths_along_a_straightened_curve(steps: list[Vector], engine: str) -> None:
    volume = made(*steps, [helix(b) for b in BEADS], (52, 80, 96), wide=2.0)
    line = helix_line()
    turn = math.hypot(1.0, PITCH) * RADIUS
    assert line.length == pytest.approx(math.radians(160.0) * turn, abs=0.05)
    state = ViewState(window=WINDOW)
    picture = render_curved(state, volume, line, 30.0, engine=engine_named(engine))
    assert picture.pixels.shape == (len(line.places), round(30.0 / line.step))
    middle = (picture.pixels.shape[1] - 1) / 2
    expected = [(middle, math.radians(b) * turn / line.step) for b in BEADS]
    for (x, y), bead in zip(centres(picture.pixels, expected), BEADS, strict=True):
        assert x == pytest.approx(middle, abs=0.25)
        assert y * line.step == pytest.approx(math.radians(bead) * turn, abs=0.15)
        assert math.dist(picture.sheet.patient(x, y), helix(bead)) < 0.25
    found = centres(picture.pixels, expected)
    for (a, b), (one, two) in zip(itertools.pairwise(found), itertools.pairwise(BEADS), strict=True):
        assert (b[1] - a[1]) * line.step == pytest.approx(math.radians(two - one) * turn, abs=0.1)


def test_lengths_in_a_stretched_curve() -> None:
    """Along the chosen direction and round the bend both, at once."""
    volume = made(*TURNED, [helix(b) for b in BEADS], (52, 80, 96), wide=2.0)
    line = helix_line()
    picture = render_curved(
        ViewState(window=WINDOW), volume, line, 60.0, curving=Curving.STRETCHED, direction=(0.0, 0.0, 1.0)
    )
    pixel = picture.sheet.pixel
    middle = (picture.pixels.shape[1] - 1) / 2
    mean_z = float(line.places[:, 2].mean())
    expected = [(middle + (helix(b)[2] - mean_z) / pixel, math.radians(b) * RADIUS / pixel) for b in BEADS]
    for (x, y), (at_x, at_y) in zip(centres(picture.pixels, expected), expected, strict=True):
        assert (x - at_x) * pixel == pytest.approx(0.0, abs=0.1)
        assert (y - at_y) * pixel == pytest.approx(0.0, abs=0.15)
    upright = centreline([(0.0, 0.0, float(z)) for z in range(5)], 1.0)
    with pytest.raises(GeometryError):
        render_curved(ViewState(), volume, upright, 9.0, curving=Curving.STRETCHED, direction=(0.0, 0.0, 1.0))


def test_a_curved_slab_holds_its_brightest() -> None:
    volume = made(*TURNED, [helix(b) for b in BEADS], (52, 80, 96), wide=2.0)
    line = centreline([(x + 2.5, y, z) for x, y, z in (helix(5.0 * n) for n in range(33))], 0.5)
    thin = render_curved(ViewState(window=WINDOW), volume, line, 30.0)
    thick = render_curved(ViewState(window=WINDOW, slab=16.0), volume, line, 30.0)
    assert thick.sheet.planes > 8
    assert int(thick.pixels.max()) >= int(thin.pixels.max())
    assert thick.pixels.mean() > thin.pixels.mean()


def test_a_line_needs_points_that_are_apart() -> None:
    for points, step in (
        ([(0.0, 0.0, 0.0)], 1.0),
        ([(1.0, 2.0, 3.0)] * 4, 1.0),
        ([(0.0, 0.0, math.nan), (1.0, 0.0, 0.0)], 1.0),
        ([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0)], 0.0),
    ):
        with pytest.raises(GeometryError):
            centreline(points, step)
    straight = centreline([(0.0, 0.0, 0.0), (0.0, 30.0, 40.0)], 0.7, smooth=False)
    assert straight.length == pytest.approx(50.0)
    assert np.allclose(np.linalg.norm(np.diff(straight.places, axis=0), axis=1), straight.step)


def fused_pair(frame: str = "1.2.3.9") -> tuple[Volume, Volume]:
    below = made(*SHEARED, [ONE])
    above = made((3.0, 0.0, 0.0), (0.0, -3.0, 0.0), (0.0, 0.0, 4.0), [OTHER], (20, 30, 30), frame, 5.0)
    return below, above


@pytest.mark.parametrize("engine", ["kernel", "vtk", "reference"])
@pytest.mark.parametrize("slab", [0.0, 30.0])
def test_the_hot_place_lies_where_it_is(engine: str, slab: float) -> None:
    below, above = fused_pair()
    state = ViewState(plane=Plane.CORONAL, window=WINDOW, centre=OTHER, slab=slab)
    picture = render_fused(state, below, Overlay(above, Window(8000, 16000), opacity=1.0), 200, 160,
                           engine=engine_named(engine))  # fmt: skip
    assert picture.pixels.shape == (160, 200, 3)
    coloured = picture.pixels[..., 0].astype(int) - picture.pixels[..., 2]
    y, x = np.nonzero(coloured > 100)
    assert (float(x.mean()), float(y.mean())) == pytest.approx(picture.frame.viewport(OTHER)[:2], abs=1.0)


def test_what_is_cold_shows_the_greys_beneath() -> None:
    below, above = fused_pair()
    state = ViewState(plane=Plane.AXIAL, window=WINDOW, centre=ONE)
    plain = render(state, below, 150, 150).pixels
    fused = render_fused(state, below, Overlay(above, Window(8000, 16000)), 150, 150).pixels
    assert np.array_equal(fused, np.repeat(plain[..., None], 3, axis=2))


def test_a_registration_carries_the_upper_volume() -> None:
    below, above = fused_pair("1.2.3.10")
    state = ViewState(plane=Plane.AXIAL, window=WINDOW, centre=(OTHER[0] + 7.0, OTHER[1], OTHER[2]))
    with pytest.raises(CannotFuse, match="frame of reference"):
        render_fused(state, below, Overlay(above), 150, 150)
    shift = np.eye(4)
    shift[0, 3] = -7.0  # the upper volume's patient lies 7 mm to the right of the lower one's
    picture = render_fused(
        state, below, Overlay(above, Window(8000, 16000), "hot iron", 1.0, shift), 151, 151
    )
    coloured = picture.pixels[..., 0].astype(int) - picture.pixels[..., 2]
    y, x = np.nonzero(coloured > 100)
    assert (float(x.mean()), float(y.mean())) == pytest.approx((75.0, 75.0), abs=1.0)
    with pytest.raises(CannotFuse, match="finite"):
        render_fused(state, below, Overlay(above, into=np.full((4, 4), np.nan)), 9, 9)


def test_colour_maps() -> None:
    for name in MAPS:
        assert colours(name).shape == (256, 3)
    assert colours("hot iron")[[0, 64, 128, 192, 255]].tolist() == [
        [0, 0, 0], [128, 0, 0], [255, 0, 0], [255, 128, 0], [255, 254, 252],
    ]  # fmt: skip
    over = laid_over("hot iron", 0.5)
    assert (int(over[0, 3]), int(over[255, 3])) == (0, 128)
