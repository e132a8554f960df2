"""The exam offered after the one just signed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacs_core.archive.models import ExamRow
from tests.support.fake_archive import exam, patient
from workstation.session.queue import next_to_read


def rows(*said: tuple[str, str, str, str]) -> list[ExamRow]:
    """(study, status, priority, open by) in the worklist's order."""
    return [
        replace(exam(uid, patient()), status=status, priority=priority, locked_by=by)
        for uid, status, priority, by in said
    ]


PLAIN = (("1", "arrived", "ROUTINE", ""), ("2", "arrived", "ROUTINE", ""), ("3", "arrived", "ROUTINE", ""))


@pytest.mark.parametrize(("here", "offered"), [("1", "2"), ("2", "3"), ("3", "1"), ("gone", "1")])
def test_the_list_is_followed_downwards_then_from_its_top(here: str, offered: str) -> None:
    chosen = next_to_read(rows(*PLAIN), here, "reader")
    assert chosen is not None
    assert chosen.study_uid == offered


@pytest.mark.parametrize("place", range(4))
def test_an_unread_stat_goes_before_the_next_row_wherever_it_stands(place: int) -> None:
    told = list(PLAIN)
    told.insert(place, ("9", "arrived", "STAT", ""))
    chosen = next_to_read(rows(*told), "2", "reader")
    assert chosen is not None
    assert chosen.study_uid == "9"


def test_of_several_stat_the_first_of_the_list_comes_first() -> None:
    queue = rows(("8", "arrived", "STAT", ""), *PLAIN, ("9", "arrived", "STAT", ""))
    chosen = next_to_read(queue, "2", "reader")
    assert chosen is not None
    assert chosen.study_uid == "8"


@pytest.mark.parametrize(
    "stat",
    [
        ("9", "arrived", "STAT", "dr.lee"),
        ("9", "draft", "STAT", "reader"),
        ("9", "reading", "STAT", "reader"),
    ],
)
def test_a_stat_of_another_reader_or_one_put_aside_does_not_jump_the_list(
    stat: tuple[str, str, str, str],
) -> None:
    chosen = next_to_read(rows(stat, *PLAIN), "1", "reader")
    assert chosen is not None
    assert chosen.study_uid == "2"


def test_nothing_is_offered_where_nothing_is_left() -> None:
    assert next_to_read(rows(("1", "arrived", "STAT", "")), "1", "reader") is None
    assert next_to_read(rows(("1", "arrived", "STAT", "dr.lee")), "2", "reader") is None


def test_no_row_is_held_against_another_however_long_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = rows(*((str(n), "arrived", "ROUTINE", "") for n in range(300)))
    compared: list[tuple[object, object]] = []

    def counted(one: object, other: object) -> bool:
        compared.append((one, other))
        return one is other

    monkeypatch.setattr(ExamRow, "__eq__", counted)
    chosen = next_to_read(queue, "297", "reader")
    assert chosen is queue[298]
    assert not compared
