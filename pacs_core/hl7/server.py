"""The MLLP server: asyncio at the socket, the work in a bounded executor (architecture.md §8).

One message at a time per connection, answered on that connection; nothing else is ever sent on it
(IHE RAD TF-2 2.4). Every wait has a limit, so that half-open and dripping connections cannot hold the door.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from pacs_core.hl7.mllp import MAX_MESSAGE_BYTES, Frame, FrameDecoder, Item, TooLong, Truncated, frame

log = logging.getLogger("reading_room.hl7")

_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a message came from; `certificate_name` is the subject's common name under mutual TLS."""

    address: str
    port: int = 0
    certificate_name: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The acknowledgements of one message (none, one, or accept and application), and whether to hang up."""

    frames: tuple[bytes, ...] = ()
    close: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may take. Seconds and bytes.

    `frame_s` is for a whole frame from its first byte to its end block, `quiet_s` the silence after which a
    missing final 0x0D is forgiven, `idle_s` how long a connection may say nothing.
    """

    message_bytes: int = MAX_MESSAGE_BYTES
    connections: int = 256
    frame_s: float = 60.0
    quiet_s: float = 1.0
    idle_s: float = 12 * 3600.0
    write_s: float = 30.0
    stray_bytes: int = 64 * 1024
    workers: int = 8


Handle = Callable[[bytes, Peer], Reply]


class Refuse(Protocol):
    """Renders the AR for bytes that never became a message, or (`internal`) for a failure of ours."""

    def __call__(self, head: bytes, reason: str, internal: bool = False) -> bytes:
        """The acknowledgement."""
        ...


