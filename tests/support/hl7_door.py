"""The HL7 door on a port of loopback over real services, and a sender on a plain socket to knock at it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from pacs_core.hl7 import ack
from pacs_core.hl7.receiver import Receiver
from pacs_core.hl7.server import Handle, Limits, MLLPServer
from pacs_core.hl7.sources import Sources
from tests.support.spine import Spine, spine


class Loop:
    """An asyncio loop in a thread of its own, as the node has one."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="test-io")
        self._thread.start()

    def run(self, work: object) -> object:
        future: Future[object] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(30)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@contextmanager
def served(
    handle: Handle, limits: Limits | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[MLLPServer, int]]:
    """A server with that handler; its port."""
    loop = Loop()
    server = MLLPServer(handle, refuse=ack.refusal, limits=limits, tls=tls)
    try:
        _, port = loop.run(server.start("127.0.0.1", 0))
        yield server, port
        loop.run(server.stop(10))
    finally:
        loop.close()


class Door:
    """Services, receiver and server, with the shortcuts that tests use."""

    def __init__(self, house: Spine, receiver: Receiver, port: int) -> None:
        self.house = house
        self.receiver = receiver
        self.port = port

    def knock(self, raw: bytes) -> bytes:
        """Send one message and return its first acknowledgement."""
        with Sender(self.port) as sender:
            return sender.exchange(raw)


@contextmanager
def door(
    folder: Path, *, open_door: bool = True, budget_s: float = 5.0, zone: str = "Europe/Berlin"
) -> Iterator[Door]:
    """The whole HL7 door of a node."""
    with spine(folder, zone) as house:
        sources = Sources(house.services.configuring.sources, open_door=open_door)
        receiver = Receiver(house.services.inbound, sources, house.clock, budget_s=budget_s)
        try:
            with served(receiver.receive) as (_, port):
                yield Door(house, receiver, port)
        finally:
            receiver.close()


class Sender:
    """A sender written apart from the product: a plain socket and the three block characters."""

    def __init__(
        self, port: int, wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain
    ) -> None:
        plain = socket.create_connection(("127.0.0.1", port), 30)
        try:
            self.socket = wrap(plain)
        except OSError:
            plain.close()
            raise
        self.socket.settimeout(30)
        self._read = b""

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def exchange(self, message: bytes) -> bytes:
        self.send(b"\x0b" + message + b"\x1c\r")
        return self.answer()

    def answer(self) -> bytes:
        """The next block, or what came before the other side closed."""
        while b"\x1c\r" not in self._read:
            data = self.socket.recv(65536)
            if not data:
                return self._read
            self._read += data
        block, self._read = self._read.split(b"\x1c\r", 1)
        assert block.startswith(b"\x0b")
        return block[1:]

    def closed(self) -> bool:
        """Whether the other side hangs up without a word more."""
        try:
            return self._read == b"" and self.socket.recv(65536) == b""
        except ConnectionError:
            return True


def fields(answer: bytes, name: str) -> list[str]:
    """A segment of an answer as its fields, numbered as in the standard."""
    for line in answer.decode("latin-1").split("\r"):
        if line.startswith(name + "|"):
            return line.split("|") if name != "MSH" else ["MSH", *line.split("|")]
    return []


def said(answer: bytes) -> tuple[str, str]:
    """MSA-1 and MSA-3 of an answer."""
    msa = [*fields(answer, "MSA")[1:], "", ""]
    return msa[0], msa[2]


JANE = "PID|1||P1^^^ISS||DOE^JANE||19700102|F"


def order_message(
    control: str,
    code: str,
    placer: str,
    *,
    accession: str = "A1",
    procedure: str = "",
    step: str = "",
    text: str = "CT chest",
    pid: str = JANE,
    at: str = "20260302100000",
) -> bytes:
    """An ORM^O01 of the source RIS with one ORC and OBR, written `at`."""
    head = f"MSH|^~\\&|RIS|SITE|RR||{at}||ORM^O01|{control}|P|2.5.1||||||UNICODE UTF-8"
    obr = f"OBR|1|||71260^{text}^C4||||||||||||||{accession}|{procedure}|{step}||||CT"
    return ("\r".join((head, pid, f"ORC|{code}|{placer}|||||1^^^20260302110000", obr)) + "\r").encode()
