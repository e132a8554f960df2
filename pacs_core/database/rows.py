"""Rows and records: a table mapped to a frozen dataclass by column name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, insert, select, update

R = TypeVar("R")


class Rows(Generic[R]):
    """One table whose columns are the fields of one record type."""

    def __init__(self, connection: Connection, table: Table, record: type[R]) -> None:
        self.connection = connection
        self.table = table
        self.record = record
        self.columns = [table.c[f.name] for f in fields(record)]  # type: ignore[arg-type]  # R is always a dataclass

    def first(self, *where: ColumnElement[bool], order_by: Sequence[Any] = ()) -> R | None:
        """The first record that fits, or None."""
        row = self.connection.execute(
            select(*self.columns).where(*where).order_by(*order_by).limit(1)
        ).first()
        return None if row is None else self.record(*row)

    def all(self, *where: ColumnElement[bool], order_by: Sequence[Any] = (), limit: int = 0) -> list[R]:
        """Every record that fits, in order."""
        query = select(*self.columns).where(*where).order_by(*order_by)
        if limit:
            query = query.limit(limit)
        return [self.record(*row) for row in self.connection.execute(query)]

    def insert(self, record: R, *, without: tuple[str, ...] = ("id",)) -> int:
        """Insert a record, leaving out the columns the database fills; returns its row id."""
        values = {c.name: getattr(record, c.name) for c in self.columns if c.name not in without}
        result = self.connection.execute(insert(self.table), values)
        key = result.lastrowid
        return int(key or 0)

    def change(self, *where: ColumnElement[bool], **changes: object) -> int:
        """Change named columns where it fits; returns how many rows."""
        return self.connection.execute(update(self.table).where(*where).values(**changes)).rowcount
