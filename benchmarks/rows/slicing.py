"""Planes and slabs of 512 x 512 x 600 beside VTK's and InVesalius' reslicers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.engines import invesalius
from benchmarks.pairing import Missing, Work
from benchmarks.rows.volumes import SHAPE, ct
from workstation.imaging.luts import GreyChain, VoiWindow, grey_table
from workstation.rendering.engines import Cut, Flat, choose
from workstation.session.view_state import Interpolation, SlabMode

TABLE_WINDOW = VoiWindow(40, 400)


def oblique(size: int, planes: int = 1) -> Cut:
    """A plane turned about two axes through the middle, the whole picture inside the volume's box or near."""
    right = np.array([np.cos(0.5), np.sin(0.5) * np.cos(0.3), np.sin(0.5) * np.sin(0.3)])
    down = np.cross([0.15, -0.45, 0.9], right)
    down /= np.linalg.norm(down)
    normal = np.cross(right, down)
    step = 512.0 / size
    middle = np.array([(n - 1) / 2 for n in SHAPE[::-1]])
    origin = middle - step * (size - 1) / 2 * (right + down) - normal * (planes - 1) / 2

    def three(vector: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float, float]:
        return float(vector[0]), float(vector[1]), float(vector[2])

    return Cut(three(origin), three(right * step), three(down * step), size, size, three(normal), planes)


def orthogonal(size: int) -> list[Cut]:
    """The three planes through the middle and an oblique one, as four linked cells show them."""
    slices, rows, columns = SHAPE
    step = slices / size
    return [
        Cut((0.0, 0.0, slices / 2), (columns / size, 0.0, 0.0), (0.0, rows / size, 0.0), size, size),
        Cut((0.0, rows / 2, slices - 1.0), (step, 0.0, 0.0), (0.0, 0.0, -step), size, size),
        Cut((columns / 2, 0.0, slices - 1.0), (0.0, step, 0.0), (0.0, 0.0, -step), size, size),
        oblique(size),
    ]


def works() -> Iterator[Work | Missing]:
    """The rows, in the order of the requirements."""
    yield axial()
    for size in (512, 1024):
        yield linear(size)
    yield from invesalius.rows(ct(), oblique(512))
    yield cubic(1024)
    for size, mode in itertools.product((512, 1024), SlabMode):
        yield slab(size, mode)
    yield four(512)


def axial() -> Work:
    """Another slice and another window each time, as while scrolling with the window dragged."""
    from benchmarks.engines.vtk_window import SliceWindow

    window = SliceWindow(ct(), 1024)
    ours_next, theirs_next = itertools.count(), itertools.count()
    flat = Flat((-0.25, -0.25), (0.5, 0.0), (0.0, 0.5), 1024, 1024)

    def ours() -> object:
        n = next(ours_next)
        chain = GreyChain(voi=VoiWindow(40 + n % 50, 400 + n % 97))
        image = ct()[100 + n % 400]
        return choose().flat(image, flat, grey_table(chain, image.dtype))

    def theirs() -> object:
        n = next(theirs_next)
        return window.run(100 + n % 400, 40 + n % 50, 400 + n % 97)

    return Work(
        "axial slice to 1024², window", "VTK off-screen window", ours, theirs, 8, 15, "bilinear in HU both"
    )


def _beside_reslice(name: str, cut: Cut, least: float, aim: float, quality: str) -> Work:
    from benchmarks.engines.vtk import Reslice

    peer = Reslice(ct(), cut)
    return Work(
        name, "vtkImageReslice", lambda: choose().cut(ct(), cut, -1024), peer.run, least, aim, quality
    )


def linear(size: int) -> Work:
    """A thin oblique plane."""
    return _beside_reslice(f"oblique linear {size}²", oblique(size), 3.5, 5, "trilinear both")


def cubic(size: int) -> Work:
    """A thin oblique plane, Catmull-Rom on both sides."""
    cut = replace(oblique(size), interpolation=Interpolation.CUBIC)
    return _beside_reslice(f"oblique cubic {size}²", cut, 2, 4, "Catmull-Rom both")


def slab(size: int, mode: SlabMode) -> Work:
    """29 planes a voxel apart."""
    cut = replace(oblique(size, 29), mode=mode)
    return _beside_reslice(f"oblique slab {mode.value} of 29, {size}²", cut, 5, 6.5, "trilinear both")


def four(size: int) -> Work:
    """Four cells, stored values to greys included."""
    from benchmarks.engines.vtk import Mapped, Reslice, each, grey_map

    cuts = orthogonal(size)
    peers = [Mapped(Reslice(ct(), cut), grey_map(-160.0, 240.0)) for cut in cuts]
    table = grey_table(GreyChain(voi=TABLE_WINDOW), ct().dtype)

    def ours() -> object:
        return [choose().cut_grey(ct(), cut, table) for cut in cuts]

    return Work(
        f"four linked {size}² views", "four vtkImageReslice + colour map", ours, lambda: each(peers), 2, 4,
        "trilinear both",
    )  # fmt: skip
