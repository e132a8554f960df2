"""Asking another application entity for an association (PS3.8 7.1)."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable, Sequence

from pacs_core.dicom.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from pacs_core.dimse import pdu
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.association import MAX_PDU, Association
from pacs_core.dimse.connection import Connection, Gone
from pacs_core.dimse.pdu import ACCEPTANCE, Associate, BadPdu, Context, Role
from pacs_core.dimse.sending import Outgoing
from pacs_core.domain.errors import Busy, Refused

log = logging.getLogger("reading_room.dimse")

MOST_CONTEXTS = 128
"""Presentation contexts of one association: odd numbers from 1 to 255."""

Proposal = tuple[str, Sequence[str]]


def connect(
    host: str,
    port: int,
    called: str,
    calling: str,
    proposals: Iterable[Proposal],
    *,
    roles: Iterable[Role] = (),
    extended: dict[str, bytes] | None = None,
    timeout_s: float = 15.0,
    idle_s: float = 300.0,
) -> Association:
    """An association with another AE for the proposed (abstract syntax, transfer syntaxes).

    Raises Busy where nobody answers in time, Refused where the association or every context is rejected.
    """
    where = f"{called} at {host}:{port}"
    try:
        peer = socket.create_connection((host, port), timeout=timeout_s)
    except OSError as found:
        raise Busy(f"{where} cannot be reached: {found.strerror or found}", where) from found
    connection = Connection(peer)
    contexts = tuple(
        Context(2 * i + 1, abstract, tuple(syntaxes)) for i, (abstract, syntaxes) in enumerate(proposals)
    )
    request = Associate(
        called,
        calling,
        contexts,
        MAX_PDU,
        IMPLEMENTATION_CLASS_UID,
        IMPLEMENTATION_VERSION,
        tuple(roles),
        extended or {},
    )
    try:
        answer = _negotiate(connection, request, where, timeout_s)
    except (Gone, BadPdu) as found:
        connection.close()
        raise Busy(f"{where} did not answer the association request: {found}", where) from found
    except Refused:
        connection.close()
        raise
    return _association(connection, request, answer, where, idle_s)


def _negotiate(connection: Connection, request: Associate, where: str, timeout_s: float) -> Associate:
    connection.send(pdu.encode_associate(pdu.ASSOCIATE_RQ, request))
    kind, length = connection.read_header(timeout_s)
    if length > pdu.LONGEST_NEGOTIATION:
        raise BadPdu(f"PDU type {kind:02X}H of {length} bytes")
    body = bytes(connection.read(length))
    if kind == pdu.ASSOCIATE_RJ:
        raise Refused(f"{where} rejects the association: {pdu.rejection_words(body)}", where)
    if kind == pdu.ABORT:
        raise Refused(f"{where} aborts the association", where)
    if kind != pdu.ASSOCIATE_AC:
        raise BadPdu(f"PDU type {kind:02X}H where an answer was due")
    return pdu.decode_associate(body)


def _association(
    connection: Connection, request: Associate, answer: Associate, where: str, idle_s: float
) -> Association:
    proposed = {c.id: c for c in request.contexts}
    contexts = {
        c.id: Context(c.id, proposed[c.id].abstract_syntax, c.transfer_syntaxes[:1])
        for c in answer.contexts
        if c.result == ACCEPTANCE and c.id in proposed and c.transfer_syntaxes
    }
    association = Association(
        connection, contexts, answer.max_length, calling=request.calling, called=request.called, idle_s=idle_s
    )
    if not contexts:
        association.release()
        raise Refused(f"{where} supports none of what was proposed", where)
    return association


def storage_proposals(objects: Iterable[Outgoing]) -> list[list[Proposal]]:
    """What to propose for objects: each class in its own syntax first, then in the uncompressed ones.

    More than 128 contexts are divided over several associations; a class is never divided.
    """
    by_class: dict[str, list[str]] = {}
    for outgoing in objects:
        syntaxes = by_class.setdefault(outgoing.sop_class_uid, [])
        if outgoing.transfer_syntax_uid not in syntaxes:
            syntaxes.append(outgoing.transfer_syntax_uid)
    groups: list[list[Proposal]] = [[]]
    for abstract, syntaxes in by_class.items():
        wanted: list[Proposal] = [(abstract, (s,)) for s in syntaxes if s not in sop.PLAIN_SYNTAXES]
        plain = [s for s in syntaxes if s in sop.PLAIN_SYNTAXES]
        others = [s for s in sop.PLAIN_SYNTAXES if s not in plain]
        wanted += [(abstract, (s,)) for s in plain]
        wanted += [(abstract, tuple(others))] if others else []
        wanted = wanted[:MOST_CONTEXTS]
        if len(groups[-1]) + len(wanted) > MOST_CONTEXTS:
            groups.append([])
        groups[-1] += wanted
    return [group for group in groups if group]
