"""Reading values from a data set's header: by the compiled scan, by its Python twin, or by pydicom for the
rest.

A `Header` gives decoded values by tag. Values that cannot be read are left out and named in `warnings`.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pacs_core.dicom import charset, scan_fallback
from pacs_core.dicom.dictionary import SIGNED_BY_PIXELS, VR, name_of
from pacs_core.dicom.scan_fallback import Buffer, Element, FileBytes, Picked, Pixels

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

try:
    from pacs_core.dicom import _scan
except ImportError:  # not compiled here: the Python twin serves
    _scan = None  # type: ignore[assignment]  # a missing module has no other type

ENGINE = "compiled" if _scan else "python"
Surprise: tuple[type[ValueError], ...] = (scan_fallback.Surprise, *((_scan.Surprise,) if _scan else ()))

native_file: Any = getattr(_scan, "file", None)
"""The compiled way from a file's name to its values; None where it is not there."""

CHARACTER_SET = 0x00080005
PIXEL_REPRESENTATION = 0x00280103
NUMBER_FORMATS = {
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d",
    "OW": "H", "OB": "B", "OF": "f", "OD": "d", "OL": "I", "OV": "Q",
}  # fmt: skip
TEXT = frozenset({"ST", "LT", "UT", "UR"})
CHARACTER_SET_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})


REMEMBERED = 256
"""Values up to so many bytes are decoded once and remembered: the images of a series repeat most of them."""


@lru_cache(maxsize=8192)
def _text(raw: bytes, vr: str, character_set: str) -> tuple[str, bool]:
    """A value decoded to NFC without padding, and whether every byte was legal."""
    if vr not in CHARACTER_SET_VRS:
        return raw.decode("latin_1").strip(" \0"), True
    delimiters = charset.NAME_DELIMITERS if vr == "PN" else b"" if vr in TEXT else charset.VALUE_DELIMITERS
    value, exact = charset.decode(raw, character_set, delimiters)
    return value.rstrip(" \0") if vr in TEXT else value.strip(" \0"), exact


@lru_cache(maxsize=8192)
def _decimals(raw: bytes) -> tuple[tuple[float, ...], str]:
    """The numbers of a decimal or integer string, none where one is no number, and that one."""
    out: list[float] = []
    for part in raw.decode("latin_1").strip(" \0").split("\\"):
        bare = part.strip(" \0")
        if not bare:
            continue
        try:
            out.append(float(bare))
        except ValueError:
            return (), bare
    return tuple(out), ""


def scan(data: Buffer, start: int, end: int, implicit: bool) -> tuple[dict[int, Element], Pixels | None]:
    """Scan by the compiled module where it is there and the bytes are in memory; raises one of `Surprise`."""
    if _scan is None or isinstance(data, FileBytes):
        return scan_fallback.scan(data, start, end, implicit)
    return _scan.scan(data, start, end, implicit)


def _items(data: Buffer, start: int, end: int, implicit: bool) -> list[tuple[int, int]]:
    if _scan is None or isinstance(data, FileBytes):
        return scan_fallback.items(data, start, end, implicit)
    return _scan.items(data, start, end, implicit)


def pick(data: Buffer, start: int, end: int, implicit: bool, tags: tuple[int, ...]) -> list[Picked]:
    """The values of these ascending top-level tags, of pixel data its place; raises one of `Surprise`."""
    if _scan is None or isinstance(data, FileBytes):
        return scan_fallback.pick(data, start, end, implicit, tags)
    return _scan.pick(data, start, end, implicit, tags)


def differing(
    data: Buffer, elements: dict[int, Element], before: bytes, those: dict[int, Element]
) -> list[int] | None:
    """Tags whose values differ between two data sets of the same elements; None where the elements differ."""
    if _scan is None or isinstance(data, FileBytes):
        return scan_fallback.differing(data, elements, before, those)
    return _scan.differing(data, elements, before, those)


