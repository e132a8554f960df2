"""Kernels, VTK and NumPy give one picture: any volume, plane, spacing and edge; fused, curved, projected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.imaging import kernels
from workstation.imaging.luts import GreyChain, VoiWindow, grey_table
from workstation.rendering.engines import Cut, Engine, Flat, Layer, Ribbon, engine_named
from workstation.session.view_state import Interpolation, SlabMode

CHOICES = kernels.kernels.choices() if kernels.kernels is not None else ()
Vector = tuple[float, float, float]
TYPES = ["int16", "uint16", "uint8"]


@pytest.fixture(params=CHOICES)
def kernel(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The compiled engine on each instruction set this machine has."""
    kernels.use(request.param)
    yield engine_named("kernel")
    kernels.use(CHOICES[-1])


def reference() -> Engine:
    return engine_named("reference")


def noise(rng: np.random.Generator, dtype: str, shape: tuple[int, ...] | None = None) -> Any:
    """Every value of the type, in a volume of 1 to 40 voxels a side."""
    size = tuple(rng.integers(1, 40, 3)) if shape is None else shape
    ends = np.iinfo(dtype)
    return rng.integers(ends.min, ends.max, size, dtype=dtype, endpoint=True)


def three(values: Any) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])


def through(rng: np.random.Generator, shape: tuple[int, ...], planes: int = 1) -> Cut:
    """A turned, sheared or mirrored plane through the middle of a volume, often reaching beyond it."""
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.uniform(0.1, 1.9, 3)[:, None]
    if rng.random() < 0.3:
        axes = np.eye(3)[rng.permutation(3)] * rng.choice([-1.0, 0.5, 1.0], 3)[:, None]
    width, height = (int(n) for n in rng.integers(1, 90, 2))
    middle = (np.array(shape[::-1]) - 1) / 2 + rng.uniform(-0.3, 0.3, 3)
    origin = middle - axes[0] * width / 2 - axes[1] * height / 2 - axes[2] * (planes - 1) / 2
    return Cut(three(origin), three(axes[0]), three(axes[1]), width, height, three(axes[2]), planes)


def edge_of(cut: Cut, shape: tuple[int, ...]) -> Any:
    """Where a plane comes so close to the outer edge that rounding decides what is inside."""
    x, y = np.arange(cut.width), np.arange(cut.height)[:, None]
    close = np.zeros((cut.height, cut.width), dtype=bool)
    for p in range(cut.planes):
        for k, n in enumerate(shape[::-1]):
            at = cut.origin[k] + x * cut.across[k] + y * cut.down[k] + p * cut.through[k]
            close |= (np.abs(at + 0.5) < 1e-6) | (np.abs(at - n + 0.5) < 1e-6)
    return close


def wide(dtype: str) -> VoiWindow:
    """A window in which a unit of rounding is no more than a grey level."""
    return VoiWindow(100, 300) if dtype == "uint8" else VoiWindow(100, 30000)


SEEDS = st.integers(0, 100_000)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, dtype=st.sampled_from(TYPES), mode=st.sampled_from(list(SlabMode)))
def test_linear_within_half_a_unit(seed: int, dtype: str, mode: SlabMode) -> None:
    """Wide enough for loops that take eight pixels at a time; planes and slabs, every instruction set."""
    rng = np.random.default_rng(seed)
    volume = noise(rng, dtype)
    cut = replace(through(rng, volume.shape, int(rng.choice([1, 1, 2, 7, 29]))), mode=mode)
    from workstation.rendering.engines.reference import exact_cut

    exact, inside = exact_cut(volume, cut)
    clear = ~edge_of(cut, volume.shape)
    truth = np.where(inside, exact, 5)
    for choice in CHOICES:
        kernels.use(choice)
        got = engine_named("kernel").cut(volume, cut, 5).astype(np.float64)
        assert np.abs(got - truth)[clear].max(initial=0) <= 0.51, choice


@settings(max_examples=30, deadline=None)
@given(
    seed=SEEDS, dtype=st.sampled_from(["int16", "uint16"]), interpolation=st.sampled_from(list(Interpolation))
)
def test_kernel_and_vtk_within_a_grey(seed: int, dtype: str, interpolation: Interpolation) -> None:
    rng = np.random.default_rng(seed)
    volume = noise(rng, dtype) // 16
    planes = 1 if interpolation is not Interpolation.LINEAR else int(rng.choice([1, 5]))
    cut = replace(through(rng, volume.shape, planes), interpolation=interpolation)
    table = grey_table(GreyChain(voi=VoiWindow(1000, 4096)), volume.dtype)
    ours = engine_named("kernel").cut_grey(volume, cut, table, 3).astype(int)
    theirs = engine_named("vtk").cut_grey(volume, cut, table, 3).astype(int)
    clear = ~edge_of(cut, volume.shape)
    x, y = np.arange(cut.width), np.arange(cut.height)[:, None]
    for k, n in enumerate(volume.shape[::-1]):
        at = cut.origin[k] + x * cut.across[k] + y * cut.down[k]
        if interpolation is Interpolation.NEAREST:  # halfway between two voxels either is right
            clear &= np.abs(at - np.floor(at) - 0.5) > 1e-4
        if interpolation is Interpolation.CUBIC:  # VTK bends its cubic at the edge, ours holds the edge
            clear &= (at > 2) & (at < n - 3)
    assert np.abs(ours - theirs)[clear].max(initial=0) <= 1


