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


_NEGATORS = re.compile(
    r"\b(?:no|not|without|never|negative for|absence of|free of|denies|excludes?|neither|nor)\b",
    re.IGNORECASE,
)
_TURNS = re.compile(r"[.!?;\n]|\b(?:but|however|except|although|yet|apart from|other than)\b", re.IGNORECASE)
_DENIED_AFTER = re.compile(
    r"^(?:\s+[^\W_]+){0,4}?\s+(?:is|are|was|were|has|have)?\s*(?:been\s+)?"
    r"(?:not|absent|excluded|ruled out|resolved|no longer)\b",
    re.IGNORECASE,
)


def denied(text: str, start: int, end: int) -> bool:
    """Whether what stands there is denied: *no*, *without* … before it in its clause, *is absent* behind."""
    clause_start = max((m.end() for m in _TURNS.finditer(text, 0, start)), default=0)
    if _NEGATORS.search(text, clause_start, start):
        return True
    turn = _TURNS.search(text, end)
    return _DENIED_AFTER.search(text[end : turn.start() if turn else len(text)]) is not None


_SIDES = {
    "left": "left",
    "right": "right",
    "bilateral": "bilateral",
    "bilaterally": "bilateral",
    "both": "bilateral",
}
_SIDE = re.compile(r"\b(left|right|bilateral(?:ly)?|both)\b", re.IGNORECASE)


def side_before(text: str, start: int) -> str:
    """The side said within four words before that place, in the same clause; empty where none is."""
    clause_start = max((m.end() for m in re.finditer(r"[.!?;:,\n]", text[:start])), default=0)
    said = list(_SIDE.finditer(text, clause_start, start))
    if not said or len(_WORD.findall(text[said[-1].end() : start])) > 4:
        return ""
    return _SIDES[said[-1].group(1).lower()]


def sides_in(text: str) -> list[tuple[int, int, str]]:
    """Every side word in a text: start, end, and left, right or bilateral."""
    return [(m.start(), m.end(), _SIDES[m.group(1).lower()]) for m in _SIDE.finditer(text)]