class Header(ABC):
    """Values of one data set or sequence item by tag, decoded; empty where absent."""

    def __init__(self, declared: str, warnings: list[str]) -> None:
        self.character_set = declared
        self.warnings = warnings
        own = self._raw_text(CHARACTER_SET)
        if own is not None:
            self.character_set = own
            if not charset.is_known(own):
                self.warn(CHARACTER_SET, f"{own!r} is no defined character set")

    @abstractmethod
    def __contains__(self, tag: int) -> bool: ...

    @abstractmethod
    def tags(self) -> Iterable[int]:
        """The tags at this level, in their order."""

    @abstractmethod
    def raw(self, tag: int) -> bytes | None:
        """The value's bytes, little endian; None where the element is absent."""

    @abstractmethod
    def vr(self, tag: int) -> str:
        """The value representation, from the element or the dictionary."""

    @abstractmethod
    def items(self, tag: int) -> Sequence[Header]:
        """The items of a sequence; none where it is absent or cannot be followed."""

    def place(self, tag: int) -> tuple[int, int] | None:
        """Offset and length of the value in the bytes that were scanned; None where unknown."""
        return None

    def warn(self, tag: int, what: str) -> None:
        """Record something tolerated, once."""
        sentence = f"{name_of(tag)}: {what}"
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def text(self, tag: int) -> str:
        """The whole value decoded to NFC, without padding."""
        raw = self.raw(tag)
        if not raw:
            return ""
        decoded = _text if len(raw) <= REMEMBERED else _text.__wrapped__
        value, exact = decoded(raw, self.vr(tag), self.character_set)
        if not exact:
            self.warn(tag, f"bytes that {self.character_set or 'the default character set'} does not hold")
        return value

    def texts(self, tag: int) -> list[str]:
        """The values of a multi-valued text, each without padding."""
        value = self.text(tag)
        return [part.strip(" \0") for part in value.split("\\")] if value else []

    def integers(self, tag: int) -> list[int]:
        """The whole numbers of a value (binary, IS, or DS where whole)."""
        return [int(n) for n in self.numbers(tag)]

    def integer(self, tag: int) -> int | None:
        """The first whole number, or None."""
        found = self.integers(tag)
        return found[0] if found else None

    def number(self, tag: int) -> float | None:
        """The first number, or None."""
        found = self.numbers(tag)
        return found[0] if found else None

    def numbers(self, tag: int) -> list[float]:
        """The numbers of a value; none (and a warning) where one of them is no number."""
        raw = self.raw(tag)
        if not raw:
            return []
        code = self._number_format(tag)
        if code is None:
            return self._decimal(tag, raw)
        count, rest = divmod(len(raw), struct.calcsize(code))
        if rest:
            self.warn(tag, f"{len(raw)} bytes are no whole number of values")
        return list(struct.unpack_from(f"<{count}{code}", raw))

    def _number_format(self, tag: int) -> str | None:
        vr = self.vr(tag)
        if vr == "UN":
            vr = VR.get(tag, "UN")
        if vr == "US" and tag in SIGNED_BY_PIXELS and not self._says_vr(tag) and self._signed_pixels():
            vr = "SS"
        return NUMBER_FORMATS.get(vr)

    def _says_vr(self, tag: int) -> bool:
        return True

    def _signed_pixels(self) -> bool:
        raw = self.raw(PIXEL_REPRESENTATION)
        return bool(raw) and raw != b"\0\0"

    def _decimal(self, tag: int, raw: bytes) -> list[float]:
        read = _decimals if len(raw) <= REMEMBERED else _decimals.__wrapped__
        numbers, wrong = read(raw)
        if wrong:
            self.warn(tag, f"{wrong[:40]!r} is no number")
        return list(numbers)

    def _raw_text(self, tag: int) -> str | None:
        raw = self.raw(tag)
        return None if raw is None else raw.decode("latin_1").strip(" \0")


