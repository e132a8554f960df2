"""The MLLP client: sends one message and waits for its answer, over a connection that is kept.

A connection on which anything went wrong is dropped, so that a late answer can never be taken for the
answer to a later message.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable

from pacs_core.hl7.mllp import Frame, FrameDecoder, Item, frame
from pacs_core.hl7.server import keep_alive

log = logging.getLogger("reading_room.hl7")

_READ_BYTES = 64 * 1024
_QUIET_S = 1.0
_COMMIT_ACK = b"\x06"
_COMMIT_NAK = b"\x15"


class NoAnswer(Exception):
    """The other side gave no usable answer; the text says what happened instead."""


class _HungUp(NoAnswer):
    """The connection ended under the exchange."""


class MLLPClient:
    """One connection to one receiver; not to be shared between threads."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        connect_s: float = 10.0,
        answer_s: float = 30.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._address = (host, port)
        self._connect_s = connect_s
        self._answer_s = answer_s
        self._tls = tls
        self._socket: socket.socket | None = None
        self._decoder = FrameDecoder()

    def exchange(self, message: bytes, is_answer: Callable[[bytes], bool]) -> bytes:
        """Send the message and return the first frame that `is_answer` accepts as its own.

        Frames that answer something else (late, doubled) are passed over and counted in the log. Raises
        NoAnswer after the time limit, a reset or a failed connection; the connection is then closed.
        """
        kept = self._socket is not None
        try:
            return self._exchange(message, is_answer)
        except _HungUp:
            if not kept:
                raise
        # Many receivers hang up after each answer, and a kept connection tells so only when it is used.
        return self._exchange(message, is_answer)

    def close(self) -> None:
        """Close the connection; the next exchange opens a new one."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
        self._socket = None
        self._decoder = FrameDecoder()

    def _exchange(self, message: bytes, is_answer: Callable[[bytes], bool]) -> bytes:
        try:
            connection = self._connected()
            connection.settimeout(self._answer_s)
            connection.sendall(frame(message))
            return self._await(connection, is_answer)
        except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError) as failure:
            self.close()
            raise _HungUp(_say(failure)) from failure
        except OSError as failure:
            self.close()
            raise NoAnswer(_say(failure)) from failure
        except NoAnswer:
            self.close()
            raise

    def _connected(self) -> socket.socket:
        if self._socket is not None and not self._stale(self._socket):
            return self._socket
        self.close()
        try:
            plain = socket.create_connection(self._address, self._connect_s)
        except OSError as failure:
            raise NoAnswer(f"no connection: {_say(failure)}") from failure
        keep_alive(plain)
        self._socket = plain
        if self._tls is not None:
            self._socket = self._tls.wrap_socket(plain, server_hostname=self._address[0])
        return self._socket

    def _stale(self, connection: socket.socket) -> bool:
        """Read away second and late answers to the last exchange; true where the peer hung up."""
        connection.settimeout(0.0)
        self._decoder = FrameDecoder()
        while True:
            try:
                data = connection.recv(_READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            except OSError:
                return True
            if not data:
                return True
            log.info("%d bytes came unasked from %s:%d and were passed over", len(data), *self._address)

    def _await(self, connection: socket.socket, is_answer: Callable[[bytes], bool]) -> bytes:
        deadline = time.monotonic() + self._answer_s
        passed_over = 0
        while (remaining := deadline - time.monotonic()) > 0:
            items, closed = self._read(connection, remaining)
            for item in items:
                if isinstance(item, Frame) and self._is_ours(item.content, is_answer):
                    return item.content
                passed_over += 1
                log.info("an answer to something else came from %s:%d", *self._address)
            if closed:
                raise _HungUp(f"connection closed before the answer{_others(passed_over)}")
        raise NoAnswer(f"no answer within {self._answer_s:g} s{_others(passed_over)}")

    def _read(self, connection: socket.socket, remaining: float) -> tuple[list[Item], bool]:
        """What the next read completes, and whether the other side closed."""
        may_flush = self._decoder.may_flush
        connection.settimeout(min(remaining, _QUIET_S) if may_flush else remaining)
        try:
            data = connection.recv(_READ_BYTES)
        except TimeoutError:
            return (self._decoder.flush() if may_flush else []), False
        return (self._decoder.feed(data) if data else self._decoder.flush()), not data

    def _is_ours(self, content: bytes, is_answer: Callable[[bytes], bool]) -> bool:
        if content == _COMMIT_NAK:
            raise NoAnswer("the receiver could not take the frame (MLLP NAK)")
        return content != _COMMIT_ACK and is_answer(content)


def _say(failure: OSError) -> str:
    if isinstance(failure, TimeoutError):
        return "timed out"
    return failure.strerror or str(failure) or type(failure).__name__


def _others(count: int) -> str:
    return f" ({count} for other messages)" if count else ""
