"""InVesalius' compiled reslicer (Debian's package invesalius-bin) in Debian's own Python.

Found where the package installs it, or under the folder named by INVESALIUS_ROOT into which `apt-get download
invesalius-bin python3-numpy libblas3 liblapack3 libgfortran5` and `dpkg-deb -x` have put it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy.typing as npt

from benchmarks.pairing import Missing, Work
from workstation.rendering.engines import Cut, choose

CHILD = Path(__file__).with_name("invesalius_child.py")
PYTHON = Path("/usr/bin/python3")
BESIDE = "InVesalius' reslicer"


class Reslicer:
    """The child, ready for its first picture; raises OSError with the reason where it cannot be had."""

    def __init__(self, volume: npt.NDArray[Any]) -> None:
        root = Path(os.environ.get("INVESALIUS_ROOT", "/"))
        package = root / "usr/lib/invesalius"
        if not (package / "invesalius_cy").is_dir() or not PYTHON.exists():
            raise OSError("apt-get install --no-install-recommends invesalius-bin python3-numpy")
        with tempfile.NamedTemporaryFile(suffix=".raw") as file:
            volume.tofile(file.name)
            words = [str(PYTHON), str(CHILD), file.name, *map(str, volume.shape)]
            self._child = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=_environment(root, package),
            )
            if self._line() != "ready":
                raise OSError("InVesalius' reslicer does not start in Debian's Python")

    def _line(self) -> str:
        assert self._child.stdout is not None
        return self._child.stdout.readline().strip()

    def run(self) -> str:
        """One picture of 512 x 512; answers its middle value."""
        assert self._child.stdin is not None
        self._child.stdin.write("go\n")
        self._child.stdin.flush()
        return self._line()

    def close(self) -> None:
        """End the child."""
        self._child.communicate()


def _environment(root: Path, package: Path) -> dict[str, str]:
    libraries = [root / "usr/lib/x86_64-linux-gnu" / name for name in ("", "blas", "lapack")]
    modules = [package, root / "usr/lib/python3/dist-packages"]
    unpacked = {"LD_LIBRARY_PATH": ":".join(map(str, libraries))} if root != Path("/") else {}
    return {**os.environ, "PYTHONPATH": ":".join(map(str, modules)), **unpacked}


def rows(volume: npt.NDArray[Any], cut: Cut) -> Iterator[Work | Missing]:
    """The oblique linear row beside it."""
    name = "oblique linear 512²"
    try:
        peer = Reslicer(volume)
    except OSError as why:
        yield Missing(name, BESIDE, str(why))
        return
    yield Work(name, BESIDE, lambda: choose().cut(volume, cut, -1024), peer.run, 20, 30, "trilinear both")
    peer.close()
