"""Request bodies: never more than allowed, never waited for without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request

from pacs_core.web.media import MediaType, parse_media_type
from pacs_core.web.problems import HttpProblem, too_large, unsupported

IDLE_S = 60.0
"""How long a sender may be silent in the middle of a body."""


def content_type(request: Request) -> MediaType:
    """The body's media type; raises a 415 where there is none, or it is sent compressed."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise unsupported("bodies with a Content-Encoding are not read here")
    text = request.headers.get("content-type", "")
    if not text:
        raise unsupported("the body has no Content-Type")
    return parse_media_type(text)


async def stream(request: Request, idle_s: float = IDLE_S) -> AsyncIterator[bytes]:
    """The body chunk by chunk; raises a 408 where the sender falls silent, ClientDisconnect where it goes."""
    chunks = request.stream()
    try:
        while True:
            try:
                chunk = await asyncio.wait_for(anext(chunks), idle_s)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise HttpProblem(
                    408, "Body never ended", f"nothing came for {idle_s:g} s", "body", connection="close"
                ) from None
            if chunk:
                yield chunk
    finally:
        await chunks.aclose()


async def read(request: Request, limit: int) -> bytes:
    """The whole body; raises a 413 above `limit` bytes, before reading where its length says so already."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise too_large(limit)
    body = bytearray()
    async for chunk in stream(request):
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)
