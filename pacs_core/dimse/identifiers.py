"""Identifiers of queries: the keys that were asked, and answers that hold those and no others (PS3.4
C.2.2, C.4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pacs_core.dicom import charset
from pacs_core.dicom.civil import civil_date, civil_time
from pacs_core.dicom.dictionary import TAG, name_of
from pacs_core.dicom.encoding import element, item
from pacs_core.dicom.headers import CHARACTER_SET, CHARACTER_SET_VRS, NUMBER_FORMATS, Header
from pacs_core.dicom.json import dictionary_vr
from pacs_core.dicom.sources import read_data_set
from pacs_core.dicom.transfer_syntaxes import is_implicit
from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.matching import split_range

Value = str | int | float | Sequence["Value"] | None
Item = Mapping[int, object]
LEVEL = TAG["QueryRetrieveLevel"]
TIMEZONE = TAG["TimezoneOffsetFromUTC"]
NOT_KEYS = frozenset({CHARACTER_SET, LEVEL, TIMEZONE})


class Keys:
    """What an identifier asks: values to match and attributes to return, by tag."""

    def __init__(self, header: Header) -> None:
        self.header = header

    def tags(self) -> list[int]:
        """The requested attributes, without those that only say how to read the others."""
        return [tag for tag in self.header.tags() if tag not in NOT_KEYS and tag & 0xFFFF]

    def text(self, tag: int) -> str:
        """A value to match; "" where none is given (universal matching, also for a lone ``*``)."""
        value = self.header.text(tag)
        return "" if value and not value.strip("*") else value

    def texts(self, tag: int) -> tuple[str, ...]:
        """A list of values to match (list of UID matching)."""
        return tuple(part for part in self.header.texts(tag) if part and part.strip("*"))

    def dates(self, tag: int) -> tuple[str, str]:
        """A date or range of dates as civil bounds; raises InvalidValue naming the key."""
        low, high = split_range(self.text(tag))
        return self._civil(tag, low, civil_date), self._civil(tag, high, civil_date)

    def times(self, tag: int) -> tuple[str, str]:
        """A time or range of times as civil bounds; the upper one holds to the end of its precision."""
        low, high = split_range(self.text(tag))
        upper = self._civil(tag, high, civil_time)
        bare = high.replace(":", "").partition(".")[0]
        if upper and "." not in high:
            upper = (
                upper[: {2: 2, 4: 5}.get(len(bare), 8)]
                + {2: ":59:59", 4: ":59"}.get(len(bare), "")
                + ".999999"
            )
        return self._civil(tag, low, civil_time), upper

    def _civil(self, tag: int, text: str, read: Callable[[str], str | None]) -> str:
        found = read(text)
        if found is None:
            raise InvalidValue(f"{name_of(tag)}: {text[:32]!r} is no date or time", name_of(tag))
        return found

    def item(self, tag: int) -> Keys | None:
        """The keys of a sequence's item; None where it has none or an empty one (every attribute is
        wanted)."""
        for found in self.header.items(tag):
            keys = Keys(found)
            if keys.tags():
                return keys
        return None


def read_keys(data: bytes, transfer_syntax_uid: str) -> Keys:
    """The keys of an identifier; raises Damaged where it cannot be read."""
    return Keys(read_data_set(data, 0, transfer_syntax_uid).header)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's values by tag: text, numbers, lists of them, or lists of items for sequences."""

    values: Mapping[int, object]
    always: Mapping[int, object] = field(default_factory=dict)


def encode_answer(keys: Keys, answer: Answer, transfer_syntax_uid: str, preferred: str = "") -> bytes:
    """The requested attributes with what is known of them, the others empty, in a set that can express them.

    `preferred` is the character set of the request; ISO_IR 192 is used where it does not hold the answer.
    """
    chosen = project(keys, answer.values) | dict(answer.always)
    declared = charset.best_character_set(list(texts_in(chosen)), preferred)
    if declared:
        chosen[CHARACTER_SET] = declared
    return encode_item(chosen, declared, is_implicit(transfer_syntax_uid))


def project(keys: Keys, values: Item) -> dict[int, object]:
    """The values of the requested attributes; inside a sequence those of its item's keys, or all."""
    chosen: dict[int, object] = {}
    for tag in keys.tags():
        value = values.get(tag)
        if dictionary_vr(tag) == "SQ":
            inner = keys.item(tag)
            items = value if isinstance(value, list) else []
            chosen[tag] = [project(inner, i) if inner else dict(i) for i in items if isinstance(i, Mapping)]
        else:
            chosen[tag] = value
    return chosen


def texts_in(values: Item) -> Iterable[str]:
    """Every text, those inside sequences too."""
    for value in values.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, (list, tuple)):
            for part in value:
                if isinstance(part, Mapping):
                    yield from texts_in(part)
                elif isinstance(part, str):
                    yield part


def encode_item(values: Item, declared: str, implicit: bool) -> bytes:
    """Encode values by tag as a data set."""
    return b"".join(_encode(tag, values[tag], declared, implicit) for tag in sorted(values))


def _encode(tag: int, value: object, declared: str, implicit: bool) -> bytes:
    vr = dictionary_vr(tag)
    if vr == "SQ":
        items = value if isinstance(value, list) else []
        return element(tag, vr, b"".join(item(encode_item(i, declared, implicit)) for i in items), implicit)
    parts = list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]
    if vr in NUMBER_FORMATS:
        return element(tag, vr, _numbers(parts, NUMBER_FORMATS[vr]), implicit)
    text = "\\".join(_plain(part) for part in parts)
    if vr in CHARACTER_SET_VRS:
        delimiters = charset.NAME_DELIMITERS if vr == "PN" else charset.VALUE_DELIMITERS
        return element(tag, vr, charset.encode_text(text, declared, delimiters), implicit)
    return element(tag, "UN" if vr == "AT" else vr, text.encode("ascii", "replace"), implicit)


def _numbers(parts: Sequence[object], code: str) -> bytes:
    import struct

    numbers = [part for part in parts if isinstance(part, (int, float))]
    return struct.pack(f"<{len(numbers)}{code}", *numbers)


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else str(value)
