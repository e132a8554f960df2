"""Attribute matching against a naive oracle (PS3.4 C.2.2.2)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pacs_core.domain.matching import (
    folded_name,
    matches_name,
    matches_range,
    matches_text,
    matches_uids,
    split_range,
)
from tests.support import oracle

LETTERS = st.text("ab*?.-[ AB\\", max_size=6)
DATES = st.sampled_from(["", "1969-12-31", "1970-01-01", "1970-01-02", "2000-02-29"])

PARTS = [
    "Müller",
    "MULLER",
    "mueller",
    "Jörg",
    "van der Berg",
    "O'Neil",
    "Straße",
    "Ørsted",
    "Łukasz",
    "Đorđe",
]
SCRIPTS = [
    "山田",
    "太郎",
    "やまだ",
    "がく",
    "김",
    "희중",
    "Люкceмбypг",
    "Διονυσιος",
    "قباني",
    "שרון",
    "Buc^Jérôme",
]
components = st.sampled_from([*PARTS, *SCRIPTS, "", " ", "A", "a b"])
groups = st.lists(components, min_size=1, max_size=4).map("^".join)
names = st.lists(groups, min_size=1, max_size=3).map("=".join)


@st.composite
def wishes(draw: st.DrawFn, of: str) -> str:
    """A query for a name: itself, a group of it, the beginning of it, with wild cards, in other letters."""
    wish = draw(st.sampled_from([of, *of.split("=")]))
    if draw(st.booleans()):
        wish = "^".join(wish.split("^")[: draw(st.integers(1, 3))])
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(wish)))
        end = draw(st.integers(at, len(wish)))
        wish = wish[:at] + draw(st.sampled_from(["*", "?", ""])) + wish[end:]
    return draw(st.sampled_from([wish, wish.upper(), wish.lower(), wish + "^", wish + "*"]))


@given(LETTERS, LETTERS, st.booleans())
@example(" ", "x", False)
@example("*", "", False)
def test_text_matches_as_the_oracle_says(wanted: str, value: str, fold: bool) -> None:
    assert matches_text(wanted, value, fold=fold) == oracle.text(wanted, value, fold)


@given(st.data(), names, names)
def test_names_match_as_the_oracle_says(data: st.DataObject, name: str, other: str) -> None:
    wish = data.draw(wishes(name))
    assert matches_name(wish, name) == oracle.name(wish, name), wish
    assert matches_name(wish, other) == oracle.name(wish, other), wish


@given(names)
def test_a_name_finds_itself(name: str) -> None:
    assert matches_name(name, name)


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("Yamada^Tarou=山田^太郎", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("Yamada^Tarou=山田^太郎", "YAMADA^TAROU"),
        ("=山田^太郎", "Yamada^Tarou=山田^太郎"),
        ("山田*", "Yamada^Tarou=山田^太郎"),
        ("muller", "Müller^Jörg"),
        ("MÜLLER^J*", "muller^jorg^^dr"),
        ("*jorg", "Müller^Jörg"),
        ("Strasse", "Straße^Anna"),
        ("DOE", "DOE^JANE"),
        ("DOE^", "DOE^JANE"),
        ("DOE^*", "DOE"),
    ],
)
def test_names_that_must_be_found(wanted: str, value: str) -> None:
    assert matches_name(wanted, value)
    assert oracle.name(wanted, value)


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        ("Yamada^Tarou=山田^次郎", "Yamada^Tarou=山田^太郎"),
        ("DOE^JOHN", "DOE^JANE"),
        ("DO", "DOE^JANE"),
        ("JANE", "DOE^JANE"),
        ("DOE", ""),
        ("D?E", "DE"),
    ],
)
def test_names_that_must_not_be_found(wanted: str, value: str) -> None:
    assert not matches_name(wanted, value)
    assert not oracle.name(wanted, value)


@given(DATES, DATES, DATES)
def test_ranges_match_as_the_oracle_says(low: str, high: str, value: str) -> None:
    assert matches_range(low, high, value) == oracle.between((low, high), value)


@given(st.lists(st.sampled_from(["1.2", "1.3", "1.2.3"]), max_size=3), st.sampled_from(["1.2", "1.4"]))
def test_lists_of_uids(wanted: list[str], value: str) -> None:
    assert matches_uids(wanted, value) == (wanted == [] or value in wanted)


@given(DATES, DATES)
def test_a_written_range_is_split_into_its_ends(low: str, high: str) -> None:
    low, high = low.replace("-", ""), high.replace("-", "")
    assert split_range(f" {low}-{high} ") == (low, high)
    assert split_range(low) == (low, low)


@given(st.text(max_size=12))
def test_folding_is_done_once_for_all(name: str) -> None:
    once = folded_name(name)
    assert folded_name(once) == once
    assert folded_name(name.upper()) == folded_name(name.upper().lower().upper())
