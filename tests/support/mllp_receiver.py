"""An MLLP receiver on a plain socket, written apart from the product: takes messages and answers as told.

It knows nothing of `pacs_core`. `answers` is a list of behaviours, one for each message that arrives, the
last one for all further ones.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable

SB, EB, CR = b"\x0b", b"\x1c", b"\x0d"


class Wire:
    """What a behaviour may do with the connection a message came on."""

    def __init__(self, receiver: MLLPReceiver, connection: socket.socket, message: bytes) -> None:
        self.receiver = receiver
        self.connection = connection
        self.message = message

    @property
    def control_id(self) -> str:
        return control_id(self.message)

    def say(self, *parts: bytes) -> None:
        for part in parts:
            self.connection.sendall(part)

    def reset(self) -> None:
        """RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Behaviour = Callable[[Wire], None]


def control_id(message: bytes) -> str:
    return message.split(b"\r")[0].split(b"|")[9].decode()


def ack(code: str, about: str, text: str = "", extra: str = "") -> bytes:
    header = f"MSH|^~\\&|RIS|SITE|READINGROOM||20261122||ACK^R01^ACK|A{about}|P|2.5.1"
    return f"{header}\rMSA|{code}|{about}|{text}\r{extra}".encode()


def framed(content: bytes) -> bytes:
    return SB + content + EB + CR


def answer(code: str = "AA", text: str = "", extra: str = "") -> Behaviour:
    return lambda wire: wire.say(framed(ack(code, wire.control_id, text, extra)))


def silence(wire: Wire) -> None:
    """Take the message and say nothing."""


def reset(wire: Wire) -> None:
    wire.reset()


def hang_up(wire: Wire) -> None:
    wire.connection.shutdown(socket.SHUT_RDWR)


def doubled(wire: Wire) -> None:
    wire.say(framed(ack("AA", wire.control_id, "first")) + framed(ack("AA", wire.control_id, "second")))


def about_another(wire: Wire) -> None:
    wire.say(framed(ack("AA", "SOMETHING-ELSE")))


def another_then_ours(wire: Wire) -> None:
    wire.say(framed(ack("AR", "SOMETHING-ELSE")), framed(ack("AA", wire.control_id, "ours")))


def byte_by_byte(wire: Wire) -> None:
    for byte in framed(ack("AA", wire.control_id, "slowly")):
        wire.say(bytes([byte]))


def without_final_cr(wire: Wire) -> None:
    wire.say(SB + ack("AA", wire.control_id, "no CR") + EB)


def after(event: threading.Event, behaviour: Behaviour) -> Behaviour:
    """Answer only once the test says so."""

    def wait(wire: Wire) -> None:
        event.wait(30)
        with contextlib.suppress(OSError):
            behaviour(wire)

    return wait


class MLLPReceiver:
    """Listens on a port of the system's choice; `received` holds every message in the order of arrival."""

    def __init__(self, *answers: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.answers: list[Behaviour] = list(answers) or [answer()]
        self.received: list[bytes] = []
        self.connections = 0
        self._arrived = threading.Condition()
        self._open: list[socket.socket] = []
        self._readers: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="test-ris", daemon=True)
        self._thread.start()

    def __enter__(self) -> MLLPReceiver:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in (self._thread, *self._readers):
            thread.join(10)

    def wait_for(self, count: int, timeout: float = 30.0) -> list[bytes]:
        """The messages, once there are that many."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.received) >= count, timeout), (
                "messages did not come"
            )
            return list(self.received)

    @property
    def in_effect(self) -> dict[str, bytes]:
        """What a RIS that drops duplicates by MSH-10 holds: the first message of each control id."""
        kept: dict[str, bytes] = {}
        for message in self.received:
            kept.setdefault(control_id(message), message)
        return kept

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            reader = threading.Thread(target=self._read, args=(connection,), daemon=True)
            self._readers.append(reader)
            reader.start()

    def _read(self, connection: socket.socket) -> None:
        waiting = b""
        with contextlib.suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            while data := connection.recv(4096):
                waiting += data
                while EB + CR in waiting:
                    block, waiting = waiting.split(EB + CR, 1)
                    self._take(connection, block[block.index(SB) + 1 :])

    def _take(self, connection: socket.socket, message: bytes) -> None:
        with self._arrived:
            place = len(self.received)
            self.received.append(message)
            behaviour = self.answers[min(place, len(self.answers) - 1)]
            self._arrived.notify_all()
        behaviour(Wire(self, connection, message))
