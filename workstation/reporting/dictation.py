"""Speech as the composer takes it: who can hear, what was heard, and what the engine is told beforehand.

Recognised words are a draft: shown, underlined where unsure, never signed by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pacs_core.domain.errors import ReadingRoomError
from workstation.reporting.draft import Draft, shown
from workstation.reporting.facts import OrderFacts
from workstation.reporting.log_mel import Sound

UNSURE_BELOW = 0.4
"""Words less probable than this are underlined: as measured, a sixth of them, and half of the wrong ones."""


class SpeechUnavailable(ReadingRoomError):
    """Dictation cannot be had just now; the message is meant for the reader, and typing goes on."""


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word with its punctuation, its time in the sound (s) and how sure the engine is (0-1)."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one press of the microphone key gave. `seconds` of sound, `took` seconds of computing."""

    text: str
    words: tuple[Word, ...] = ()
    alternatives: tuple[str, ...] = ()
    seconds: float = 0.0
    took: float = 0.0
    engine: str = ""

    @property
    def unsure(self) -> tuple[Word, ...]:
        """The words that a reader should look at twice."""
        return tuple(word for word in self.words if word.probability < UNSURE_BELOW)


@dataclass(frozen=True, slots=True)
class SpeechContext:
    """What helps to hear right: text that leads up to the words, and terms that may come."""

    prompt: str = ""
    hotwords: tuple[str, ...] = ()


@runtime_checkable
class SpeechSource(Protocol):
    """Anything that turns sound into words. `sound` is mono float32 at 16 kHz, -1…1.

    `transcribe` blocks and may be called from any thread, one call at a time; it raises SpeechUnavailable.
    After `close` the source is done with.
    """

    @property
    def name(self) -> str: ...

    def transcribe(self, sound: Sound, context: SpeechContext) -> Utterance: ...

    def close(self) -> None: ...


def context_for(draft: Draft, facts: OrderFacts | None = None) -> SpeechContext:
    """The report so far as the engine should know it: template text, the field's label, and the words before.

    The nearest text comes last, for that is what a recogniser leans on most.
    """
    facts = facts or OrderFacts()
    cursor = draft.cursor
    item = draft.field(cursor.field_id)
    standing = shown(draft, cursor.field_id)
    before = standing.text[: standing.to_shown(cursor.start)]
    background = [facts.procedure, facts.indication]
    others = [_line(draft, other.identifier, other.label) for other in draft.fields if other != item]
    nearest = [f"{item.label}: {before}" if item.label else before]
    labels = [quote.label for quote in draft.quotes.values() if quote.label]
    prompt = " ".join(_sentences([*background, *others, *nearest]))
    return SpeechContext(prompt, tuple(dict.fromkeys([*draft.template.hotwords, *labels])))


def _line(draft: Draft, field_id: str, label: str) -> str:
    text = shown(draft, field_id).text.strip()
    return f"{label}: {text}" if label and text else text


def _sentences(parts: Iterable[str]) -> list[str]:
    """Each part on one line, ended as a sentence where it stands before others."""
    lines = [" ".join(part.split()) for part in parts]
    return [line if line[-1] in ".:;?!," else f"{line}." for line in lines[:-1] if line] + [lines[-1]]
