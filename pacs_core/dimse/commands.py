"""DIMSE command sets: implicit little-endian group 0000 elements (PS3.7 6.3.1, 9.3, 10.3, annex E)."""

from __future__ import annotations

import struct
from collections.abc import Mapping

C_STORE_RQ, C_STORE_RSP = 0x0001, 0x8001
C_GET_RQ, C_GET_RSP = 0x0010, 0x8010
C_FIND_RQ, C_FIND_RSP = 0x0020, 0x8020
C_MOVE_RQ, C_MOVE_RSP = 0x0021, 0x8021
C_ECHO_RQ, C_ECHO_RSP = 0x0030, 0x8030
C_CANCEL_RQ = 0x0FFF
N_EVENT_REPORT_RQ, N_EVENT_REPORT_RSP = 0x0100, 0x8100
N_GET_RQ, N_GET_RSP = 0x0110, 0x8110
N_SET_RQ, N_SET_RSP = 0x0120, 0x8120
N_ACTION_RQ, N_ACTION_RSP = 0x0130, 0x8130
N_CREATE_RQ, N_CREATE_RSP = 0x0140, 0x8140
RESPONSE = 0x8000
NO_DATA_SET = 0x0101

AFFECTED_CLASS, REQUESTED_CLASS, FIELD = 0x0002, 0x0003, 0x0100
MESSAGE_ID, RESPONDED_TO, DESTINATION, PRIORITY = 0x0110, 0x0120, 0x0600, 0x0700
DATA_SET_TYPE, STATUS, OFFENDING, COMMENT, ERROR_ID = 0x0800, 0x0900, 0x0901, 0x0902, 0x0903
AFFECTED_INSTANCE, REQUESTED_INSTANCE = 0x1000, 0x1001
EVENT_TYPE, ATTRIBUTES, ACTION_TYPE = 0x1002, 0x1005, 0x1008
REMAINING, COMPLETED, FAILED, WARNING = 0x1020, 0x1021, 0x1022, 0x1023
ORIGINATOR, ORIGINATOR_ID = 0x1030, 0x1031

SHORTS = frozenset({
    FIELD, MESSAGE_ID, RESPONDED_TO, PRIORITY, DATA_SET_TYPE, STATUS, REMAINING, COMPLETED, FAILED, WARNING,
    ORIGINATOR_ID, ERROR_ID, EVENT_TYPE, ACTION_TYPE,
})  # fmt: skip
TAGS = frozenset({OFFENDING, ATTRIBUTES})
UIDS = frozenset({AFFECTED_CLASS, REQUESTED_CLASS, AFFECTED_INSTANCE, REQUESTED_INSTANCE})

NAMES = {
    C_STORE_RQ: "C-STORE", C_GET_RQ: "C-GET", C_FIND_RQ: "C-FIND", C_MOVE_RQ: "C-MOVE", C_ECHO_RQ: "C-ECHO",
    C_CANCEL_RQ: "C-CANCEL", N_EVENT_REPORT_RQ: "N-EVENT-REPORT", N_GET_RQ: "N-GET", N_SET_RQ: "N-SET",
    N_ACTION_RQ: "N-ACTION", N_CREATE_RQ: "N-CREATE",
}  # fmt: skip

Value = int | str | tuple[int, ...]


class BadCommand(ValueError):
    """A command set that cannot be read; the association is aborted."""


