"""One volume in 3D, as the window uses it: wishes in, pictures out, all work on threads and in a child.

The newest wish wins; a still picture is given up the moment another is wanted, a moving one is finished (it
is small), so that the hand always sees something. A child that dies is started again and the reader is told.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from workstation.imaging.view_frame import ViewFrame
from workstation.rendering.volume import gpu
from workstation.rendering.volume.child import Renderer
from workstation.rendering.volume.edits import Edits, Snip
from workstation.rendering.volume.grid import Grid, Voxels
from workstation.rendering.volume.scene import STILL, Quality, Scene, to_plain
from workstation.rendering.volume.shared import NoRoom, SharedArea
from workstation.session.child_pipes import Header
from workstation.session.child_process import ChildGone, ChildRefused

log = logging.getLogger("reading_room.view")

T = TypeVar("T")
Pixels = npt.NDArray[np.uint8]
PATIENCE_SECONDS = 60.0
JOB_PATIENCE_SECONDS = 600.0
MOVING_SECONDS = 0.07
SMALLEST_MOVING = 256
MOVING_SAMPLING = 1.5
QUICK_SECONDS = 0.15

STARTED_AGAIN = "The 3D renderer stopped and was started again."
GPU_LOST = "The graphics processor was lost; 3D goes on without it."
STOPPED = "The 3D renderer stopped and cannot be started: {why}"


@dataclass(frozen=True, eq=False)
class VolumePicture:
    """`pixels` uint8 (h, w, 3) fill a viewport of frame.width x frame.height, being coarser while moving.

    `final` says that nothing finer follows; `took` is the seconds of casting.
    """

    pixels: Pixels
    scene: Scene
    frame: ViewFrame
    final: bool
    took: float


@dataclass(frozen=True, slots=True)
class _Wish:
    serial: int
    scene: Scene
    width: int
    height: int
    moving: bool


class VoxelSource(Protocol):
    """What has voxels to show, such as source.Source."""

    @property
    def grid(self) -> Grid: ...

    def write(self, out: Voxels) -> None:
        """Fill an array of the grid's shape."""
        ...


