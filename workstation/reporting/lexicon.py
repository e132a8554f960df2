"""Words that reports are made of: where the sound leaves it open, the reading with more of them wins."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from workstation.reporting.shipped import code_list

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_PLAIN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
NEGATIONS = frozenset("no not without never none negative absent nor neither".split())


class Lexicon:
    """The shipped list with what else is expected just now (the template's terms)."""

    def __init__(self, expected: Iterable[str] = ()) -> None:
        shipped = (word for words in code_list("radiology_lexicon").values() for word in words)
        self._words = {part.lower() for term in (*shipped, *expected) for part in _WORD.findall(term)}

    def known(self, text: str) -> int:
        """How many words of a text are in the list, in the singular or plural."""
        words = [word.lower() for word in _WORD.findall(text)]
        return sum(word in self._words or word.removesuffix("s") in self._words for word in words)


def plain_words(text: str) -> list[str]:
    """A text's words in small letters, without marks."""
    return [word.lower() for word in _PLAIN.findall(text)]


def denies(word: str) -> bool:
    """Whether a plain word denies: *no*, *without*, *isn't* …"""
    return word in NEGATIONS or word.endswith(("n't", "n’t"))


def disputed_negations(words: Sequence[str], others: Iterable[str]) -> set[int]:
    """Places in `words` where another reading denies what this one asserts, or the other way round.

    A *no* that was misheard turns a finding into its opposite and reads as smoothly as before, so the places
    are shown as unsure however sure the engine is: the denial itself where the other reading has none, the
    word behind it where this one has none.
    """
    ours = [" ".join(plain_words(word)) for word in words]
    places: set[int] = set()
    for other in others:
        theirs = plain_words(other)
        matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
        for kind, start, end, other_start, other_end in matcher.get_opcodes():
            if kind == "equal":
                continue
            here = [place for place in range(start, end) if denies(ours[place])]
            there = [word for word in theirs[other_start:other_end] if denies(word)]
            if len(here) != len(there):
                places.update(here or {min(end if kind == "insert" else start, len(words) - 1)})
    return places
