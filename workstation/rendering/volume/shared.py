"""Memory that the workstation and its 3D child both see: a file-backed mapping, its space reserved.

On Linux the file has no name (memfd) and is opened through /proc, so that nothing of a patient is left behind
however either of them ends; elsewhere it lies in a private temporary folder that goes with the owner.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SPARE_BYTES = 64 << 20
CHUNK = 16 << 20


class NoRoom(OSError):
    """There is not enough memory or disk for the volume."""


class SharedArea:
    """Bytes owned by this process; another one opens them by `path`."""

    def __init__(self, nbytes: int) -> None:
        self.nbytes = max(1, nbytes)
        self._folder: Path | None = None
        self._fd, self.path = self._file()
        try:
            _reserve(self._fd, self.nbytes)
            self._map = mmap.mmap(self._fd, self.nbytes)
        except (OSError, ValueError) as error:
            self._forget()
            raise NoRoom(f"{self.nbytes >> 20} MB for 3D are not there: {error}") from error

    def _file(self) -> tuple[int, str]:
        if hasattr(os, "memfd_create"):
            fd = os.memfd_create("reading-room-3d", os.MFD_CLOEXEC)
            return fd, f"/proc/{os.getpid()}/fd/{fd}"
        self._folder = Path(tempfile.mkdtemp(prefix="reading-room-3d-"))  # 0700
        if shutil.disk_usage(self._folder).free < self.nbytes + SPARE_BYTES:
            self._forget()
            raise NoRoom(f"{self.nbytes >> 20} MB for 3D are not free in the temporary folder")
        path = self._folder / "volume"
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), str(
            path
        )

    def array(self, dtype: Any, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """The bytes as an array."""
        return view(self._map, dtype, shape)

    def close(self) -> None:
        """Give it back; arrays that still look at it keep the memory until they go."""
        with contextlib.suppress(BufferError):
            self._map.close()
        self._forget()

    def _forget(self) -> None:
        fd, self._fd = getattr(self, "_fd", -1), -1
        if fd >= 0:
            os.close(fd)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)  # Windows: whoever has it open keeps it a while


def _reserve(fd: int, nbytes: int) -> None:
    """Space for all of it now, so that no write can fail later (a mapping would end the process)."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, nbytes)
        return
    zeros = bytes(min(CHUNK, nbytes))
    left = nbytes
    while left > 0:
        left -= os.write(fd, zeros[:left])


def view(area: mmap.mmap, dtype: Any, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """An array over the first bytes of a mapping."""
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(area, dtype=dtype, count=count).reshape(shape)


def opened(path: str, nbytes: int) -> mmap.mmap:
    """Another process' area, writable; raises OSError or ValueError where it is not there or too short."""
    fd = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        if os.fstat(fd).st_size < nbytes:
            raise ValueError(f"the shared area has {os.fstat(fd).st_size} bytes, needs {nbytes}")
        return mmap.mmap(fd, max(1, nbytes))
    finally:
        os.close(fd)
