"""Opening the index file: made where there is none, migrated from older versions, refused from newer ones."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from pacs_core.database.migrations import MIGRATIONS
from pacs_core.database.schema import SCHEMA_VERSION, metadata, schema_version
from pacs_core.database.unit_of_work import SqliteIndex, open_engine
from pacs_core.domain.errors import Refused
from pacs_core.ports import Clock


def open_index(path: Path, clock: Clock, sync_directory: Callable[[Path], None]) -> SqliteIndex:
    """The index at `path`; raises Refused where a newer version wrote it or it is no index at all.

    `sync_directory` makes new names in a folder durable.
    """
    fresh = not path.exists()
    engine = open_engine(path)
    try:
        if fresh:
            metadata.create_all(engine)
            with engine.begin() as connection:
                connection.execute(insert(schema_version), {"version": SCHEMA_VERSION})
            sync_directory(path.parent)
        else:
            _upgrade(path, sync_directory)
    finally:
        engine.dispose()
    return SqliteIndex(path, clock)


def version_of(path: Path) -> str:
    """The schema version of an index file; raises Refused where it has none."""
    engine = open_engine(path)
    try:
        with engine.connect() as connection:
            found = connection.execute(select(schema_version.c.version)).scalar()
    except DBAPIError as error:
        raise Refused(
            f"{path.name} is no index of Reading Room: {type(error).__name__}", str(path)
        ) from error
    finally:
        engine.dispose()
    return str(found or "")


def _upgrade(path: Path, sync_directory: Callable[[Path], None]) -> None:
    version = version_of(path)
    if version == SCHEMA_VERSION:
        return
    if version > SCHEMA_VERSION:
        raise Refused(
            f"the data folder is of a newer version ({version}; this program knows {SCHEMA_VERSION})",
            str(path),
        )
    _copy_aside(path, path.with_name(f"{path.stem}-before-{SCHEMA_VERSION}{path.suffix}"))
    sync_directory(path.parent)
    engine = open_engine(path)
    try:
        with engine.begin() as connection:
            for number, upgrade in MIGRATIONS:
                if number > version:
                    upgrade(connection)
            connection.execute(schema_version.update().values(version=SCHEMA_VERSION))
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
