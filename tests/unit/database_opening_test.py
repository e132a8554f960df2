"""Opening an index: made whole or not at all, newer ones refused, older ones backed up and then migrated."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from pacs_core.database import opening
from pacs_core.database.schema import SCHEMA_VERSION, metadata
from pacs_core.domain.errors import Refused, StorageFailure
from pacs_core.storage.folder import sync_directory
from tests.support.spine import Spine, TestClock, spine

NEXT = f"{int(SCHEMA_VERSION) + 1:04d}"


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The index of a house with one study in it, closed."""
    with spine(tmp_path) as house:
        house.patient()
        house.order()
        house.image()
    return tmp_path / "index.sqlite"


def ask(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as plain:
        return plain.execute(query).fetchall()


def write_version(path: Path, version: str) -> None:
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute("UPDATE schema_version SET version = ?", (version,))


def opened(path: Path) -> None:
    opening.open_index(path, TestClock(), sync_directory).close()


def add_column(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE study ADD COLUMN colour VARCHAR NOT NULL DEFAULT 'grey'")


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes this program the next version, with these migrations."""

    def become(*steps: Callable[[Connection], None]) -> None:
        monkeypatch.setattr(opening, "SCHEMA_VERSION", NEXT)
        monkeypatch.setattr(opening, "MIGRATIONS", tuple((NEXT, step) for step in steps))

    return become


def test_an_index_of_a_newer_version_is_refused_and_left_alone(older: Path) -> None:
    write_version(older, NEXT)
    before = older.read_bytes()
    with pytest.raises(Refused, match=NEXT):
        opened(older)
    assert older.read_bytes() == before


def test_an_older_index_is_backed_up_then_migrated(older: Path, upgraded: Callable[..., None]) -> None:
    upgraded(add_column)
    opened(older)
    (copy,) = older.parent.glob(f"index-before-{NEXT}.sqlite")
    assert ask(older, "SELECT version FROM schema_version") == [(NEXT,)]
    assert ask(older, "SELECT study_uid, colour FROM study") == [("1.2.3", "grey")]
    assert ask(copy, "SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]
    assert ask(copy, "SELECT study_uid FROM study") == [("1.2.3",)]
    assert "colour" not in {row[1] for row in ask(copy, "PRAGMA table_info(study)")}


def test_a_migration_that_fails_leaves_the_index_as_it_was(
    older: Path, upgraded: Callable[..., None]
) -> None:
    def fail(connection: Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE study ADD COLUMN colour VARCHAR")

    upgraded(add_column, fail)
    with pytest.raises(StorageFailure, match="upgrade"):
        opened(older)
    assert ask(older, "SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]
    assert "colour" not in {row[1] for row in ask(older, "PRAGMA table_info(study)")}
    upgraded(add_column)
    opened(older)
    assert ask(older, "SELECT colour FROM study") == [("grey",)]


def test_a_current_index_is_not_copied_aside(older: Path) -> None:
    opened(older)
    assert [p.name for p in older.parent.glob("index*.sqlite")] == ["index.sqlite"]


@pytest.mark.parametrize("content", [b"", b"a WAL header was written, nothing else"], ids=["empty", "header"])
def test_an_index_whose_making_was_cut_off_is_made_again(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "index.sqlite"
    path.touch()
    if content:
        with closing(sqlite3.connect(path)) as plain:
            plain.execute("PRAGMA journal_mode=WAL")
    with spine(tmp_path) as house:
        house.patient()
    assert ask(path, "SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]


def test_the_making_is_one_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in the middle leaves no half of an index that would later be taken for a whole one."""
    last = list(metadata.sorted_tables)[-1]

    def refuse(*_args: object, **_more: object) -> Iterator[None]:
        raise RuntimeError("the power is gone")

    from sqlalchemy import event

    event.listen(last, "before_create", refuse)
    try:
        with pytest.raises(RuntimeError):
            opened(tmp_path / "index.sqlite")
    finally:
        event.remove(last, "before_create", refuse)
    assert ask(tmp_path / "index.sqlite", "SELECT name FROM sqlite_master") == []
    opened(tmp_path / "index.sqlite")


def test_what_is_no_index_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    path.write_bytes(b"this is a letter to my aunt, " * 400)
    with pytest.raises(Refused, match="no index of Reading Room"):
        opened(path)
    assert path.read_bytes().startswith(b"this is a letter")


def test_another_program_s_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute("CREATE TABLE recipe (name TEXT)")
    with pytest.raises(Refused, match="no index of Reading Room"):
        opened(path)


def test_every_table_of_the_schema_is_there_with_its_columns(tmp_path: Path) -> None:
    with spine(tmp_path) as house:
        assert isinstance(house, Spine)
    for table in metadata.sorted_tables:
        found = {row[1] for row in ask(tmp_path / "index.sqlite", f"PRAGMA table_info({table.name})")}
        assert found == {column.name for column in table.columns}


def columns(path: Path) -> dict[str, set[object]]:
    return {
        table.name: {row[1] for row in ask(path, f"PRAGMA table_info({table.name})")}
        for table in metadata.sorted_tables
    }


def test_the_first_version_s_index_becomes_what_is_made_anew(tmp_path: Path) -> None:
    first = Path(__file__).parents[1] / "support" / "index_0001.sql"
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as plain, plain:
        plain.executescript(first.read_text(encoding="utf-8"))
    with spine(tmp_path) as house:
        house.patient()
        house.order()
        house.image()
        assert house.study().reconciliation == "matched"
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    opened(fresh / "index.sqlite")
    assert columns(tmp_path / "index.sqlite") == columns(fresh / "index.sqlite")
    indexes = "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix%' ORDER BY name"
    assert ask(tmp_path / "index.sqlite", indexes) == ask(fresh / "index.sqlite", indexes)
    assert ask(tmp_path / "index.sqlite", "PRAGMA integrity_check") == [("ok",)]
