"""Wrappers that count the calls of what a node stands on, and fail at the n-th (SQLite's way of testing)."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from pacs_core.database.unit_of_work import SqliteIndex
from pacs_core.domain.delivery import Outcome
from pacs_core.domain.errors import StorageFailure
from pacs_core.domain.records import DestinationRecord
from pacs_core.storage import folder
from pacs_core.storage.folder import FolderStore, FolderWriter
from tests.support.spine import ScriptedTransmitter, TestClock


@dataclass
class Faults:
    """Fails at call `at` of one kind of call; with `lasting` nothing of that kind works from there on."""

    kind: str
    at: int
    lasting: bool = False
    calls: int = 0
    fired: bool = False

    def due(self, kind: str) -> bool:
        """Count a call and say whether it is to fail."""
        if kind != self.kind:
            return False
        self.calls += 1
        now = self.calls == self.at or (self.fired and self.lasting)
        self.fired = self.fired or now
        return now


class FaultyClock(TestClock):
    """A clock that cannot be read."""

    faults = Faults("", 0)

    def now(self) -> datetime:
        if self.faults.due("clock"):
            raise OSError(errno.EIO, "the clock cannot be read")
        return super().now()


class FaultyTransmitter(ScriptedTransmitter):
    """A way that breaks before or after the other side has the message."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults

    def send(self, destination: DestinationRecord, payload: bytes, control_id: str) -> Outcome:
        if self.faults.due("before sending"):
            raise ConnectionResetError(errno.ECONNRESET, "reset")
        outcome = super().send(destination, payload, control_id)
        if self.faults.due("after sending"):
            raise ConnectionResetError(errno.ECONNRESET, "reset")
        return outcome


class FaultyWriter(FolderWriter):
    """A blob being written that cannot be: the port's own failures."""

    faults = Faults("", 0)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.faults.due("blob"):
            self.abort()
            raise StorageFailure("the store failed", "data folder")
        super().write(data)

    def commit(self) -> None:
        if self.faults.due("blob"):
            self.abort()
            raise StorageFailure("the store failed", "data folder")
        super().commit()


class FaultyStore(FolderStore):
    """A store that cannot begin, write or finish a blob."""

    def __init__(self, root: Path, faults: Faults) -> None:
        super().__init__(root, reserve_bytes=0)
        self.faults = faults

    def create(self, suffix: str = ".dcm", digest: str = "") -> FolderWriter:
        if self.faults.due("blob"):
            raise StorageFailure("the store failed", "data folder")
        plain = super().create(suffix, digest)
        plain.__class__ = FaultyWriter
        plain.faults = self.faults  # type: ignore[attr-defined]  # it has become a FaultyWriter
        return plain


@contextmanager
def faulty_syncs(faults: Faults) -> Iterator[None]:
    """Syncs of files and folders that fail as a disk does."""
    whole = {"sync_file": folder.sync_file, "sync_directory": folder.sync_directory}

    def failing(name: str) -> object:
        def sync(what: object) -> None:
            if faults.due("sync"):
                raise OSError(errno.EIO, "input/output error")
            whole[name](what)  # type: ignore[operator]  # either of the two

        return sync

    with pytest.MonkeyPatch.context() as patch:
        for name in whole:
            patch.setattr(folder, name, failing(name))
        yield


def faulty_index(index: SqliteIndex, faults: Faults) -> None:
    """Commits that fail before they are done, or whose success is not heard of; reads that fail."""

    def failure(statement: str) -> OperationalError:
        return OperationalError(statement, {}, sqlite3.OperationalError("disk I/O error"))

    plain = index._say

    def said(connection: Connection, statement: str) -> None:
        if statement == "BEGIN" and faults.due("read"):
            raise failure(statement)
        if statement == "COMMIT" and faults.due("before commit"):
            raise failure(statement)
        plain(connection, statement)
        if statement == "COMMIT" and faults.due("after commit"):
            raise failure(statement)

    index._say = said
