"""DICOM dates and times (VR DA, TM of PS3.5 6.2) to the civil form used inside, telling illegal ones from
empty."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

_DATE = re.compile(r"^(\d{4})[.:-]?(\d{2})[.:-]?(\d{2})$")
_TIME = re.compile(r"^(\d{2}):?(?:(\d{2}):?(?:(\d{2})(?:\.(\d{1,6})\d*)?)?)?$")


@lru_cache(maxsize=4096)
def civil_date(text: str) -> str | None:
    """``20260131`` (or the old ``2026.01.31``) as ``2026-01-31``; "" for an empty value, None for no legal
    date."""
    if not text:
        return ""
    match = _DATE.match(text)
    if not match:
        return None
    year, month, day = (int(part) for part in match.groups())
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def civil_time(text: str) -> str | None:
    """``0930`` or ``093015.5`` as ``09:30:00``, ``09:30:15.500000``; "" for an empty value, None for no
    legal time."""
    if not text:
        return ""
    match = _TIME.match(text)
    if not match:
        return None
    hour, minute, second, fraction = match.groups()
    values = int(hour), int(minute or 0), int(second or 0)
    if values[0] > 23 or values[1] > 59 or values[2] > 60:
        return None
    whole = "{:02}:{:02}:{:02}".format(*values)
    return f"{whole}.{fraction.ljust(6, '0')}" if fraction and int(fraction) else whole
