"""Instants of ours and civil times received (contract, promise 6)."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime

_HL7_TIME = re.compile(r"^(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:\.\d+)?([+-]\d{4})?$")


def instant(moment: datetime) -> str:
    """A UTC instant as text that sorts, e.g. ``2026-11-22T09:30:00.123456Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_instant(text: str) -> datetime:
    """The aware datetime of `instant`'s text."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def civil_date(text: str) -> str:
    """A DICOM DA or HL7 date (``YYYYMMDD``, also ``YYYY.MM.DD`` and ISO) as ``YYYY-MM-DD``; empty where it is
    none.
    """
    digits = text.strip().replace(".", "").replace("-", "")[:8]
    try:
        return (
            date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).isoformat() if len(digits) == 8 else ""
        )
    except ValueError:
        return ""


def no_date(text: str, what: str) -> str:
    """Why a text that a person typed is no civil date, in words; `what` it was meant to be."""
    match = re.fullmatch(r"(\d{4})-?(\d{2})-?(\d{2})", text.strip())
    if match is None:
        return f"{what} is written YYYY-MM-DD, as in 1980-02-28"
    year, month = int(match[1]), int(match[2])
    if year < 1:
        why = "there is no year 0"
    elif not 1 <= month <= 12:
        why = f"there is no month {match[2]}"
    else:
        why = f"{match[1]}-{match[2]} has the days 1 to {monthrange(year, month)[1]}"
    return f"{text.strip()} is no day of the calendar: {why}"


def civil_time(text: str) -> str:
    """A DICOM TM or HL7 time (``HH[MM[SS[.frac]]]``, also with colons) as ``HH:MM:SS``; empty where it is
    none.
    """
    digits = text.strip().replace(":", "").split(".")[0].split("+")[0]
    if not digits.isdigit() or len(digits) not in (2, 4, 6):
        return ""
    digits = digits.ljust(6, "0")
    if int(digits[:2]) > 23 or int(digits[2:4]) > 59 or int(digits[4:6]) > 60:
        return ""
    return f"{digits[:2]}:{digits[2:4]}:{digits[4:6]}"


def dicom_date(civil: str) -> str:
    """A civil date as a DICOM DA value."""
    return civil.replace("-", "")


def dicom_time(civil: str) -> str:
    """A civil time as a DICOM TM value."""
    return civil.replace(":", "")


def read_hl7_time(text: str) -> tuple[str, str, str]:
    """An HL7 TS/DTM as (civil date, civil time, zone offset like ``+0200`` or empty); empty parts where
    unsaid.
    """
    found = _HL7_TIME.match(text.strip())
    if not found:
        return "", "", ""
    year, month, day, hour, minute, second, zone = found.groups()
    when = civil_date(f"{year}{month or '01'}{day or '01'}")
    clock = civil_time(f"{hour}{minute or '00'}{second or '00'}") if hour else ""
    return when, clock, zone or ""
