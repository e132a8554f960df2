"""Peers, HL7 sources and destinations, in the index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import Column, Connection, delete

from pacs_core.database.rows import Rows
from pacs_core.database.schema import application_entity, destination, hl7_source
from pacs_core.domain.records import DestinationRecord, Hl7SourceRecord, PeerRecord

R = TypeVar("R", PeerRecord, Hl7SourceRecord, DestinationRecord)


class ConfigurationRows:
    """Implements `ports.Configuration`."""

    def __init__(self, connection: Connection) -> None:
        self._peers = Rows(connection, application_entity, PeerRecord)
        self._sources = Rows(connection, hl7_source, Hl7SourceRecord)
        self._destinations = Rows(connection, destination, DestinationRecord)

    def peers(self) -> Sequence[PeerRecord]:
        """DICOM peers by title."""
        return self._peers.all(order_by=(application_entity.c.title,))

    def save_peer(self, peer: PeerRecord) -> None:
        """Add or replace a peer."""
        _replace(self._peers, application_entity.c.title, peer.title, peer)

    def remove_peer(self, title: str) -> bool:
        """Remove a peer; false where there was none."""
        return _remove(self._peers, application_entity.c.title, title)

    def sources(self) -> Sequence[Hl7SourceRecord]:
        """HL7 sources by name."""
        return self._sources.all(order_by=(hl7_source.c.name,))

    def save_source(self, source: Hl7SourceRecord) -> None:
        """Add or replace a source."""
        _replace(self._sources, hl7_source.c.name, source.name, source)

    def remove_source(self, name: str) -> bool:
        """Remove a source; false where there was none."""
        return _remove(self._sources, hl7_source.c.name, name)

    def destinations(self) -> Sequence[DestinationRecord]:
        """Destinations by name."""
        return self._destinations.all(order_by=(destination.c.name,))

    def save_destination(self, record: DestinationRecord) -> None:
        """Add or replace a destination."""
        _replace(self._destinations, destination.c.name, record.name, record)

    def remove_destination(self, name: str) -> bool:
        """Remove a destination; false where there was none."""
        return _remove(self._destinations, destination.c.name, name)


def _replace(rows: Rows[R], column: Column[str], name: str, record: R) -> None:
    rows.connection.execute(delete(rows.table).where(column == name))
    rows.insert(record, without=())


def _remove(rows: Rows[R], column: Column[str], name: str) -> bool:
    return rows.connection.execute(delete(rows.table).where(column == name)).rowcount > 0
