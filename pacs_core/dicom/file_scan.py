"""A few attributes of many files, fast: the first bytes of each are read, only what is asked for is decoded.

Strict by intent: well-formed Part 10 files in little endian. Whatever surprises it (no prefix, big endian,
deflated, a value beyond the window, a number that is none) raises one of `SURPRISES`, and the caller reads
that file the whole way (`intake`), which falls back to pydicom.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pacs_core.dicom.dictionary import TAG, VR
from pacs_core.dicom.headers import Surprise, native_file, pick
from pacs_core.dicom.scan_fallback import Picked
from pacs_core.dicom.scan_fallback import Surprise as PythonSurprise
from pacs_core.dicom.transfer_syntaxes import BIG_ENDIAN, DEFLATED_DATA_SETS, NAMES, is_implicit

WINDOW = 1 << 14
META = b"\x02\x00\x00\x00UL\x04\x00"
TRANSFER_SYNTAX = (0x00020010,)
PIXEL_DATA = 0x7FE00010

SURPRISES: tuple[type[Exception], ...] = (*Surprise, OSError, ValueError, KeyError)

SYNTAXES = {
    uid.encode("ascii"): (uid, is_implicit(uid))
    for uid in NAMES
    if uid != BIG_ENDIAN and uid not in DEFLATED_DATA_SETS
}
"""What a file may be written in, with its name and whether it is implicit."""

NUMBERS = frozenset({"DS", "IS", "US", "FD"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Attributes to be read: tags in ascending order with their keywords, the pixel data's place last."""

    tags: tuple[int, ...]
    keywords: tuple[str, ...]

    @classmethod
    def of(cls, *keywords: str) -> Wanted:
        """By keyword of `dictionary`; of other VRs than DS, IS, US, FD and texts nothing can be wanted."""
        known = sorted((TAG[k], k) for k in keywords)
        return cls((*(t for t, _ in known), PIXEL_DATA), tuple(k for _, k in known))


def scan_file(path: str | os.PathLike[str], wanted: Wanted) -> tuple[str, list[Picked]]:
    """Transfer syntax and raw values of a file, in the order of `wanted.tags`; raises one of `SURPRISES`."""
    syntax, raw, _ = scan_beside(path, wanted, None)
    return syntax, raw


def scan_beside(
    path: str | os.PathLike[str], wanted: Wanted, before: list[Picked] | None
) -> tuple[str, list[Picked], list[int]]:
    """The same, and the places of the values that are others than `before` (of another file; None: all)."""
    if native_file is not None:
        found: tuple[str, list[Picked], list[int]] = native_file(path, wanted.tags, SYNTAXES, before)
        return found
    syntax, raw = scan_in_python(path, wanted)
    old: list[object] = [SURPRISES] * len(raw) if before is None else [*before]
    return syntax, raw, [n for n, value in enumerate(raw) if value != old[n]]


def scan_in_python(path: str | os.PathLike[str], wanted: Wanted) -> tuple[str, list[Picked]]:
    """What `scan_file` answers, opened and read by Python; raises one of `SURPRISES`."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        head = os.read(file, WINDOW)
        size = os.fstat(file).st_size
    finally:
        os.close(file)
    if head[128:132] != b"DICM" or head[132:140] != META or len(head) < 144:
        raise PythonSurprise("vr", 0, 0, 0)
    start = 144 + int.from_bytes(head[140:144], "little")
    (said,) = pick(head, 144, min(start, len(head)), False, TRANSFER_SYNTAX)
    known = SYNTAXES.get(said.rstrip(b"\0 ")) if isinstance(said, bytes) else None
    if known is None or start >= size:
        raise PythonSurprise("vr", TRANSFER_SYNTAX[0], 144, 0)
    return known[0], pick(head, start, size, known[1], wanted.tags)


def values_of(wanted: Wanted, raw: list[Picked]) -> Mapping[str, object]:
    """The values by keyword: numbers, lists of numbers, texts; raises ValueError where one is none."""
    found: dict[str, object] = {}
    for tag, keyword, value in zip(wanted.tags, wanted.keywords, raw, strict=False):
        if isinstance(value, bytes) and value:
            found[keyword] = _value(VR[tag], value)
    return found


def _value(vr: str, raw: bytes) -> object:
    if vr == "US":
        return int.from_bytes(raw[:2], "little")
    if vr in NUMBERS and vr != "FD":
        parts = [float(part) for part in raw.split(b"\\") if part.strip(b" ")]
        return parts[0] if len(parts) == 1 else parts
    if vr == "FD":
        import struct

        return float(struct.unpack("<d", raw[:8])[0])
    text = raw.decode("ascii").strip(" \0")
    return text.split("\\") if "\\" in text else text
