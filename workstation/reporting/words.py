"""Finding words and phrases in a text, whole and whatever their case."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    """A phrase as whole words, with any blanks, hyphens or slashes between them."""
    words = [re.escape(word) for word in _WORD.findall(phrase)]
    return re.compile(r"(?<![^\W_])" + r"[\s\-/]+".join(words) + r"(?![^\W_])", re.IGNORECASE)


def phrases_in(text: str, phrases: Iterable[str]) -> tuple[str, ...]:
    """Those of the phrases that stand in the text as whole words."""
    return tuple(phrase for phrase in phrases if _pattern(phrase).search(text))


def places_of(text: str, phrases: Iterable[str]) -> list[tuple[int, int, str]]:
    """Every place (start, end, phrase) of the phrases in the text, in reading order."""
    found = [(m.start(), m.end(), phrase) for phrase in phrases for m in _pattern(phrase).finditer(text)]
    return sorted(found)
