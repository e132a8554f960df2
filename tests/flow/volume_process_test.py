"""3D in its process: the picture of the kernel, the newest wish, death and return, cuts, jobs ended."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from workstation.rendering.volume import client as client_module
from workstation.rendering.volume.camera import fitted
from workstation.rendering.volume.caster import KernelCaster, raycast
from workstation.rendering.volume.child import Renderer
from workstation.rendering.volume.client import GPU_LOST, STARTED_AGAIN, VolumeClient, VolumePicture
from workstation.rendering.volume.edits import Snip
from workstation.rendering.volume.grid import Grid, Voxels
from workstation.rendering.volume.presets import preset_named
from workstation.rendering.volume.scene import STILL, Scene, to_plain
from workstation.rendering.volume.shared import SharedArea
from workstation.rendering.volume.surface import SurfaceWish
from workstation.session.child_process import ChildGone, ChildRefused

SECONDS = 120.0
SHAPE = (40, 48, 56)


class Ball:
    """A ball of bone in soft tissue."""

    def __init__(self) -> None:
        matrix = np.array([[1.0, 0, 0, -28], [0, 1.0, 0, -24], [0, 0, 1.2, -24]])
        self.grid = Grid(SHAPE, matrix, 1.0, 0.0, "HU", "CT", -1000.0, 1000.0)

    def write(self, out: Voxels) -> None:
        z, y, x = np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij")
        away = ((x - 28) ** 2 + (y - 24) ** 2 + (z - 20) ** 2) ** 0.5
        out[:] = np.where(away < 14, 900, np.where(away < 20, 40, -1000))


class Seen:
    """What a client said, and waiting for it."""

    def __init__(self) -> None:
        self.pictures: list[VolumePicture] = []
        self.words: list[str] = []
        self._change = threading.Condition()

    def picture(self, picture: VolumePicture) -> None:
        with self._change:
            self.pictures.append(picture)
            self._change.notify_all()

    def said(self, words: str) -> None:
        with self._change:
            self.words.append(words)
            self._change.notify_all()

    def finished(self, scene: Scene, after: int = 0) -> VolumePicture:
        """The final picture of a scene, at `after` or later in the list."""

        def found() -> VolumePicture | None:
            return next((p for p in self.pictures[after:] if p.final and p.scene == scene), None)

        with self._change:
            assert self._change.wait_for(lambda: found() is not None, SECONDS), self.words
        answer = found()
        assert answer is not None
        return answer


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def opened(seen: Seen) -> Iterator[VolumeClient]:
    client = VolumeClient(Ball(), seen.picture, seen.said, use_gpu=False)
    yield client
    client.close()
    client.join()
    assert not client._thread.is_alive()


def scene() -> Scene:
    return Scene(fitted(Ball().grid.corners()), preset_named("CT bone").function)


def test_the_picture_is_the_kernels_own(opened: VolumeClient, seen: Seen) -> None:
    ball = Ball()
    voxels = np.empty(SHAPE, np.int16)
    ball.write(voxels)
    opened.show(scene(), 90, 70)
    picture = seen.finished(scene())
    assert (picture.pixels == KernelCaster(voxels, ball.grid).render(scene(), 90, 70, STILL)).all()
    assert (picture.frame.width, picture.frame.height) == (90, 70)
    assert "ray caster" in opened.engine


def test_while_moving_it_is_coarse_and_the_newest_wish_wins(opened: VolumeClient, seen: Seen) -> None:
    last = scene()
    for _ in range(30):
        last = replace(last, camera=last.camera.turned(5, 1))
        opened.show(last, 700, 600, moving=True)
    opened.show(last, 700, 600)
    assert seen.finished(last).pixels.shape == (600, 700, 3)
    assert [p.final for p in seen.pictures].count(True) == 1
    assert all(min(p.pixels.shape[:2]) >= 256 for p in seen.pictures)
    assert len(seen.pictures) < 31


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_child_that_is_killed_comes_back_with_the_cuts(opened: VolumeClient, seen: Seen) -> None:
    import signal

    opened.show(scene(), 80, 80)
    whole = seen.finished(scene()).pixels
    corner = ((0.0, 0.0), (40.0, 0.0), (40.0, 80.0), (0.0, 80.0))
    before = len(seen.pictures)
    assert opened.snip(Snip(scene().camera, 80, 80, corner)).result(SECONDS) > 0
    cut = seen.finished(scene(), before).pixels
    assert cut.any()
    assert (cut != whole).any()
    assert not cut[:, :38].any()
    pid = opened.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    before = len(seen.pictures)
    opened.show(scene(), 80, 80)
    assert (seen.finished(scene(), before).pixels == cut).all()
    assert STARTED_AGAIN in seen.words
    before = len(seen.pictures)
    assert opened.undo().result(SECONDS)
    assert (seen.finished(scene(), before).pixels == whole).all()


def test_bone_is_removed_and_a_surface_made_in_a_child_of_their_own(opened: VolumeClient, seen: Seen) -> None:
    opened.show(scene(), 80, 80)
    seen.finished(scene())
    stl = opened.surface(SurfaceWish(400.0).plain(), "stl").result(SECONDS)
    assert stl.startswith(b"SPACE=LPS UNIT=mm")
    with pytest.raises(ChildRefused, match="no surface at 3000"):
        opened.surface(SurfaceWish(3000.0).plain(), "stl").result(SECONDS)
    with pytest.raises(ChildRefused, match="not 'obj'"):
        opened.surface(SurfaceWish(400.0).plain(), "obj").result(SECONDS)
    before = len(seen.pictures)
    assert opened.remove_bone().result(SECONDS) > 10_000
    assert seen.finished(scene(), before).pixels.max() == 0
    with pytest.raises(ChildRefused, match="no bone lies"):
        opened.remove_bone((1.0, 1.0, 1.0)).result(SECONDS)
    assert opened.edits is not None
    assert opened.edits.steps == 1


def test_a_graphics_processor_that_is_lost_is_done_without(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VTK's mapper is said to have a processor; its child dies over the first picture."""

    class Dying(Renderer):
        def ask(self, header: dict[str, object], patience: float):  # type: ignore[no-untyped-def]
            if self.gpu and header["do"] == "picture":
                self.kill()
            return super().ask(header, patience)

    monkeypatch.setattr(client_module, "Renderer", Dying)
    monkeypatch.setattr(client_module.gpu, "look", lambda then: then("A graphics processor"))
    client = VolumeClient(Ball(), seen.picture, seen.said)
    try:
        client.show(scene(), 80, 80)
        assert seen.finished(scene()).pixels.any()
        assert GPU_LOST in seen.words
        assert "ray caster" in client.engine
    finally:
        client.close()
        client.join()


