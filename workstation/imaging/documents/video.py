"""Video streams through the system's ffmpeg, a process of its own (PS3.5 A.4.9 to A.4.12, 8.2.7 to 8.2.9).

The stream is written to a file of ours for the time it is played, because MPEG-4 needs to be searched; the
player's pictures come over a pipe. Where the machine has no ffmpeg the film says so and offers nothing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from workstation.imaging.documents.model import Rgb

NO_PLAYER = "Video is played by ffmpeg, which is not on this machine: install it, or export the object."


class PlayerError(RuntimeError):
    """The player ended with an error; the message is its last line."""


def player() -> str | None:
    """Where ffmpeg is on this machine."""
    return shutil.which("ffmpeg")


class VideoFilm:
    """A video of this size; `rate` pictures a second."""

    def __init__(self, stream: bytes, rows: int, columns: int, rate: float, program: str) -> None:
        self.rows, self.columns, self.rate = rows, columns, rate
        self._stream, self._program = stream, program

    def pictures(self, first: int = 0) -> Iterator[Rgb]:
        """RGB pictures from number `first` on; raises PlayerError where the player gives up before any."""
        handle, name = tempfile.mkstemp(prefix="reading-room-", suffix=".video")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self._stream)
            yield from self._played(name, first)
        finally:
            Path(name).unlink(missing_ok=True)

    def _played(self, name: str, first: int) -> Iterator[Rgb]:
        size = self.rows * self.columns * 3
        with subprocess.Popen(self._command(name), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, creationflags=_hidden()) as process:  # fmt: skip
            assert process.stdout is not None
            count = 0
            try:
                while len(data := process.stdout.read(size)) == size:
                    if count >= first:
                        yield np.frombuffer(data, np.uint8).reshape(self.rows, self.columns, 3)
                    count += 1
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            if count == 0:
                assert process.stderr is not None
                raise PlayerError(_last_line(process.stderr.read()))

    def _command(self, name: str) -> list[str]:
        return [self._program, "-nostdin", "-loglevel", "error", "-i", name, "-an", "-f", "rawvideo",
                "-pix_fmt", "rgb24", "-s", f"{self.columns}x{self.rows}", "pipe:1"]  # fmt: skip


def _hidden() -> int:
    """No console window of its own on Windows."""
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW
    return 0


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else "the player gave no picture"
