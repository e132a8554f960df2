"""HL7 v2 delimiters and escape sequences (HL7 v2.5.1 §2.5.4 and §2.7), read leniently, written strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pacs_core.hl7.charsets import UTF8, bytes_to_text

_FORMATTING = re.compile(r"\.(br|sp|in|ti|sk|fi|nf|ce)\s*([+-]?\d*)$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)$")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Separators:
    """The delimiters a message declares in MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def encoding_characters(self) -> str:
        """MSH-2 as it is written."""
        return self.component + self.repetition + self.escape + self.subcomponent


STANDARD = Separators()


def unescape(text: str, separators: Separators = STANDARD, character_set: str = UTF8) -> str:
    """Turn escape sequences into what they stand for; ``\\.br\\`` becomes a line feed.

    What is no escape sequence (a lone backslash in a path or a name) is left as it was written.
    """
    mark = separators.escape
    if not mark or mark not in text:
        return text
    pieces = text.split(mark)
    out = [pieces[0]]
    index = 1
    while index < len(pieces):
        meaning = _meaning(pieces[index], separators, character_set) if index + 1 < len(pieces) else None
        if meaning is None:
            out.append(mark + pieces[index])
            index += 1
        else:
            out.append(meaning + pieces[index + 1])
            index += 2
    return "".join(out)


def escape(text: str, separators: Separators = STANDARD) -> str:
    """Write text so that no delimiter, line end or control character of it is taken for structure."""
    mark = separators.escape
    named = {
        separators.escape: "E",
        separators.field: "F",
        separators.component: "S",
        separators.repetition: "R",
        separators.subcomponent: "T",
    }
    text = _LINE_ENDS.sub("\n", text)
    return "".join(_escaped(character, mark, named) for character in text)


def _escaped(character: str, mark: str, named: dict[str, str]) -> str:
    if character in named:
        return f"{mark}{named[character]}{mark}"
    if character == "\n":
        return f"{mark}.br{mark}"
    if _CONTROL.match(character):
        return f"{mark}X{ord(character):02X}{mark}"
    return character


def _meaning(sequence: str, separators: Separators, character_set: str) -> str | None:
    """What one escape sequence stands for; None where it is none."""
    named = {
        "F": separators.field,
        "S": separators.component,
        "T": separators.subcomponent,
        "R": separators.repetition,
        "E": separators.escape,
        "H": "",
        "N": "",
    }
    if sequence in named:
        return named[sequence]
    if match := _FORMATTING.match(sequence):
        return _formatted(match.group(1), match.group(2))
    if match := _HEX.match(sequence):
        return bytes_to_text(bytes.fromhex(match.group(1)), character_set)
    return None


def _formatted(command: str, count: str) -> str:
    """Formatting commands: the ones that end a line do so, skips are spaces, the rest is layout only."""
    if command in ("br", "ce"):
        return "\n"
    if command == "sp":
        return "\n" * min(max(int(count or 1), 1), _MOST_LINES) if count not in ("+", "-") else "\n"
    if command == "sk":
        return " " * min(max(int(count), 1), _MOST_LINES) if count.isdigit() else " "
    return ""
