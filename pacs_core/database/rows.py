"""Rows and records: a table mapped to a frozen dataclass by column name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from pacs_core.database.prepared import Prepared

R = TypeVar("R")
V = TypeVar("V")

AT_ONCE = 500
"""So many values are given to one IN (…): drivers limit how many a statement may have."""


def in_parts(values: Iterable[V]) -> Iterator[list[V]]:
    """The values, each once, in parts that one statement takes."""
    each = list(dict.fromkeys(values))
    for start in range(0, len(each), AT_ONCE):
        yield each[start : start + AT_ONCE]


@cache
def _columns(table: Table, names: tuple[str, ...]) -> tuple[Column[Any], ...]:
    return tuple(table.c[name] for name in names)


@cache
def _select_from(table: Table, names: tuple[str, ...]) -> Select[Any]:
    return select(*_columns(table, names))


@cache
def _select_by(table: Table, names: tuple[str, ...], by: tuple[str, ...]) -> Prepared:
    """The question for one row by these columns, built once: building it costs ten times asking it."""
    fits = (table.c[name] == bindparam(f"by_{name}") for name in by)
    return Prepared(_select_from(table, names).where(*fits).limit(1))


@cache
def _insert_into(table: Table, names: tuple[str, ...]) -> Prepared:
    return Prepared(insert(table), names)


class Rows(Generic[R]):
    """One table whose columns are the fields of one record type."""

    def __init__(self, connection: Connection, table: Table, record: type[R]) -> None:
        self.connection = connection
        self.table = table
        self.record = record
        self.names: tuple[str, ...] = record.__match_args__  # type: ignore[attr-defined]  # R is a dataclass

    def one(self, **by: object) -> R | None:
        """The record in which these columns have these values, or None."""
        query = _select_by(self.table, self.names, tuple(by))
        rows = query.rows(self.connection, {f"by_{name}": value for name, value in by.items()})
        return self.record(*rows[0]) if rows else None

    def first(self, *where: ColumnElement[bool], order_by: Sequence[Any] = ()) -> R | None:
        """The first record that fits, or None."""
        row = self.connection.execute(
            _select_from(self.table, self.names).where(*where).order_by(*order_by).limit(1)
        ).first()
        return None if row is None else self.record(*row)

    def all(
        self, *where: ColumnElement[bool], order_by: Sequence[Any] = (), limit: int = 0, **values: object
    ) -> list[R]:
        """Every record that fits, in order; `values` are those of parameters in `where`."""
        query = _select_from(self.table, self.names).where(*where).order_by(*order_by)
        if limit:
            query = query.limit(limit)
        return [self.record(*row) for row in self.connection.execute(query, values)]

    def insert(self, record: R, *, without: tuple[str, ...] = ("id",)) -> int:
        """Insert a record, leaving out the columns the database fills; returns its row id."""
        values = {name: getattr(record, name) for name in self.names if name not in without}
        cursor = _insert_into(self.table, tuple(values)).run(self.connection, values)
        return int(cursor.lastrowid or 0)

    def change(self, *where: ColumnElement[bool], **changes: object) -> int:
        """Change named columns where it fits; returns how many rows."""
        return self.connection.execute(update(self.table).where(*where).values(**changes)).rowcount
