"""Where pixels lie in the patient: index <-> patient, letters, tilt, unequal spacing, refusals."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.imaging.geometry import (
    GeometryError,
    PlaneGeometry,
    Vector,
    VolumeGeometry,
    cross,
    distance,
    dot,
    norm,
    opposite_letters,
    orientation_letters,
    plane_name,
    unit,
)

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def plane(position: Vector, orientation: tuple[float, ...] = AXIAL, spacing: float = 1.0) -> PlaneGeometry:
    return PlaneGeometry.from_attributes(position, orientation, (spacing, spacing * 1.5), 20, 30)


def axis_orders() -> list[tuple[float, ...]]:
    """All 24 pairs of signed axes at right angles: with either stacking direction the 48 axis orders."""
    axes = [tuple(s if n == a else 0.0 for n in range(3)) for a in range(3) for s in (1.0, -1.0)]
    return [
        (*a, *b)
        for a, b in itertools.product(axes, axes)
        if abs(sum(x * y for x, y in zip(a, b, strict=True))) < 0.5
    ]


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("orientation", axis_orders())
def test_every_axis_order_round_trips(orientation: tuple[float, ...], direction: int) -> None:
    first = plane((10.0, -20.0, 30.0), orientation)
    n = first.normal
    step = 2.5 * direction
    places = [(10 + n[0] * step * k, -20 + n[1] * step * k, 30 + n[2] * step * k) for k in range(7)]
    planes = [plane(place, orientation) for place in places]
    volume = VolumeGeometry.from_planes(planes)
    point = volume.patient(3.25, 7.5, 4.0)
    assert distance(point, planes[4].patient(3.25, 7.5)) < 1e-9
    assert volume.index(point) == pytest.approx((3.25, 7.5, 4.0))
    assert volume.spacing == pytest.approx((1.5, 1.0, 2.5))
    assert volume.shear_degrees == pytest.approx(0.0, abs=1e-5)


@given(
    st.tuples(*[st.floats(-1, 1) for _ in range(3)]),
    st.floats(0, 6.28),
    st.tuples(st.floats(0.1, 5), st.floats(0.1, 5), st.floats(0.1, 9), st.floats(-0.4, 0.4)),
    st.tuples(*[st.floats(-50, 50) for _ in range(3)]),
)
def test_index_patient_index(axis: Vector, turn: float, sizes: tuple[float, ...], index: Vector) -> None:
    if norm(axis) < 0.1:
        return
    normal = unit(axis)
    helper = (1.0, 0.0, 0.0) if abs(normal[0]) < 0.9 else (0.0, 1.0, 0.0)
    a = unit(cross(normal, helper))
    b = cross(normal, a)
    row = tuple(math.cos(turn) * x + math.sin(turn) * y for x, y in zip(a, b, strict=True))
    column = tuple(-math.sin(turn) * x + math.cos(turn) * y for x, y in zip(a, b, strict=True))
    down, across, step, shear = sizes
    lean = [n + shear * c for n, c in zip(normal, column, strict=True)]
    places = [(k * step * lean[0], k * step * lean[1], k * step * lean[2]) for k in range(5)]
    axes = (*row, *column)
    planes = [PlaneGeometry.from_attributes(place, axes, (down, across), 9, 9) for place in places]
    volume = VolumeGeometry.from_planes(planes)
    assert volume.index(volume.patient(*index)) == pytest.approx(index, abs=1e-6)


def test_letters_come_from_the_vectors() -> None:
    assert orientation_letters((1, 0, 0)) == "L"
    assert orientation_letters((0, -1, 0)) == "A"
    assert orientation_letters((0, 0, -1)) == "F"
    assert orientation_letters((0.8, 0.6, 0)) == "LP"
    assert orientation_letters((-0.1, 0.99, 0.05)) == "P"
    assert orientation_letters((0, 0, 0)) == ""
    assert opposite_letters("LPH") == "RAF"
    assert plane_name((0, 0, -1)) == "axial"
    assert plane_name((0.1, 0, 1)) == "axial oblique"


def test_gantry_tilt_is_a_shear() -> None:
    tilt = math.radians(16.5)
    orientation = (1.0, 0.0, 0.0, 0.0, math.cos(tilt), math.sin(tilt))
    planes = [plane((0.0, 0.0, 2.5 * k), orientation) for k in range(9)]
    volume = VolumeGeometry.from_planes(planes)
    assert volume.shear_degrees == pytest.approx(16.5, abs=1e-6)
    assert volume.spacing[2] == pytest.approx(2.5 * math.cos(tilt))
    assert distance(volume.patient(0, 0, 8), (0, 0, 20)) < 1e-9


def test_unequal_slices_keep_their_places() -> None:
    places = [0.0, 1.0, 2.5, 6.0, 7.0]
    volume = VolumeGeometry.from_planes([plane((0.0, 0.0, z)) for z in places])
    assert not volume.is_regular
    for k, z in enumerate(places):
        assert volume.patient(0, 0, k)[2] == pytest.approx(z)
        assert volume.index((0.0, 0.0, z))[2] == pytest.approx(k)
        assert volume.plane(k).origin[2] == pytest.approx(z)
    assert volume.index((0.0, 0.0, 4.25))[2] == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("position", "orientation", "spacing", "says"),
    [
        ((0, 0, 0), (1, 0, 0, 1, 0, 0), (1, 1), "right angles"),
        ((0, 0, 0), (0, 0, 0, 0, 0, 0), (1, 1), "unit vectors"),
        ((0, 0, 0), (1, 0, 0), (1, 1), "six"),
        ((0, 0), AXIAL, (1, 1), "Position"),
        ((0, 0, math.nan), AXIAL, (1, 1), "Position"),
        ((0, 0, 0), AXIAL, (0, 1), "absurd"),
        ((0, 0, 0), AXIAL, (1, 5000), "absurd"),
        ((0, 0, 0), AXIAL, (), "Spacing"),
    ],
)
def test_nonsense_is_refused_with_words(
    position: tuple[float, ...], orientation: tuple[float, ...], spacing: tuple[float, ...], says: str
) -> None:
    with pytest.raises(GeometryError, match=says):
        PlaneGeometry.from_attributes(position, orientation, spacing, 4, 4)


@pytest.mark.parametrize(
    ("planes", "says"),
    [
        ([plane((0, 0, 0)), plane((0, 0, 0)), plane((0, 0, 1))], "same place"),
        ([plane((0, 0, 0)), plane((9, 0, 1)), plane((0, 0, 2))], "beside the line"),
        ([plane((0, 0, 0)), plane((0, 0, 1), (1, 0, 0, 0, 0, 1))], "not parallel"),
        ([plane((0, 0, 0)), plane((5, 0, 0))], "one plane"),
    ],
)
def test_what_is_no_volume_is_refused(planes: list[PlaneGeometry], says: str) -> None:
    with pytest.raises(GeometryError, match=says):
        VolumeGeometry.from_planes(planes)


def test_normal_is_row_cross_column() -> None:
    p = plane((0, 0, 0))
    assert p.normal == (0, 0, 1)
    assert dot(p.normal, p.row) == 0
