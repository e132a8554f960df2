"""Statements on the driver itself: rows, types and errors as by SQLAlchemy, no values in the errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from pacs_core.database.prepared import Prepared
from pacs_core.database.schema import destination, metadata
from pacs_core.database.unit_of_work import open_engine


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = open_engine(tmp_path / "index.sqlite")
    with engine.connect() as made:
        metadata.create_all(made)
        yield made
    engine.dispose()


PUT = Prepared(insert(destination), ("name", "port", "paused"))
NAMED = select(destination.c.name, destination.c.port, destination.c.paused).where(
    destination.c.name == bindparam("wanted")
)


def test_rows_are_those_that_sqlalchemy_answers(connection: Connection) -> None:
    PUT.run(connection, {"name": "RIS", "port": 2575, "paused": True})
    PUT.run(connection, {"name": "PACS", "port": 104, "paused": False})
    for name in ("RIS", "PACS", "nobody"):
        by_sqlalchemy = connection.execute(NAMED, {"wanted": name}).all()
        assert Prepared(NAMED).rows(connection, {"wanted": name}) == [tuple(row) for row in by_sqlalchemy]
    ((_, _, paused),) = Prepared(NAMED).rows(connection, {"wanted": "RIS"})
    assert paused is True


def test_a_limit_written_in_the_statement_holds(connection: Connection) -> None:
    for name in ("A", "B", "C"):
        PUT.run(connection, {"name": name, "port": 1, "paused": False})
    assert Prepared(select(destination.c.name).order_by(destination.c.name).limit(2)).rows(
        connection, {}
    ) == [
        ("A",),
        ("B",),
    ]


def test_errors_are_sqlalchemy_s_and_name_no_value(connection: Connection) -> None:
    PUT.run(connection, {"name": "DOE^JANE", "port": 1, "paused": False})
    with pytest.raises(IntegrityError) as told:
        PUT.run(connection, {"name": "DOE^JANE", "port": 1, "paused": False})
    assert "DOE" not in str(told.value)
    metadata.drop_all(connection)
    with pytest.raises(OperationalError, match="no such table"):
        Prepared(NAMED).rows(connection, {"wanted": "RIS"})
