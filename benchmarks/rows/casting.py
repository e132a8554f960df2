"""Volume rendering without a graphics processor beside vtkFixedPointVolumeRayCastMapper, same step, no angle
twice; SSIM to a picture of four times as many samples says what each is worth.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from benchmarks._likeness import enlarged, ssim
from benchmarks.pairing import Work
from benchmarks.rows.volumes import ct
from workstation.rendering.volume.camera import Camera, fitted
from workstation.rendering.volume.caster import KernelCaster, Overtaken, Pixels
from workstation.rendering.volume.client import MOVING_SAMPLING, VolumeClient
from workstation.rendering.volume.grid import Grid, Voxels
from workstation.rendering.volume.presets import preset_named
from workstation.rendering.volume.scene import REFERENCE, Quality, Scene
from workstation.rendering.volume.vtk_caster import VtkCaster

GOLDEN = 137.508
BESIDE = "vtkFixedPointVolumeRayCastMapper, same step"
PRESETS = ("CT transparent", "CT bone", "CT muscle")  # the last lies in the noise of soft tissue


@lru_cache(maxsize=1)
def grid() -> Grid:
    """The volume of all rows, 0.75 x 0.75 x 0.8 mm."""
    matrix = np.array([[0.75, 0, 0, -190.0], [0, 0.75, 0, -190.0], [0, 0, 0.8, 0.0]])
    shape = ct().shape
    return Grid((shape[0], shape[1], shape[2]), matrix, 1.0, 0.0, "HU", "CT", -1000.0, 1500.0)


@lru_cache(maxsize=1)
def kernel() -> KernelCaster:
    """Ours; block ranges made once, as when a volume is opened."""
    return KernelCaster(ct(), grid())


@lru_cache(maxsize=1)
def peer() -> VtkCaster:
    """VTK's best mapper here, at full resolution."""
    return VtkCaster(ct(), grid(), gpu=False, most=0)


def cameras() -> Iterator[Camera]:
    """Never the same angle twice."""
    first = fitted(grid().corners())
    for n in itertools.count(1):
        yield first.turned(n * GOLDEN, (n * 31.7) % 50 - 25)


def works() -> Iterator[Work]:
    """The rows, in the order of the requirements."""
    for name in PRESETS:
        yield casting(name, 256, Quality(MOVING_SAMPLING, 1.0, True), "dragging", shaded=True)
    for name in PRESETS:
        yield casting(name, 512, Quality(1.0, 1.0, False), "still, unshaded", shaded=False)
    yield lit()
    yield first_picture()
    yield cancelled()


def casting(name: str, size: int, quality: Quality, what: str, shaded: bool) -> Work:
    """One preset beside VTK unshaded (its light would take 18 s to prepare)."""
    angles, function = cameras(), preset_named(name).function

    def scene(light: bool) -> Scene:
        return Scene(next(angles), function, None, light)

    return Work(
        f"{name} {what}, {size}²", BESIDE,
        lambda: kernel().render(scene(shaded), size, size, quality),
        lambda: peer().render(scene(False), size, size, replace(quality, shaded=False)),
        1, 2, likeness(scene(shaded), size, quality), alike=False, seconds=1.0,
    )  # fmt: skip


def likeness(scene: Scene, size: int, quality: Quality) -> str:
    """SSIM of ours to full sampling: whole picture, and (in brackets) only where something shows."""
    best = replace(REFERENCE, shaded=quality.shaded)
    full = kernel().render(scene, size, size, best)
    ours = kernel().render(scene, size, size, quality)
    words = f"SSIM to full sampling {_pair(ours, full)}"
    if size < 512:
        still = kernel().render(scene, 512, 512, Quality(1.0))
        return f"{words}; enlarged, to the still 512² {_pair(enlarged(ours, 512, 512), still)}"
    return words + f"; VTK's {_pair(peer().render(scene, size, size, quality), full)}"


def _pair(one: Pixels, other: Pixels) -> str:
    return f"{ssim(one, other):.3f} ({ssim(one, other, shown_only=True):.3f})"


def lit() -> Work:
    """Light over bone, still; beside VTK without light."""
    angles, function = cameras(), preset_named("CT bone").function

    def scene(light: bool) -> Scene:
        return Scene(next(angles), function, None, light)

    return Work(
        "CT bone still, shaded, 512²", f"{BESIDE}, unshaded",
        lambda: kernel().render(scene(True), 512, 512, Quality()),
        lambda: peer().render(scene(False), 512, 512, Quality()),
        1, 2, "within 3 s", alike=False, seconds=1.0,
    )  # fmt: skip


class _Plain:
    """The volume as the window's client takes it."""

    def __init__(self) -> None:
        self.grid = grid()

    def write(self, out: Voxels) -> None:
        out[:] = ct()


def first_picture() -> Work:
    """From nothing (process, shared volume, empty space) to a picture; beside a new mapper's first."""
    angles, function = cameras(), preset_named("CT bone").function

    def ours() -> None:
        there = threading.Event()
        client = VolumeClient(_Plain(), lambda _p: there.set(), lambda _w: None, use_gpu=False)
        client.show(Scene(next(angles), function), 512, 512)
        there.wait(60.0)
        client.close()
        client.join()

    def theirs() -> None:
        fresh = VtkCaster(ct(), grid(), gpu=False, most=0)
        fresh.render(Scene(next(angles), function, None, False), 512, 512, Quality())

    return Work(
        "first picture, lit, in its own process", f"{BESIDE}, in this process, unlit", ours, theirs, 1, 1,
        "within 1.5 s", alike=False, informs=True,
    )  # fmt: skip


def cancelled() -> Work:
    """From the wish for another picture to the end of the one under way; beside the 100 ms allowed."""
    angles, function = cameras(), preset_named("CT transparent").function
    newest = np.zeros(1, dtype=np.int32)

    def ours() -> float:
        return give_up(kernel(), Scene(next(angles), function, None, False), newest)

    return Work(
        "cancel a still picture",
        "the 100 ms allowed",
        ours,
        lambda: time.sleep(0.1),
        1,
        2,
        alike=False,
        informs=True,
    )


def give_up(caster: KernelCaster, scene: Scene, newest: np.ndarray[tuple[int], np.dtype[np.int32]]) -> float:
    """Seconds between the newer wish and the end of the work, after the work has begun."""
    newest[0] = 1
    begun, ended = [0.0], [0.0]

    def work() -> None:
        with contextlib.suppress(Overtaken):
            caster.render(scene, 1024, 1024, Quality(), newest, 1)
        ended[0] = time.perf_counter()

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.02)
    begun[0], newest[0] = time.perf_counter(), 2
    thread.join()
    return ended[0] - begun[0]