class Command:
    """A command set by element number; numbers are US, texts UI, AE or LO, tuples AT."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[int, Value]) -> None:
        self.values = dict(values)

    def number(self, element: int, default: int = 0) -> int:
        """A US value."""
        value = self.values.get(element)
        return value if isinstance(value, int) else default

    def text(self, element: int) -> str:
        """A UI, AE or LO value."""
        value = self.values.get(element)
        return value if isinstance(value, str) else ""

    @property
    def field(self) -> int:
        """The command field: which request or response this is."""
        return self.number(FIELD)

    @property
    def message_id(self) -> int:
        """The message's number, which its response repeats."""
        return self.number(MESSAGE_ID)

    @property
    def has_data_set(self) -> bool:
        """Whether a data set follows."""
        return self.number(DATA_SET_TYPE, NO_DATA_SET) != NO_DATA_SET

    @property
    def status(self) -> int:
        """The status of a response."""
        return self.number(STATUS)

    @property
    def name(self) -> str:
        """The service for people, e.g. ``C-STORE``."""
        return NAMES.get(self.field & ~RESPONSE, f"command {self.field:04X}H")

    def response(self, status: int, *, data_set: bool = False, **more: Value) -> Command:
        """The response to this request with a status; `more` by lower-case element names of this module."""
        values: dict[int, Value] = {
            FIELD: self.field | RESPONSE,
            RESPONDED_TO: self.message_id,
            DATA_SET_TYPE: 0x0001 if data_set else NO_DATA_SET,
            STATUS: status,
        }
        for affected, requested in (
            (AFFECTED_CLASS, REQUESTED_CLASS),
            (AFFECTED_INSTANCE, REQUESTED_INSTANCE),
        ):
            about = self.values.get(affected, self.values.get(requested))
            if about is not None:  # a response always speaks of the affected object (PS3.7 10.3)
                values[affected] = about
        for kind in (EVENT_TYPE, ACTION_TYPE):
            if kind in self.values:
                values[kind] = self.values[kind]
        values.update({globals()[name.upper()]: value for name, value in more.items()})
        return Command(values)

    def encode(self) -> bytes:
        """The bytes of the command set with its group length."""
        body = b"".join(_encode_element(element, self.values[element]) for element in sorted(self.values))
        return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def _encode_element(element: int, value: Value) -> bytes:
    if isinstance(value, tuple):
        raw = b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in value)
    elif isinstance(value, int):
        raw = struct.pack("<H", value)
    else:
        raw = value.encode("ascii", "replace")
        if len(raw) % 2:
            raw += b"\0" if element in UIDS else b" "
    return struct.pack("<HHI", 0, element, len(raw)) + raw


def decode(data: bytes | bytearray) -> Command:
    """Read a command set; raises BadCommand."""
    values: dict[int, Value] = {}
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise BadCommand(f"an element cut short at byte {at}")
        group, element, length = struct.unpack_from("<HHI", data, at)
        if group != 0 or at + 8 + length > len(data):
            raise BadCommand(f"element ({group:04X},{element:04X}) of {length} bytes at byte {at}")
        raw = bytes(data[at + 8 : at + 8 + length])
        if element in SHORTS:
            if length != 2:
                raise BadCommand(f"element (0000,{element:04X}) has {length} bytes, 2 are right")
            (values[element],) = struct.unpack("<H", raw)
        elif element in TAGS:
            words = struct.unpack(f"<{length // 4 * 2}H", raw[: length // 4 * 4])
            values[element] = tuple(
                high << 16 | low for high, low in zip(words[::2], words[1::2], strict=True)
            )
        elif element != 0:
            values[element] = raw.decode("latin_1").strip(" \0")
        at += 8 + length
    if FIELD not in values:
        raise BadCommand("no Command Field (0000,0100)")
    return Command(values)


_WITH_PRIORITY = frozenset({C_STORE_RQ, C_FIND_RQ, C_MOVE_RQ, C_GET_RQ})
_ON_WHAT_IS_THERE = frozenset({N_GET_RQ, N_SET_RQ, N_ACTION_RQ})


def request(field: int, message_id: int, sop_class: str, *, data_set: bool = False, **more: Value) -> Command:
    """A request of that kind; `more` by lower-case element names of this module.

    N-GET, N-SET and N-ACTION ask of an object that is there: their class is the requested one (PS3.7 10.3).
    """
    values: dict[int, Value] = {
        REQUESTED_CLASS if field in _ON_WHAT_IS_THERE else AFFECTED_CLASS: sop_class,
        FIELD: field,
        MESSAGE_ID: message_id,
        DATA_SET_TYPE: 0x0001 if data_set else NO_DATA_SET,
    }
    if field in _WITH_PRIORITY:
        values[PRIORITY] = 0
    values.update({globals()[name.upper()]: value for name, value in more.items()})
    return Command(values)


def cancel(message_id: int) -> Command:
    """A C-CANCEL of the request with that number."""
    return Command({FIELD: C_CANCEL_RQ, RESPONDED_TO: message_id, DATA_SET_TYPE: NO_DATA_SET})
