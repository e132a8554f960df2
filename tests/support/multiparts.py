"""Multipart bodies as DICOMweb clients send and read them, written apart from the product's own code."""

from __future__ import annotations

import email.policy
from collections.abc import Iterable
from email.parser import BytesParser
from typing import NamedTuple

import httpx

BOUNDARY = "a boundary of the test"
STOW_TYPE = f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"'


class Part(NamedTuple):
    headers: dict[str, str]
    body: bytes


def framed(
    bodies: Iterable[bytes], content_type: str = "application/dicom", boundary: str = BOUNDARY
) -> bytes:
    """Bodies in one multipart."""
    head = f"--{boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode()
    return b"".join(head + body + b"\r\n" for body in bodies) + f"--{boundary}--\r\n".encode()


def parts_of(answer: httpx.Response) -> list[Part]:
    """The parts of a multipart answer, split at its boundary."""
    content_type = answer.headers["content-type"]
    assert content_type.startswith("multipart/related"), content_type
    message = BytesParser(policy=email.policy.HTTP).parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n"
    )
    boundary = message.get_boundary()
    assert boundary
    delimiter = b"--" + boundary.encode()
    chunks = (b"\r\n" + answer.content).split(b"\r\n" + delimiter)
    assert chunks[0] == b""
    assert chunks[-1] == b"--\r\n"
    return [_part(chunk) for chunk in chunks[1:-1]]


def _part(chunk: bytes) -> Part:
    head, _, body = chunk.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    return Part({k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}, body)
