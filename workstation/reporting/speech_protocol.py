"""How the workstation and its speech child talk over two pipes: a header of JSON, a body of samples.

A frame is ``RRS1``, two little-endian 32-bit lengths, the header in UTF-8 and the body (float32 samples).
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any

import numpy as np

from workstation.reporting.log_mel import Sound

MAGIC = b"RRS1"
MOST_HEADER = 4_000_000
MOST_BODY = 64_000_000
_HEAD = struct.Struct("<4sII")


class ProtocolBroken(Exception):
    """The other side said something that is no frame."""


def write_frame(pipe: IO[bytes], header: dict[str, Any], body: bytes = b"") -> None:
    """Write one frame and flush it; raises OSError or ValueError where the pipe is gone."""
    text = json.dumps(header, ensure_ascii=False).encode()
    pipe.write(_HEAD.pack(MAGIC, len(text), len(body)))
    pipe.write(text)
    pipe.write(body)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """Read one frame; raises EOFError at the end of the pipe and ProtocolBroken on anything else."""
    magic, header_length, body_length = _HEAD.unpack(_exactly(pipe, _HEAD.size))
    if magic != MAGIC or header_length > MOST_HEADER or body_length > MOST_BODY:
        raise ProtocolBroken(f"not a frame: {magic!r}, {header_length}, {body_length}")
    try:
        header = json.loads(_exactly(pipe, header_length))
    except ValueError as error:
        raise ProtocolBroken(f"the header is no JSON: {error}") from error
    if not isinstance(header, dict):
        raise ProtocolBroken("the header is no object")
    return header, _exactly(pipe, body_length)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    pieces, missing = [], length
    while missing:
        piece = pipe.read(missing)
        if not piece:
            raise EOFError
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def sound_to_bytes(sound: Sound) -> bytes:
    """Samples as they travel."""
    return np.ascontiguousarray(sound, dtype="<f4").tobytes()


def sound_from_bytes(body: bytes) -> Sound:
    """Samples as they arrived, whatever was odd in them made silence."""
    samples = np.frombuffer(body[: len(body) // 4 * 4], dtype="<f4").astype(np.float32)
    return np.clip(np.nan_to_num(samples), -1.0, 1.0)
