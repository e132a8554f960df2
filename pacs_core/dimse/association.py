"""An established association: DIMSE messages in and out over one connection (PS3.7 8, PS3.8 9.2, annex E).

One thread uses it. Data sets go to a sink as they arrive, so that large objects are never held whole.
"""

from __future__ import annotations

import itertools
import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from pacs_core.dimse import commands, pdu
from pacs_core.dimse.commands import BadCommand, Command
from pacs_core.dimse.connection import Connection, Gone
from pacs_core.dimse.pdu import BadPdu, Context

MAX_PDU = 131072
"""The PDU length we ask for (PS3.8 D.1)."""

LONGEST_PDU = 1 << 20
"""What we still take from a peer that does not keep to it."""

LARGEST_COMMAND = 1 << 16
LARGEST_IDENTIFIER = 16 << 20
UNLIMITED = 1 << 18
"""The PDU length we use towards a peer that names no maximum."""

Bytes = bytes | bytearray | memoryview

LINGER_S = 0.5
"""How long the peer may take to see an abort or a rejection."""


class Released(Exception):
    """The peer released the association, as it should end."""


class Aborted(Gone):
    """The peer aborted the association."""


class Sink(Protocol):
    """Where a data set goes as it arrives."""

    def write(self, data: memoryview) -> None:
        """Take the next bytes; they are gone when this returns."""
        ...

    def room(self, count: int) -> memoryview | None:
        """Where the next `count` bytes may be put at once; None where they are to be written."""
        ...

    def filled(self, room: memoryview) -> None:
        """The bytes are in the room that was given."""
        ...


class Memory:
    """A sink that keeps the data set, up to a limit."""

    def __init__(self, limit: int = LARGEST_IDENTIFIER) -> None:
        self.data = bytearray()
        self._limit = limit

    def write(self, data: memoryview) -> None:
        """Keep the bytes; raises BadPdu beyond the limit."""
        if len(self.data) + len(data) > self._limit:
            raise BadPdu(f"an identifier of more than {self._limit} bytes")
        self.data += data

    def room(self, count: int) -> memoryview | None:
        """Nowhere: it is not known how many there will be."""
        return None

    def filled(self, room: memoryview) -> None:
        """Never asked."""


SinkFor = Callable[["Association", Context, Command], Sink]


def into_memory(association: Association, context: Context, command: Command) -> Sink:
    """The sink for identifiers: memory."""
    return Memory()


@dataclass(frozen=True, slots=True)
class Message:
    """A DIMSE message: the presentation context it came on, its command, and the sink its data set went
    to."""

    context: Context
    command: Command
    sink: Sink | None

    @property
    def data(self) -> bytes:
        """The data set, where it went to memory."""
        return bytes(self.sink.data) if isinstance(self.sink, Memory) else b""


