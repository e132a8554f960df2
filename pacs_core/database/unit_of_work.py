"""One writer: waiting writes run in one commit, a savepoint each, and are released after its sync.

SQLite in WAL mode with ``synchronous=FULL``: a commit has synced its frames when it returns. With ``NORMAL``,
for what synced files hold, it has not, and the index is consistent all the same: SQLite syncs before a
checkpoint.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from pacs_core.database.transaction import IndexTransaction
from pacs_core.domain.errors import StorageFailure
from pacs_core.ports import Clock, Transaction

T = TypeVar("T")
log = logging.getLogger("reading_room.store")

BATCH = 64
"""At most so many writes share a commit."""

BUSY_TRIES = 5


def open_engine(path: Path, *, read_only: bool = False) -> Engine:
    """An engine on the SQLite file with the pragmas that make a commit durable."""
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=32,
        connect_args={"timeout": 30, "check_same_thread": False, "isolation_level": None},
        hide_parameters=True,  # they are patients' data, and errors end in logs
    )

    @event.listens_for(engine, "connect")
    def pragmas(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=30000",
            "cache_size=-16000",
            "temp_store=MEMORY",
            *(("query_only=ON",) if read_only else ()),
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


class _Job:
    """A waiting write and the caller's future."""

    __slots__ = ("future", "of_synced_files", "work")

    def __init__(self, work: Callable[[Transaction], Any], of_synced_files: bool) -> None:
        self.work = work
        self.of_synced_files = of_synced_files
        self.future: Future[Any] = Future()


