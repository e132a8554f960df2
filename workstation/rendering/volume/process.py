"""The 3D child: maps the volume that the workstation shares and answers with pictures.

Started by ``python -m workstation.rendering.volume.process`` or, frozen, by the hidden subcommand
``volume-renderer``; leaves at once when its parent does. A picture is given up within a row of rays as soon
as the shared number of the newest wish is another one.
"""

from __future__ import annotations

import argparse
import contextlib
import mmap
import signal
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.rendering.volume.caster import KernelCaster, Mask, Overtaken, raycast
from workstation.rendering.volume.grid import Grid
from workstation.rendering.volume.scene import Quality, from_plain
from workstation.rendering.volume.shared import opened, view
from workstation.session.child_pipes import Header, own_ends, requests, write_frame

SUBCOMMAND = "volume-renderer"
LARGEST_PICTURE = 8192


def main(argv: list[str] | None = None) -> int:
    """Serve frames until the parent closes the pipe; exit status 0."""
    parser = argparse.ArgumentParser(
        prog=SUBCOMMAND, description="3D renderer of the workstation; not for hand use"
    )
    parser.add_argument("--gpu", action="store_true", help="let VTK use the graphics processor")
    parser.add_argument("--probe", action="store_true", help="print the name of what draws, and leave")
    options = parser.parse_args(sys.argv[1:] if argv is None else argv)
    if options.probe:
        from workstation.rendering.volume.vtk_caster import probe

        print(probe())
        return 0
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the parent's business
    asked, answers = own_ends()
    renderer = Renderer(options.gpu)
    with contextlib.suppress(OSError):  # the parent is gone
        for header, _ in requests(asked):
            answer, body = renderer.answer(header)
            write_frame(answers, {"id": header.get("id"), **answer}, body)
    return 0


class Renderer:
    """One volume, opened by the first request."""

    def __init__(self, gpu: bool) -> None:
        self._gpu = gpu
        self._maps: list[mmap.mmap] = []
        self._newest: npt.NDArray[np.int32] | None = None
        self._grid: Grid | None = None
        self._voxels: npt.NDArray[np.int16] | None = None
        self._mask: Mask | None = None
        self._caster: Any = None

    def answer(self, header: Header) -> tuple[Header, bytes | memoryview]:
        """The answer to one request; a failure is an answer too (this is the child's edge)."""
        try:
            work = {"open": self._open, "picture": self._picture, "mask": self._take_mask, "bone": self._bone,
                    "surface": self._surface}[header["do"]]  # fmt: skip
            return work(header)
        except Overtaken:
            return {"ok": True, "overtaken": True}, b""
        except (OSError, ValueError, LookupError, TypeError, RuntimeError, MemoryError, ImportError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}, b""

    def _open(self, header: Header) -> tuple[Header, bytes]:
        grid = Grid.from_plain(header["grid"])
        self._voxels = view(self._mapped(header["voxels"], grid.nbytes), np.int16, grid.shape)
        self._newest = view(self._mapped(header["newest"], 4), np.int32, (1,))
        self._grid = grid
        if header.get("casting", True):
            self._caster = self._engine(self._voxels, grid)
        if header.get("mask"):
            self._take_mask(header)
        return {"ok": True, "engine": self._caster.name if self._caster else ""}, b""

    def _engine(self, voxels: npt.NDArray[np.int16], grid: Grid) -> Any:
        if self._gpu or raycast is None:
            from workstation.rendering.volume.vtk_caster import VtkCaster

            return VtkCaster(voxels, grid, self._gpu)
        return KernelCaster(voxels, grid)

    def _mapped(self, path: str, nbytes: int) -> mmap.mmap:
        self._maps.append(opened(path, nbytes))
        return self._maps[-1]

    def _take_mask(self, header: Header) -> tuple[Header, bytes]:
        """A mask is there, changed, or (an empty path) no longer wanted."""
        assert self._grid is not None
        if not header["mask"]:
            self._mask = None
        elif self._mask is None:
            shape = self._grid.shape
            self._mask = view(self._mapped(header["mask"], self._grid.nbytes // 2), np.uint8, shape)
        if self._caster is not None:
            self._caster.mask = self._mask
            self._caster.mask_changed()
        return {"ok": True}, b""

    def _picture(self, header: Header) -> tuple[Header, bytes | memoryview]:
        if self._caster is None:
            raise LookupError("no volume is open")
        width, height = (min(LARGEST_PICTURE, max(1, int(header[n]))) for n in ("width", "height"))
        began = time.perf_counter()
        serial = int(header["serial"])
        pixels = self._caster.render(
            from_plain(header["scene"]), width, height, Quality(**header["quality"]), self._newest, serial
        )
        took = time.perf_counter() - began
        return {
            "ok": True,
            "serial": serial,
            "width": width,
            "height": height,
            "took": took,
        }, pixels.tobytes()

    def _bone(self, header: Header) -> tuple[Header, bytes]:
        """Hide bone in the mask: all of it, or what hangs together with a point."""
        from workstation.imaging.bone import find_bone

        assert self._grid is not None
        assert self._voxels is not None
        assert self._mask is not None
        edges = tuple(float(v) for v in np.linalg.norm(self._grid.matrix[:, :3], axis=0))
        seed = header.get("seed")
        scale = (self._grid.slope, self._grid.intercept)
        bone = find_bone(self._voxels, scale, (edges[0], edges[1], edges[2]), seed and tuple(seed))
        hidden = int(np.count_nonzero(self._mask[bone]))
        self._mask[bone] = 0
        return {"ok": True, "hidden": hidden}, b""

    def _surface(self, header: Header) -> tuple[Header, bytes]:
        """A mesh at a value, as the file that is to be written."""
        from workstation.rendering.volume.mesh_files import file_bytes
        from workstation.rendering.volume.surface import SurfaceWish, extract

        assert self._grid is not None
        assert self._voxels is not None
        mesh = extract(self._voxels, self._grid, SurfaceWish.from_plain(header["wish"]), self._mask)
        body = file_bytes(mesh, header["format"], header.get("comment", ""))
        return {"ok": True, "points": len(mesh.points), "triangles": len(mesh.triangles)}, body


if __name__ == "__main__":
    sys.exit(main())
