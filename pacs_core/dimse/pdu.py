"""The protocol data units of the DICOM upper layer as bytes and back (PS3.8 9.3, annex D)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ = 0x01, 0x02, 0x03
DATA, RELEASE_RQ, RELEASE_RP, ABORT = 0x04, 0x05, 0x06, 0x07
KINDS = frozenset(range(1, 8))

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
LONGEST_NEGOTIATION = 1 << 20
"""Bytes that an association request may have; 128 contexts with every syntax stay far below."""

ACCEPTANCE, USER_REJECTION, ABSTRACT_UNKNOWN, TRANSFER_UNKNOWN = 0, 1, 3, 4
"""Results of a presentation context (PS3.8 9.3.3.2)."""


class BadPdu(ValueError):
    """A PDU that cannot be read; the association is aborted."""


@dataclass(frozen=True, slots=True)
class Context:
    """A presentation context as proposed, or as answered with its one transfer syntax and a result."""

    id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]
    result: int = ACCEPTANCE


@dataclass(frozen=True, slots=True)
class Role:
    """SCP/SCU role selection for one SOP class (PS3.7 D.3.3.4)."""

    sop_class: str
    scu: bool
    scp: bool


@dataclass(frozen=True, slots=True)
class Associate:
    """An A-ASSOCIATE-RQ or -AC with the negotiation items we understand; others are passed over (PS3.8
    9.3.1)."""

    called: str
    calling: str
    contexts: tuple[Context, ...]
    max_length: int = 16384
    implementation_class: str = ""
    implementation_version: str = ""
    roles: tuple[Role, ...] = ()
    extended: dict[str, bytes] = field(default_factory=dict)
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1


def encode_associate(kind: int, associate: Associate) -> bytes:
    """Write an A-ASSOCIATE-RQ or A-ASSOCIATE-AC."""
    body = struct.pack(">HH", associate.protocol_version, 0)
    body += _title(associate.called) + _title(associate.calling) + bytes(32)
    body += _item(0x10, associate.application_context.encode("ascii"))
    for context in associate.contexts:
        body += _context(kind, context)
    return pdu(kind, body + _item(0x50, _user_information(associate)))


def pdu(kind: int, body: bytes) -> bytes:
    """A PDU with its header."""
    return struct.pack(">BBI", kind, 0, len(body)) + body


def reject(result: int, source: int, reason: int) -> bytes:
    """A-ASSOCIATE-RJ (PS3.8 9.3.4): result 1 permanent, 2 transient; source 1 user, 2 ACSE, 3
    presentation."""
    return pdu(ASSOCIATE_RJ, bytes((0, result, source, reason)))


def abort(source: int, reason: int) -> bytes:
    """A-ABORT (PS3.8 9.3.8): source 0 user, 2 provider."""
    return pdu(ABORT, bytes((0, 0, source, reason)))


def _title(title: str) -> bytes:
    return title.encode("ascii", "replace")[:16].ljust(16)


def _item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(value)) + value


def _context(kind: int, context: Context) -> bytes:
    answer = kind == ASSOCIATE_AC
    value = bytes((context.id, 0, context.result if answer else 0, 0))
    if not answer:
        value += _item(0x30, context.abstract_syntax.encode("ascii"))
    for syntax in context.transfer_syntaxes[: 1 if answer else None]:
        value += _item(0x40, syntax.encode("ascii"))
    return _item(0x21 if answer else 0x20, value)


def _user_information(associate: Associate) -> bytes:
    value = _item(0x51, struct.pack(">I", associate.max_length))
    value += _item(0x52, associate.implementation_class.encode("ascii"))
    for role in associate.roles:
        uid = role.sop_class.encode("ascii")
        value += _item(0x54, struct.pack(">H", len(uid)) + uid + bytes((role.scu, role.scp)))
    if associate.implementation_version:
        value += _item(0x55, associate.implementation_version.encode("ascii"))
    for sop_class, information in associate.extended.items():
        uid = sop_class.encode("ascii")
        value += _item(0x56, struct.pack(">H", len(uid)) + uid + information)
    return value


def decode_associate(body: bytes) -> Associate:
    """Read the body of an A-ASSOCIATE-RQ or -AC; raises BadPdu."""
    if len(body) < 68:
        raise BadPdu(f"an association request of {len(body)} bytes")
    (version,) = struct.unpack_from(">H", body)
    fields: dict[str, object] = {"application_context": ""}
    contexts: list[Context] = []
    for kind, value in _items(body, 68):
        if kind == 0x10:
            fields["application_context"] = _uid(value)
        elif kind in (0x20, 0x21):
            contexts.append(_read_context(value))
        elif kind == 0x50:
            fields.update(_read_user_information(value))
    return Associate(
        called=_text(body[4:20]),
        calling=_text(body[20:36]),
        contexts=tuple(contexts),
        protocol_version=version,
        **fields,  # type: ignore[arg-type]  # each key is set to its own type just above
    )


def _items(body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at < len(body):
        if at + 4 > len(body):
            raise BadPdu(f"an item cut short at byte {at}")
        kind, length = struct.unpack_from(">BxH", body, at)
        if at + 4 + length > len(body):
            raise BadPdu(f"item {kind:02X}H says {length} bytes, {len(body) - at - 4} are left")
        yield kind, body[at + 4 : at + 4 + length]
        at += 4 + length


def _text(raw: bytes) -> str:
    return raw.decode("latin_1").strip(" \0")


def _uid(raw: bytes) -> str:
    return _text(raw)


def _read_context(value: bytes) -> Context:
    if len(value) < 4:
        raise BadPdu("a presentation context cut short")
    abstract, transfer = "", []
    for kind, inner in _items(value, 4):
        if kind == 0x30:
            abstract = _uid(inner)
        elif kind == 0x40:
            transfer.append(_uid(inner))
    return Context(value[0], abstract, tuple(transfer), value[2])


def _read_user_information(value: bytes) -> dict[str, object]:
    found: dict[str, object] = {}
    roles: list[Role] = []
    extended: dict[str, bytes] = {}
    for kind, inner in _items(value, 0):
        if kind == 0x51 and len(inner) == 4:
            (found["max_length"],) = struct.unpack(">I", inner)
        elif kind == 0x52:
            found["implementation_class"] = _uid(inner)
        elif kind == 0x55:
            found["implementation_version"] = _text(inner)
        elif kind in (0x54, 0x56):
            uid, rest = _uid_and_rest(inner)
            if kind == 0x56:
                extended[uid] = rest
            elif len(rest) >= 2:
                roles.append(Role(uid, bool(rest[0]), bool(rest[1])))
    return found | {"roles": tuple(roles), "extended": extended}


def _uid_and_rest(value: bytes) -> tuple[str, bytes]:
    if len(value) < 2:
        raise BadPdu("a negotiation item cut short")
    (length,) = struct.unpack_from(">H", value)
    if 2 + length > len(value):
        raise BadPdu("a negotiation item whose UID is cut short")
    return _uid(value[2 : 2 + length]), value[2 + length :]


REJECTIONS = {
    (1, 1): "no reason given", (1, 2): "the application context is not supported",
    (1, 3): "our AE title is not known there", (1, 7): "it does not go by that AE title",
    (2, 1): "no reason given", (2, 2): "the protocol version is not supported",
    (3, 1): "it is busy for now", (3, 2): "it has too many associations",
}  # fmt: skip


def rejection_words(body: bytes) -> str:
    """What an A-ASSOCIATE-RJ says, in words."""
    if len(body) < 4:
        return "no reason given"
    return REJECTIONS.get((body[2], body[3]), f"source {body[2]}, reason {body[3]}")
