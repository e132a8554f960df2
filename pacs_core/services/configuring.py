"""Peers, HL7 sources and destinations: read by the doors at each use, so that a change takes effect at
once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from pacs_core.domain.errors import Conflict, InvalidValue, NotFound, ReadingRoomError
from pacs_core.domain.events import Event
from pacs_core.domain.records import DestinationRecord, Hl7SourceRecord, PeerRecord
from pacs_core.domain.times import instant
from pacs_core.ports import Clock, Index, Transaction

log = logging.getLogger("reading_room.node")

NOTED_EVERY_S = 60.0
"""What a peer or source did is written at most so often; meanwhile it is remembered here."""


MODALITIES = frozenset(
    "ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO "
    "IOL IVOCT IVUS KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT "
    "PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF "
    "STAIN TEXTUREMAP TG US VA XA XAPROTOCOL XC".split()
)
"""Defined terms of Modality (PS3.3, C.7.3.1.1.1)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody did last, and when (UTC)."""

    at: datetime
    did: str


class Sightings:
    """What each of a kind did last: shown at once, written now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, Seen] = {}
        self._written: dict[str, datetime] = {}

    def note(self, name: str, seen: Seen) -> bool:
        """Remember it; says whether it is time to write it down."""
        with self._lock:
            self._last[name] = seen
            written = self._written.get(name)
            due = written is None or abs((seen.at - written).total_seconds()) >= NOTED_EVERY_S
            if due:
                self._written[name] = seen.at
        return due

    def of(self, name: str) -> Seen | None:
        """What that one did last since the start."""
        with self._lock:
            return self._last.get(name)

    def forget(self, name: str) -> None:
        """It was removed."""
        with self._lock:
            self._last.pop(name, None)
            self._written.pop(name, None)

    def unwritten(self) -> dict[str, Seen]:
        """What is remembered here alone."""
        with self._lock:
            return {n: seen for n, seen in self._last.items() if self._written.get(n) != seen.at}


class Configuring:
    """What the Settings page and the `ae`, `hl7-source` and `destination` commands change."""

    def __init__(self, index: Index, clock: Clock) -> None:
        self._index = index
        self._clock = clock
        self._peers_seen = Sightings()
        self._sources_seen = Sightings()

    def peers(self) -> Sequence[PeerRecord]:
        """DICOM peers by title."""
        with self._index.read() as tx:
            peers = tx.configuration.peers()
        return [_with(p, self._peers_seen.of(p.title)) for p in peers]

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
        _check_modality(peer.modality.strip().upper())
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
        self._peers_seen.forget(title)

    def peer_did(self, title: str, what: str) -> None:
        """Note what a peer last did; written at most once a minute, however many images come."""
        seen = Seen(self._clock.now(), what)
        if self._peers_seen.note(title, seen):
            self._write_down({title: seen}, {})

    def source_did(self, name: str, what: str) -> None:
        """Note what an HL7 source last sent, as `peer_did` does."""
        seen = Seen(self._clock.now(), what)
        if self._sources_seen.note(name, seen):
            self._write_down({}, {name: seen})

    def write_down(self) -> None:
        """The node ends: keep what peers and sources did last."""
        self._write_down(self._peers_seen.unwritten(), self._sources_seen.unwritten())

    def _write_down(self, peers: dict[str, Seen], sources: dict[str, Seen]) -> None:
        """A courtesy to people: where it fails, nothing of anybody's is lost."""
        if not peers and not sources:
            return

        def write(tx: Transaction) -> None:
            for peer in tx.configuration.peers():
                if peer.title in peers:
                    tx.configuration.save_peer(_with(peer, peers[peer.title]))
            for source in tx.configuration.sources():
                if source.name in sources:
                    tx.configuration.save_source(_with(source, sources[source.name]))

        try:
            self._index.write(write)
        except ReadingRoomError as error:
            log.warning("what peers did last could not be noted: %s", type(error).__name__)

    def settings_saved(self, values: Mapping[str, object], actor: str) -> None:
        """Tell every screen that settings were changed."""
        event = Event("settings.saved", 0, subject="settings", actor=actor, detail=dict(values))
        self._index.write(lambda tx: tx.record(event))

    def sources(self) -> Sequence[Hl7SourceRecord]:
        """HL7 sources by name."""
        with self._index.read() as tx:
            sources = tx.configuration.sources()
        return [_with(s, self._sources_seen.of(s.name)) for s in sources]

    def save_source(self, source: Hl7SourceRecord, actor: str) -> Hl7SourceRecord:
        """Add or change an HL7 source."""
        if not source.name.strip():
            raise InvalidValue("a source needs a name (MSH-3)", "name")

        def save(tx: Transaction) -> Hl7SourceRecord:
            known = next((s for s in tx.configuration.sources() if s.name == source.name), None)
            kept = replace(source, last_seen=known.last_seen, last_did=known.last_did) if known else source
            tx.configuration.save_source(kept)
            tx.record(_event("source.saved", f"source:{source.name}", actor))
            return kept

        return self._index.write(save)

    def remove_source(self, name: str, actor: str) -> None:
        """Remove a source; raises NotFound."""

        def remove(tx: Transaction) -> None:
            if not tx.configuration.remove_source(name):
                raise NotFound(f"no HL7 source {name}", "name")
            tx.record(_event("source.removed", f"source:{name}", actor))

        self._index.write(remove)
        self._sources_seen.forget(name)

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


R = TypeVar("R", PeerRecord, Hl7SourceRecord)


def _with(record: R, seen: Seen | None) -> R:
    """The record with what was seen last."""
    return replace(record, last_seen=instant(seen.at), last_did=seen.did) if seen else record


def _check_modality(modality: str) -> None:
    if modality and not set(modality.split("\\")) <= MODALITIES:
        raise InvalidValue(f"{modality} is no modality of DICOM, such as CT, MR or US", "modality")


def _check_address(host: str, port: int) -> None:
    if not host.strip() or any(c.isspace() for c in host.strip()):
        raise InvalidValue("a host name or address is needed", "host")
    if not 0 < port < 65536:
        raise InvalidValue("a port is between 1 and 65535", "port")


def _event(kind: str, subject: str, actor: str) -> Event:
    return Event(kind, 0, subject=subject, actor=actor)
