"""Dictated words the engine was not sure of: where they stand in a field, and what else may have been said.

They keep their places while the field is typed in, and go once somebody changed or settled them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from workstation.reporting.dictation import Utterance

_WORD = re.compile(r"\S+")
LEAVE_OUT = ""
"""The alternative in which the word was not said at all."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A span of a field's shown text, and the other things that may have been said there, likeliest first."""

    start: int
    end: int
    text: str
    others: tuple[str, ...] = ()


class Doubts:
    """The doubtful words of one report, by field."""

    def __init__(self) -> None:
        self._fields: dict[str, tuple[str, tuple[Doubt, ...]]] = {}

    def heard(self, field_id: str, before: str, after: str, utterance: Utterance) -> None:
        """An utterance turned a field's shown text from `before` to `after`."""
        kept = moved(self.of(field_id, before), before, after)
        start, tail = _changed(before, after)
        end = len(after) - tail
        fresh = placed(utterance, after, start, max(start, end))
        self._fields[field_id] = (after, tuple(sorted({*kept, *fresh}, key=lambda one: one.start)))

    def of(self, field_id: str, text: str) -> tuple[Doubt, ...]:
        """The doubts of a field whose shown text is `text` now."""
        before, known = self._fields.get(field_id, ("", ()))
        if known and before != text:
            known = moved(known, before, text)
        self._fields[field_id] = (text, known)
        return known

    def settle(self, field_id: str, doubt: Doubt) -> None:
        """Somebody looked at it: it is right as it stands."""
        text, known = self._fields.get(field_id, ("", ()))
        self._fields[field_id] = (text, tuple(one for one in known if one != doubt))

    def clear(self) -> None:
        """Another report."""
        self._fields.clear()


def moved(doubts: Sequence[Doubt], before: str, after: str) -> tuple[Doubt, ...]:
    """Doubts at their places in changed text; those that the change touched are gone."""
    head, tail = _changed(before, after)
    shift = len(after) - len(before)
    kept = [one for one in doubts if one.end <= head]
    behind = [one for one in doubts if one.end > head and one.start >= len(before) - tail]
    kept += [replace(one, start=one.start + shift, end=one.end + shift) for one in behind]
    return tuple(one for one in kept if after[one.start : one.end] == one.text)


def placed(utterance: Utterance, text: str, start: int, end: int) -> tuple[Doubt, ...]:
    """The unsure words of an utterance that was written as `text[start:end]`, and their alternatives.

    Spoken punctuation and units are written otherwise than they are said: what was unsure there is marked
    as it is written.
    """
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    written = [match.span() for match in _WORD.finditer(text, start, end)]
    spans = _aligned(
        [_bare(word.text) for word in utterance.words], [_bare(text[a:b]) for a, b in written], written
    )
    found: dict[tuple[int, int], Doubt] = {}
    for number, word in enumerate(utterance.words):
        if word in utterance.unsure and (span := spans.get(number)) is not None:
            a, b = _trimmed(text, *span)
            said = tuple(_like(other, text[a:b]) for other in _others(utterance, number))
            found.setdefault((a, b), Doubt(a, b, text[a:b], tuple(o for o in said if o != text[a:b])))
    return tuple(one for one in found.values() if one.text)


def _aligned(said: list[str], there: list[str], spans: list[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """The span of each word that was said; a stretch that was written otherwise is one span."""
    answer: dict[int, tuple[int, int]] = {}
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, said, there, autojunk=False).get_opcodes():
        if j1 == j2:
            continue
        one_to_one = kind == "equal" or i2 - i1 == j2 - j1
        for i in range(i1, i2):
            answer[i] = spans[j1 + i - i1] if one_to_one else (spans[j1][0], spans[j2 - 1][1])
    return answer


def _others(utterance: Utterance, number: int) -> tuple[str, ...]:
    """What the engine's other readings have in place of one word."""
    said = [_bare(word.text) for word in utterance.words]
    answers: list[str] = []
    for reading in utterance.alternatives:
        words = reading.split()
        for _kind, i1, i2, j1, j2 in SequenceMatcher(
            None, said, [_bare(w) for w in words], autojunk=False
        ).get_opcodes():
            if not i1 <= number < i2:
                continue
            if i2 - i1 == j2 - j1:
                answers.append(words[j1 + number - i1].strip(".,;:?!"))
            elif i2 - i1 == 1:
                answers.append(" ".join(words[j1:j2]).strip(".,;:?!"))
    return tuple(dict.fromkeys(a for a in answers if _bare(a) != said[number]))


def _like(other: str, text: str) -> str:
    """An alternative with a capital where the word it stands for has one, as it begins a sentence."""
    if other and text[:1].isupper() and not text.isupper():
        return other[0].upper() + other[1:]
    return other


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without the marks around it."""
    while start < end and text[start] in ".,;:?!()":
        start += 1
    while end > start and text[end - 1] in ".,;:?!()":
        end -= 1
    return start, end


def _bare(word: str) -> str:
    return word.strip(".,;:?!()").casefold()


def _changed(before: str, after: str) -> tuple[int, int]:
    """How many characters at the beginning and at the end are the same."""
    most = min(len(before), len(after))
    head = next((n for n in range(most) if before[n] != after[n]), most)
    tail = 0
    while tail < most - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return head, tail
