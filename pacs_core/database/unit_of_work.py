"""One writer at a time: waiting writes run in one commit, a savepoint each, and are released after its sync.

Who writes while nobody does makes the commit, in its own thread; what is asked for meanwhile waits, and the
first that waits makes the next commit for all of them.

SQLite in WAL mode with ``synchronous=FULL``: a commit has synced its frames when it returns. With ``NORMAL``,
for what synced files hold, it has not, and the index is consistent all the same: SQLite syncs before a
checkpoint.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from pacs_core.database.transaction import IndexTransaction
from pacs_core.domain.errors import StorageFailure
from pacs_core.ports import Clock, Transaction

T = TypeVar("T")
log = logging.getLogger("reading_room.store")

BATCH = 64
"""At most so many writes share a commit."""

BUSY_TRIES = 5

IDLE_READERS = 8
"""Connections for reading that are kept open."""


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
    """A waiting write: what it is, its turn, and what became of it."""

    __slots__ = ("_done", "_error", "_result", "_turn", "leads", "of_synced_files", "work")

    def __init__(self, work: Callable[[Transaction], Any], of_synced_files: bool) -> None:
        self.work = work
        self.of_synced_files = of_synced_files
        self.leads = False
        self._turn = threading.Lock()
        self._turn.acquire()
        self._done = False
        self._result: Any = None
        self._error: BaseException | None = None

    def wait(self) -> None:
        """Until it is done, or leads."""
        self._turn.acquire()

    def lead(self) -> None:
        """Say that whoever waits makes the next commit."""
        self.leads = True
        self._turn.release()

    def end(self, result: Any, error: BaseException | None) -> None:
        """Say what became of it; the first word stands."""
        if not self._done:
            self._done, self._result, self._error = True, result, error
            if not self.leads:
                self._turn.release()

    def answer(self) -> Any:
        """What the work returned; raises what it raised, or why it could not be committed."""
        error, self._error = self._error, None
        if error is None:
            return self._result
        try:
            raise error
        finally:
            del error  # its traceback holds this frame


Outcome = tuple[Any, BaseException | None]


class SqliteIndex:
    """The index in one SQLite file; implements `ports.Index`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._engine = open_engine(path)
        self._readers = open_engine(path, read_only=True)
        self._idle_readers: list[tuple[Connection, IndexTransaction]] = []
        self._say: Callable[[Connection, str], None] = say
        newest = threading.Lock()
        self._changed, self._changed_but_arrivals = threading.Condition(newest), threading.Condition(newest)
        self._jobs: deque[_Job] = deque()
        self._gate = threading.Lock()
        self._idle = threading.Condition(self._gate)
        self._busy = self._closed = False
        self._writing = 0  # the thread that makes a commit
        self._unsynced = False  # as the writer's connection commits now
        with self.read() as tx:
            self._newest = self._newest_but_arrivals = tx.journal.newest()
        self._connection = self._engine.connect()
        self._transaction = IndexTransaction(self._connection, clock)

    def write(self, work: Callable[[Transaction], T], *, of_synced_files: bool = False) -> T:
        """Run `work` in the next commit and return what it returned, after the commit is synced.

        A commit of which every work is `of_synced_files` is not synced: a power cut may take it back, to an
        earlier whole state, and the sweep makes it again. The next synced commit makes it durable as well.
        """
        if self._writing == threading.get_ident():
            raise RuntimeError("a write inside a write: pass the transaction on instead")
        job = _Job(work, of_synced_files)
        with self._gate:
            self._refuse_closed()
            self._jobs.append(job)
            job.leads, self._busy = not self._busy, True
        try:
            if not job.leads:
                job.wait()
        except BaseException:  # an interrupt: nobody would lead in its place
            self._withdraw(job)
            raise
        if job.leads:
            self._lead()
        result: T = job.answer()
        return result

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One consistent state of the index; raises StorageFailure where it cannot be read."""
        self._refuse_closed()
        try:
            connection, transaction = self._reader()
            try:
                self._say(connection, "BEGIN")
                try:
                    yield transaction
                finally:
                    roll_back(connection)
            except SQLAlchemyError:
                connection.close()
                raise
            finally:
                self._put_back(connection, transaction)
        except SQLAlchemyError as error:
            log.error("the index could not be read: %s", type(error).__name__)
            raise StorageFailure(f"the index could not be read: {type(error).__name__}", "index") from error

    def _reader(self) -> tuple[Connection, IndexTransaction]:
        """A connection for reading that nobody uses, and its transaction."""
        try:
            return self._idle_readers.pop()
        except IndexError:
            connection = self._readers.connect()
            return connection, IndexTransaction(connection, self._clock)

    def _put_back(self, connection: Connection, transaction: IndexTransaction) -> None:
        if connection.closed:
            return
        with self._gate:
            kept = not self._closed and len(self._idle_readers) < IDLE_READERS
            if kept:
                self._idle_readers.append((connection, transaction))
        if not kept:
            connection.close()

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
        with self._idle:
            if self._closed:
                return
            self._closed = True
            self._idle.wait_for(lambda: not self._busy)
            readers, self._idle_readers = self._idle_readers, []
        with self._changed:
            self._changed.notify_all()
            self._changed_but_arrivals.notify_all()
        for connection, _ in readers:
            connection.close()
        self._connection.close()
        self._engine.dispose()
        self._readers.dispose()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StorageFailure("the index is closed", "index")

    def _withdraw(self, job: _Job) -> None:
        with self._gate:
            if not job.leads:
                if job in self._jobs:
                    self._jobs.remove(job)
                return
        self._lead()

    def _lead(self) -> None:
        """Make the next commit of all that waits, and hand over to who came meanwhile."""
        with self._gate:
            batch = [self._jobs.popleft() for _ in range(min(BATCH, len(self._jobs)))]
        self._writing = threading.get_ident()
        try:
            self._commit_with_retries(batch)
        except BaseException as error:  # an interrupt of this thread: the others hear of it
            roll_back(self._connection)
            self._fail(batch, error)
            raise
        finally:
            self._writing = 0
            self._hand_over()

    def _hand_over(self) -> None:
        with self._gate:
            if self._jobs:
                self._jobs[0].lead()
            else:
                self._busy = False
                self._idle.notify_all()

    def _commit_with_retries(self, batch: list[_Job]) -> None:
        for attempt in range(1, BUSY_TRIES + 1):
            try:
                outcomes, newest, only_arrivals = self._commit(batch)
            except Exception as error:  # noqa: BLE001  # the writer's edge: whatever failed, every caller hears of it
                roll_back(self._connection)
                if attempt == BUSY_TRIES or not _is_busy(error):
                    self._fail(batch, error)
                    return
            else:
                self._release(batch, outcomes, newest, only_arrivals)
                return

    def _commit(self, batch: list[_Job]) -> tuple[list[Outcome], int, bool]:
        connection, transaction = self._connection, self._transaction
        unsynced = all(job.of_synced_files for job in batch)
        if unsynced != self._unsynced:
            self._say(connection, f"PRAGMA synchronous={'NORMAL' if unsynced else 'FULL'}")
            self._unsynced = unsynced
        self._say(connection, "BEGIN IMMEDIATE")
        transaction.forget_after(0)
        if len(batch) == 1:
            outcomes = [self._run_alone(batch[0])]
        else:
            outcomes = [self._run_in_savepoint(job) for job in batch]
        newest = transaction.write_journal() or self._newest
        self._say(connection, "COMMIT")
        return outcomes, newest, transaction.only_arrivals

    def _run_alone(self, job: _Job) -> Outcome:
        """Where a commit is of one write its transaction is what is undone, and an empty one committed."""
        try:
            return job.work(self._transaction), None
        except BaseException as error:  # the caller gets it
            if not self._in_transaction():
                raise  # SQLite has given up the whole transaction: disk full, or failing
            self._say(self._connection, "ROLLBACK")
            self._say(self._connection, "BEGIN IMMEDIATE")
            self._transaction.forget_after(0)
            return None, _told(error)

    def _run_in_savepoint(self, job: _Job) -> Outcome:
        mark = self._transaction.mark()
        self._say(self._connection, "SAVEPOINT job")
        try:
            result = job.work(self._transaction)
        except BaseException as error:  # the caller gets it, its savepoint is undone
            if not self._in_transaction():
                raise
            self._say(self._connection, "ROLLBACK TO job")
            self._say(self._connection, "RELEASE job")
            self._transaction.forget_after(mark)
            return None, _told(error)
        self._say(self._connection, "RELEASE job")
        return result, None

    def _in_transaction(self) -> bool:
        plain: Any = self._connection.connection.dbapi_connection
        return bool(plain.in_transaction)

    def _release(self, batch: list[_Job], outcomes: list[Outcome], newest: int, only_arrivals: bool) -> None:
        with self._changed:
            self._newest = max(self._newest, newest)
            if not only_arrivals:
                self._newest_but_arrivals = self._newest
                self._changed_but_arrivals.notify_all()
            self._changed.notify_all()
        for job, (result, error) in zip(batch, outcomes, strict=True):
            job.end(result, error)

    def _fail(self, batch: list[_Job], error: BaseException) -> None:
        log.error("a commit failed: %s", type(error).__name__)
        for job in batch:
            job.end(None, _failure(error))


def say(connection: Connection, statement: str) -> None:
    """Run a statement of a transaction on the driver itself; raises SQLAlchemy's OperationalError."""
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute(statement)
    except sqlite3.Error as error:
        raise OperationalError(statement, None, error) from error


def _is_busy(error: Exception) -> bool:
    return isinstance(error, OperationalError) and "locked" in str(error)


def _told(error: BaseException) -> BaseException:
    return _failure(error) if isinstance(error, SQLAlchemyError) else error


def _failure(error: BaseException) -> StorageFailure:
    failure = StorageFailure(f"the index could not commit: {type(error).__name__}", "index")
    failure.__cause__ = error
    return failure


def roll_back(connection: Connection) -> None:
    """Undo the open transaction; SQLite may have done so itself after a failure of the disk."""
    try:
        say(connection, "ROLLBACK")
    except SQLAlchemyError:
        log.debug("nothing to roll back")
