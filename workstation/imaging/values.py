"""Numbers and texts of attribute values, tolerant: what is absent or unusable is None or empty."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Attributes = Mapping[str, object]
Numbers = tuple[float, ...]


def numbers(value: object) -> Numbers:
    """Every number in a value that may be a number, a text such as "0.5\\0.5", or a list of either."""
    if value is None or isinstance(value, bool):
        return ()
    if isinstance(value, int | float):
        return (float(value),) if math.isfinite(value) else ()
    if isinstance(value, str):
        return _numbers_of_text(value)
    if isinstance(value, Sequence):
        if all(type(part) is float and math.isfinite(part) for part in value):
            return tuple(value)
        parts = [numbers(part) for part in value]
        return tuple(p[0] for p in parts) if all(parts) else ()
    return ()


def _numbers_of_text(text: str) -> Numbers:
    try:
        found = tuple(float(part) for part in text.split("\\") if part.strip())
    except ValueError:
        return ()
    return found if all(math.isfinite(v) for v in found) else ()


def number(value: object) -> float | None:
    """The first number of a value, or None."""
    found = numbers(value)
    return found[0] if found else None


def integer(value: object, default: int = 0) -> int:
    """The first number of a value as a whole one, or the default."""
    found = number(value)
    return default if found is None else int(found)


def texts(value: object) -> tuple[str, ...]:
    """The texts of a value that may be a text with backslashes, or a list."""
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split("\\"))
    if isinstance(value, Sequence):
        return tuple(str(part).strip() for part in value)
    return (str(value),)


def text(value: object) -> str:
    """The first text of a value, or an empty one."""
    found = texts(value)
    return found[0] if found else ""


def pair(value: object) -> tuple[float, float] | None:
    """Two positive numbers, or None."""
    found = numbers(value)
    return (found[0], found[1]) if len(found) == 2 and found[0] > 0 and found[1] > 0 else None
