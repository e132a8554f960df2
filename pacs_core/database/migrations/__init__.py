"""Numbered, forward-only steps from one schema version to the next, oldest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection


def _what_sources_did(connection: Connection) -> None:
    """HL7 sources say what they last did."""
    connection.exec_driver_sql("ALTER TABLE hl7_source ADD COLUMN last_did VARCHAR NOT NULL DEFAULT ''")


MIGRATIONS: Sequence[tuple[str, Callable[[Connection], None]]] = (("0002", _what_sources_did),)
"""(version reached, step); version 0001 was the first."""