@dataclass(eq=False, slots=True)
class _Connection:
    """One peer's connection: its streams, its decoder and since when it has been waiting."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    peer: Peer
    decoder: FrameDecoder
    since: float
    task: asyncio.Task[None]
    busy: bool = False
    stray_told: int = 0
    stray_before: int = 0


class MLLPServer:
    """Hears HL7 on one port; `handle` is called in a worker thread with each whole message."""

    def __init__(
        self,
        handle: Handle,
        *,
        refuse: Refuse,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        executor: Executor | None = None,
    ) -> None:
        self._handle = handle
        self._refuse = refuse
        self._limits = limits or Limits()
        self._tls = tls
        self._own_executor = executor is None
        self._executor = executor or ThreadPoolExecutor(self._limits.workers, "hl7-in")
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._stopping = False

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen, and return the address that was taken (port 0 takes a free one)."""
        patience = self._limits.write_s if self._tls else None
        self._server = await asyncio.start_server(
            self._serve, host, port, ssl=self._tls, ssl_handshake_timeout=patience
        )
        taken = self._server.sockets[0].getsockname()
        return str(taken[0]), int(taken[1])

    async def stop(self, grace_s: float = 10.0) -> None:
        """Stop accepting, let messages in work be answered, close the rest."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            if not connection.busy:
                connection.task.cancel()
        if tasks := {connection.task for connection in self._connections}:
            _, late = await asyncio.wait(tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._own_executor:
            self._executor.shutdown(wait=False)

    @property
    def connections(self) -> int:
        """How many peers are connected."""
        return len(self._connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or not self._make_room():
            log.warning("connection limit %d reached, newcomer closed", self._limits.connections)
            writer.transport.abort()
            return
        now = asyncio.get_running_loop().time()
        decoder = FrameDecoder(self._limits.message_bytes)
        connection = _Connection(reader, writer, _peer_of(writer), decoder, now, task)
        self._connections.add(connection)
        keep_alive(writer.get_extra_info("socket"))
        try:
            await self._converse(connection)
        except (ConnectionError, TimeoutError, ssl.SSLError) as failure:
            log.info("connection from %s ended: %s", connection.peer.address, type(failure).__name__)
        except asyncio.CancelledError:
            log.debug("connection from %s closed by us", connection.peer.address)
        finally:
            self._connections.discard(connection)
            await _close(writer)

    def _make_room(self) -> bool:
        if self._stopping:
            return False
        if len(self._connections) < self._limits.connections:
            return True
        idle = [c for c in self._connections if not c.busy and not c.decoder.in_frame]
        if not idle:
            return False
        longest = min(idle, key=lambda c: c.since)
        self._connections.discard(longest)
        longest.task.cancel()
        return True

    async def _converse(self, connection: _Connection) -> None:
        """Read and answer until the peer goes, breaks a limit or the server stops."""
        while not self._stopping:
            items, ended = await self._next_items(connection)
            self._tell_strays(connection)
            for item in items:
                if not await self._answer(connection, item):
                    return
            if items:
                connection.stray_before = connection.decoder.discarded
            if ended or connection.decoder.discarded - connection.stray_before > self._limits.stray_bytes:
                return

    async def _next_items(self, connection: _Connection) -> tuple[list[Item], bool]:
        """The items of the next read; flushed ones where the peer fell silent or closed."""
        decoder, loop = connection.decoder, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._patience(connection, loop.time())):
                data = await connection.reader.read(_READ_BYTES)
        except TimeoutError:
            ended = not decoder.may_flush
            return decoder.flush(), ended
        if not data:
            return decoder.flush(), True
        in_frame = decoder.in_frame
        items = decoder.feed(data)
        if items or not in_frame:
            connection.since = loop.time()
        return items, False

    def _patience(self, connection: _Connection, now: float) -> float:
        if connection.decoder.may_flush:
            return self._limits.quiet_s
        limit = self._limits.frame_s if connection.decoder.in_frame else self._limits.idle_s
        return max(0.0, connection.since + limit - now)

    async def _answer(self, connection: _Connection, item: Item) -> bool:
        """Answer one item; false where the connection must not go on."""
        if isinstance(item, Truncated) and item.begun_anew:
            # Its sender waits for one answer, to the frame it began instead.
            log.warning("frame of %d bytes from %s was begun anew", item.length, connection.peer.address)
            return True
        if not isinstance(item, Frame):
            reply = Reply((self._refuse(item.head, self._complaint(item)),), close=True)
        else:
            if not item.terminated:
                log.info("frame from %s had no final 0x0D", connection.peer.address)
            reply = await self._work(connection, item.content)
        for answer in reply.frames:
            connection.writer.write(frame(answer))
        async with asyncio.timeout(self._limits.write_s):
            await connection.writer.drain()
        return not reply.close

    async def _work(self, connection: _Connection, content: bytes) -> Reply:
        connection.busy = True
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, self._guarded, content, connection.peer)
        finally:
            connection.busy = False
            connection.since = asyncio.get_running_loop().time()

    def _guarded(self, content: bytes, peer: Peer) -> Reply:
        """The door's edge: a defect of ours is logged and answered, and never taken for an acceptance."""
        try:
            return self._handle(content, peer)
        except Exception:
            log.exception("message from %s failed in processing", peer.address)
            return Reply(
                (self._refuse(content[:4096], "internal error, nothing was accepted", internal=True),)
            )

    def _complaint(self, item: Item) -> str:
        if isinstance(item, TooLong):
            return f"message longer than {self._limits.message_bytes} bytes"
        if isinstance(item, Truncated):
            return "MLLP frame without its end block 0x1C 0x0D, nothing was accepted"
        return "MLLP frame without its start block 0x0B, nothing was accepted"

    def _tell_strays(self, connection: _Connection) -> None:
        discarded = connection.decoder.discarded
        if discarded > connection.stray_told:
            log.info("%d bytes outside frames from %s discarded", discarded, connection.peer.address)
            connection.stray_told = discarded


def keep_alive(connection: socket.socket | None) -> None:
    """Ask the system to notice a peer that vanished, within about two minutes where it lets us say so."""
    if connection is None:
        return
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # Linux and newer Windows name the idle time TCP_KEEPIDLE, macOS TCP_KEEPALIVE.
        idle = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
        if idle is not None:
            connection.setsockopt(socket.IPPROTO_TCP, idle, 60)
        for name, value in (("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
            if hasattr(socket, name):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _peer_of(writer: asyncio.StreamWriter) -> Peer:
    address = writer.get_extra_info("peername") or ("", 0)
    return Peer(str(address[0]), int(address[1]), _common_name(writer.get_extra_info("peercert")))


def _common_name(certificate: dict[str, object] | None) -> str:
    subject = (certificate or {}).get("subject", ())
    pairs = [pair for group in subject for pair in group] if isinstance(subject, tuple) else []
    return next((str(value) for name, value in pairs if name == "commonName"), "")


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError, asyncio.CancelledError):
        async with asyncio.timeout(2.0):
            await writer.wait_closed()
