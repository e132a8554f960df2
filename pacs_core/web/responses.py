"""Answers of JSON: with a weak entity tag, compressed where the caller takes it (RFC 9110 8.8, 12.5.3)."""

from __future__ import annotations

import gzip
import hashlib

from starlette.requests import Request
from starlette.responses import Response

COMPRESS_FROM = 4096
LEVEL = 1


def answer(request: Request, body: bytes, media_type: str, *, tagged: bool = False) -> Response:
    """The body as a response; `tagged` ones may be kept by the caller and asked for again by their tag."""
    headers = {"Vary": "Accept-Encoding"}
    if tagged:
        tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers |= {"ETag": tag, "Cache-Control": "private, no-cache"}
        if has_tag(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
    if len(body) >= COMPRESS_FROM and takes_gzip(request):
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, LEVEL, mtime=0)
    return Response(body, headers=headers, media_type=media_type)


def takes_gzip(request: Request) -> bool:
    """Say whether the caller takes gzip (DICOM objects are never compressed that way)."""
    for one in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = one.strip().partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def has_tag(wanted: str, tag: str) -> bool:
    """Say whether an If-None-Match names the tag."""
    return wanted.strip() == "*" or tag in (t.strip() for t in wanted.split(","))
