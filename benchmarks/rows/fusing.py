"""Fused planes beside vtkImageReslice and vtkImageBlend; the turning MIP beside VTK's ray caster."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.pairing import Work
from benchmarks.rows.slicing import oblique
from benchmarks.rows.volumes import SHAPE, ct, pet
from workstation.imaging.colour_maps import colours
from workstation.imaging.luts import GreyChain, VoiWindow, grey_table
from workstation.rendering.engines import Cut, Layer, choose

ANGIOGRAPHY = VoiWindow(250, 700)
PIXELS_ACROSS = 620.0  # voxels across the picture: the volume fills it


def works() -> Iterator[Work]:
    """The rows, in the order of the requirements."""
    yield fused(1024)
    yield turning(256, 2.0, "MIP turning, 256², steps of 2 voxels")
    yield turning(512, 1.0, "MIP still, 512², steps of 1 voxel")


def fused(size: int) -> Work:
    """Half-opaque colours over greys; the PET is 200 x 200 x 300 in the same place."""
    from benchmarks.engines.vtk import Blended, Mapped, Reslice, colour_map, grey_map

    below = oblique(size)
    scale = np.array(pet().shape[::-1]) / np.array(SHAPE[::-1])

    def scaled(vector: tuple[float, ...]) -> tuple[float, float, float]:
        x, y, z = (float(v) for v in np.array(vector) * scale)
        return x, y, z

    above = Cut(scaled(below.origin), scaled(below.across), scaled(below.down), size, size)
    half = np.concatenate([colours("hot iron"), np.full((256, 1), 128, np.uint8)], axis=1)
    layers = [
        Layer(v, cut, grey_table(GreyChain(voi=VoiWindow(*window)), v.dtype))
        for v, cut, window in ((ct(), below, (40, 400)), (pet(), above, (10000, 20000)))
    ]
    peer = Blended(
        Mapped(Reslice(ct(), below), grey_map(-160.0, 240.0), colour=True),
        Mapped(Reslice(pet(), above), colour_map(0.0, 20000.0, colours("hot iron")), colour=True),
        0.5,
    )
    return Work(
        f"PET/CT fused oblique {size}²", "two vtkImageReslice + vtkImageBlend",
        lambda: choose().fused(layers[0], layers[1], half), peer.run, 2, 4, "trilinear both, 256 colours",
    )  # fmt: skip


def around(size: int, angle: float, step: float) -> Cut:
    """The whole volume from an angle about its long axis."""
    middle = (np.array(SHAPE[::-1]) - 1) / 2
    right = np.array([np.cos(angle), np.sin(angle), 0.0])
    down = np.array([0.0, 0.0, -1.0])
    normal = np.cross(right, down)
    planes = int(np.ceil(np.hypot(*SHAPE[1:]) / step)) + 1
    pixel = PIXELS_ACROSS / size
    first = middle - pixel * (size - 1) / 2 * (right + down) - normal * step * (planes - 1) / 2

    def three(vector: npt.NDArray[Any]) -> tuple[float, float, float]:
        x, y, z = (float(v) for v in vector)
        return x, y, z

    return Cut(
        three(first), three(right * pixel), three(down * pixel), size, size, three(normal * step), planes
    )


def turning(size: int, step: float, name: str) -> Work:
    """Angles never repeated, so that no earlier picture helps; the bricks' maxima are made once before."""
    from benchmarks.engines.vtk_mip import FixedPointMip

    engine = choose()
    table = grey_table(GreyChain(voi=ANGIOGRAPHY), ct().dtype)
    summits = engine.summits(ct())
    peer = FixedPointMip(ct(), size, step, PIXELS_ACROSS, ANGIOGRAPHY)
    ours_next, theirs_next = itertools.count(), itertools.count()

    def ours() -> object:
        angle = next(ours_next) * 2.3998
        return engine.projected(ct(), around(size, angle, step), table, 0, None, summits)

    return Work(
        name, "vtkFixedPointVolumeRayCastMapper", ours, lambda: peer.run(next(theirs_next) * 2.3998), 2.5, 5,
        "trilinear, same steps both", alike=False, seconds=1.0,
    )  # fmt: skip
