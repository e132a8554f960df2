"""A light reader of HL7 v2 messages over the raw segments (HL7 v2.5.1 chapter 2).

Lenient, and lenient means recorded: line ends other than CR, a byte order mark, lines that continue a field
and character set trouble end up in `Message.notes`. What cannot be read at all raises `Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pacs_core.domain.errors import InvalidValue, MissingValue
from pacs_core.domain.field_map import Place
from pacs_core.hl7 import charsets
from pacs_core.hl7.escapes import STANDARD, Separators, unescape

DELETED = '""'
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}$")
_MAX_SEGMENTS = 20_000


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition of a field, still in the sender's letters."""

    raw: str
    separators: Separators
    character_set: str

    def text(self, component: int = 1, subcomponent: int = 1) -> str | None:
        """A component's value: None where empty (leave as it is), ``""`` where the sender deletes it.

        `component` 0 is the whole repetition with its delimiters, `subcomponent` 0 the whole component.
        """
        raw = self.raw
        if component:
            raw = _nth(raw, self.separators.component, component)
            if subcomponent:
                raw = _nth(raw, self.separators.subcomponent, subcomponent)
        if raw.strip() == "":
            return None
        return "" if raw.strip() == DELETED else unescape(raw, self.separators, self.character_set).strip()

    def components(self) -> tuple[str, ...]:
        """Every component's text, deleted and empty ones as empty strings."""
        count = self.raw.count(self.separators.component) + 1 if self.separators.component else 1
        return tuple(self.text(n, 0) or "" for n in range(1, count + 1))

    @property
    def empty(self) -> bool:
        """Nothing is written here (a deletion is not nothing)."""
        return not self.raw.strip()


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; `sequence` is its number among those of its name, as ERR-2 counts."""

    name: str
    fields: tuple[str, ...]
    sequence: int
    separators: Separators
    character_set: str

    def raw(self, number: int) -> str:
        """Field `number` (1 is the first after the name) as it was written, empty where there is none."""
        return self.fields[number] if 0 < number < len(self.fields) else ""

    def repetitions(self, number: int) -> tuple[Repetition, ...]:
        """The non-empty repetitions of a field."""
        raw = self.raw(number)
        if not raw.strip():
            return ()
        parts = raw.split(self.separators.repetition) if self.separators.repetition else [raw]
        every = (Repetition(part, self.separators, self.character_set) for part in parts)
        return tuple(one for one in every if not one.empty)

    def text(self, number: int, component: int = 1, subcomponent: int = 1) -> str | None:
        """The value at a place in the field's first non-empty repetition; None where empty."""
        for repetition in self.repetitions(number)[:1]:
            return repetition.text(component, subcomponent)
        return None


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was read; `notes` says what had to be tolerated."""

    raw: bytes
    segments: tuple[Segment, ...]
    separators: Separators
    character_set: str
    notes: tuple[str, ...] = ()
    undecoded: tuple[str, ...] = field(default=())

    @classmethod
    def parse(cls, raw: bytes, default_character_set: str = charsets.DEFAULT) -> Message:
        """Read a message. Raises InvalidValue or MissingValue whose `where` is an ERR location."""
        charsets.reject_wide(raw)
        header = Header.read(raw)
        decoded = charsets.decode(raw, header.character_sets, default_character_set)
        notes = list(decoded.notes)
        lines = _lines(decoded.text, notes)
        separators = _separators(lines[0])
        segments = _segments(lines, separators, decoded.character_set, notes)
        broken = [f"{s.name}-{n}" for s in segments for n, f in enumerate(s.fields) if "\ufffd" in f]
        undecoded = tuple(broken) if decoded.undecoded else ()
        return cls(raw, segments, separators, decoded.character_set, tuple(notes), undecoded)

    def all(self, name: str) -> tuple[Segment, ...]:
        """Every segment of that name, in order."""
        return tuple(segment for segment in self.segments if segment.name == name)

    def first(self, name: str) -> Segment | None:
        """The first segment of that name."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def text(self, place: str) -> str | None:
        """The first non-empty value at a place like ``PID-3.1`` (component and subcomponent default to 1)."""
        where = Place.parse(place)
        for segment in self.all(where.segment):
            value = segment.text(where.field, where.component or 1, where.subcomponent or 1)
            if value is not None:
                return value
        return None

    @property
    def kind(self) -> tuple[str, str]:
        """MSH-9.1 and MSH-9.2; EVN-1 stands in for a missing event (before 2.3 it was the only place)."""
        code, event = self.text("MSH-9.1") or "", self.text("MSH-9.2") or ""
        if code == "ADT" and not event:
            event = self.text("EVN-1") or ""
        return code.upper(), event.upper()


