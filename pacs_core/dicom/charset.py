"""Specific Character Set (0008,0005): bytes to Unicode and back, with code extensions (PS3.5 6.1, PS3.3
C.12.1.1.2).

Decoded text is NFC. Reading is lenient and says so: what is not legal in the declared set is read as UTF-8
where that fits, else as Latin-1, and ``decode`` reports it. Writing is strict.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

UTF8 = "ISO_IR 192"
WHOLE = {"ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk"}
"""Sets that are used alone, without code extensions."""

UPPER_HALVES = {
    "100": "latin_1", "101": "iso8859_2", "109": "iso8859_3", "110": "iso8859_4", "144": "iso8859_5",
    "127": "iso8859_6", "126": "iso8859_7", "138": "iso8859_8", "148": "iso8859_9", "203": "iso8859_15",
    "166": "iso8859_11",
}  # fmt: skip
ESCAPES = {
    b"(B": (0, "6"), b"(J": (0, "14"), b"$B": (0, "87"), b"$(B": (0, "87"), b"$(D": (0, "159"),
    b"-A": (1, "100"), b"-B": (1, "101"), b"-C": (1, "109"), b"-D": (1, "110"), b"-L": (1, "144"),
    b"-G": (1, "127"), b"-F": (1, "126"), b"-H": (1, "138"), b"-M": (1, "148"), b"-b": (1, "203"),
    b"-T": (1, "166"), b")I": (1, "13"), b"$)C": (1, "149"), b"$)A": (1, "58"),
}  # fmt: skip
"""Escape sequence (after ESC) to the code element it fills (0 = G0, 1 = G1) and the set (PS3.3 C.12-3,
C.12-4)."""

ESCAPE_OF = {name: (half, code) for code, (half, name) in ESCAPES.items() if code != b"$(B"}
PAIRS = {"87": "euc_jp", "159": "euc_jp", "149": "euc_kr", "58": "gb2312"}
CONTROLS = b"\r\n\x0c\t"
NAME_DELIMITERS = b"\\^="
VALUE_DELIMITERS = b"\\"

_ISO = re.compile(r"^ISO[ _-]*(?:2022[ _-]*)?(?:IR)?[ _-]*0*(\d+)$")
_ALIASES = {"UTF8": UTF8, "UTF-8": UTF8, "GB 18030": "GB18030", "ISO_IR GBK": "GBK", "ISO 2022 GBK": "GBK"}


@lru_cache(maxsize=256)
def parse_character_set(declared: str) -> tuple[str, ...]:
    """Return the sets of a Specific Character Set value by their short names ("6", "100", "87", "ISO_IR
    192" …).

    Misspellings seen in the field (blank, dash or missing underscore) are understood; an unknown term
    counts as the default repertoire.
    """
    names = [_one_set(term.strip().upper()) for term in declared.split("\\")]
    if names and names[0] in WHOLE:
        return (names[0],)
    return tuple(n for i, n in enumerate(names) if i == 0 or n not in WHOLE)


def _one_set(term: str) -> str:
    term = _ALIASES.get(term, term)
    if term in WHOLE:
        return term
    match = _ISO.match(term)
    if not match:
        return "6"
    number = match.group(1)
    if number == "192":
        return UTF8
    return number if number in UPPER_HALVES or number in ESCAPE_OF or number == "13" else "6"


def is_known(declared: str) -> bool:
    """Say whether every term of the value is a defined term, misspelt or not."""
    for term in declared.split("\\"):
        bare = term.strip().upper()
        number = _ISO.match(bare)
        if bare and _one_set(bare) == "6" and not (number and number.group(1) == "6"):
            return False
    return True


def decode_text(raw: bytes, declared: str, delimiters: bytes = VALUE_DELIMITERS) -> str:
    """Decode the bytes of a text value; see `decode` for what is done with bytes the set cannot hold."""
    return decode(raw, declared, delimiters)[0]


def decode_name(raw: bytes, declared: str) -> str:
    """Decode a Person Name: component groups by ``=``, components by ``^``, the sets reset at each (PS3.5
    6.2.1.1)."""
    return decode(raw, declared, NAME_DELIMITERS)[0]


def decode(raw: bytes, declared: str, delimiters: bytes = VALUE_DELIMITERS) -> tuple[str, bool]:
    """Decode to NFC text and say whether every byte was legal in the declared sets."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii"), True
    sets = parse_character_set(declared)
    try:
        if sets[0] in WHOLE:
            text = raw.decode(WHOLE[sets[0]])
        elif b"\x1b" not in raw and sets[0] in UPPER_HALVES and len(sets) == 1:
            text = raw.decode(UPPER_HALVES[sets[0]])
        else:
            text = _Decoder(sets[0], delimiters).decode(raw)
    except UnicodeDecodeError:
        return _guess(raw), False
    return unicodedata.normalize("NFC", text), True


