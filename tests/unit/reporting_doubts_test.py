"""Unsure words keep their places while the text around changes, and name what else may have been said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.reporting.dictation import Utterance, Word
from workstation.reporting.doubts import Doubts, moved, placed


def said(text: str, *unsure: str, others: tuple[str, ...] = ()) -> Utterance:
    """An utterance whose named words are unsure."""
    words = tuple(Word(w, n, n + 1, 0.2 if w in unsure else 0.9) for n, w in enumerate(text.split()))
    return Utterance(text, words, others)


def marked(utterance: Utterance, text: str, start: int = 0, end: int | None = None) -> list[str]:
    return [one.text for one in placed(utterance, text, start, len(text) if end is None else end)]


def test_the_second_of_two_equal_words_is_the_one_that_is_marked() -> None:
    words = (
        Word("no", 0, 1, 0.9),
        Word("edema,", 1, 2, 0.9),
        Word("no", 2, 3, 0.2),
        Word("mass.", 3, 4, 0.9),
    )
    text = "No edema, no mass."
    (one,) = placed(Utterance("no edema, no mass.", words), text, 0, len(text))
    assert (one.start, one.end, one.text) == (10, 12, "no")


def test_what_is_written_otherwise_than_said_is_marked_as_written() -> None:
    assert marked(said("nodule of twelve millimeters today", "twelve"), "Nodule of 12 mm today") == ["12"]
    assert marked(said("nodule of twelve point five millimeters", "point"), "Nodule of 12.5 mm") == [
        "12.5 mm"
    ]


def test_only_what_was_just_dictated_is_marked() -> None:
    text = "Effusion before. Effusion again"
    (one,) = placed(said("effusion again", "effusion"), text, 17, len(text))
    assert one.start == 17


def test_other_readings_give_their_words_for_it() -> None:
    heard = said("no pleural effusion", "no", others=("new pleural effusion", "pleural effusion"))
    (one,) = placed(heard, "No pleural effusion", 0, 19)
    assert one.others == ("New", "")


def test_a_capital_is_kept_only_where_the_word_has_one() -> None:
    heard = said("there is ilias", "ilias", others=("there is ileus",))
    assert placed(heard, "there is ilias", 0, 14)[0].others == ("ileus",)


def test_typing_moves_them_and_changing_one_settles_it() -> None:
    doubts = Doubts()
    doubts.heard("f", "", "No effusion or mass", said("no effusion or mass", "effusion", "mass"))
    assert [d.text for d in doubts.of("f", "There is no effusion or mass")] == ["effusion", "mass"]
    assert [d.text for d in doubts.of("f", "There is no edema or mass")] == ["mass"]
    (mass,) = doubts.of("f", "There is no edema or mass.")
    doubts.settle("f", mass)
    assert doubts.of("f", "There is no edema or mass.") == ()


def test_a_second_dictation_keeps_the_first_ones_doubts() -> None:
    doubts = Doubts()
    doubts.heard("f", "", "One effusion.", said("one effusion.", "effusion."))
    doubts.heard("f", "One effusion.", "One effusion. Two masses.", said("two masses.", "masses."))
    assert [d.text for d in doubts.of("f", "One effusion. Two masses.")] == ["effusion", "masses"]


def test_an_emptied_field_has_none() -> None:
    doubts = Doubts()
    doubts.heard("f", "", "One effusion.", said("one effusion.", "effusion."))
    assert doubts.of("f", "") == ()
    assert doubts.of("f", "One effusion.") == ()


@pytest.mark.parametrize("where", range(6))
def test_text_put_before_between_and_behind(where: int) -> None:
    text = "alpha beta gamma"
    doubts = placed(said("alpha beta gamma", "beta"), text, 0, len(text))
    after = text[:where] + "X " + text[where:]
    assert [after[d.start : d.end] for d in moved(doubts, text, after)] == ["beta"]


@given(st.text("ab ."), st.text("ab ."), st.text("ab ."))
def test_a_mark_always_lies_on_its_own_words(first: str, second: str, third: str) -> None:
    doubts = Doubts()
    doubts.heard("f", first, second, Utterance(second, tuple(Word(w, 0, 1, 0.1) for w in second.split())))
    for one in doubts.of("f", third):
        assert third[one.start : one.end] == one.text