class VolumeClient:
    """Opens at once and answers by callbacks on its own thread: `on_picture`, and `on_words` for the reader
    ("" once all is well again). Safe to call from any thread.
    """

    def __init__(
        self,
        source: VoxelSource,
        on_picture: Callable[[VolumePicture], None],
        on_words: Callable[[str], None],
        use_gpu: bool = True,
    ) -> None:
        self._source, self._on_picture, self._on_words = source, on_picture, on_words
        self._change = threading.Condition()
        self._serial = 0
        self._wish: _Wish | None = None
        self._last: _Wish | None = None
        self._under_way: _Wish | None = None
        self._shown: Scene | None = None
        self._closed = False
        self._mask_changed = False
        self._child: Renderer | None = None
        self._gpu_wanted = False
        self._gpu_lost = False
        self._cost = 2e-6  # seconds a ray at a step of one voxel; learned from every picture
        self._said = False
        self._voxels: SharedArea | None = None
        self._mask: SharedArea | None = None
        self._flag = SharedArea(4096)
        self._newest = self._flag.array(np.int32, (1,))
        self._jobs = ThreadPoolExecutor(1, thread_name_prefix="volume-job")
        self._job_child: Renderer | None = None
        self.edits: Edits | None = None
        self.engine = ""
        self._thread = threading.Thread(target=self._run, name="volume", daemon=True)
        self._thread.start()
        if use_gpu:
            gpu.look(self._gpu_known)

    # ── wishes ───────────────────────────────────────────────────────────────────────────────────
    def show(self, scene: Scene, width: int, height: int, moving: bool = False) -> None:
        """Wish for a picture of width x height viewport pixels; coarse ones while `moving`."""
        with self._change:
            self._serial += 1
            self._wish = self._last = _Wish(self._serial, scene, max(1, width), max(1, height), moving)
            if self._under_way is not None and not self._under_way.moving:
                self._newest[0] = self._serial
            self._change.notify_all()

    def cancel(self) -> None:
        """Give up whatever is under way."""
        with self._change:
            self._serial += 1
            self._wish = None
            self._newest[0] = self._serial

    @property
    def pid(self) -> int | None:
        """The renderer's process id while it runs."""
        child = self._child
        return child.pid if child is not None else None

    def close(self) -> None:
        """End the child and give the memory back."""
        with self._change:
            if self._closed:
                return
            self._closed = True
            self._newest[0] = -1
            self._change.notify_all()
        for child in (self._child, self._job_child):
            if child is not None:
                child.kill()
        self._jobs.shutdown(wait=False, cancel_futures=True)

    def join(self, seconds: float = 10.0) -> None:
        """Wait until everything has ended after `close`."""
        self._thread.join(seconds)

    # ── cutting away ─────────────────────────────────────────────────────────────────────────────
    def snip(self, snip: Snip) -> Future[int]:
        """Scissors; the answer is how many voxels went. Raises ScissorsError through the future."""
        return self._edit(lambda edits: edits.snip(snip))

    def undo(self) -> Future[bool]:
        """Take the last cut back."""
        return self._edit(lambda edits: edits.undo())

    def restore(self) -> Future[None]:
        """Show everything again."""
        return self._edit(lambda edits: edits.restore())

    def remove_bone(self, seed: tuple[float, float, float] | None = None) -> Future[int]:
        """Hide bone: all, or what hangs together with an index (column, row, slice). In a child of its own,
        so that the picture can be turned meanwhile.
        """

        def work(edits: Edits) -> int:
            edits.remember()
            try:
                answer, _ = self._job({"do": "bone", "seed": seed}, with_mask=True)
            except (ChildGone, ChildRefused):
                edits.undo()
                raise
            return int(answer["hidden"])

        return self._edit(work)

    def surface(self, wish: dict[str, Any], file_format: str, comment: str = "") -> Future[bytes]:
        """A mesh (see surface.SurfaceWish) as the bytes of an STL or PLY file."""
        request = {"do": "surface", "wish": wish, "format": file_format, "comment": comment}
        return self._jobs.submit(lambda: self._job(request, self.edits is not None)[1])

    def cancel_jobs(self) -> None:
        """End bone removal or surface making now; their futures raise ChildGone."""
        child = self._job_child
        if child is not None:
            child.kill()

    def _edit(self, work: Callable[[Edits], T]) -> Future[T]:
        def run() -> T:
            done = work(self._edits())
            with self._change:
                self._mask_changed = True
                self._shown = None
                if self._last is not None and self._wish is None:
                    self._serial += 1
                    last = self._last
                    self._wish = _Wish(self._serial, last.scene, last.width, last.height, False)
                    self._newest[0] = self._serial
                self._change.notify_all()
            return done

        return self._jobs.submit(run)

    def _edits(self) -> Edits:
        if self.edits is None:
            grid = self._source.grid
            self._mask = SharedArea(grid.nbytes // 2)
            self.edits = Edits(self._mask.array(np.uint8, grid.shape), grid)
        return self.edits

    def _job(self, request: Header, with_mask: bool) -> tuple[Header, bytes]:
        child = self._job_child = Renderer()
        try:
            if self._closed:
                raise ChildGone("closed")
            child.ask({**self._opening(with_mask), "casting": False}, PATIENCE_SECONDS)
            return child.ask(request, JOB_PATIENCE_SECONDS)
        finally:
            self._job_child = None
            child.close()

    # ── the thread ───────────────────────────────────────────────────────────────────────────────
    def _run(self) -> None:
        try:
            if self._prepared():
                while (wish := self._next()) is not None:
                    self._serve(wish)
        finally:
            if self._child is not None:
                self._child.close()
            self._jobs.shutdown(wait=True, cancel_futures=True)
            for area in (self._voxels, self._mask, self._flag):
                if area is not None:
                    area.close()

    def _prepared(self) -> bool:
        """The child is started and, while it wakes, the voxels are written."""
        try:
            self._child = Renderer()
            grid = self._source.grid
            self._voxels = SharedArea(grid.nbytes)
            self._source.write(self._voxels.array(np.int16, grid.shape))
        except (NoRoom, ChildGone) as error:
            self._on_words(str(error))
            return False
        return True

    def _next(self) -> _Wish | None:
        with self._change:
            self._under_way = None
            while self._wish is None and not self._closed:
                self._change.wait()
            if self._closed:
                return None
            self._under_way, self._wish = self._wish, None
            assert self._under_way is not None
            self._newest[0] = self._under_way.serial
            return self._under_way

    def _serve(self, wish: _Wish) -> None:
        for quality, final in self._stages(wish):
            picture = self._cast(wish, quality, final)
            if picture is None:
                return
            self._shown = wish.scene
            self._on_picture(picture)
            if final and self._said:
                self._say("")

    def _stages(self, wish: _Wish) -> list[tuple[Quality, bool]]:
        """Coarse while moving; when still, fine, and coarse before where fine takes long and nothing is
        shown.
        """
        coarse = self._coarse(wish)
        if wish.moving:
            return [(coarse, False)]
        slow = self._cost * wish.width * wish.height > QUICK_SECONDS
        return [(coarse, False), (STILL, True)] if slow and self._shown != wish.scene else [(STILL, True)]

    def _coarse(self, wish: _Wish) -> Quality:
        """As many rays as can be cast in time, 256 x 256 at least; longer steps only where those are slow."""
        scale = (MOVING_SECONDS / max(self._cost, 1e-9) / (wish.width * wish.height)) ** 0.5
        least = min(1.0, SMALLEST_MOVING / min(wish.width, wish.height))
        sampling = STILL.sampling if scale >= least else MOVING_SAMPLING
        return Quality(sampling, min(1.0, max(least, scale)), True)

    def _cast(self, wish: _Wish, quality: Quality, final: bool) -> VolumePicture | None:
        width, height = (max(1, round(n * quality.scale)) for n in (wish.width, wish.height))
        request = {
            "do": "picture", "serial": wish.serial, "scene": to_plain(wish.scene), "width": width,
            "height": height, "quality": {"sampling": quality.sampling, "shaded": quality.shaded},
        }  # fmt: skip
        answer = self._asked(request)
        if answer is None or answer[0].get("overtaken"):
            return None
        header, body = answer
        self._cost = 0.5 * self._cost + 0.5 * header["took"] * quality.sampling / (width * height)
        pixels = np.frombuffer(body, dtype=np.uint8).reshape(height, width, 3)
        frame = wish.scene.camera.frame(wish.width, wish.height)
        return VolumePicture(pixels, wish.scene, frame, final, header["took"])

    # ── the child ────────────────────────────────────────────────────────────────────────────────
    def _asked(self, request: Header) -> tuple[Header, bytes] | None:
        """The answer of a child; one that dies is replaced once. None where it cannot be had."""
        for attempt in (1, 2):
            if self._is_closed():
                return None
            try:
                child = self._ready()
                return child.ask(request, PATIENCE_SECONDS)
            except (ChildGone, ChildRefused) as error:
                if self._is_closed():
                    return None
                log.warning("3D renderer: %s", error)
                self._recover(error, attempt)
        return None

    def _is_closed(self) -> bool:
        return self._closed

    def _recover(self, error: Exception, attempt: int) -> None:
        child, self._child = self._child, None
        lost_gpu = child is not None and child.gpu
        if child is not None:
            child.close()
        self.engine = ""
        if lost_gpu:
            self._gpu_lost, self._gpu_wanted = True, False
            self._say(GPU_LOST)
        elif attempt == 1:
            self._say(STARTED_AGAIN)
        else:
            self._say(STOPPED.format(why=error))

    def _say(self, words: str) -> None:
        self._said = bool(words)
        self._on_words(words)

    def _ready(self) -> Renderer:
        """A child that has the volume open, and the mask as it is now."""
        if self._gpu_wanted and self._child is not None and not self._child.gpu:
            self._child.close()
            self._child, self.engine = None, ""
        if self._child is None:
            self._child = Renderer(gpu=self._gpu_wanted)
            self.engine = ""
        if not self.engine:
            self._mask_changed = False
            answer, _ = self._child.ask(self._opening(self.edits is not None), PATIENCE_SECONDS)
            self.engine = str(answer["engine"])
        if self._mask_changed and self._mask is not None:
            self._mask_changed = False
            self._child.ask({"do": "mask", "mask": self._mask.path}, PATIENCE_SECONDS)
        return self._child

    def _opening(self, with_mask: bool) -> Header:
        assert self._voxels is not None
        mask = self._mask.path if with_mask and self._mask is not None else ""
        return {"do": "open", "grid": self._source.grid.plain(), "voxels": self._voxels.path,
                "newest": self._flag.path, "mask": mask}  # fmt: skip

    def _gpu_known(self, name: str) -> None:
        if name and not self._gpu_lost:
            log.info("3D uses the graphics processor %s", name)
            self._gpu_wanted = True
