"""A TCP connection with a peer: whole PDUs in, bytes out, each within its time (PS3.8 9.1)."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress

from pacs_core.dimse import pdu
from pacs_core.dimse.pdu import BadPdu

PDU_SECONDS = 60.0
"""A PDU that has begun must be whole within this time; so a sender that trickles is not waited for."""

SLICE_S = 0.5
"""How often a wait looks whether the listener stops."""

MOST_BUFFERS = 512
"""Buffers given to one sendmsg; systems allow 1024 and more."""

CLOSED = "the peer closed the connection in the middle of a PDU"

QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Gone(Exception):
    """The peer closed the connection, or it broke."""


class TooSlow(Gone):
    """The peer said nothing for too long."""


class Stopping(Gone):
    """This side is shutting down."""


def _waiter(peer: socket.socket) -> Callable[[float], bool]:
    """Says whether the socket has bytes, or has ended, within so many seconds; poll knows no limit of
    handles."""
    if not hasattr(select, "poll"):
        return lambda seconds: bool(select.select([peer], [], [], seconds)[0])
    poll = select.poll()
    poll.register(peer, select.POLLIN)
    return lambda seconds: bool(poll.poll(int(seconds * 1000)))


class Connection:
    """One socket, blocking, used by one thread; `stopping` is looked at while waiting for the next PDU."""

    def __init__(self, peer: socket.socket) -> None:
        self.socket = peer
        self.stopping = False
        self._header = bytearray(6)
        self._readable = _waiter(peer)
        self._direct = hasattr(os, "readv") and not hasattr(peer, "pending")  # no TLS in between
        peer.settimeout(PDU_SECONDS)
        with suppress(OSError):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    @property
    def address(self) -> str:
        """The peer's IP address; empty once the connection is gone."""
        try:
            peer = self.socket.getpeername()
        except OSError:
            return ""
        return str(peer[0]) if isinstance(peer, tuple) else ""

    def waiting(self, seconds: float = 0.0) -> bool:
        """Say whether bytes can be read, waiting at most so long."""
        pending = getattr(self.socket, "pending", None)  # TLS keeps decrypted bytes that select does not see
        if pending is not None and pending():
            return True
        try:
            return self._readable(seconds)
        except (OSError, ValueError) as found:
            raise Gone("the connection was closed here") from found

    def read_header(self, idle_s: float) -> tuple[int, int]:
        """Wait for the next PDU; its type and length. Raises TooSlow, Stopping, Gone or BadPdu."""
        view = memoryview(self._header)
        got = self._there(view)
        if not got:
            self._await(idle_s)
        if got < len(view):
            self.read_into(view[got:])
        kind, length = struct.unpack(">BxI", view)
        if kind not in pdu.KINDS:
            raise BadPdu(f"PDU type {kind:02X}H is none of the standard")
        return kind, length

    def _await(self, idle_s: float) -> None:
        self._acknowledge_at_once()
        until = time.monotonic() + idle_s
        while not self.waiting(min(SLICE_S, idle_s)):
            if self.stopping:
                raise Stopping("shutting down")
            if time.monotonic() >= until:
                raise TooSlow(f"nothing came for {idle_s:.0f} s")

    def _there(self, *views: memoryview) -> int:
        """Take what has come already, without a wait or a look before; how many bytes, 0 where none."""
        if not self._direct:
            return 0
        try:
            got = os.readv(self.socket.fileno(), views)
        except BlockingIOError:
            return 0
        except OSError as found:
            raise Gone(f"the connection broke: {found.strerror or found}") from found
        if not got:
            raise Gone(CLOSED)
        return got

    def _acknowledge_at_once(self) -> None:
        """Ask the system not to delay TCP acknowledgements: a sender with Nagle's algorithm waits for each.

        Linux forgets the wish, so it is said again; other systems have no such option and delay less.
        """
        if QUICKACK is not None:
            with suppress(OSError):
                self.socket.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)

    def read(self, count: int) -> bytearray:
        """Exactly so many bytes."""
        data = bytearray(count)
        self.read_into(memoryview(data))
        return data

    def read_into(self, view: memoryview) -> None:
        """Fill the view; raises TooSlow or Gone."""
        self.read_both(view[:0], view)

    def read_both(self, first: memoryview, view: memoryview) -> None:
        """Fill one view and then the other; raises TooSlow or Gone."""
        at = self._there(first, view) - len(first)
        if at < 0:
            self.read_into(first[at:])
            at = 0
        count = len(view)
        if at < count:
            self._acknowledge_at_once()
        until = time.monotonic() + PDU_SECONDS
        try:
            while at < count:
                got = self.socket.recv_into(view[at:])
                if not got:
                    raise Gone(CLOSED)
                at += got
                if at < count and time.monotonic() > until:
                    raise TooSlow(f"{at} of {count} bytes of a PDU within {PDU_SECONDS:.0f} s")
        except TimeoutError as found:
            raise TooSlow(f"{at} of {count} bytes of a PDU within {PDU_SECONDS:.0f} s") from found
        except OSError as found:
            raise Gone(f"the connection broke: {found.strerror or found}") from found

    def send(self, *parts: bytes | bytearray | memoryview) -> None:
        """Send the parts one after the other; raises Gone."""
        try:
            if len(parts) > 1 and hasattr(self.socket, "sendmsg") and not hasattr(self.socket, "pending"):
                self._send_gathered(list(parts))
            else:
                self.socket.sendall(b"".join(parts) if len(parts) > 1 else parts[0])
        except OSError as found:
            raise Gone(f"the connection broke while sending: {found.strerror or found}") from found

    def _send_gathered(self, parts: list[bytes | bytearray | memoryview]) -> None:
        """One system call for many buffers, where the system has it; they are not copied."""
        views = [memoryview(part) for part in parts if len(part)]
        while views:
            sent = self.socket.sendmsg(views[:MOST_BUFFERS])
            while views and sent >= len(views[0]):
                sent -= len(views.pop(0))
            if sent:
                views[0] = views[0][sent:]

    def close(self, linger_s: float = 0.0) -> None:
        """Close the socket; what was sent still goes out.

        With `linger_s` what the peer still sends is read and dropped for so long: closing with bytes
        unread resets the connection, and the peer may then never see why (PS3.8 9.2.3, state 13).
        """
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        if linger_s:
            self._drain(linger_s)
        with suppress(OSError):
            self.socket.close()

    def _drain(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with suppress(OSError):
            while (left := until - time.monotonic()) > 0:
                self.socket.settimeout(left)
                if not self.socket.recv(1 << 16):
                    return
