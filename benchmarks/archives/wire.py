"""A bare requestor over a socket: it says what has to be said and no more, so that the server is timed.

PS3.8 9.3, PS3.7 9.3 and annex E. It takes no part of the archive's own upper layer.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Sequence

from benchmarks.archives.objects import EXPLICIT, Template, fresh_uid

MAX_PDU = 131072
STORE_RQ, FIND_RQ, GET_RQ, STORE_RSP = 0x0001, 0x0020, 0x0010, 0x8001
PENDING = (0xFF00, 0xFF01)


def _item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


def _element(number: int, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHI", 0, number, len(value)) + value


def command_set(*elements: tuple[int, bytes]) -> bytes:
    """A command set with its group length."""
    body = b"".join(_element(number, value) for number, value in elements)
    return _element(0, struct.pack("<I", len(body))) + body


def short(value: int) -> bytes:
    """A US value."""
    return struct.pack("<H", value)


class Requestor:
    """An association with a server, a context for each SOP class; `provides` those it takes back by C-GET."""

    def __init__(self, port: int, called: str, classes: Sequence[str], provides: Iterable[str] = ()) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=300)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.contexts = {uid: 2 * number + 1 for number, uid in enumerate(classes)}
        self._buffer = bytearray(MAX_PDU + 6)
        offered = b"".join(
            _item(
                0x20, struct.pack("Bxxx", number) + _item(0x30, uid.encode()) + _item(0x40, EXPLICIT.encode())
            )
            for uid, number in self.contexts.items()
        )
        roles = b"".join(
            _item(0x54, struct.pack(">H", len(uid)) + uid.encode() + b"\0\1") for uid in provides
        )
        user = _item(0x50, _item(0x51, struct.pack(">I", MAX_PDU)) + _item(0x52, b"1.2.3.4") + roles)
        body = struct.pack(">HH16s16s32x", 1, 0, called.ljust(16).encode(), b"BENCH".ljust(16))
        body += _item(0x10, b"1.2.840.10008.3.1.1.1") + offered + user
        self.socket.sendall(struct.pack(">BxI", 1, len(body)) + body)
        kind, answer = self._pdu()
        if kind != 2:
            raise ConnectionError(f"the server answered the association request with PDU type {kind}")
        at = bytes(answer).index(b"\x51\0\0\4")
        (said,) = struct.unpack_from(">I", answer, at + 4)
        self.chunk = min(said or MAX_PDU, MAX_PDU) - 6

    def _pdu(self) -> tuple[int, memoryview]:
        head = memoryview(self._buffer)[:6]
        self._fill(head)
        kind, length = struct.unpack(">BxI", head)
        if length > len(self._buffer):
            self._buffer = bytearray(length)
        body = memoryview(self._buffer)[:length]
        self._fill(body)
        return kind, body

    def _fill(self, view: memoryview) -> None:
        while view:
            got = self.socket.recv_into(view)
            if not got:
                raise ConnectionError("the server closed the connection")
            view = view[got:]

    def message(self, sop_class: str, command: bytes, data: bytes | bytearray) -> list[bytes | memoryview]:
        """The PDUs of one message."""
        number = self.contexts[sop_class]
        parts: list[bytes | memoryview] = [
            struct.pack(">BxIIBB", 4, len(command) + 6, len(command) + 2, number, 3) + command
        ]
        view = memoryview(data)
        while view:
            piece, view = view[: self.chunk], view[self.chunk :]
            parts.append(struct.pack(">BxIIBB", 4, len(piece) + 6, len(piece) + 2, number, 0 if view else 2))
            parts.append(piece)
        return parts

    def _send(self, parts: list[bytes | memoryview]) -> None:
        views = [memoryview(part) for part in parts]
        while views:
            sent = self.socket.sendmsg(views[:512])
            while views and sent >= len(views[0]):
                sent -= len(views.pop(0))
            if sent:
                views[0] = views[0][sent:]

    def store(self, template: Template, study: str, series: str, uid: str = "") -> str:
        """C-STORE one more instance of that series; its UID. ConnectionError where it is no success."""
        uid = uid or fresh_uid()
        command = command_set(
            (0x0002, template.sop_class.encode()), (0x0100, short(STORE_RQ)), (0x0110, short(1)),
            (0x0700, short(0)), (0x0800, short(1)), (0x1000, uid.encode()),
        )  # fmt: skip
        self._send(self.message(template.sop_class, command, template.another(study, series, uid)))
        status = self._status()
        if status:
            raise ConnectionError(f"C-STORE answered {status:04X}H")
        return uid

    def _status(self) -> int:
        kind, body = self._pdu()
        while True:
            if kind != 4:
                raise ConnectionError(f"PDU type {kind} in place of a response")
            found = _element_of(bytes(body[6:]), 0x0900)
            return struct.unpack("<H", found)[0] if found else 0

    def find(self, sop_class: str, identifier: bytes) -> int:
        """C-FIND; how many answers came."""
        command = command_set(
            (0x0002, sop_class.encode()), (0x0100, short(FIND_RQ)), (0x0110, short(1)), (0x0700, short(0)),
            (0x0800, short(1)),
        )  # fmt: skip
        self._send(self.message(sop_class, command, identifier))
        count = 0
        while True:
            for flags, value in self._values():
                if not flags & 1:
                    continue
                (status,) = struct.unpack("<H", _element_of(value, 0x0900))
                if status not in PENDING:
                    if status:
                        raise ConnectionError(f"C-FIND answered {status:04X}H")
                    return count
                count += 1

    def _values(self) -> list[tuple[int, bytes]]:
        kind, body = self._pdu()
        if kind != 4:
            raise ConnectionError(f"PDU type {kind} in an association")
        found, at = [], 0
        while at < len(body):
            (size,) = struct.unpack_from(">I", body, at)
            flags = body[at + 5]
            found.append((flags, bytes(body[at + 6 : at + 4 + size]) if flags & 1 else b""))
            at += 4 + size
        return found

    def get(self, sop_class: str, identifier: bytes) -> int:
        """C-GET; how many objects came, each answered at once and thrown away."""
        command = command_set(
            (0x0002, sop_class.encode()), (0x0100, short(GET_RQ)), (0x0110, short(1)), (0x0700, short(0)),
            (0x0800, short(1)),
        )  # fmt: skip
        self._send(self.message(sop_class, command, identifier))
        count, answer = 0, b""
        while True:
            for flags, value in self._values():
                if flags & 1:
                    (field,) = struct.unpack("<H", _element_of(value, 0x0100))
                    if field == STORE_RQ:
                        answer = value
                        continue
                    (status,) = struct.unpack("<H", _element_of(value, 0x0900))
                    if status not in PENDING:
                        if status:
                            raise ConnectionError(f"C-GET answered {status:04X}H")
                        return count
                elif flags & 2 and answer:
                    self._acknowledge(answer)
                    answer = b""
                    count += 1

    def _acknowledge(self, request: bytes) -> None:
        sop_class = _element_of(request, 0x0002)
        command = command_set(
            (0x0002, sop_class), (0x0100, short(STORE_RSP)), (0x0120, _element_of(request, 0x0110)),
            (0x0800, short(0x0101)), (0x0900, short(0)), (0x1000, _element_of(request, 0x1000)),
        )  # fmt: skip
        self._send(self.message(sop_class.rstrip(b"\0").decode(), command, b""))

    def release(self) -> None:
        """End the association as it should end."""
        self.socket.sendall(struct.pack(">BxII", 5, 4, 0))
        self._pdu()
        self.socket.close()


def _element_of(command: bytes, number: int) -> bytes:
    at = 0
    while at + 8 <= len(command):
        _, element, length = struct.unpack_from("<HHI", command, at)
        if element == number:
            return command[at + 8 : at + 8 + length]
        at += 8 + length
    return b""
