"""Numbered, forward-only steps from one schema version to the next, oldest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from pacs_core.database.migrations.performed_steps import STATEMENTS as PERFORMED_STEPS


def _what_sources_did(connection: Connection) -> None:
    """HL7 sources say what they last did."""
    connection.exec_driver_sql("ALTER TABLE hl7_source ADD COLUMN last_did VARCHAR NOT NULL DEFAULT ''")


def _numbers_of_studies(connection: Connection) -> None:
    """Studies keep every number their images name an order by."""
    for column in ("received_accession_issuer", "further_accessions", "received_steps"):
        connection.exec_driver_sql(f"ALTER TABLE study ADD COLUMN {column} VARCHAR NOT NULL DEFAULT ''")
    connection.exec_driver_sql("CREATE INDEX ix_study_further_accessions ON study (further_accessions)")


def _issuers_of_order_numbers(connection: Connection) -> None:
    """Orders keep who gave their placer and filler numbers."""
    for column in ("placer_issuer", "filler_issuer"):
        connection.exec_driver_sql(
            f"ALTER TABLE imaging_order ADD COLUMN {column} VARCHAR NOT NULL DEFAULT ''"
        )


def _identity_of_instances(connection: Connection) -> None:
    """Instances keep whom they say they are of, where that is not what their study says; deliveries what
    they take back.
    """
    connection.exec_driver_sql("ALTER TABLE delivery ADD COLUMN takes_back INTEGER NOT NULL DEFAULT 0")
    connection.exec_driver_sql("ALTER TABLE instance ADD COLUMN identity TEXT NOT NULL DEFAULT ''")


def _performed_steps(connection: Connection) -> None:
    """Modalities say what they performed."""
    for statement in PERFORMED_STEPS:
        connection.exec_driver_sql(statement)


def _commitments(connection: Connection) -> None:
    """Storage commitment: what peers asked us to answer for, and we asked them."""
    text = "VARCHAR NOT NULL DEFAULT ''"
    connection.exec_driver_sql(
        f"""CREATE TABLE commitment (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            transaction_uid {text}, peer {text}, ours BOOLEAN NOT NULL DEFAULT '0',
            objects TEXT NOT NULL DEFAULT '', state {text}, created_at {text}, due_at {text},
            checked BOOLEAN NOT NULL DEFAULT '0', attempts INTEGER NOT NULL DEFAULT '0',
            answer TEXT NOT NULL DEFAULT '', UNIQUE (peer, transaction_uid, ours)
        )"""
    )
    connection.exec_driver_sql("CREATE INDEX ix_commitment_due_at ON commitment (due_at)")


MIGRATIONS: Sequence[tuple[str, Callable[[Connection], None]]] = (
    ("0002", _what_sources_did),
    ("0003", _numbers_of_studies),
    ("0004", _issuers_of_order_numbers),
    ("0005", _identity_of_instances),
    ("0006", _performed_steps),
    ("0007", _commitments),
)
"""(version reached, step); version 0001 was the first."""
