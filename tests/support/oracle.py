"""The matching rules of PS3.4 C.2.2.2 once more, slow and obvious, to check the archive's own against."""

from __future__ import annotations

import unicodedata


def wild(wanted: str, value: str) -> bool:
    """``*`` is anything, ``?`` one character."""
    if not wanted:
        return not value
    if wanted[0] == "*":
        return any(wild(wanted[1:], value[n:]) for n in range(len(value) + 1))
    return bool(value) and wanted[0] in ("?", value[0]) and wild(wanted[1:], value[1:])


def text(wanted: str, value: str, fold: bool = False) -> bool:
    """Universal, single value and wild card matching; padding does not count."""
    wanted, value = wanted.strip(), value.strip()
    if fold:
        wanted, value = wanted.lower(), value.lower()
    return not wanted or wild(wanted, value)


def between(bounds: tuple[str, str], value: str) -> bool:
    """Range matching: both ends belong to it, an open end is no end, nothing lies in no range."""
    low, high = bounds
    if not low and not high:
        return True
    return value != "" and (low == "" or low <= value) and (high == "" or value <= high)


def bare(part: str) -> str:
    """A component without case, accents and doubled blanks."""
    special = {"ß": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", ",": " "}
    plain = "".join(special.get(c, c) for c in part)
    letters = [c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c)]
    return " ".join("".join(letters).casefold().split())


def group(wanted: str, value: str) -> bool:
    """One component group: trailing components may be left out, empty ones at the end do not count."""
    if not value.strip("^ "):
        return False
    wish = "^".join(bare(part) for part in wanted.rstrip("^ ").split("^"))
    parts = [bare(part) for part in value.rstrip("^ ").split("^")]
    shown = ["^".join(parts[:n]) for n in range(1, len(parts) + 1)]
    if any(wild(wish, one) for one in shown):
        return True
    return wish.endswith("^*") and group(wish.removesuffix("^*"), value)


def name(wanted: str, value: str) -> bool:
    """A wish of one group fits any group of the name; one of several fits where none of its groups is
    contradicted and one is met.
    """
    if not wanted.strip("*^= "):
        return True
    wishes, groups = wanted.split("="), value.split("=")
    told = [w for w in wishes if w.strip("^ ")]
    if len(told) == 1:
        return any(group(told[0], one) for one in groups)
    both = [(w, g) for w, g in zip(wishes, groups, strict=False) if w.strip("^ ") and g.strip("^ ")]
    return bool(both) and all(group(w, g) for w, g in both)