class ScannedHeader(Header):
    """A header whose values lie in the scanned bytes."""

    def __init__(
        self,
        data: Buffer,
        elements: dict[int, Element],
        implicit: bool,
        declared: str = "",
        warnings: list[str] | None = None,
    ) -> None:
        self.data = data
        self.elements = elements
        self.implicit = implicit
        super().__init__(declared, [] if warnings is None else warnings)

    def raw(self, tag: int) -> bytes | None:
        """The value's bytes, little endian; None where the element is absent."""
        place = self.elements.get(tag)
        return None if place is None else bytes(self.data[place[1] : place[1] + place[2]])

    def __contains__(self, tag: int) -> bool:
        return tag in self.elements

    def tags(self) -> Iterable[int]:
        """The tags at this level, in their order."""
        return self.elements

    def vr(self, tag: int) -> str:
        """The value representation, from the element or the dictionary."""
        place = self.elements.get(tag)
        said = place[0] if place else ""
        return said if said and said != "UN" else VR.get(tag, "UN")

    def place(self, tag: int) -> tuple[int, int] | None:
        """Offset and length of the value in the bytes that were scanned; None where absent."""
        place = self.elements.get(tag)
        return place[1:] if place else None

    def items(self, tag: int) -> Sequence[Header]:
        """The items of a sequence; none where it is absent or cannot be followed."""
        place = self.elements.get(tag)
        if place is None or not place[2]:
            return ()
        vr, offset, length = place
        implicit = self.implicit or vr == "UN"
        try:
            spans = _items(self.data, offset, offset + length, implicit)
            return [self._item(start, start + count, implicit) for start, count in spans]
        except Surprise as found:
            self.warn(tag, f"the sequence cannot be followed ({describe(found)})")
            return ()

    def _item(self, start: int, end: int, implicit: bool) -> ScannedHeader:
        elements, pixels = scan(self.data, start, end, implicit)
        if pixels:  # an icon's: an element like any other
            elements[pixels[0]] = pixels[1:4]
        return ScannedHeader(self.data, elements, implicit, self.character_set, self.warnings)

    def _says_vr(self, tag: int) -> bool:
        return not self.implicit


class ParsedHeader(Header):
    """A header read by pydicom: big endian, and what the scan cannot follow."""

    def __init__(self, data_set: Dataset, declared: str = "", warnings: list[str] | None = None) -> None:
        self.data_set = data_set
        super().__init__(declared, [] if warnings is None else warnings)

    def raw(self, tag: int) -> bytes | None:
        """The value's bytes turned to little endian; None where the element is absent."""
        if tag not in self.data_set:
            return None
        element: Any = self.data_set.get_item(tag)
        value = element.value
        if value is None:
            return b""
        if not isinstance(value, bytes):
            return str(value).encode("utf-8")
        if getattr(element, "is_little_endian", True):
            return value
        return _swapped(value, NUMBER_FORMATS.get(self.vr(tag), ""))

    def __contains__(self, tag: int) -> bool:
        return tag in self.data_set

    def tags(self) -> Iterable[int]:
        """The tags at this level, in their order."""
        return [int(tag) for tag in list(self.data_set.keys())]

    def vr(self, tag: int) -> str:
        """The value representation, from the element or the dictionary."""
        said: Any = self.data_set.get_item(tag).VR if tag in self.data_set else None
        return VR.get(tag, "UN") if said in (None, "UN") else str(said)

    def items(self, tag: int) -> Sequence[Header]:
        """The items of a sequence; none where it is absent or cannot be followed."""
        if tag not in self.data_set:
            return ()
        try:
            value = self.data_set[tag].value
            return [ParsedHeader(item, self.character_set, self.warnings) for item in value or ()]
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            EOFError,
            OSError,
            NotImplementedError,
        ) as found:
            self.warn(tag, f"the sequence cannot be read ({found})")
            return ()


def _swapped(value: bytes, code: str) -> bytes:
    size = struct.calcsize(code) if code else 1
    if size == 1:
        return value
    return b"".join(value[i : i + size][::-1] for i in range(0, len(value), size))


def describe(found: ValueError) -> str:
    """Say in words what surprised the scan."""
    kind, tag, offset, needed = found.args
    where = f"{name_of(tag) if tag else 'the next element'} at byte {offset}"
    return {
        "truncated": f"{where} says {needed} bytes, which reach beyond the end",
        "window": f"{where} lies outside what was read",
        "vr": f"{where} has no known value representation",
        "depth": f"{where} is nested too deeply",
        "delimiter": f"{where} is a delimiter out of place",
        "item": f"{where} holds something that is no item",
        "undefined": f"{where} has no length",
    }[kind]