@pytest.mark.parametrize("side", ["anterior", "left"])
def test_vtk_makes_the_same_picture(side: str) -> None:
    """Its mapper for graphics processors, here on software, in a child: the same shape, the same place."""
    ball, area, flag = Ball(), SharedArea(Ball().grid.nbytes), SharedArea(4096)
    voxels = area.array(np.int16, SHAPE)
    ball.write(voxels)
    voxels[:20, :, 28:] = -1000  # so that left and right, head and foot differ
    still = replace(scene(), shaded=False, camera=scene().camera.from_side(side).turned(20, 10))
    ours = KernelCaster(voxels, ball.grid).render(still, 100, 100, STILL).astype(int)
    child = Renderer(gpu=True)
    opening = {"do": "open", "grid": ball.grid.plain(), "voxels": area.path, "newest": flag.path}
    assert "VTK" in child.ask(opening, SECONDS)[0]["engine"]
    wish = {"do": "picture", "serial": 0, "scene": to_plain(still), "width": 100, "height": 100}
    _, body = child.ask({**wish, "quality": {"sampling": 1.0, "shaded": False}}, SECONDS)
    theirs = np.frombuffer(body, np.uint8).reshape(100, 100, 3).astype(int)
    assert np.mean((ours > 60).any(axis=2) != (theirs > 60).any(axis=2)) < 0.02
    assert np.abs(ours - theirs).mean() < 6.0
    child.close()
    area.close()
    flag.close()


def test_rubbish_is_answered_and_a_broken_pipe_ends_the_child() -> None:
    child = Renderer()
    for header in ({"do": "dance"}, {"do": "picture", "serial": 1, "width": 8, "height": 8}, {"do": "open"}):
        with pytest.raises(ChildRefused):
            child.ask(header, SECONDS)
    child.kill()
    with pytest.raises(ChildGone):
        child.ask({"do": "mask", "mask": ""}, SECONDS)
    child.close()


def test_the_plain_kernel_is_there_where_avx2_is_not() -> None:
    assert raycast is not None
    assert raycast.choices()[0] == "plain"
