"""Measures on phantoms of known millimetres: lengths 0.1 mm, angles 0.1 degrees, areas and volumes 1 %,
through files of every kind and each of the 48 orders in which axes can be stored.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.phantoms import (
    PhantomSeries,
    Rod,
    Scene,
    SliceStack,
    Sphere,
    classic_series,
    enhanced_image,
    multiframe_image,
    oblique,
    stack,
)
from tests.support.series import series_of
from workstation.imaging.display_sets import display_sets
from workstation.imaging.frame_reader import read_into
from workstation.imaging.geometry import LETTERS, Vector, VolumeGeometry, distance, orientation_letters, unit
from workstation.imaging.volume import Volume
from workstation.rendering.render import render
from workstation.session.view_state import ViewState
from workstation.tools import measures
from workstation.tools.measures import Contour, Refusal, Segment
from workstation.tools.measuring import measured
from workstation.tools.tool import Scene as Shown

Array = np.ndarray[Any, Any]
HU, GROUND = 900.0, -100.0
BALLS = (
    Sphere((-9.0, -6.0, -5.0), 11.0, HU, "a"),
    Sphere((8.0, -4.5, 3.0), 11.0, HU, "b"),
    Sphere((-3.5, 8.0, 4.0), 11.0, HU, "c"),
)
THREE = Scene(BALLS, GROUND)
AXES: tuple[Vector, ...] = tuple(
    tuple(float(s) if n == k else 0.0 for n in range(3))
    for k in range(3)
    for s in (1, -1)  # type: ignore[misc]
)


def volume_of(made: PhantomSeries, folder: Path, reverse: bool = False) -> Volume:
    """The series as the workstation has it after it went through files."""
    paths = made.save(folder)
    sets = display_sets(series_of(reversed(paths) if reverse else paths))
    assert len(sets) == 1, [s.problems for s in sets]
    volume = Volume(sets[0])
    for k in range(len(sets[0])):
        read_into(volume.header(k), volume.pixels[k], None)
        volume.arrived(k)
    return volume


def left_handed(volume: Volume) -> Volume:
    """The same images stacked the other way: slices run against row x column."""
    shown = volume.display_set
    frames = tuple(reversed(shown.frames))
    planes = [f.plane for f in frames if f.plane is not None]
    turned = Volume(replace(shown, frames=frames, geometry=VolumeGeometry.from_planes(planes)))
    for k in range(len(frames)):
        turned.pixels[k] = volume.pixels[len(frames) - 1 - k]
        turned.arrived(k)
    return turned


def weights_about(volume: Volume, ball: Sphere) -> tuple[Array, Array, Array]:
    """Shares of the ball in the voxels near it, their indices (column, row, slice) and patient points."""
    geometry = volume.geometry
    assert geometry is not None
    values = np.stack([volume.values(k) for k in range(len(volume.loaded))])
    shares = np.clip((values - GROUND) / (HU - GROUND), 0, 1)
    k, j, i = np.nonzero(shares > 0.004)
    stations = k if geometry.stations is None else np.asarray(geometry.stations)[k]
    points = geometry.matrix @ np.stack([i, j, stations, np.ones(len(i))])
    near = np.linalg.norm(points.T - ball.centre, axis=1) < ball.diameter / 2 + 3.0
    return shares[k, j, i][near], np.stack([i, j, k], axis=1)[near], points.T[near]


def found_centre(volume: Volume, ball: Sphere) -> Vector:
    """Where the pixels say that the ball is (patient mm)."""
    shares, _, points = weights_about(volume, ball)
    x, y, z = (shares[:, None] * points).sum(axis=0) / shares.sum()
    return float(x), float(y), float(z)


def scene_at(volume: Volume, index: int, measurements: Any = ()) -> Shown:
    state = ViewState(index=index)
    return Shown(state, render(state, volume, 200, 190).frame, volume, measurements, study_uid="1.9")


def numbers(shown: Shown, kind: str, *points: Vector) -> dict[str, float]:
    found = measured(shown, kind, points)
    assert not found.refusal
    return {q.name: q.value for q in found.quantities}


def check_lengths_and_angles(volume: Volume) -> None:
    """Positions read off the pixels, strokes between them, against the phantom's own numbers."""
    shown = scene_at(volume, len(volume.loaded) // 2)
    a, b, c = (found_centre(volume, ball) for ball in BALLS)
    found, true = itertools.combinations((a, b, c), 2), itertools.combinations(BALLS, 2)
    for (p, q), (one, other) in zip(found, true, strict=True):
        truth = distance(one.centre, other.centre)
        assert numbers(shown, "length", p, q)["Length"] == pytest.approx(truth, abs=0.1)
    truth_angle = measures.angle(BALLS[0].centre, BALLS[1].centre, BALLS[2].centre)
    assert numbers(shown, "angle", a, b, c)["Angle"] == pytest.approx(truth_angle, abs=0.1)


def check_in_the_plane(volume: Volume, truth: SliceStack) -> None:
    """A calliper across a ball on its own slice, its ends found where the pixels cross half way."""
    geometry = volume.geometry
    assert geometry is not None
    ball = BALLS[0]
    index = round(geometry.index(ball.centre)[2])
    shown = scene_at(volume, index)
    column, row, _ = geometry.index(ball.centre)
    line = volume.values(index)[round(row)]
    half = (HU + GROUND) / 2
    above = np.flatnonzero(line > half)
    above = above[np.abs(above - column) < ball.diameter]
    first, last = int(above[0]), int(above[-1])
    left = first - (line[first] - half) / (line[first] - line[first - 1])
    right = last + (line[last] - half) / (line[last] - line[last + 1])
    ends = [geometry.patient(float(x), round(row), index) for x in (left, right)]
    # the same stroke through the screen: there and back by the view's own pixels
    through = [shown.frame.patient(*shown.frame.viewport(end)[:2]) for end in ends]
    measured_mm = numbers(shown, "length", *through)["Length"]
    assert measured_mm == pytest.approx(abs(right - left) * truth.column_spacing, abs=1e-6)


def check_volume(volume: Volume, tolerance: float = 0.01) -> None:
    """The volume of what hangs together above half, and the one by partial volume, against the ball's."""
    geometry = volume.geometry
    assert geometry is not None
    voxels = measures.voxel_volume(geometry)
    for ball in BALLS:
        shares, places, _ = weights_about(volume, ball)
        by_shares = float((shares * voxels[places[:, 2]]).sum())
        assert by_shares == pytest.approx(ball.volume, rel=tolerance)
        segment = measures.threshold_at(volume, found_centre(volume, ball), (HU + GROUND) / 2, HU, 10.0)
        assert isinstance(segment, Segment)
        # whole voxels alone: the surface of so small a ball is a third of it
        assert segment.volume == pytest.approx(ball.volume, rel=0.03)


def check_letters(volume: Volume) -> None:
    """Orientation letters come from the vectors, here worked out by the largest component."""
    geometry = volume.geometry
    assert geometry is not None
    for step in (geometry.column_step, geometry.row_step, geometry.slice_step):
        strongest = int(np.argmax(np.abs(step)))
        expected = LETTERS[strongest][0 if step[strongest] > 0 else 1]
        assert orientation_letters(unit(step))[0] == expected


def orders() -> Iterator[tuple[Vector, Vector]]:
    for right, down in itertools.product(AXES, AXES):
        if abs(float(np.dot(right, down))) < 0.5:
            yield right, down


@pytest.mark.parametrize("axes", list(orders()), ids=lambda a: "".join(orientation_letters(v) for v in a))
def test_each_of_the_48_axis_orders(axes: tuple[Vector, Vector], tmp_path: Path) -> None:
    """24 ways to lay rows and columns, each with its slices stacked along the normal and against it."""
    slices = stack((44, 50, 32), (1.0, 0.8, 1.2), (0.4, -0.3, 0.2), *axes)
    upright = volume_of(classic_series(THREE, slices, SeriesHeader("order", "CT")), tmp_path, reverse=True)
    for volume, mirrored in ((upright, False), (left_handed(upright), True)):
        assert volume.geometry is not None
        assert (np.linalg.det(volume.geometry.matrix[:, :3]) < 0) == mirrored
        check_letters(volume)
        check_lengths_and_angles(volume)
        check_in_the_plane(volume, slices)
        check_volume(volume)


RIGHT, DOWN = oblique(24.0, -17.0, 31.0)
PATHS = {
    "classic oblique": (classic_series, stack((46, 52, 34), (1.0, 0.85, 1.1), right=RIGHT, down=DOWN)),
    "classic tilted": (classic_series, stack((46, 50, 30), (1.0, 0.8, 1.2), tilt_deg=16.5)),
    "classic tilted the other way": (classic_series, stack((46, 50, 30), (1.0, 0.8, 1.2), tilt_deg=-21.0)),
    "classic gapped": (classic_series, stack((46, 50, 24), (1.0, 0.8, 1.5), thickness=1.0)),
    "enhanced": (enhanced_image, stack((46, 50, 30), (1.0, 0.8, 1.2))),
    "enhanced oblique": (enhanced_image, stack((46, 52, 34), (0.9, 0.9, 1.1), right=RIGHT, down=DOWN)),
    "enhanced tilted": (enhanced_image, stack((46, 50, 30), (1.0, 0.8, 1.2), tilt_deg=16.5)),
    "multi-frame": (multiframe_image, stack((46, 50, 30), (1.0, 0.8, 1.2))),
    "multi-frame oblique": (multiframe_image, stack((46, 52, 34), (1.0, 0.85, 1.1), right=RIGHT, down=DOWN)),
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_path_through_files(path: str, tmp_path: Path) -> None:
    make, slices = PATHS[path]
    modality = "NM" if make is multiframe_image else "CT"
    volume = volume_of(make(THREE, slices, SeriesHeader(path, modality)), tmp_path)
    check_letters(volume)
    check_lengths_and_angles(volume)
    check_in_the_plane(volume, slices)
    check_volume(volume, 0.02 if "gapped" in path else 0.01)


@pytest.mark.parametrize("tilt", [0.0, 16.5])
def test_a_large_region_has_its_volume(tilt: float, tmp_path: Path) -> None:
    ball = Sphere((0.3, -0.7, 0.2), 34.0, HU)
    slices = stack((62, 66, 40), (0.7, 0.7, 1.0), tilt_deg=tilt, right=(0.0, 1.0, 0.0), down=(0.0, 0.0, 1.0))
    volume = volume_of(classic_series(Scene((ball,), GROUND), slices, SeriesHeader("large", "CT")), tmp_path)
    segment = measures.threshold_at(volume, ball.centre, (HU + GROUND) / 2, HU, 20.0)
    assert isinstance(segment, Segment)
    assert segment.volume == pytest.approx(ball.volume, rel=0.01)
    leak = measures.threshold_at(volume, ball.centre, (HU + GROUND) / 2, HU, 12.0)
    assert isinstance(leak, Refusal)
    assert "goes on" in leak.reason
    assert isinstance(measures.threshold_at(volume, ball.centre, 5000, 6000, 20.0), Refusal)
    assert isinstance(measures.threshold_at(volume, (900.0, 0.0, 0.0), 0, 6000, 20.0), Refusal)


def test_unequal_gaps_count_what_they_stand_for(tmp_path: Path) -> None:
    offsets = sorted([*np.arange(-14, -5, 1.0), *np.arange(-5, 6, 0.8), *np.arange(6.3, 15, 1.3)])
    slices = stack((44, 50, len(offsets)), (1.0, 0.8, 1.0), thickness=0.8, offsets=offsets)
    volume = volume_of(classic_series(THREE, slices, SeriesHeader("uneven", "CT")), tmp_path)
    assert volume.geometry is not None
    assert volume.geometry.stations is not None
    check_letters(volume)
    check_in_the_plane(volume, slices)
    check_volume(volume, 0.02)


def test_areas_of_cylinders_in_every_plane(tmp_path: Path) -> None:
    """A disk cut out of a rod: ellipse, rectangle and freehand outline agree with its area and its values."""
    rod = Rod((3.0, -2.0, -40.0), (3.0, -2.0, 40.0), 26.0, HU)
    slices = stack((80, 96, 7), (0.6, 0.5, 2.0))
    volume = volume_of(classic_series(Scene((rod,), GROUND), slices, SeriesHeader("rod", "CT")), tmp_path)
    shown = scene_at(volume, 3)
    z = volume.header(3).plane.origin[2]  # type: ignore[union-attr]
    truth = np.pi * 13.0**2
    half = (HU + GROUND) / 2
    inside = volume.values(3) > half
    assert inside.sum() * 0.6 * 0.5 == pytest.approx(truth, rel=0.01)
    ends = ((-10.0, -2.0, z), (16.0, -2.0, z), (3.0, -15.0, z), (3.0, 11.0, z))
    ellipse = numbers(shown, "ellipse_roi", *ends)
    assert ellipse["Area"] == pytest.approx(truth, rel=1e-6)
    ring = [(3.0 + 13.0 * np.cos(t), -2.0 + 13.0 * np.sin(t), z) for t in np.linspace(0, 2 * np.pi, 181)[:-1]]
    outline = numbers(shown, "freehand_roi", *ring)
    assert outline["Area"] == pytest.approx(truth, rel=0.001)
    assert outline["Perimeter"] == pytest.approx(2 * np.pi * 13.0, rel=0.001)
    assert outline["Mean"] == pytest.approx(ellipse["Mean"], rel=0.005)
    box = measures.rectangle_in_box((-4.0, -6.0, z), (9.0, 2.0, z), shown.frame)
    rectangle = numbers(shown, "rectangle_roi", *box)
    assert rectangle["Area"] == pytest.approx(104.0, rel=1e-6)
    assert rectangle["Minimum"] == rectangle["Maximum"] == HU


@pytest.mark.parametrize("tilt", [0.0, 16.5])
def test_a_stack_of_outlines_is_a_volume(tilt: float, tmp_path: Path) -> None:
    ball = Sphere((1.0, -1.5, 0.7), 24.0, HU)
    slices = stack((60, 64, 17), (0.7, 0.7, 2.0), thickness=0.4, tilt_deg=tilt)
    volume = volume_of(classic_series(Scene((ball,), GROUND), slices, SeriesHeader("stack", "CT")), tmp_path)
    geometry = volume.geometry
    assert geometry is not None
    contours = []
    for k in range(len(volume.loaded)):
        inside = volume.values(k) > (HU + GROUND) / 2
        if inside.any():
            contours.append(Contour(geometry.plane(k).origin, float(inside.sum()) * 0.49))
    step = geometry.spacing[2]
    found = measures.stacked_volume(contours, geometry.normal, step)
    assert found == pytest.approx(ball.volume, rel=0.01)
    every_other = measures.stacked_volume(contours[::2], geometry.normal, 2 * step)
    assert every_other == pytest.approx(ball.volume, rel=0.03)
    apart = [contours[0], contours[1], contours[-1]]
    assert isinstance(measures.stacked_volume(apart, geometry.normal, step), Refusal)
    assert isinstance(measures.stacked_volume([], geometry.normal, 1.0), Refusal)


def test_statistics_and_volumes_are_those_of_simpleitk(tmp_path: Path) -> None:
    import SimpleITK

    slices = stack((40, 44, 20), (1.0, 0.8, 1.5), right=RIGHT, down=DOWN)
    made = classic_series(THREE, slices, SeriesHeader("itk", "CT"), noise=30.0, seed=4)
    volume = volume_of(made, tmp_path)
    geometry = volume.geometry
    assert geometry is not None
    segment = measures.threshold_at(volume, found_centre(volume, BALLS[1]), 400, 2000, 12.0)
    assert isinstance(segment, Segment)
    values = np.stack([volume.values(k) for k in range(len(volume.loaded))])
    label = np.zeros(values.shape, dtype=np.uint8)
    i, j, k = segment.first
    z, y, x = segment.mask.shape
    label[k : k + z, j : j + y, i : i + x] = segment.mask
    image, mask = SimpleITK.GetImageFromArray(values), SimpleITK.GetImageFromArray(label)
    for one in (image, mask):
        one.SetSpacing(geometry.spacing)
        one.SetOrigin(geometry.origin)
        steps = (unit(geometry.column_step), unit(geometry.row_step), unit(geometry.slice_step))
        one.SetDirection(np.array(steps).T.reshape(-1).tolist())
    theirs = SimpleITK.LabelIntensityStatisticsImageFilter()
    theirs.Execute(mask, image)
    ours = segment.numbers
    assert ours.count == theirs.GetNumberOfPixels(1)
    assert segment.volume == pytest.approx(theirs.GetPhysicalSize(1), rel=1e-9)
    assert (ours.lowest, ours.highest) == (theirs.GetMinimum(1), theirs.GetMaximum(1))
    assert ours.mean == pytest.approx(theirs.GetMean(1))
    # theirs divides by one less
    assert ours.deviation * np.sqrt(ours.count / (ours.count - 1)) == pytest.approx(
        theirs.GetStandardDeviation(1)
    )
    assert distance(found_centre(volume, BALLS[1]), theirs.GetCenterOfGravity(1)) < 0.3
    connected = SimpleITK.ConnectedThreshold(
        image, [tuple(int(v) for v in np.round(geometry.index(BALLS[1].centre)))], 400, 2000
    )
    assert np.array_equal(SimpleITK.GetArrayFromImage(connected), label)


@dataclass(frozen=True)
class Curve:
    name: str
    upper: tuple[Vector, Vector]
    lower: tuple[Vector, Vector]
    degrees: float


def plate(centre: Vector, degrees: float) -> tuple[Vector, Vector]:
    t = np.radians(degrees)
    dx, dy = 20 * np.cos(t), 20 * np.sin(t)
    return (centre[0] - dx, centre[1] - dy, 0.0), (centre[0] + dx, centre[1] + dy, 0.0)


CURVES = [
    Curve("slight", plate((0, 0, 0), 5), plate((0, 60, 0), -7), 12.0),
    Curve("parallel", plate((0, 0, 0), 9), plate((0, 60, 0), 9), 0.0),
    Curve("severe", plate((0, 0, 0), 55), plate((0, 70, 0), -50), 105.0),
]


@pytest.mark.parametrize("curve", CURVES, ids=lambda c: c.name)
@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True), (True, True)])
def test_cobb_angles_however_the_lines_are_drawn(curve: Curve, flips: tuple[bool, bool]) -> None:
    upper = curve.upper[::-1] if flips[0] else curve.upper
    lower = curve.lower[::-1] if flips[1] else curve.lower
    assert measures.cobb((upper[0], upper[1]), (lower[0], lower[1])) == pytest.approx(curve.degrees, abs=1e-6)


def test_the_two_diameters_of_an_outline() -> None:
    t = np.linspace(0, 2 * np.pi, 361)[:-1]
    turn = np.radians(33)
    x, y = 20 * np.cos(t), 9 * np.sin(t)
    ring = [
        (a * np.cos(turn) - b * np.sin(turn), a * np.sin(turn) + b * np.cos(turn), 5.0)
        for a, b in zip(x, y, strict=True)
    ]
    found = measures.bidirectional(ring)
    assert not isinstance(found, Refusal)
    assert found.long == pytest.approx(40.0, abs=0.1)
    assert found.short == pytest.approx(18.0, abs=0.1)
    assert isinstance(measures.bidirectional(ring[:2]), Refusal)
    assert isinstance(measures.bidirectional([(0, 0, 0), (1, 0, 0), (3, 0, 0)]), Refusal)