def test_cubic_and_nearest(kernel: Engine) -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        volume = noise(rng, TYPES[seed % 3])
        cut = through(rng, volume.shape, 1 + 3 * (seed % 2))
        clear = ~edge_of(cut, volume.shape)
        for interpolation in (Interpolation.CUBIC, Interpolation.NEAREST):
            turned = replace(cut, interpolation=interpolation)
            away = kernel.cut(volume, turned).astype(int) - reference().cut(volume, turned)
            assert np.abs(away)[clear].max(initial=0) <= 1


def test_projection_of_a_whole_volume(kernel: Engine) -> None:
    """What is skipped could not have been seen: as the slab of all planes, to a grey level."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        dtype = TYPES[seed % 3]
        volume = noise(rng, dtype)
        volume[:, : volume.shape[1] // 2] //= 4  # a dark half, so that there is something to skip
        cut = through(rng, volume.shape, int(rng.integers(1, 70)))
        table = grey_table(GreyChain(voi=wide(dtype)), volume.dtype)
        clear = ~edge_of(cut, volume.shape)
        away = kernel.projected(volume, cut, table, 9).astype(int) - reference().cut_grey(
            volume, cut, table, 9
        )
        assert np.abs(away)[clear].max(initial=0) <= 1


def test_curved_surfaces(kernel: Engine) -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        volume = noise(rng, TYPES[seed % 3])
        height, width = (int(n) for n in rng.integers(1, 60, 2))
        places = rng.uniform(0, 1, (height, 3)) * volume.shape[::-1]
        ribbon = Ribbon(
            np.concatenate([places, rng.normal(0, 0.5, (height, 6))], axis=1), width, 1 + 4 * (seed % 2)
        )
        away = kernel.curved(volume, ribbon, 3).astype(int) - reference().curved(volume, ribbon, 3)
        assert np.abs(away).max() <= 1


@pytest.mark.parametrize("name", ["kernel", "vtk"])
def test_fused_layers(name: str) -> None:
    """Two grids, two tables, colours with opacity; clear where the upper volume is not."""
    for seed in range(25):
        rng = np.random.default_rng(seed)
        below, above = noise(rng, "int16") // 16, noise(rng, "uint16") // 16
        first = through(rng, below.shape)
        second = replace(through(rng, above.shape), width=first.width, height=first.height)
        layers = [
            Layer(v, c, grey_table(GreyChain(voi=VoiWindow(0, 4096)), v.dtype))
            for v, c in ((below, first), (above, second))
        ]
        ramp = np.stack([np.arange(256), 255 - np.arange(256), np.full(256, 60), np.arange(256)], axis=1)
        colours = ramp.astype(np.uint8)
        got = engine_named(name).fused(*layers, colours, 7).astype(int)
        truth = reference().fused(*layers, colours, 7).astype(int)
        clear = ~(edge_of(first, below.shape) | edge_of(second, above.shape))
        assert np.abs(got - truth)[clear].max(initial=0) <= 3  # a level up or down moves colour and opacity


def test_kernels_refuse_nonsense() -> None:
    volume = np.zeros((3, 4, 5), dtype=np.int16)
    engine = engine_named("kernel")
    table = np.zeros(65536, dtype=np.uint8)
    flat = Cut((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), 8, 8)
    wrong = [
        lambda: engine.curved(volume, Ribbon(np.full((4, 9), np.nan), 5)),
        lambda: engine.curved(volume, Ribbon(np.zeros((4, 8)), 5)),
        lambda: engine.projected(volume, replace(flat, planes=0), table),
        lambda: engine.projected(volume, flat, table[:9]),
        lambda: engine.fused(
            Layer(volume, flat, table), Layer(volume, flat, table), np.zeros((3, 4), np.uint8)
        ),
        lambda: engine.fused(
            Layer(volume, flat, table), Layer(volume[0], flat, table), np.zeros((256, 4), np.uint8)
        ),
    ]
    for call in wrong:
        with pytest.raises((ValueError, IndexError)):
            call()


@settings(max_examples=60, deadline=None)
@given(
    seed=SEEDS,
    dtype=st.sampled_from(TYPES),
    step=st.sampled_from([1.0, -1.0, 1.0 - 1e-12, 0.5, -0.5, 1 / 3, 0.07, -0.93, 1.7]),
    start=st.sampled_from([-0.25, 0.0, 1.0 - 2.0**-53, 0.3, 0.7]),
)
def test_straight_images_are_laid_as_the_reference_does(
    seed: int, dtype: str, step: float, start: float
) -> None:
    """Grown, shrunk, mirrored or as they are: eight pixels at a time take what one alone takes."""
    rng = np.random.default_rng(seed)
    image = noise(rng, dtype, (1, int(rng.integers(2, 20)), int(rng.integers(2, 90))))[0]
    table = grey_table(GreyChain(voi=wide(dtype)), image.dtype)
    across = (step, 0.0)
    origin = (start + (image.shape[1] - 1 if step < 0 else 0), 0.2)
    flat = Flat(origin, across, (0.0, 0.5), int(rng.integers(1, 200)), 30)
    wanted = reference().flat(image, flat, table, 3).astype(int)
    for choice in CHOICES:
        kernels.use(choice)
        got = engine_named("kernel").flat(image, flat, table, 3).astype(int)
        assert np.abs(got - wanted).max() <= 1, choice
    kernels.use(CHOICES[-1])
