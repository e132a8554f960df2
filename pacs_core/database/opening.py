"""Opening the index file: made where there is none, migrated from older versions, refused from newer ones."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, insert
from sqlalchemy.exc import DBAPIError

from pacs_core.database.migrations import MIGRATIONS
from pacs_core.database.schema import SCHEMA_VERSION, metadata, schema_version
from pacs_core.database.unit_of_work import SqliteIndex, open_engine, roll_back
from pacs_core.domain.errors import Refused, StorageFailure
from pacs_core.ports import Clock


def open_index(path: Path, clock: Clock, sync_directory: Callable[[Path], None]) -> SqliteIndex:
    """The index at `path`; raises Refused where a newer version wrote it or it is no index at all.

    `sync_directory` makes new names in a folder durable. Raises StorageFailure where an upgrade failed; the
    index is then as it was.
    """
    if _tables(path):
        _upgrade(path, sync_directory)
    else:
        with _transaction(path) as connection:
            metadata.create_all(connection)
            connection.execute(insert(schema_version), {"version": SCHEMA_VERSION})
        sync_directory(path.parent)
    return SqliteIndex(path, clock)


def version_of(path: Path) -> str:
    """The schema version of an index file; raises Refused where it has none."""
    if schema_version.name in _tables(path):
        for (version,) in _asked(path, "SELECT version FROM schema_version"):
            return str(version)
    raise Refused(f"{path.name} is no index of Reading Room", str(path))


def _tables(path: Path) -> set[str]:
    """The tables of the file; none where it is not there or its making was cut off (see `_transaction`)."""
    if not path.exists():
        return set()
    return {name for (name,) in _asked(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def _asked(path: Path, query: str) -> list[tuple[str]]:
    """A question before the index is known to be one."""
    try:
        with closing(sqlite3.connect(path, timeout=30)) as plain:
            return plain.execute(query).fetchall()
    except sqlite3.DatabaseError as error:
        raise Refused(f"{path.name} is no index of Reading Room: {error}", str(path)) from error


def _upgrade(path: Path, sync_directory: Callable[[Path], None]) -> None:
    version = version_of(path)
    if version == SCHEMA_VERSION:
        return
    if version > SCHEMA_VERSION:
        raise Refused(
            f"the data folder is of a newer version ({version}; this program knows {SCHEMA_VERSION})",
            str(path),
        )
    copy = path.with_name(f"{path.stem}-before-{SCHEMA_VERSION}{path.suffix}")
    _copy_aside(path, copy)
    sync_directory(path.parent)
    try:
        with _transaction(path) as connection:
            for number, upgrade in MIGRATIONS:
                if number > version:
                    upgrade(connection)
            connection.execute(schema_version.update().values(version=SCHEMA_VERSION))
    except DBAPIError as error:
        raise StorageFailure(
            f"the upgrade from {version} to {SCHEMA_VERSION} failed, the index is as it was "
            f"(and copied to {copy.name}): {error.orig}",
            str(path),
        ) from error


@contextmanager
def _transaction(path: Path) -> Iterator[Connection]:
    """One transaction, tables and their changes included: SQLite rolls those back like any other row."""
    engine = open_engine(path)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                roll_back(connection)
                raise
            connection.exec_driver_sql("COMMIT")
    finally:
        engine.dispose()


def _copy_aside(path: Path, copy: Path) -> None:
    """A consistent copy of the index, its WAL included."""
    source = sqlite3.connect(path)
    target = sqlite3.connect(copy)
    with source, target:
        source.backup(target)
    source.close()
    target.close()
    shutil.copystat(path, copy)
