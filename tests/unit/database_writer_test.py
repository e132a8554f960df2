"""The one writer: a savepoint each, one commit for many, and whatever fails, every caller hears of it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from pacs_core.domain.errors import Conflict, StorageFailure
from pacs_core.domain.events import Event
from pacs_core.ports import Transaction
from tests.support.spine import Spine, spine
from tests.watching import Expectation

T = TypeVar("T")
PATIENCE = 20.0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Spine]:
    with spine(tmp_path) as made:
        yield made


def fact(kind: str) -> Callable[[Transaction], str]:
    def write(tx: Transaction) -> str:
        tx.record(Event(kind, 0, subject=kind))
        return kind

    return write


def kinds(house: Spine) -> list[str]:
    with house.index.read() as tx:
        return [change.kind for change in tx.journal.since(0, 1000)]


@contextmanager
def together(
    house: Spine, *jobs: Callable[[Transaction], T], then: Callable[[], None] = lambda: None
) -> Iterator[list[Future[T]]]:
    """The jobs wait while the writer is busy with another, and so share its next commit; `then` comes
    before it.
    """
    entered, go = threading.Event(), threading.Event()

    def busy(tx: Transaction) -> None:
        entered.set()
        assert go.wait(PATIENCE)

    with ThreadPoolExecutor(len(jobs) + 1) as pool:
        first = pool.submit(house.index.write, busy)
        assert entered.wait(PATIENCE)
        futures = [pool.submit(house.index.write, job) for job in jobs]
        while len(house.index._jobs) < len(jobs):
            assert not any(f.done() for f in futures)
            time.sleep(0.001)
        then()
        go.set()
        first.exception(PATIENCE)
        yield futures


def overheard(house: Spine, hear: Callable[[str], None]) -> None:
    """Hear each statement of a transaction before it is run."""
    plain = house.index._say

    def said(connection: Connection, statement: str) -> None:
        hear(statement)
        plain(connection, statement)

    house.index._say = said


def commits(house: Spine) -> list[str]:
    """The COMMITs from now on."""
    seen: list[str] = []
    overheard(house, lambda statement: seen.append(statement) if statement == "COMMIT" else None)
    return seen


def test_waiting_writes_share_one_commit(house: Spine) -> None:
    seen = commits(house)
    with together(house, *(fact(f"k{n}") for n in range(5))) as futures:
        assert sorted(f.result(PATIENCE) for f in futures) == [f"k{n}" for n in range(5)]
    assert len(seen) == 2


def synced(house: Spine) -> list[str]:
    """How each commit from now on is synced; the writer says so where it changes."""
    seen: list[str] = []
    mode = ["FULL"]

    def note(statement: str) -> None:
        if statement.startswith("PRAGMA synchronous="):
            mode[0] = statement.partition("=")[2]
        elif statement == "COMMIT":
            seen.append(mode[0])

    overheard(house, note)
    return seen


def test_a_commit_is_left_unsynced_only_where_files_hold_all_of_it(house: Spine) -> None:
    seen = synced(house)
    house.index.write(fact("row"), of_synced_files=True)
    house.index.write(fact("order"))
    house.image("1.2")
    assert seen == ["NORMAL", "FULL", "NORMAL"]
    with ThreadPoolExecutor(2) as pool, together(house, fact("order")) as futures:
        rows = pool.submit(house.index.write, fact("row"), of_synced_files=True)
        assert futures[0].result(PATIENCE) == "order"
        rows.result(PATIENCE)
    assert "NORMAL" not in seen[3:5]  # what made the others wait, and the order, alone or with the row


def test_arriving_images_do_not_end_a_wait_for_anything_else(house: Spine) -> None:
    house.image("1.2")
    before = house.index.wait_for_change(0, 0)
    house.image("1.2", number=2)
    assert house.index.wait_for_change(before, 0) == before + 1
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(house.index.wait_for_change, before, PATIENCE, arrivals=False)
        house.image("1.2", number=3)
        assert not waiting.done()
        house.index.write(fact("order"))
        assert waiting.result(PATIENCE) == before + 3


def test_one_that_raises_keeps_nothing_and_harms_no_other(house: Spine) -> None:
    def refuse(tx: Transaction) -> str:
        tx.record(Event("never", 0))
        tx.orders.next_number("n")
        raise Conflict("no")

    with together(house, fact("a"), refuse, fact("b")) as futures:
        results = [f.exception(PATIENCE) or f.result() for f in futures]
    assert [r for r in results if isinstance(r, str)] == ["a", "b"]
    assert sum(isinstance(r, Conflict) for r in results) == 1
    assert sorted(kinds(house)) == ["a", "b"]
    assert house.index.write(lambda tx: tx.orders.next_number("n")) == 1


def test_a_row_that_the_index_refuses_harms_no_other(house: Spine) -> None:
    def twice(tx: Transaction) -> str:
        for _ in range(2):
            tx.studies._connection.exec_driver_sql(  # type: ignore[attr-defined]  # below the port
                "INSERT INTO destination (name) VALUES ('RIS')"
            )
        return "both"

    with together(house, fact("a"), twice, fact("b")) as futures:
        failures = [f.exception(PATIENCE) for f in futures]
    (failure,) = [f for f in failures if f is not None]
    assert isinstance(failure, StorageFailure)
    assert isinstance(failure.__cause__, IntegrityError)
    assert sorted(kinds(house)) == ["a", "b"]
    with house.index.read() as tx:
        assert tx.configuration.destinations() == []


def test_a_fact_that_cannot_be_written_fails_its_caller_and_the_writer_goes_on(
    house: Spine, expect_errors: Expectation
) -> None:
    expect_errors("a commit failed")

    def unwritable(tx: Transaction) -> None:
        tx.record(Event("bad", 0, detail={"what": object()}))

    with pytest.raises(StorageFailure):
        house.index.write(unwritable)
    house.index.write(fact("good"))
    assert kinds(house) == ["good"]


@pytest.mark.parametrize("when", ["BEGIN IMMEDIATE", "SAVEPOINT job", "RELEASE job", "COMMIT"])
def test_a_disk_that_fails_is_told_to_every_caller_and_kept_from_the_index(
    house: Spine, expect_errors: Expectation, when: str
) -> None:
    expect_errors("a commit failed")
    failing = False

    def fail(statement: str) -> None:
        if failing and statement == when:
            raise OperationalError(statement, {}, sqlite3.OperationalError("disk I/O error"))

    overheard(house, fail)

    def break_it() -> None:
        nonlocal failing
        failing = True

    with together(house, fact("a"), fact("b"), then=break_it) as futures:
        pass
    told = [f.exception(PATIENCE) for f in futures]
    assert all(isinstance(t, StorageFailure) for t in told)
    failing = False
    house.index.write(fact("later"))
    assert kinds(house) == ["later"]


def test_a_writer_that_finds_the_index_locked_tries_again(house: Spine) -> None:
    left = 2

    def busy(statement: str) -> None:
        nonlocal left
        if statement == "COMMIT" and left:
            left -= 1
            raise OperationalError(statement, {}, sqlite3.OperationalError("database is locked"))

    overheard(house, busy)
    house.index.write(fact("once"))
    assert kinds(house) == ["once"]
    assert left == 0


def test_writes_and_reads_after_the_close_are_refused_and_none_waits_for_ever(tmp_path: Path) -> None:
    with spine(tmp_path) as house:
        stop = threading.Event()
        told: list[str] = []

        def keep_writing() -> None:
            while not stop.is_set():
                try:
                    house.index.write(fact("k"))
                except StorageFailure:
                    told.append("closed")
                    return

        writers = [threading.Thread(target=keep_writing) for _ in range(4)]
        for one in writers:
            one.start()
        house.index.wait_for_change(20, PATIENCE)
        house.index.close()
        for one in writers:
            one.join(PATIENCE)
        assert told == ["closed"] * 4
        with pytest.raises(StorageFailure, match="closed"), house.index.read():
            pass
        assert house.index.wait_for_change(10**9, PATIENCE) > 0


def test_an_index_that_cannot_be_read_says_so_in_the_house_s_words(
    house: Spine, expect_errors: Expectation
) -> None:
    expect_errors("could not be read")
    with pytest.raises(StorageFailure, match="could not be read"), house.index.read() as tx:
        tx.studies._connection.exec_driver_sql("SELECT * FROM nowhere")  # type: ignore[attr-defined]


def test_a_read_cannot_write(house: Spine, expect_errors: Expectation) -> None:
    expect_errors("could not be read")
    with pytest.raises(StorageFailure), house.index.read() as tx:
        tx.orders.next_number("n")


def test_a_write_inside_a_write_is_a_mistake_that_is_told(house: Spine) -> None:
    with pytest.raises(RuntimeError, match="write inside a write"):
        house.index.write(lambda tx: house.index.write(fact("inner")))


def test_the_journal_has_no_gap_and_the_images_of_a_commit_are_one_fact(house: Spine) -> None:
    def images(count: int) -> Callable[[Transaction], None]:
        def write(tx: Transaction) -> None:
            for _ in range(count):
                tx.record(Event("images.stored", 4, study_uid="1.2", detail={"count": 1}))

        return write

    with together(house, images(2), fact("other"), images(3)) as futures:
        pass
    assert all(f.exception(PATIENCE) is None for f in futures)
    with house.index.read() as tx:
        rows = tx.journal.since(0, 100)
    assert [r.sequence for r in rows] == list(range(1, len(rows) + 1))
    assert [r.detail["count"] for r in rows if r.kind == "images.stored"] == [5]


def test_a_read_sees_one_state_however_much_is_written_meanwhile(house: Spine) -> None:
    house.patient()
    with house.index.read() as tx:
        before = tx.journal.newest()
        house.patient("P2", "ROE^RICHARD")
        assert tx.journal.newest() == before
        assert not tx.patients.search("ROE", 5)
    with house.index.read() as tx:
        assert tx.journal.newest() == before + 1
