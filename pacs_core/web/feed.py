"""The change feed over HTTP: long polls and server-sent events, holding no thread (WHATWG HTML 9.2)."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pacs_core.archive import codec
from pacs_core.archive import models as m
from pacs_core.archive.routes import CHANGES_STREAM, parse_query
from pacs_core.domain.errors import InvalidValue, NotSignedIn, ReadingRoomError
from pacs_core.domain.events import Change
from pacs_core.web.blocking import Blocking
from pacs_core.web.callers import Caller, Credentials, actor_of, caller_of, identify
from pacs_core.web.node import WebNode
from pacs_core.web.routing import At

log = logging.getLogger("reading_room.web")

POLL_CAP_S = 60.0
HEARTBEAT_S = 15.0
TAIL_S = 0.25
PAGE = 500


class ChangeHub:
    """One thread waits on the journal for all who listen, and for nothing while nobody does; `close` lets
    every listener go at once."""

    def __init__(self, node: WebNode) -> None:
        self._node = node
        self._newest = 0
        self._closing = threading.Event()
        self._listeners = 0
        self._listened = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: asyncio.Event | None = None

    async def start(self) -> None:
        """Begin to listen; called on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        threading.Thread(target=self._tail, name="web-changes", daemon=True).start()

    def close(self) -> None:
        """Release every listener; safe from any thread, more than once. The thread ends at its next look."""
        self._closing.set()
        self._listened.set()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, self._newest)

    @property
    def closing(self) -> bool:
        """Whether the node is about to stop."""
        return self._closing.is_set()

    async def beyond(self, sequence: int, timeout_s: float) -> bool:
        """Wait until the journal is past `sequence`; False where the time or the node came to its end."""
        self._listeners += 1
        self._listened.set()
        try:
            return await self._until(sequence, time.monotonic() + timeout_s)
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._listened.clear()
            if self.closing:  # it may have been said in between
                self._listened.set()

    async def _until(self, sequence: int, deadline: float) -> bool:
        assert self._changed is not None
        while self._newest <= sequence:
            left = deadline - time.monotonic()
            if left <= 0 or self.closing:
                return False
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                return False
        return True

    def _tail(self) -> None:
        newest = 0
        while self._listened.wait() and not self._closing.is_set():
            try:
                found = self._node.wait_for_change(newest, TAIL_S)
            except ReadingRoomError as error:
                log.warning("the journal cannot be read: %s", type(error).__name__)
                self._closing.wait(1.0)
                continue
            if found > newest and self._loop is not None and not self._loop.is_closed():
                newest = found
                self._loop.call_soon_threadsafe(self._wake, newest)

    def _wake(self, newest: int) -> None:
        assert self._changed is not None
        self._newest = max(self._newest, newest)
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()


class Feed:
    """Serves changes to those who wait for them."""

    def __init__(self, node: WebNode, hub: ChangeHub, blocking: Blocking) -> None:
        self._node = node
        self._hub = hub
        self._blocking = blocking

    def endpoints(self) -> list[At]:
        """The stream; the long poll is a method of the archive like any other."""
        return [At(CHANGES_STREAM, "GET", self._stream)]

    async def since(self, caller: Caller, sequence: int, wait_s: float, limit: int) -> m.ChangesPage:
        """One page of changes, waiting for the first without holding a thread."""
        deadline = time.monotonic() + (min(wait_s, POLL_CAP_S) if wait_s > 0 else 0.0)
        while True:
            page = await self._blocking.run(self._page, caller, sequence, limit)
            left = deadline - time.monotonic()
            if page.changes or left <= 0 or not await self._hub.beyond(max(sequence, page.sequence), left):
                return page

    def _page(self, caller: Caller, sequence: int, limit: int) -> m.ChangesPage:
        if caller.actor is None:
            raise NotSignedIn("sign in first")
        return self._node.archive(caller.actor, caller.shares_disk).changes.since(sequence, 0.0, limit)

    async def _stream(self, request: Request) -> Response:
        actor_of(request)
        sequence = _start(request)
        first = await self._blocking.run(self._page, caller_of(request), sequence, PAGE)
        events = self._events(caller_of(request), sequence, first)
        return StreamingResponse(events, media_type="text/event-stream")

    async def _events(self, caller: Caller, sequence: int, page: m.ChangesPage) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        while not self._hub.closing:
            for change in page.changes:
                sequence = change.sequence
                yield _event(change)
            if not page.changes and not await self._hub.beyond(max(sequence, page.sequence), HEARTBEAT_S):
                yield b": still here\n\n"
            try:
                caller = await self._again(caller)
                page = await self._blocking.run(self._page, caller, sequence, PAGE)
            except NotSignedIn:
                yield b"event: signed-out\ndata: {}\n\n"
                return

    async def _again(self, caller: Caller) -> Caller:
        """Ask again who the bearer is: a session may have ended while its stream was open."""
        if not caller.bearer:
            return caller
        found = await self._blocking.run(identify, self._node, Credentials(caller.bearer, "", caller.address))
        return Caller(found.actor, caller.shares_disk, caller.bearer, caller.address)


def _start(request: Request) -> int:
    query = dict(parse_query(request.scope["query_string"]))
    unknown = set(query) - {"sequence"}
    if unknown:
        raise InvalidValue(f"{min(unknown)}: the stream has no such parameter", min(unknown))
    text = request.headers.get("last-event-id") or query.get("sequence", "0")
    if not text.isdecimal() or len(text) > 18:
        raise InvalidValue(f"sequence: {text[:40]!r} is not a whole number", "sequence")
    return int(text)


def _event(change: Change) -> bytes:
    data = codec.dump(codec.to_jsonable(Change, change))
    return b"id: %d\nevent: change\ndata: %s\n\n" % (change.sequence, data)
