"""Every engine samples within 0.51 stored units of a float64 trilinear that is written apart from them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.imaging import kernels
from workstation.rendering.engines import Cut, Engine, Flat, engine_named
from workstation.session.view_state import Interpolation, SlabMode

CHOICES = kernels.kernels.choices() if kernels.kernels is not None else ()


def trilinear(volume: np.ndarray[Any, Any], point: tuple[float, float, float]) -> float | None:
    """One place (column, row, slice), the textbook way; None more than half a voxel outside."""
    sizes = volume.shape[::-1]
    if any(not -0.5 <= c <= n - 0.5 for c, n in zip(point, sizes, strict=True)):
        return None
    held = [min(max(c, 0.0), n - 1.0) for c, n in zip(point, sizes, strict=True)]
    total = 0.0
    for corner in itertools.product((0, 1), repeat=3):
        weight, index = 1.0, []
        for c, n, up in zip(held, sizes, corner, strict=True):
            low = min(int(np.floor(c)), max(n - 2, 0))
            part = c - low
            weight *= part if up else 1.0 - part
            index.append(min(low + up, n - 1))
        total += weight * float(volume[index[2], index[1], index[0]])
    return total


def places(cut: Cut, x: int, y: int) -> list[tuple[float, float, float]]:
    found = []
    for p in range(cut.planes):
        i, j, k = (
            o + x * a + y * d + p * t
            for o, a, d, t in zip(cut.origin, cut.across, cut.down, cut.through, strict=True)
        )
        found.append((i, j, k))
    return found


def expected(volume: np.ndarray[Any, Any], cut: Cut, outside: int) -> np.ndarray[Any, Any]:
    out = np.full((cut.height, cut.width), float(outside))
    for y, x in itertools.product(range(cut.height), range(cut.width)):
        values = [v for v in (trilinear(volume, p) for p in places(cut, x, y)) if v is not None]
        if values:
            join = {SlabMode.MAXIMUM: max, SlabMode.MINIMUM: min, SlabMode.MEAN: lambda v: sum(v) / len(v)}
            out[y, x] = join[cut.mode](values)
    return out


vectors = st.tuples(*[st.floats(-1.7, 1.7, allow_nan=False) for _ in range(3)])
shapes = st.tuples(st.integers(1, 6), st.integers(1, 7), st.integers(1, 9))


@st.composite
def cuts(draw: st.DrawFn) -> Cut:
    return Cut(
        origin=draw(st.tuples(*[st.floats(-3, 6, allow_nan=False) for _ in range(3)])),
        across=draw(vectors),
        down=draw(vectors),
        width=draw(st.integers(1, 12)),
        height=draw(st.integers(1, 8)),
        through=draw(vectors),
        planes=draw(st.sampled_from([1, 1, 3, 5])),
        mode=draw(st.sampled_from(list(SlabMode))),
    )


def safe(cut: Cut, shape: tuple[int, int, int]) -> bool:
    """No sample within rounding of the outer edge, where engines may rightly differ."""
    for y, x in itertools.product(range(cut.height), range(cut.width)):
        for point in places(cut, x, y):
            for c, n in zip(point, shape[::-1], strict=True):
                if min(abs(c + 0.5), abs(c - (n - 0.5))) < 1e-4:
                    return False
    return True


def noise(shape: tuple[int, int, int], dtype: str, seed: int) -> np.ndarray[Any, Any]:
    ends = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(ends.min, ends.max, shape, dtype=dtype, endpoint=True)


def check(engine: Engine, volume: np.ndarray[Any, Any], cut: Cut, limit: float) -> None:
    outside = 7
    truth = expected(volume, cut, outside)
    got = engine.cut(volume, cut, outside).astype(np.float64)
    assert np.abs(got - truth).max() <= limit


@pytest.mark.parametrize("choice", CHOICES)
@settings(max_examples=60, deadline=None)
@given(shape=shapes, cut=cuts(), dtype=st.sampled_from(["int16", "uint16", "uint8"]), seed=st.integers(0, 99))
def test_kernel_within_half_a_unit(
    choice: str, shape: tuple[int, int, int], cut: Cut, dtype: str, seed: int
) -> None:
    if safe(cut, shape):
        assert kernels.kernels is not None
        kernels.kernels.use(choice)
        try:
            check(engine_named("kernel"), noise(shape, dtype, seed), cut, 0.51)
        finally:
            kernels.kernels.use(CHOICES[-1])


@settings(max_examples=60, deadline=None)
@given(shape=shapes, cut=cuts(), dtype=st.sampled_from(["int16", "uint16", "uint8"]), seed=st.integers(0, 99))
def test_reference_within_half_a_unit(shape: tuple[int, int, int], cut: Cut, dtype: str, seed: int) -> None:
    if safe(cut, shape):
        check(engine_named("reference"), noise(shape, dtype, seed), cut, 0.501)


@settings(max_examples=40, deadline=None)
@given(shape=shapes, cut=cuts(), dtype=st.sampled_from(["int16", "uint16"]), seed=st.integers(0, 99))
def test_vtk_within_half_a_unit(shape: tuple[int, int, int], cut: Cut, dtype: str, seed: int) -> None:
    if safe(cut, shape):
        # VTK holds places to 1/131072 of a voxel, which noise over all 16 bits turns into half a unit more
        check(engine_named("vtk"), noise(shape, dtype, seed), cut, 0.51 + 3 * 65535 / 131072)
        check(engine_named("vtk"), noise(shape, dtype, seed) // 64, cut, 0.51 + 3 * 1024 / 131072)


def engines() -> list[str]:
    return (["kernel"] if kernels.loaded else []) + ["vtk", "reference"]


def test_compiled_kernels_are_here() -> None:
    assert kernels.loaded, "build them: python setup.py build_ext --inplace"


@settings(max_examples=40, deadline=None)
@given(
    angle=st.floats(0, 6.3),
    zoom=st.floats(0.2, 4.0),
    samples=st.sampled_from([1, 1, 2, 3]),
    interpolation=st.sampled_from(list(Interpolation)),
    seed=st.integers(0, 99),
)
def test_flat_engines_agree(
    angle: float, zoom: float, samples: int, interpolation: Interpolation, seed: int
) -> None:
    image = noise((1, 17, 23), "int16", seed)[0]
    table = (np.arange(65536) >> 8).astype(np.uint8)
    across = (float(np.cos(angle)) / zoom, float(np.sin(angle)) / zoom)
    flat = Flat((2.37, 1.19), across, (-across[1], across[0]), 31, 19, samples, interpolation)
    pictures = [engine_named(name).flat(image, flat, table, 3).astype(int) for name in engines()]
    x, y = np.arange(31.0), np.arange(19.0)[:, None]
    columns, rows = (o + x * a + y * d for o, a, d in zip(flat.origin, flat.across, flat.down, strict=True))
    # VTK bends its cubic at the image's edge, and the very edge is inside or outside by rounding
    edge = 2.5 if interpolation is Interpolation.CUBIC else 1e-4
    seen = np.ones((19, 31), dtype=bool)
    for place, size in ((columns, 23), (rows, 17)):
        if interpolation is Interpolation.CUBIC:
            seen &= (place > edge - 0.5) & (place < size - 0.5 - edge)
        if interpolation is Interpolation.NEAREST:
            seen &= np.abs(place - np.floor(place) - 0.5) > 1e-4
        seen &= (np.abs(place + 0.5) > edge) & (np.abs(place - (size - 0.5)) > edge)
    for picture in pictures[1:]:
        assert np.abs(picture - pictures[0])[seen].max(initial=0) <= 1


@pytest.mark.parametrize("name", engines())
def test_unequal_stations(name: str) -> None:
    """A ramp over unequally spaced slices comes out straight in millimetres."""
    stations = np.array([0.0, 1.0, 1.5, 4.0, 5.0])
    volume = np.broadcast_to((stations * 100)[:, None, None], (5, 4, 6)).astype(np.int16)
    cut = Cut((2.0, 1.5, -0.25), (0.0, 0.0, 0.125), (0.0, 0.1, 0.0), 43, 3)
    got = engine_named(name).cut(np.ascontiguousarray(volume), cut, -9, stations)
    ramp = np.clip(-0.25 + 0.125 * np.arange(43), 0, 5) * 100
    assert np.abs(got - ramp).max() <= 0.51


@pytest.mark.parametrize("name", engines())
def test_colour_is_laid_flat(name: str) -> None:
    image = np.zeros((4, 5, 3), dtype=np.uint8)
    image[1, 3] = (200, 100, 50)
    got = engine_named(name).flat(image, Flat((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), 5, 4), None)
    assert np.array_equal(got, image)


@pytest.mark.parametrize(
    "wrong",
    [
        {"across": (float("nan"), 0.0, 0.0)},
        {"origin": (float("inf"), 0.0, 0.0)},
        {"down": (1e300, 0.0, 0.0)},
        {"planes": 0},
    ],
)
def test_kernel_refuses_nonsense(wrong: dict[str, Any]) -> None:
    volume = np.zeros((3, 3, 3), dtype=np.int16)
    given_ = {"origin": (0.0, 0.0, 0.0), "across": (1.0, 0.0, 0.0), "down": (0.0, 1.0, 0.0)}
    with pytest.raises(ValueError, match=r"finite|out of range"):
        engine_named("kernel").cut(volume, Cut(width=3, height=3, **{**given_, **wrong}))


def test_kernel_refuses_float_pixels() -> None:
    cut = Cut((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), 3, 3)
    with pytest.raises(TypeError):
        engine_named("kernel").cut(np.zeros((3, 3, 3), dtype=np.float32), cut)
