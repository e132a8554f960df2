"""Peers, HL7 sources and destinations: read by the doors at each use, so that a change takes effect at
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pacs_core.domain.errors import Conflict, InvalidValue, NotFound
from pacs_core.domain.events import Event
from pacs_core.domain.records import DestinationRecord, Hl7SourceRecord, PeerRecord
from pacs_core.domain.times import instant
from pacs_core.ports import Clock, Index, Transaction


class Configuring:
    """What the Settings page and the `ae`, `hl7-source` and `destination` commands change."""

    def __init__(self, index: Index, clock: Clock) -> None:
        self._index = index
        self._clock = clock

    def peers(self) -> Sequence[PeerRecord]:
        """DICOM peers by title."""
        with self._index.read() as tx:
            return tx.configuration.peers()

    def peer(self, title: str) -> PeerRecord | None:
        """The peer with that AE title."""
        return next((p for p in self.peers() if p.title == title), None)

    def save_peer(self, peer: PeerRecord, actor: str) -> PeerRecord:
        """Add or change a peer; raises InvalidValue for a bad title, host or port."""
        title = peer.title.strip()
        if not title or len(title) > 16 or "\\" in title or not title.isascii() or not title.isprintable():
            raise InvalidValue(
                "an AE title has 1 to 16 printable ASCII characters without a backslash", "title"
            )
        _check_address(peer.host, peer.port)
        clean = replace(peer, title=title, host=peer.host.strip(), modality=peer.modality.strip().upper())

        def save(tx: Transaction) -> PeerRecord:
            known = next((p for p in tx.configuration.peers() if p.title == title), None)
            kept = replace(clean, last_seen=known.last_seen, last_did=known.last_did) if known else clean
            tx.configuration.save_peer(kept)
            tx.record(_event("peer.saved", f"peer:{title}", actor))
            return kept

        return self._index.write(save)

    def remove_peer(self, title: str, actor: str) -> None:
        """Remove a peer; raises NotFound."""

        def remove(tx: Transaction) -> None:
            if not tx.configuration.remove_peer(title):
                raise NotFound(f"no peer {title}", "title")
            tx.record(_event("peer.removed", f"peer:{title}", actor))

        self._index.write(remove)

    def peer_did(self, title: str, what: str) -> None:
        """Note what a peer last did."""
        now = instant(self._clock.now())

        def note(tx: Transaction) -> None:
            known = next((p for p in tx.configuration.peers() if p.title == title), None)
            if known is not None:
                tx.configuration.save_peer(replace(known, last_seen=now, last_did=what))

        self._index.write(note)

    def sources(self) -> Sequence[Hl7SourceRecord]:
        """HL7 sources by name."""
        with self._index.read() as tx:
            return tx.configuration.sources()

    def save_source(self, source: Hl7SourceRecord, actor: str) -> Hl7SourceRecord:
        """Add or change an HL7 source."""
        if not source.name.strip():
            raise InvalidValue("a source needs a name (MSH-3)", "name")

        def save(tx: Transaction) -> Hl7SourceRecord:
            tx.configuration.save_source(source)
            tx.record(_event("source.saved", f"source:{source.name}", actor))
            return source

        return self._index.write(save)

    def remove_source(self, name: str, actor: str) -> None:
        """Remove a source; raises NotFound."""

        def remove(tx: Transaction) -> None:
            if not tx.configuration.remove_source(name):
                raise NotFound(f"no HL7 source {name}", "name")
            tx.record(_event("source.removed", f"source:{name}", actor))

        self._index.write(remove)

    def destinations(self) -> Sequence[DestinationRecord]:
        """Destinations by name."""
        with self._index.read() as tx:
            return tx.configuration.destinations()

    def save_destination(self, destination: DestinationRecord, actor: str) -> DestinationRecord:
        """Add or change a destination; raises InvalidValue."""
        if not destination.name.strip():
            raise InvalidValue("a destination needs a name", "name")
        _check_address(destination.host, destination.port)
        if destination.refused_tries < 1 or destination.hold_seconds < 0:
            raise InvalidValue("at least one try, and no negative hold", "refused_tries")

        def save(tx: Transaction) -> DestinationRecord:
            tx.configuration.save_destination(destination)
            tx.record(_event("destination.saved", f"destination:{destination.name}", actor))
            return destination

        return self._index.write(save)

    def remove_destination(self, name: str, actor: str) -> None:
        """Remove a destination; raises NotFound, Conflict while results wait for it."""

        def remove(tx: Transaction) -> None:
            waiting = tx.deliveries.waiting_for(name)
            if waiting:
                raise Conflict(f"{waiting} results wait for {name}: deliver or move them first", "name")
            if not tx.configuration.remove_destination(name):
                raise NotFound(f"no destination {name}", "name")
            tx.record(_event("destination.removed", f"destination:{name}", actor))

        self._index.write(remove)


def _check_address(host: str, port: int) -> None:
    if not host.strip() or any(c.isspace() for c in host.strip()):
        raise InvalidValue("a host name or address is needed", "host")
    if not 0 < port < 65536:
        raise InvalidValue("a port is between 1 and 65535", "port")


def _event(kind: str, subject: str, actor: str) -> Event:
    return Event(kind, 0, subject=subject, actor=actor)
