"""Who may associate: by AE title and address (contract.md, "Who may come in")."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence

from pacs_core.dimse.acceptance import Rights
from pacs_core.dimse.pdu import APPLICATION_CONTEXT, Associate
from pacs_core.domain.records import PeerRecord

PERMANENT, TRANSIENT = 1, 2
USER, ACSE, PRESENTATION = 1, 2, 3

Peers = Callable[[], Sequence[PeerRecord]]


class Rejection(Exception):
    """An association that is refused: result, source and reason of the A-ASSOCIATE-RJ, and words for the
    log."""

    def __init__(self, result: int, source: int, reason: int, words: str) -> None:
        super().__init__(words)
        self.result, self.source, self.reason = result, source, reason


class Admission:
    """Lets associations in; on a loopback listener any title passes that is not a peer's of another address,
    elsewhere title and address must be a peer's."""

    def __init__(self, title: str, peers: Peers, *, loopback: bool) -> None:
        self._title = title
        self._peers = peers
        self._loopback = loopback

    def admit(self, request: Associate, address: str) -> tuple[Rights, PeerRecord | None]:
        """What the caller may do, and which peer it is; raises Rejection."""
        if request.protocol_version & 1 == 0:
            raise Rejection(PERMANENT, ACSE, 2, "another protocol version")
        if request.application_context != APPLICATION_CONTEXT:
            raise Rejection(PERMANENT, USER, 2, "another application context")
        peer = next((p for p in self._peers() if p.title == request.calling), None)
        if self._loopback and (peer is None or same_host(peer.host, address)):
            return (rights_of(peer) if peer else Rights()), peer
        if request.called != self._title:
            raise Rejection(PERMANENT, USER, 7, f"it calls {request.called!r}, which we are not")
        if peer is None:
            raise Rejection(PERMANENT, USER, 3, f"the AE title {request.calling!r} is no peer's")
        if not same_host(peer.host, address):
            raise Rejection(PERMANENT, USER, 3, f"{request.calling!r} does not call from {address}")
        return rights_of(peer), peer


def rights_of(peer: PeerRecord) -> Rights:
    """What a configured peer may do."""
    return Rights(peer.may_store, peer.may_query, peer.may_retrieve, peer.may_worklist)


def same_host(host: str, address: str) -> bool:
    """Say whether an address is one of the host's."""
    wanted = _plain(address)
    if _plain(host) == wanted:
        return True
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return wanted in {_plain(str(entry[4][0])) for entry in found}


def _plain(address: str) -> str:
    """An address without zone, IPv4 where it is mapped into IPv6."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)
