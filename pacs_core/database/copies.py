"""The index file from outside, beside whoever writes it: what it stores, and consistent copies of it.

Plain SQL on columns that every version has, so that copies of older versions are read as well.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pacs_core.domain.errors import Refused
from pacs_core.domain.records import StoredObject

AT_ONCE = 500
"""Rows read in one go; the index is free between them."""

IMAGES = ("series_request", "instance", "series", "study")
"""The tables that can be made again from the files alone."""


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.exists():
        raise Refused(f"there is no archive: {path.name} is missing", str(path))
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        yield connection


def stored_objects(path: Path) -> Iterator[StoredObject]:
    """Every stored object, batch by batch, each as it is at its moment; raises Refused."""
    query = (
        "SELECT id, blob_key, sop_instance_uid, dataset_offset, size, digest FROM instance"
        " WHERE id > ? ORDER BY id LIMIT ?"
    )
    after = 0
    while True:
        with _opened(path) as connection:
            batch = [StoredObject(*row) for row in connection.execute(query, (after, AT_ONCE))]
        if not batch:
            return
        yield from batch
        after = batch[-1].id


def names_blob(path: Path, key: str) -> bool:
    """Say whether a row names that blob."""
    with _opened(path) as connection:
        return connection.execute("SELECT 1 FROM instance WHERE blob_key = ?", (key,)).fetchone() is not None


def copy_index(path: Path, copy: Path) -> None:
    """A consistent copy of the index, its WAL included, as one file that is not synced yet."""
    copy.unlink(missing_ok=True)
    with _opened(path) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")


def is_sound(path: Path) -> bool:
    """Say whether the file is an index that can be read from end to end."""
    try:
        with _opened(path) as connection:
            return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))
    except (sqlite3.DatabaseError, Refused):
        return False


def forget_images(path: Path) -> None:
    """Take away what can be made again from the files; orders, people, reports and decisions stay."""
    with _opened(path) as connection, connection:
        for table in IMAGES:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608  # the names are the constants above


def settle_wal(path: Path) -> None:
    """Write the WAL into the file and take it away, so that the file can be replaced."""
    with _opened(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
