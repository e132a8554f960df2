"""Media types and the Accept header, as lenient as DICOMweb clients need (RFC 9110 12.5.1; PS3.18 8.7).

``type=application/dicom`` without its quotes, and a ``transfer-syntax`` inside the quotes of ``type``, are
both seen in the field and understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pacs_core.domain.errors import InvalidValue

MULTIPART = "multipart/related"
MAX_LENGTH = 8192

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_RANGE = re.compile(rf"\s*({_TOKEN})/({_TOKEN})\s*")
# unquoted values run to the next ; or , so that `type=application/dicom` can be read
_PARAMETER = re.compile(rf'\s*;\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^";,\s]*))\s*')
_EMPTY_PARAMETER = re.compile(r"\s*;\s*(?=[;,]|$)")


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type or range: ``full`` in lower case, its parameters (names in lower case), its weight q."""

    full: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    q: float = 1.0

    @property
    def related(self) -> str:
        """The media type of the parts of a multipart/related (its ``type``), empty where it says none."""
        return self.parameters.get("type", "").split(";")[0].strip().lower()

    @property
    def transfer_syntax(self) -> str:
        """The transfer syntax asked for: a UID, ``*`` or empty."""
        outside = self.parameters.get("transfer-syntax", "")
        return outside.strip() or _inside(self.parameters.get("type", ""))


def _inside(quoted: str) -> str:
    found = re.search(r";\s*transfer-syntax\s*=\s*([^;\s]+)", quoted, re.IGNORECASE)
    return found.group(1) if found else ""


def parse_media_type(text: str, where: str = "Content-Type") -> MediaType:
    """Read one media type with its parameters; raises InvalidValue naming the header."""
    types = parse_accept(text, where)
    if len(types) != 1:
        raise InvalidValue(f"{where}: {text[:80]!r} is not one media type", where)
    return types[0]


def parse_accept(text: str, where: str = "Accept") -> tuple[MediaType, ...]:
    """Read a list of media ranges, the heaviest first (in order where equal); an empty text is ``*/*``."""
    if not text.strip():
        return (MediaType("*/*"),)
    if len(text) > MAX_LENGTH:
        raise InvalidValue(f"{where} is longer than {MAX_LENGTH} characters", where)
    ranges: list[MediaType] = []
    position = 0
    while position < len(text):
        one, position = _one(text, position, where)
        ranges.append(one)
        position = _after_comma(text, position, where)
    return tuple(sorted(ranges, key=lambda r: -r.q))


def _after_comma(text: str, position: int, where: str) -> int:
    rest = re.compile(r"[\s,]*").match(text, position)
    end = rest.end() if rest else position
    if end < len(text) and "," not in text[position:end]:
        raise InvalidValue(f"{where}: {text[position : position + 40]!r} was not understood", where)
    return end


def _one(text: str, position: int, where: str) -> tuple[MediaType, int]:
    found = _RANGE.match(text, position)
    if not found:
        raise InvalidValue(f"{where}: {text[position : position + 40]!r} is no media type", where)
    parameters: dict[str, str] = {}
    position = found.end()
    while True:
        empty = _EMPTY_PARAMETER.match(text, position)
        if empty:
            position = empty.end()
            continue
        parameter = _PARAMETER.match(text, position)
        if not parameter:
            break
        name, quoted, plain = parameter.groups()
        parameters[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
        position = parameter.end()
    q = _weight(parameters.pop("q", "1"), where)
    return MediaType(f"{found.group(1)}/{found.group(2)}".lower(), parameters, q), position


def _weight(text: str, where: str) -> float:
    if not re.fullmatch(r"[01](\.[0-9]{0,3})?", text):
        raise InvalidValue(f"{where}: q={text[:10]} is no weight from 0 to 1", where)
    return min(1.0, float(text))
