"""The reading worklist's order: numbers as numbers, what is not known first."""

from __future__ import annotations

import random

import pytest

from pacs_core.archive.local import sort_key
from pacs_core.domain.errors import InvalidValue
from tests.support.fake_archive import exam, order, patient


def rows(**columns: list[object]) -> list[object]:
    ((name, values),) = columns.items()
    who = patient(1)
    made = [exam(f"2.25.{n}", who, order(n, who), **{name: value}) for n, value in enumerate(values)]
    random.Random(1).shuffle(made)
    return made


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("images", [2, 9, 10, 100, 1033]),
        ("expected", [None, 3, 20]),
        ("patient_display", ["", "Doe, Jane", "Roe, Richard"]),
        ("arriving", [False, True]),
    ],
)
def test_a_column_is_in_its_own_order(column: str, values: list[object]) -> None:
    made = sorted(rows(**{column: values}), key=sort_key(column))  # type: ignore[arg-type]  # rows, told by name
    assert [getattr(row, column) for row in made] == values


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidValue, match="colour"):
        sort_key("colour")
