"""Video streams through the system's ffmpeg, a process of its own (PS3.5 A.4.9 to A.4.12, 8.2.7 to 8.2.9).

The stream is written to a file of ours for the time it is played, because MPEG-4 needs to be searched; the
player's pictures come over a pipe. Where the machine has no ffmpeg the film says so and offers nothing.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import BinaryIO

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

    def pictures(self, first: int = 0) -> Playing:
        """RGB pictures from number `first` on; raises PlayerError where the player gives up before any."""
        return Playing(self, first)

    def write(self, file: BinaryIO) -> None:
        """The stream, as it was stored."""
        file.write(self._stream)

    def command(self, name: str) -> list[str]:
        """What brings the pictures of a file of this stream."""
        return [self._program, "-nostdin", "-loglevel", "error", "-i", name, "-an", "-f", "rawvideo",
                "-pix_fmt", "rgb24", "-s", f"{self.columns}x{self.rows}", "pipe:1"]  # fmt: skip


class Playing:
    """The pictures of one playing, begun with the first that is asked for.

    Closing it, from any thread, ends the player and takes its file away; so does its end, and the program's.
    """

    def __init__(self, film: VideoFilm, first: int) -> None:
        self._film, self._skipped = film, first
        self._came = False
        self._closed = False
        self._said = b""
        self._name = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None
        self._lock, self._reading = threading.Lock(), threading.Lock()

    def __iter__(self) -> Playing:
        return self

    def __next__(self) -> Rgb:
        while (data := self._next()) is not None:
            self._came = True
            if self._skipped <= 0:
                return np.frombuffer(data, np.uint8).reshape(self._film.rows, self._film.columns, 3)
            self._skipped -= 1
        given_up = not self._closed and not self._came
        self.close()
        if given_up:
            raise PlayerError(_last_line(self._said))
        raise StopIteration

    def close(self) -> None:
        """End the player, whatever it is doing, and take its file away."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                self._let_go(self._process)
                self._process = None
            if self._name:
                Path(self._name).unlink(missing_ok=True)
                self._name = ""
        _open.discard(self)

    def _next(self) -> bytes | None:
        """A whole picture; None after the last."""
        self._start()
        size = self._film.rows * self._film.columns * 3
        with self._reading:
            process = self._process
            if self._closed or process is None or process.stdout is None:
                return None
            data = process.stdout.read(size)
        return data if len(data) == size else None

    def _start(self) -> None:
        with self._lock:
            if self._closed or self._process is not None:
                return
            _open.add(self)
            handle, self._name = tempfile.mkstemp(prefix="reading-room-", suffix=".video")
            with os.fdopen(handle, "wb") as file:
                self._film.write(file)
            process = subprocess.Popen(self._film.command(self._name), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       creationflags=_hidden())  # fmt: skip
            self._process = process
            self._listener = threading.Thread(target=self._listen, args=(process,), daemon=True)
            self._listener.start()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Keep the player's last words: a pipe nobody reads would fill, and the player stand still."""
        assert process.stderr is not None
        while line := process.stderr.readline(4096):
            self._said = line if line.strip() else self._said

    def _let_go(self, process: subprocess.Popen[bytes]) -> None:
        """Close the pipes of a player that has ended, after who reads them."""
        assert process.stdout is not None
        assert process.stderr is not None
        with self._reading:
            process.stdout.close()
        if self._listener is not None:
            self._listener.join()
        process.stderr.close()


_open: set[Playing] = set()


@atexit.register
def _close_all() -> None:
    """A program that ends leaves neither a player nor a patient's video behind."""
    for playing in tuple(_open):
        playing.close()


def _hidden() -> int:
    """No console window of its own on Windows."""
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW
    return 0


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else "the player gave no picture"
