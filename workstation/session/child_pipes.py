"""How the workstation and a child process of its own talk over two pipes: a header of JSON, a body of bytes.

A frame is ``RRF1``, two little-endian 32-bit lengths, the header in UTF-8 and the body (samples, a picture).
"""

from __future__ import annotations

import json
import os
import queue
import struct
import threading
import time
from collections.abc import Iterator
from typing import IO, Any

MAGIC = b"RRF1"
MOST_HEADER = 4_000_000
MOST_BODY = 1 << 31
_HEAD = struct.Struct("<4sII")

Header = dict[str, Any]


class PipeBroken(Exception):
    """The other side said something that is no frame."""


def own_ends() -> tuple[IO[bytes], IO[bytes]]:
    """The child's ends: what it is asked, and where it answers.

    Standard output becomes standard error, so that no library writes into frames. Descriptors and not
    sys.stdin: a program frozen without a console has none of those.
    """
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return asked, answers


def write_frame(pipe: IO[bytes], header: Header, body: bytes | memoryview = b"") -> None:
    """Write one frame and flush it; raises OSError or ValueError where the pipe is gone."""
    text = json.dumps(header, ensure_ascii=False).encode()
    pipe.write(_HEAD.pack(MAGIC, len(text), len(body)))
    pipe.write(text)
    pipe.write(body)
    pipe.flush()


def read_frame(pipe: IO[bytes], most: int = MOST_BODY) -> tuple[Header, bytes]:
    """Read one frame with a body of at most so many bytes; raises EOFError at the end of the pipe, PipeBroken
    on anything that is no such frame.
    """
    magic, header_length, body_length = _HEAD.unpack(_exactly(pipe, _HEAD.size))
    if magic != MAGIC or header_length > MOST_HEADER or body_length > most:
        raise PipeBroken(f"not a frame: {magic!r}, {header_length}, {body_length}")
    try:
        header = json.loads(_exactly(pipe, header_length))
    except ValueError as error:
        raise PipeBroken(f"the header is no JSON: {error}") from error
    if not isinstance(header, dict):
        raise PipeBroken("the header is no object")
    return header, _exactly(pipe, body_length)


def requests(
    pipe: IO[bytes], most: int = MOST_BODY, idle: float | None = None, grace: float = 0.0
) -> Iterator[tuple[Header, bytes]]:
    """What the parent asks, until it asks nothing for `idle` seconds.

    Read on a thread of its own: when the parent has gone, or talks nonsense, the process leaves in `grace`
    seconds, whatever it is in the middle of.
    """
    arrived: queue.Queue[tuple[Header, bytes] | None] = queue.Queue()

    def read() -> None:
        try:
            while True:
                arrived.put(read_frame(pipe, most))
        except (EOFError, OSError, ValueError, PipeBroken):
            arrived.put(None)
        finally:
            time.sleep(grace)
            os._exit(0)

    threading.Thread(target=read, name="requests", daemon=True).start()
    while True:
        try:
            request = arrived.get(timeout=idle)
        except queue.Empty:
            return
        if request is None:
            return
        yield request


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    pieces, missing = [], length
    while missing:
        piece = pipe.read(missing)
        if not piece:
            raise EOFError
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
