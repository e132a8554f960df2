"""Character sets of HL7 v2 messages: MSH-18 (table 0211) to text and back.

The ISO 2022 sets (Japanese, Korean) are decoded with their escape sequences, raw or as ``\\Cxxyy\\`` and
``\\Mxxyyzz\\`` (HL7 v2.5.1 §2.7.2). UTF-16 and UTF-32 cannot be framed by MLLP and are refused.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass

from pacs_core.domain.errors import InvalidValue

UTF8 = "UNICODE UTF-8"
DEFAULT = UTF8

_CODECS = {
    "ASCII": "ascii",
    "8859/1": "cp1252",
    "8859/2": "iso8859_2",
    "8859/3": "iso8859_3",
    "8859/4": "iso8859_4",
    "8859/5": "iso8859_5",
    "8859/6": "iso8859_6",
    "8859/7": "iso8859_7",
    "8859/8": "iso8859_8",
    "8859/9": "iso8859_9",
    "8859/11": "iso8859_11",
    "8859/15": "iso8859_15",
    "ISO IR14": "shift_jis",
    "ISO IR87": "iso2022_jp_ext",
    "ISO IR159": "iso2022_jp_ext",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5hkscs",
    "UNICODE": "utf_8",
    UTF8: "utf_8",
}
"""Table 0211 to Python codecs; CP1252 stands for 8859/1, whose C1 controls nobody sends."""

_ALIASES = {
    "UTF8": UTF8,
    "UTF-8": UTF8,
    "UNICODEUTF-8": UTF8,
    "UNICODE-UTF-8": UTF8,
    "US-ASCII": "ASCII",
    "ISO IR6": "ASCII",
    "ISO-8859-1": "8859/1",
    "ISO8859-1": "8859/1",
    "ISO IR100": "8859/1",
    "LATIN1": "8859/1",
    "LATIN-1": "8859/1",
    "WINDOWS-1252": "8859/1",
    "CP1252": "8859/1",
    "ISO-8859-2": "8859/2",
    "ISO-8859-9": "8859/9",
    "ISO-8859-15": "8859/15",
    "ISO_IR 192": UTF8,
    "GB18030": "GB 18030-2000",
    "GB18030-2000": "GB 18030-2000",
    "GBK": "GB 18030-2000",
    "GB2312": "GB 18030-2000",
    "JIS X0208": "ISO IR87",
    "BIG5": "BIG-5",
}

_ESCAPE_SWITCHED = frozenset({"ISO IR14", "ISO IR87", "ISO IR159", "KS X 1001"})
_KOREAN_G1 = b"\x1b$)C"
_WIDE = re.compile(r"UTF-?(16|32)")
_SWITCH = re.compile(rb"\\([CM])((?:[0-9A-Fa-f]{2}){2,3})\\")


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a message, the set it was read in and what was wrong with that (empty: nothing)."""

    text: str
    character_set: str
    notes: tuple[str, ...] = ()
    undecoded: bool = False


def known(name: str) -> str | None:
    """The table 0211 name behind what a sender wrote, or None where nobody would know."""
    plain = " ".join(name.strip().upper().split())
    if plain in _CODECS:
        return plain
    return _ALIASES.get(plain)


def reject_wide(raw: bytes) -> None:
    """Refuse UTF-16 and UTF-32 by their bytes: block characters occur inside their text (MSH-18)."""
    head = raw.lstrip(b"\r\n ")[:8]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"M\x00S" in head or b"\x00M\x00" in head:
        raise InvalidValue("UTF-16 cannot be sent over MLLP; send UTF-8 (MSH-18 UNICODE UTF-8)", "MSH^1^18")


def decode(raw: bytes, declared: tuple[str, ...], default: str) -> Decoded:
    """Decode a message by MSH-18, or by the source's default where it says nothing.

    Bytes that do not decode become U+FFFD and set `undecoded`. Raises InvalidValue for a declared UTF-16/32.
    """
    names = tuple(name for name in declared if name.strip())
    if any(_WIDE.search(name.upper()) for name in names):
        raise InvalidValue(f"character set {names[0]} cannot be sent over MLLP; send UTF-8", "MSH^1^18")
    if raw.startswith(b"\xef\xbb\xbf"):
        return _strictly(raw[3:], UTF8, ("byte order mark dropped",))
    if not names:
        return _undeclared(raw, default)
    sets = [known(name) for name in names]
    if sets[0] is None:
        found = _undeclared(raw, default)
        return Decoded(found.text, found.character_set, ("MSH-18 is unknown", *found.notes), found.undecoded)
    if len(sets) > 1 and any(name in _ESCAPE_SWITCHED for name in sets[1:]):
        return _switched(raw, sets[0])
    found = _strictly(raw, sets[0], ())
    if found.undecoded and sets[0] == "ASCII":
        # Declared ASCII with letters in it is the field's most common lie.
        found = _undeclared(raw, default)
        notes = ("MSH-18 says ASCII, the bytes are not",)
        return Decoded(found.text, found.character_set, notes, found.undecoded)
    return found


def encode(text: str, character_set: str) -> bytes:
    """Encode an answer in the sender's own set; what that set lacks becomes a question mark."""
    return text.encode(_CODECS[character_set], "replace")


def bytes_to_text(data: bytes, character_set: str) -> str:
    """Decode the bytes of an ``\\Xhh\\`` escape."""
    return data.decode(_CODECS.get(character_set, "latin_1"), "replace")


def _undeclared(raw: bytes, default: str) -> Decoded:
    """Without MSH-18: UTF-8 where the bytes are that (they hardly ever are by chance), else the default."""
    try:
        return Decoded(raw.decode("utf_8"), UTF8)
    except UnicodeDecodeError:
        return _strictly(raw, known(default) or "8859/1", ("no MSH-18, read with the source's default",))


def _strictly(raw: bytes, name: str, notes: tuple[str, ...]) -> Decoded:
    codec = _CODECS[name]
    try:
        return Decoded(raw.decode(codec), name, notes)
    except UnicodeDecodeError:
        text = raw.decode(codec, "replace")
        return Decoded(text, name, (*notes, f"bytes that are not {name}"), undecoded=True)


def _switched(raw: bytes, first: str) -> Decoded:
    """Several sets: escape sequences choose, and the first set holds where none was given."""
    raw = _SWITCH.sub(lambda match: b"\x1b" + bytes.fromhex(match.group(2).decode("ascii")), raw)
    for data, codec in (
        (raw, "iso2022_jp_ext"),
        (raw, "iso2022_jp_2"),
        (raw.replace(_KOREAN_G1, b""), "euc_kr"),
    ):
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode(codec)
            if "\x1b" not in text:
                return Decoded(text, first)
    text = raw.decode(_CODECS[first], "replace")
    return Decoded(text, first, ("escape sequences that did not decode",), undecoded=True)