class SqliteIndex:
    """The index in one SQLite file; implements `ports.Index`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._engine = open_engine(path)
        self._readers = open_engine(path, read_only=True)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        newest = threading.Lock()
        self._changed, self._changed_but_arrivals = threading.Condition(newest), threading.Condition(newest)
        self._gate = threading.Lock()
        self._closed = False
        self._unsynced = False  # as the writer's connection commits now
        with self.read() as tx:
            self._newest = self._newest_but_arrivals = tx.journal.newest()
        self._thread = threading.Thread(target=self._run, name="index-writer", daemon=True)
        self._thread.start()

    def write(self, work: Callable[[Transaction], T], *, of_synced_files: bool = False) -> T:
        """Run `work` in the next commit and return what it returned, after the commit is synced.

        A commit of which every work is `of_synced_files` is not synced: a power cut may take it back, to an
        earlier whole state, and the sweep makes it again. The next synced commit makes it durable as well.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a write inside a write: pass the transaction on instead")
        job = _Job(work, of_synced_files)
        with self._gate:  # nothing is queued behind the writer's last batch
            self._refuse_closed()
            self._jobs.put(job)
        result: T = job.future.result()
        return result

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One consistent state of the index; raises StorageFailure where it cannot be read."""
        self._refuse_closed()
        try:
            with self._readers.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                try:
                    yield IndexTransaction(connection, self._clock)
                finally:
                    roll_back(connection)
        except SQLAlchemyError as error:
            log.error("the index could not be read: %s", type(error).__name__)
            raise StorageFailure(f"the index could not be read: {type(error).__name__}", "index") from error

    def wait_for_change(self, sequence: int, timeout_s: float, *, arrivals: bool = True) -> int:
        """Wait until the journal is past `sequence`, or the time is over; returns its newest number.

        With `arrivals` False images that only come in end no wait, and are no newest number.
        """
        changed = self._changed if arrivals else self._changed_but_arrivals
        with changed:
            changed.wait_for(
                lambda: self._newest_of(arrivals) > sequence or self._closed, timeout=max(0.0, timeout_s)
            )
            return self._newest_of(arrivals)

    def _newest_of(self, arrivals: bool) -> int:
        return self._newest if arrivals else self._newest_but_arrivals

    def close(self) -> None:
        """Finish what waits, then close; later writes are refused."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._thread.join()
        with self._changed:
            self._changed.notify_all()
            self._changed_but_arrivals.notify_all()
        self._engine.dispose()
        self._readers.dispose()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StorageFailure("the index is closed", "index")

    def _run(self) -> None:
        with self._engine.connect() as connection:
            while True:
                batch = self._next_batch()
                if batch:
                    self._commit_with_retries(connection, batch)
                if batch is None:
                    return

    def _next_batch(self) -> list[_Job] | None:
        first = self._jobs.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < BATCH:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)
                break
            batch.append(job)
        return batch

    def _commit_with_retries(self, connection: Connection, batch: list[_Job]) -> None:
        for attempt in range(1, BUSY_TRIES + 1):
            try:
                outcomes, newest, only_arrivals = self._commit(connection, batch)
            except Exception as error:  # noqa: BLE001  # the writer's edge: whatever failed, every caller hears of it
                roll_back(connection)
                if attempt == BUSY_TRIES or not _is_busy(error):
                    self._fail(batch, error)
                    return
            else:
                self._release(batch, outcomes, newest, only_arrivals)
                return

    def _commit(
        self, connection: Connection, batch: list[_Job]
    ) -> tuple[list[tuple[Any, BaseException | None]], int, bool]:
        unsynced = all(job.of_synced_files for job in batch)
        if unsynced != self._unsynced:
            connection.exec_driver_sql(f"PRAGMA synchronous={'NORMAL' if unsynced else 'FULL'}")
            self._unsynced = unsynced
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        transaction = IndexTransaction(connection, self._clock)
        outcomes = [_run_in_savepoint(connection, transaction, job) for job in batch]
        newest = transaction.write_journal() or self._newest
        connection.exec_driver_sql("COMMIT")
        return outcomes, newest, transaction.only_arrivals

    def _release(
        self,
        batch: list[_Job],
        outcomes: list[tuple[Any, BaseException | None]],
        newest: int,
        only_arrivals: bool,
    ) -> None:
        with self._changed:
            self._newest = max(self._newest, newest)
            if not only_arrivals:
                self._newest_but_arrivals = self._newest
                self._changed_but_arrivals.notify_all()
            self._changed.notify_all()
        for job, (result, error) in zip(batch, outcomes, strict=True):
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)

    def _fail(self, batch: list[_Job], error: Exception) -> None:
        log.error("a commit failed: %s", type(error).__name__)
        for job in batch:
            job.future.set_exception(_failure(error))


def _run_in_savepoint(
    connection: Connection, transaction: IndexTransaction, job: _Job
) -> tuple[Any, BaseException | None]:
    mark = transaction.mark()
    connection.exec_driver_sql("SAVEPOINT job")
    try:
        result = job.work(transaction)
    except BaseException as error:  # the caller gets it, its savepoint is undone
        if not _in_transaction(connection):
            raise  # SQLite has given up the whole transaction: disk full, or failing
        connection.exec_driver_sql("ROLLBACK TO job")
        connection.exec_driver_sql("RELEASE job")
        transaction.forget_after(mark)
        return None, _failure(error) if isinstance(error, SQLAlchemyError) else error
    connection.exec_driver_sql("RELEASE job")
    return result, None


def _in_transaction(connection: Connection) -> bool:
    plain: Any = connection.connection.dbapi_connection
    return bool(plain.in_transaction)


def _is_busy(error: Exception) -> bool:
    return isinstance(error, OperationalError) and "locked" in str(error)


def _failure(error: BaseException) -> StorageFailure:
    failure = StorageFailure(f"the index could not commit: {type(error).__name__}", "index")
    failure.__cause__ = error
    return failure


def roll_back(connection: Connection) -> None:
    """Undo the open transaction; SQLite may have done so itself after a failure of the disk."""
    try:
        connection.exec_driver_sql("ROLLBACK")
    except DBAPIError:
        log.debug("nothing to roll back")