@dataclass(frozen=True, slots=True)
class Header:
    """The MSH fields that are needed before and without reading the rest, as far as they can be had."""

    separators: Separators = STANDARD
    fields: tuple[str, ...] = ()

    @classmethod
    def read(cls, raw: bytes) -> Header:
        """Read as much of MSH as there is; never fails, so that any rubbish can be answered."""
        head = raw[:8192].lstrip(b"\xef\xbb\xbf\r\n\t ")
        line = re.split(rb"[\r\n]", head, maxsplit=1)[0].decode("latin_1")
        if not line.startswith("MSH") or len(line) < 4 or line[3].isalnum():
            return cls()
        parts = line.split(line[3])
        written = parts[1] if len(parts) > 1 else ""
        return cls(_filled(line[3], written), ("MSH", line[3], *parts[1:]))

    def field(self, number: int) -> str:
        """MSH-`number` as written, one character a byte."""
        return self.fields[number] if number < len(self.fields) else ""

    def component(self, number: int, component: int = 1) -> str:
        """A component of MSH-`number`'s first repetition."""
        first = self.field(number).split(self.separators.repetition)[0]
        return _nth(first, self.separators.component, component).strip()

    @property
    def found(self) -> bool:
        """The message begins with an MSH segment."""
        return bool(self.fields)

    @property
    def character_sets(self) -> tuple[str, ...]:
        """MSH-18's repetitions."""
        return tuple(name.strip() for name in self.field(18).split(self.separators.repetition))


def _nth(text: str, separator: str, number: int) -> str:
    if not separator:
        return text if number == 1 else ""
    parts = text.split(separator, number)
    return parts[number - 1] if number <= len(parts) else ""


def _lines(text: str, notes: list[str]) -> list[str]:
    """The segments' lines; anything but CR between them is noted."""
    text = text.lstrip("\ufeff\r\n\t ")
    if not text.startswith("MSH"):
        raise InvalidValue("the message does not begin with an MSH segment", "MSH")
    if "\n" in text:
        notes.append("line ends other than CR")
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    if len(lines) > _MAX_SEGMENTS:
        raise InvalidValue(f"more than {_MAX_SEGMENTS} segments", "MSH")
    return lines


def _separators(line: str) -> Separators:
    if len(line) < 4 or line[3].isalnum() or line[3].isspace():
        raise MissingValue("no field separator", "MSH^1^1")
    written = line[4:].split(line[3], 1)[0]
    if not written.strip():
        raise MissingValue("no encoding characters", "MSH^1^2")
    separators = _filled(line[3], written.replace("\\\\", "\\"))  # a doubled escape sign is seen in the field
    used = separators.field + separators.encoding_characters
    if len(set(used)) != len(used) or any(c.isalnum() or c.isspace() for c in used):
        raise InvalidValue("delimiters that are not five different signs", "MSH^1^2")
    return separators


def _filled(sign: str, written: str) -> Separators:
    """Separators from MSH-2, the standard's own for what it leaves out."""
    filled = (written + STANDARD.encoding_characters[len(written) :])[:4]
    return Separators(sign, filled[0], filled[1], filled[2], filled[3])


def _segments(
    lines: list[str], separators: Separators, character_set: str, notes: list[str]
) -> tuple[Segment, ...]:
    counts: dict[str, int] = {}
    out: list[Segment] = []
    for line in _joined(lines, separators.field, notes):
        name, *fields = line.split(separators.field)
        counts[name] = counts.get(name, 0) + 1
        if name == "MSH":
            fields.insert(0, separators.field)
        out.append(Segment(name, (name, *fields), counts[name], separators, character_set))
    return tuple(out)


def _joined(lines: list[str], sign: str, notes: list[str]) -> Iterator[str]:
    """Lines that begin no segment continue the field before them."""
    current = lines[0]
    for line in lines[1:]:
        if _SEGMENT.match(line.split(sign, 1)[0].rstrip()):
            yield current
            current = line
        else:
            current += "\n" + line
            if notes[-1:] != ["a line that begins no segment was read as part of the one before"]:
                notes.append("a line that begins no segment was read as part of the one before")
    yield current
