"""The simulated RIS's ear: takes ORU^R01 over MLLP, keeps every message, answers as it is told."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.times import instant
from pacs_core.hl7.message import Header, Message
from pacs_core.hl7.mllp import Frame, FrameDecoder, frame

log = logging.getLogger("reading_room.hl7")

READ_BYTES = 65536
OTHER_CONTROL_ID = "SOMEBODYELSE"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one message is answered.

    `kind`: answer (MSA-1 = `code`), silent, reset (TCP reset without an answer), close, double (two
    acknowledgements), wrong-id (MSA-2 of another message), cut (the answer's frame never ends). `delay_s`
    comes before any of them.
    """

    kind: str = "answer"
    code: str = "AA"
    text: str = ""
    delay_s: float = 0.0

    @staticmethod
    def named(name: str, delay_s: float = 0.0) -> Behaviour:
        """The behaviour by a word: one of the kinds, or AA, AE, AR, CA, CE, CR; raises ValueError."""
        if name.upper() in CODES:
            text = "" if name.upper()[1] == "A" else "refused, as the simulated RIS was told"
            return Behaviour("answer", name.upper(), text, delay_s)
        if name not in KINDS:
            raise ValueError(f"{name!r} is no behaviour; known are {', '.join((*KINDS, *CODES))}")
        return Behaviour(name, delay_s=delay_s)


CODES = ("AA", "AE", "AR", "CA", "CE", "CR")
KINDS = ("answer", "silent", "reset", "close", "double", "wrong-id", "cut")


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came: when (UTC), from where, what it was and how it was answered."""

    control_id: str
    kind: str
    accession: str
    at: str
    peer: str
    content: bytes
    answered: str


class Receiver:
    """An MLLP server of its own threads; `script` is used up message by message, then `default` holds."""

    def __init__(self, keep: Path | None = None) -> None:
        self.default = Behaviour()
        self._script: deque[Behaviour] = deque()
        self._received: list[Received] = []
        self._news = threading.Condition()
        self._keep = keep
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._stopping = threading.Event()

    def start(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Listen; the address taken (port 0 takes a free one)."""
        self._stopping.clear()
        self._listener = socket.create_server((host, port), backlog=16)
        threading.Thread(target=self._accept, args=(self._listener,), name="ris-accept", daemon=True).start()
        address = self._listener.getsockname()
        return str(address[0]), int(address[1])

    def stop(self) -> None:
        """Stop listening and hang up everywhere."""
        self._stopping.set()
        with self._news:
            open_sockets = [*self._connections, *([self._listener] if self._listener else [])]
        for one in open_sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def behave(self, *behaviours: Behaviour) -> None:
        """Answer the next messages like this, one each."""
        with self._news:
            self._script.extend(behaviours)

    @property
    def received(self) -> tuple[Received, ...]:
        """Everything that came, repetitions included, oldest first."""
        with self._news:
            return tuple(self._received)

    def effective(self, accession: str = "") -> tuple[Received, ...]:
        """The messages that took effect: accepted, each control id once (HL7 v2.5.1 §2.9.2)."""
        taken: dict[str, Received] = {}
        for one in self.received:
            if one.answered in ("AA", "CA") and accession in ("", one.accession):
                taken.setdefault(one.control_id, one)
        return tuple(taken.values())

    def wait(self, enough: Callable[[tuple[Received, ...]], bool], timeout_s: float) -> bool:
        """Wait until `enough` holds of what was received; false where the time ran out."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            while not enough(tuple(self._received)):
                if not self._news.wait(max(deadline - time.monotonic(), 0)) and time.monotonic() >= deadline:
                    return enough(tuple(self._received))
            return True

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection, address = listener.accept()
            except OSError:
                return
            with self._news:
                self._connections.add(connection)
            name = f"{address[0]}:{address[1]}"
            threading.Thread(target=self._serve, args=(connection, name), name="ris-in", daemon=True).start()

    def _serve(self, connection: socket.socket, peer: str) -> None:
        decoder = FrameDecoder()
        try:
            while data := connection.recv(READ_BYTES):
                for item in decoder.feed(data):
                    if isinstance(item, Frame):
                        self._answer(connection, peer, item.content)
        except OSError as failure:
            log.info("the simulated RIS lost %s: %s", peer, type(failure).__name__)
        finally:
            with self._news:
                self._connections.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket, peer: str, content: bytes) -> None:
        with self._news:
            behaviour = self._script.popleft() if self._script else self.default
        if behaviour.delay_s and self._stopping.wait(behaviour.delay_s):
            return
        one = _received(content, peer, behaviour)
        self._note(one)
        act(connection, behaviour, acknowledgement(content, behaviour))

    def _note(self, one: Received) -> None:
        with self._news:
            self._received.append(one)
            number = len(self._received)
            if self._keep is not None:
                self._keep.mkdir(parents=True, exist_ok=True)
                (self._keep / f"{number:04d}-{one.answered}.hl7").write_bytes(one.content)
                line = {"control_id": one.control_id, "accession": one.accession, "answered": one.answered}
                with (self._keep / "received.jsonl").open("a", encoding="utf-8") as journal:
                    journal.write(json.dumps(line | {"at": one.at, "kind": one.kind}) + "\n")
            self._news.notify_all()


def act(connection: socket.socket, behaviour: Behaviour, answer: bytes) -> None:
    """Send the answer, or do to the connection what the behaviour says."""
    if behaviour.kind == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if behaviour.kind in ("reset", "close"):
        connection.close()
        raise ConnectionResetError("hung up, as told")
    if behaviour.kind == "cut":
        connection.sendall(frame(answer)[:-2])
    elif behaviour.kind != "silent":
        connection.sendall(frame(answer) * (2 if behaviour.kind == "double" else 1))


def acknowledgement(content: bytes, behaviour: Behaviour) -> bytes:
    """MSH and MSA (and ERR for a refusal) to a message (HL7 v2.5.1 §2.9.2)."""
    header = Header.read(content)
    number = OTHER_CONTROL_ID if behaviour.kind == "wrong-id" else header.field(10)
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    receiver, sender = f"{header.field(5)}|{header.field(6)}", f"{header.field(3)}|{header.field(4)}"
    segments = [
        f"MSH|^~\\&|{receiver}|{sender}|{now}||ACK^R01^ACK|A{header.field(10)[-18:]}|P|2.5.1",
        f"MSA|{behaviour.code}|{number}|{behaviour.text}",
    ]
    if behaviour.code[1] != "A":
        segments.append(f"ERR||OBX^1^5|207^Application internal error^HL70357|E||||{behaviour.text}")
    return ("\r".join(segments) + "\r").encode()


def _received(content: bytes, peer: str, behaviour: Behaviour) -> Received:
    header = Header.read(content)
    answered = behaviour.code if behaviour.kind in ("answer", "double") else behaviour.kind
    return Received(
        header.field(10),
        f"{header.component(9, 1)}^{header.component(9, 2)}",
        _accession(content),
        instant(datetime.now(UTC)),
        peer,
        content,
        answered,
    )


def _accession(content: bytes) -> str:
    try:
        return Message.parse(content).text("OBR-18") or ""
    except ReadingRoomError:
        return ""