def _guess(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin_1")
    return unicodedata.normalize("NFC", text)


class _Decoder:
    """ISO 2022 with the code elements G0 (below 0x80) and G1 (above)."""

    def __init__(self, first: str, delimiters: bytes) -> None:
        self.initial = _initial(first)
        self.delimiters = delimiters
        self.g0, self.g1 = self.initial

    def decode(self, raw: bytes) -> str:
        out: list[str] = []
        at = 0
        while at < len(raw):
            if raw[at] == 0x1B:
                at = self._escape(raw, at)
            else:
                text, at = self._run(raw, at)
                out.append(text)
        return "".join(out)

    def _escape(self, raw: bytes, at: int) -> int:
        for width in (2, 3):
            found = ESCAPES.get(raw[at + 1 : at + 1 + width])
            if found:
                half, name = found
                if half == 0:
                    self.g0 = name
                else:
                    self.g1 = name
                return at + 1 + width
        raise UnicodeDecodeError("iso2022", raw, at, at + 1, "unknown escape sequence")

    def _run(self, raw: bytes, at: int) -> tuple[str, int]:
        byte = raw[at]
        if byte >= 0x80:
            return self._upper(raw, at)
        if self.g0 in PAIRS and 0x21 <= byte <= 0x7E:
            pair = bytes(b | 0x80 for b in raw[at : at + 2])
            prefix = b"\x8f" if self.g0 == "159" else b""
            return (prefix + pair).decode("euc_jp"), at + 2
        if byte in self.delimiters or byte in CONTROLS:
            self.g0, self.g1 = self.initial
        return chr(byte), at + 1

    def _upper(self, raw: bytes, at: int) -> tuple[str, int]:
        byte = raw[at]
        if self.g1 in PAIRS:
            return raw[at : at + 2].decode(PAIRS[self.g1]), at + 2
        if self.g1 == "13" and 0xA1 <= byte <= 0xDF:
            return chr(0xFF61 + byte - 0xA1), at + 1
        if self.g1 in UPPER_HALVES:
            return raw[at : at + 1].decode(UPPER_HALVES[self.g1]), at + 1
        raise UnicodeDecodeError("iso2022", raw, at, at + 1, "no character set for the upper half")


def _initial(first: str) -> tuple[str, str]:
    if first == "13":
        return "14", "13"
    if first in UPPER_HALVES or first in ("149", "58"):
        return "6", first
    return "6", ""


def canonical_name(name: str) -> str:
    """A Person Name without empty components and groups at its ends: ``Wang^Li^^=王^李=`` →
    ``Wang^Li=王^李``."""
    return "=".join(group.strip().rstrip("^ ") for group in name.split("=")).rstrip("=")


def encode_text(text: str, declared: str, delimiters: bytes = VALUE_DELIMITERS) -> bytes:
    """Encode by the declared sets; raises UnicodeEncodeError where they cannot express the text."""
    if text.isascii():
        return text.encode("ascii")
    sets = parse_character_set(declared)
    if sets[0] in WHOLE:
        return text.encode(WHOLE[sets[0]])
    out = bytearray()
    part = ""
    for char in text:
        if ord(char) < 0x80 and (ord(char) in delimiters or ord(char) in CONTROLS):
            out += _encode_part(part, sets) + char.encode("ascii")
            part = ""
        else:
            part += char
    return bytes(out + _encode_part(part, sets))


def _encode_part(part: str, sets: tuple[str, ...]) -> bytes:
    g0, g1 = initial = _initial(sets[0])
    candidates = _candidates(sets)
    out = bytearray()
    for char in part:
        half, name, code = _encode_char(char, (g0, g1), candidates)
        if half == 0 and name != g0:
            out += b"\x1b" + ESCAPE_OF[name][1]
            g0 = name
        elif half == 1 and name != g1:
            out += b"\x1b" + ESCAPE_OF[name][1]
            g1 = name
        out += code
    if g0 != initial[0]:
        out += b"\x1b" + ESCAPE_OF[initial[0]][1]
    return bytes(out)


def _candidates(sets: tuple[str, ...]) -> list[tuple[int, str]]:
    names = [n for n in (*_initial(sets[0]), *(sets[1:] if len(sets) > 1 else ())) if n]
    if "13" in names and "14" not in names:
        names.append("14")
    if "6" not in names and len(sets) > 1:
        names.append("6")
    return [(ESCAPE_OF[n][0], n) for n in dict.fromkeys(names)]


def _encode_char(
    char: str, current: tuple[str, str], candidates: list[tuple[int, str]]
) -> tuple[int, str, bytes]:
    present = [(half, name) for half, name in enumerate(current) if name]
    for half, name in present + candidates:
        code = _code_in(char, name)
        if code is not None:
            return half, name, code
    raise UnicodeEncodeError("dicom", char, 0, 1, "not in the character sets of the data set")


def _code_in(char: str, name: str) -> bytes | None:
    if name in ("6", "14"):
        return char.encode("ascii") if char < "\x80" and not (name == "14" and char in "\\~") else None
    if name == "13":
        return bytes([ord(char) - 0xFF61 + 0xA1]) if "｡" <= char <= "ﾟ" else None
    try:
        code = char.encode(PAIRS.get(name) or UPPER_HALVES[name])
    except UnicodeEncodeError:
        return None
    if name == "87":
        return bytes(b & 0x7F for b in code) if len(code) == 2 and code[0] != 0x8E else None
    if name == "159":
        return bytes(b & 0x7F for b in code[1:]) if len(code) == 3 and code[0] == 0x8F else None
    return code if code[0] >= 0x80 else None


def can_express(texts: list[str], declared: str) -> bool:
    """Say whether every text can be encoded by the declared sets."""
    try:
        for text in texts:
            encode_text(text, declared, NAME_DELIMITERS)
    except UnicodeEncodeError:
        return False
    return True


def best_character_set(texts: list[str], preferred: str) -> str:
    """The preferred Specific Character Set where it can express every text, else ISO_IR 192 (empty for
    pure ASCII)."""
    if all(t.isascii() for t in texts):
        return preferred
    return preferred if preferred and can_express(texts, preferred) else UTF8
