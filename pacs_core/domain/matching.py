"""Attribute matching: wildcards, ranges, lists and names without case or accents (PS3.4 C.2.2.2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_UNFOLDED = str.maketrans(
    {"^": " ", "=": " ", ",": " ", "ß": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d"}
)


@lru_cache(maxsize=4096)
def folded_name(name: str) -> str:
    """A name without case, accents and separators, for searching: ``Müller^Jörg`` → ``muller jorg``."""
    decomposed = unicodedata.normalize("NFKD", name.translate(_UNFOLDED))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(bare.casefold().split())


@lru_cache(maxsize=1024)
def _pattern(wanted: str, fold: bool) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in wanted)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if fold else 0))


def matches_text(wanted: str, value: str, *, fold: bool = False) -> bool:
    """Single value, wildcard (``*``, ``?``) and universal matching (PS3.4 C.2.2.2.1, .3, .4)."""
    wish = wanted.strip()
    return not wish or _pattern(wish, fold).fullmatch(value.strip()) is not None


def matches_name(wanted: str, value: str) -> bool:
    """Person name matching: case and accents do not count; trailing components may be left out.

    A wish of one component group is tried on each group of the value; of several, none may contradict the
    value's group in its place and one must fit (PS3.4 C.2.2.2.1; PS3.5 6.2.1).
    """
    if not wanted.strip("*^= "):
        return True
    wishes, groups = _folded_groups(wanted), _folded_groups(value)
    told = [wish for wish in wishes if wish]
    if len(told) == 1:
        return any(_group_fits(told[0], group) for group in groups)
    both = [(w, g) for w, g in zip(wishes, groups, strict=False) if w and g]
    return bool(both) and all(_group_fits(wish, group) for wish, group in both)


def _folded_groups(name: str) -> list[str]:
    """Each component group with its components folded, empty ones at its end left out."""
    return [
        "^".join(folded_name(part) for part in group.rstrip("^ ").split("^")) for group in name.split("=")
    ]


def _group_fits(wish: str, group: str) -> bool:
    """The wish as it is, with trailing components left out, and without empty ones it asks anything of."""
    forms = [wish] if wish.endswith("*") else [wish, wish + "^*"]
    while wish.endswith("^*"):
        wish = wish[:-2]
        forms.append(wish)
    return bool(group) and any(_pattern(form, False).fullmatch(group) for form in forms)


def matches_range(low: str, high: str, value: str) -> bool:
    """Range matching on values that sort as text; an open end fits all; an empty value fits no range."""
    if not low and not high:
        return True
    return bool(value) and (not low or value >= low) and (not high or value <= high)


def matches_uids(wanted: Sequence[str], value: str) -> bool:
    """List of UID matching (PS3.4 C.2.2.2.2)."""
    return not wanted or value in wanted


def split_range(value: str) -> tuple[str, str]:
    """A DICOM range key (``a-b``, ``a-``, ``-b``, ``a``) as (low, high)."""
    text = value.strip()
    if "-" not in text:
        return text, text
    low, _, high = text.partition("-")
    return low.strip(), high.strip()
