"""Statements of the busiest paths, made to SQL once and run on the driver itself: 8 µs instead of 40."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Boolean, Connection, Insert, Select, Text, Update, bindparam, column, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError, OperationalError


def among(name: str) -> Select[Any]:
    """The values of a list that is bound as JSON text: a question about many is one statement."""
    return select(func.json_each(bindparam(name, type_=Text)).table_valued(column("value")).c.value)


class Prepared:
    """One statement with named values; runs in the connection's open transaction like any other.

    `names` are the columns of an insert. Booleans come back as such; errors are those of SQLAlchemy, without
    the values, which are patients' data.
    """

    def __init__(self, statement: Select[Any] | Insert | Update, names: Sequence[str] = ()) -> None:
        compiled = statement.compile(dialect=sqlite.dialect(), column_keys=list(names) or None)
        self._text = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        columns = statement.selected_columns if isinstance(statement, Select) else ()
        self._booleans = [at for at, column in enumerate(columns) if isinstance(column.type, Boolean)]

    def run(self, connection: Connection, values: Mapping[str, object]) -> sqlite3.Cursor:
        """The driver's cursor after the statement; raises SQLAlchemy's IntegrityError or OperationalError."""
        driver: Any = connection.connection.dbapi_connection
        given = {**self._fixed, **values}
        try:
            cursor: sqlite3.Cursor = driver.execute(self._text, [given[name] for name in self._order])
        except sqlite3.IntegrityError as error:
            raise IntegrityError(self._text, None, error) from error
        except sqlite3.Error as error:
            raise OperationalError(self._text, None, error) from error
        return cursor

    def rows(self, connection: Connection, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Every row of a question."""
        found: list[tuple[Any, ...]] = self.run(connection, values).fetchall()
        return [self._typed(row) for row in found] if self._booleans else found

    def _typed(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        typed = list(row)
        for at in self._booleans:
            typed[at] = None if row[at] is None else bool(row[at])
        return tuple(typed)