class Association:
    """Messages over an accepted association, for either side of it.

    `peer_provides` are the SOP classes for which the requestor took the SCP role (C-GET); `may_store` says
    whether its own objects are taken.
    """

    numbers = itertools.count(1)

    def __init__(
        self,
        connection: Connection,
        contexts: Mapping[int, Context],
        peer_max: int,
        *,
        calling: str,
        called: str,
        idle_s: float,
    ) -> None:
        self.connection = connection
        self.contexts = dict(contexts)
        self.calling = calling
        self.called = called
        self.address = connection.address
        self.idle_s = idle_s
        self.name = f"association-{next(self.numbers)}"
        self.chunk = (min(peer_max, LONGEST_PDU) if peer_max else UNLIMITED) - 6
        self.cancelled: set[int] = set()
        self.reports: dict[int, int] = {}
        """Reports of ours that the peer has not responded to, by message number."""
        self.peer_provides: frozenset[str] = frozenset()
        self.may_store = True
        self.scratch = bytearray()
        """For the sink of one message after the other; it may put a larger one in its place."""
        self._buffer = bytearray(MAX_PDU)
        self._value_header = memoryview(bytearray(6))
        self._values: deque[tuple[int, int, memoryview]] = deque()
        self._message_ids = itertools.cycle(range(1, 0x10000))

    # ── receiving ──

    def receive(self, sink_for: SinkFor = into_memory, idle_s: float | None = None) -> Message:
        """The next message, C-CANCEL requests noted and passed over.

        Raises Released, Aborted, Gone (TooSlow, Stopping), BadPdu or BadCommand.
        """
        while True:
            message = self._message(sink_for, self.idle_s if idle_s is None else idle_s)
            if message.command.field != commands.C_CANCEL_RQ:
                return message
            self.cancelled.add(message.command.number(commands.RESPONDED_TO))

    def poll_cancel(self, message_id: int) -> bool:
        """Say whether the request was cancelled, reading what has come without waiting.

        Raises as `receive`, and BadPdu where something else than a C-CANCEL came meanwhile.
        """
        while self._values or self.connection.waiting():
            message = self._message(into_memory, self.idle_s)
            if message.command.field != commands.C_CANCEL_RQ:
                raise BadPdu(f"a {message.command.name} while another request is being answered")
            self.cancelled.add(message.command.number(commands.RESPONDED_TO))
        return message_id in self.cancelled

    def _message(self, sink_for: SinkFor, idle_s: float) -> Message:
        raw = bytearray()
        while True:
            context_id, flags, data = self._next_value(idle_s)
            if not flags & 1:
                raise BadPdu("a data set without a command before it")
            raw += data
            if len(raw) > LARGEST_COMMAND:
                raise BadCommand(f"a command set of more than {LARGEST_COMMAND} bytes")
            if flags & 2:
                break
        context = self._context(context_id)
        command = commands.decode(raw)
        if not command.has_data_set:
            return Message(context, command, None)
        sink = sink_for(self, context, command)
        self._fill(sink, context_id)
        return Message(context, command, sink)

    def _fill(self, sink: Sink, context_id: int) -> None:
        while True:
            value = self._put(sink) if not self._values else None
            found, flags, data = value or self._next_value(self.idle_s)
            if flags & 1 or found != context_id:
                raise BadPdu("a command in the middle of a data set")
            if value:
                sink.filled(data)
            else:
                sink.write(data)
            if flags & 2:
                return

    def _put(self, sink: Sink) -> tuple[int, int, memoryview] | None:
        """The next value with its bytes in the sink's own room; None where it is among those read."""
        kind, length = self.connection.read_header(self.idle_s)
        if kind != pdu.DATA:
            self._control(kind, length)
        room = sink.room(length - 6) if 6 < length <= LONGEST_PDU else None
        if room is None:
            self._read_values(length)
            return None
        header = self._value_header
        self.connection.read_both(header, room)
        size, context_id, flags = struct.unpack(">IBB", header)
        if size == length - 4:
            return context_id, flags, room
        self._values_in(memoryview(bytes(header) + bytes(room)))  # several in one PDU
        return None

    def _context(self, context_id: int) -> Context:
        context = self.contexts.get(context_id)
        if context is None:
            raise BadPdu(f"presentation context {context_id} was not accepted")
        return context

    def _next_value(self, idle_s: float) -> tuple[int, int, memoryview]:
        """The next presentation data value: context, message control header, bytes (PS3.8 9.3.5.1, E.2)."""
        while not self._values:
            kind, length = self.connection.read_header(idle_s)
            if kind == pdu.DATA:
                self._read_values(length)
            else:
                self._control(kind, length)
        return self._values.popleft()

    def _read_values(self, length: int) -> None:
        if not 6 <= length <= LONGEST_PDU:
            raise BadPdu(f"a P-DATA-TF PDU of {length} bytes")
        if length > len(self._buffer):
            self._buffer = bytearray(length)
        view = memoryview(self._buffer)[:length]
        self.connection.read_into(view)
        self._values_in(view)

    def _values_in(self, view: memoryview) -> None:
        at, length = 0, len(view)
        while at < length:
            if at + 6 > length:
                raise BadPdu("a presentation data value cut short")
            (size,) = struct.unpack_from(">I", view, at)
            if size < 2 or at + 4 + size > length:
                raise BadPdu(f"a presentation data value of {size} bytes in a PDU of {length}")
            self._values.append((view[at + 4], view[at + 5], view[at + 6 : at + 4 + size]))
            at += 4 + size

    def _control(self, kind: int, length: int) -> None:
        if length > pdu.LONGEST_NEGOTIATION:
            raise BadPdu(f"PDU type {kind:02X}H of {length} bytes")
        body = self.connection.read(length)
        if kind == pdu.RELEASE_RQ:
            self.connection.send(pdu.pdu(pdu.RELEASE_RP, bytes(4)))
            raise Released
        if kind == pdu.RELEASE_RP:
            raise Released
        if kind == pdu.ABORT:
            said = f" (source {body[2]}, reason {body[3]})" if length >= 4 else ""
            raise Aborted(f"the peer aborted the association{said}")
        raise BadPdu(f"PDU type {kind:02X}H is out of place in an association")

    # ── sending ──

    def next_message_id(self) -> int:
        """A number for the next request of ours."""
        return next(self._message_ids)

    def send(self, context_id: int, command: Command, data: Bytes | None = None) -> None:
        """Send a message, with a data set where one belongs to it."""
        if data is None:
            self.connection.send(*self._values_of(context_id, command))
        else:
            self.send_blocks(context_id, command, len(data), iter((data,)))

    def send_blocks(self, context_id: int, command: Command, size: int, blocks: Iterable[Bytes]) -> None:
        """Send a message whose data set of `size` bytes comes in blocks of any length; they are not
        joined."""
        parts: list[Bytes] = [*self._values_of(context_id, command)]
        gathered = 0
        for part in self._data_parts(context_id, size, blocks):
            parts.append(part)
            gathered += len(part)
            if gathered > GATHER:
                self.connection.send(*parts)
                parts, gathered = [], 0
        if parts:
            self.connection.send(*parts)

    def send_many(self, context_id: int, command: Command, data_sets: Iterable[Bytes]) -> None:
        """Send the same command with each of the data sets, in one go."""
        parts: list[Bytes] = []
        same = list(self._values_of(context_id, command))
        for data in data_sets:
            parts += same
            parts += self._data_parts(context_id, len(data), (data,))
        if parts:
            self.connection.send(*parts)

    def _values_of(self, context_id: int, command: Command) -> Iterator[bytes]:
        raw = command.encode()
        for at in range(0, len(raw), self.chunk):
            piece = raw[at : at + self.chunk]
            last = 2 if at + self.chunk >= len(raw) else 0
            yield _value_header(context_id, 1 | last, len(piece)) + piece

    def _data_parts(self, context_id: int, size: int, blocks: Iterable[Bytes]) -> Iterator[Bytes]:
        if not size:
            yield _value_header(context_id, 2, 0)
            return
        sent, room = 0, 0
        for block in blocks:
            view = memoryview(block)
            while view:
                if not room:
                    room = min(self.chunk, size - sent)
                    yield _value_header(context_id, 2 if sent + room == size else 0, room)
                piece = view[:room]
                yield piece
                view = view[len(piece) :]
                sent += len(piece)
                room -= len(piece)
        if sent != size:
            raise Gone(f"the data set has {sent} bytes, {size} were announced")

    # ── ending ──

    def release(self, timeout_s: float = 10.0) -> None:
        """Release the association and close the connection, whatever the peer does."""
        with suppress(Gone, Released, BadPdu, BadCommand):
            self.connection.send(pdu.pdu(pdu.RELEASE_RQ, bytes(4)))
            while True:
                self._next_value(timeout_s)
        self.connection.close()

    def abort(self, source: int = 0, reason: int = 0) -> None:
        """Abort the association and close the connection."""
        with suppress(Gone):
            self.connection.send(pdu.abort(source, reason))
        self.connection.close(LINGER_S)


GATHER = 4 << 20
"""Bytes of one message that are given to the system at once."""


def _value_header(context_id: int, flags: int, length: int) -> bytes:
    return struct.pack(">BBIIBB", pdu.DATA, 0, length + 6, length + 2, context_id, flags)
