"""The report being written, as a value: a change makes a new one, and nothing is ever edited in place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from workstation.reporting.placeholders import PLACEHOLDER, MeasurementQuote
from workstation.reporting.template_model import FieldKind, Template, TemplateField

LONGEST_FIELD = 200_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next words go: a field, and offsets into its raw text; they replace what lies between."""

    field_id: str
    caret: int = 0
    anchor: int = 0

    @property
    def start(self) -> int:
        return min(self.caret, self.anchor)

    @property
    def end(self) -> int:
        return max(self.caret, self.anchor)


@dataclass(frozen=True, slots=True)
class Draft:
    """A report on its way. `values` is raw text by field, with ``{m1}`` for quoted measurements.

    `untouched` names the fields that still hold the template's own text or an order's. `next_quote` counts
    on, so that a name is never given twice. `frozen` is true once signed: every change then raises Conflict.
    """

    template: Template
    values: Mapping[str, str]
    cursor: Cursor
    quotes: Mapping[str, MeasurementQuote] = field(default_factory=dict)
    untouched: frozenset[str] = frozenset()
    study_uid: str = ""
    next_quote: int = 1
    frozen: bool = False

    @property
    def fields(self) -> tuple[TemplateField, ...]:
        """Every field in reading order."""
        return self.template.fields

    def field(self, field_id: str) -> TemplateField:
        """The field of that identifier; raises KeyError where the template has none."""
        for item in self.fields:
            if item.identifier == field_id:
                return item
        raise KeyError(field_id)

    @property
    def text(self) -> str:
        """The raw text under the cursor."""
        return self.values[self.cursor.field_id]


@dataclass(frozen=True, slots=True)
class Span:
    """A quoted measurement in shown text (`start`, `end`), and its placeholder in the raw text."""

    start: int
    end: int
    raw_start: int
    raw_end: int
    name: str
    tracking_uid: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A field as the reader sees it: measurements in words, and how offsets translate."""

    text: str
    spans: tuple[Span, ...]

    def to_raw(self, offset: int) -> int:
        """The raw offset of a place in the shown text; inside a measurement, that behind it."""
        shift = 0
        for span in self.spans:
            if offset <= span.start:
                break
            if offset < span.end:
                return span.raw_end
            shift = span.raw_end - span.end
        return offset + shift

    def to_shown(self, offset: int) -> int:
        """The shown offset of a place in the raw text; inside a placeholder, that behind the measurement."""
        shift = 0
        for span in self.spans:
            if offset <= span.raw_start:
                break
            if offset < span.raw_end:
                return span.end
            shift = span.end - span.raw_end
        return offset + shift


def show(raw: str, quotes: Mapping[str, MeasurementQuote]) -> Shown:
    """Raw text with its measurements in words; a name that nothing stands behind stays as it was typed."""
    pieces, spans, length, at = [], [], 0, 0
    for match in PLACEHOLDER.finditer(raw):
        quote = quotes.get(match.group(1))
        if quote is None:
            continue
        before = raw[at : match.start()]
        length += len(before)
        spans.append(
            Span(
                length,
                length + len(quote.text),
                match.start(),
                match.end(),
                match.group(1),
                quote.tracking_uid,
            )
        )
        pieces += [before, quote.text]
        length, at = length + len(quote.text), match.end()
    return Shown("".join([*pieces, raw[at:]]), tuple(spans))


def shown(draft: Draft, field_id: str) -> Shown:
    """A field as the reader sees it."""
    return show(draft.values[field_id], {} if draft.frozen else draft.quotes)


_LINE_ENDS = re.compile(r"\r\n?|\x85|\u2028|\u2029|\x0b|\x0c")


def clean(text: str, kind: FieldKind = FieldKind.TEXTAREA) -> str:
    """Text as a report may hold it: NFC, line ends as ``\\n``, no other control characters.

    Everything a person can type stays, ``|^~\\&`` included: escaping is the business of who sends it.
    Control characters go because they frame messages (MLLP's VT and FS) and cannot be seen. One-line
    fields get blanks for line ends.
    """
    lines = _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", text))
    if kind is not FieldKind.TEXTAREA:
        lines = lines.replace("\n", " ")
    kept = "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    return kept[:LONGEST_FIELD]
