"""Names and dates as people read and type them."""

from __future__ import annotations

import pytest

from pacs_core.domain.patient import display_name
from pacs_core.domain.times import no_date


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Wang^XiaoDong=王^小东", "王 小东 (Wang, XiaoDong)"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "山田 太郎 (Yamada, Tarou)"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "洪 吉洞 (Hong, Gildong)"),
        ("홍^길동", "홍 길동"),
        ("=山田^太郎", "山田 太郎"),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎", "山田 太郎 (ﾔﾏﾀﾞ ﾀﾛｳ)"),
        ("Doe^Jane^Mary^Dr^MD", "Dr Doe, Jane Mary MD"),
        ("Люкceмбypг^Анна", "Люкceмбypг, Анна"),
        ("قباني^لنزار", "قباني, لنزار"),
        ("Äneas^Rüdiger", "Äneas, Rüdiger"),
        ("Madonna", "Madonna"),
    ],
)
def test_a_comma_follows_the_family_name_of_alphabetic_scripts_alone(name: str, shown: str) -> None:
    assert display_name(name) == shown


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("1980-02-30", "1980-02-30 is no day of the calendar: 1980-02 has the days 1 to 29"),
        ("19810229", "19810229 is no day of the calendar: 1981-02 has the days 1 to 28"),
        ("1980-13-01", "1980-13-01 is no day of the calendar: there is no month 13"),
        ("0000-01-01", "0000-01-01 is no day of the calendar: there is no year 0"),
        ("30.2.1980", "a birth date is written YYYY-MM-DD, as in 1980-02-28"),
        ("yesterday", "a birth date is written YYYY-MM-DD, as in 1980-02-28"),
    ],
)
def test_what_is_no_date_is_told_by_what_is_wrong_with_it(typed: str, why: str) -> None:
    assert no_date(typed, "a birth date") == why
