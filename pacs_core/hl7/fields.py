"""HL7 v2 data types to the domain's values (HL7 v2.5.1 chapter 2A; name mapping as IHE RAD TF-2 4.1.4.1.2).

None means empty (leave as it is), an empty string that the sender deletes the value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import Code
from pacs_core.domain.times import civil_date, instant, read_hl7_time
from pacs_core.hl7.message import DELETED, Repetition

_NOT_IN_PN = re.compile(r"[\x00-\x1f\x7f\\^=]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]+")
_GROUP_OF = {"A": 0, "": 0, "I": 1, "P": 2}
_SEX = {"M": "M", "F": "F", "O": "O", "A": "O", "N": "O", "X": "O", "U": "", "UNKNOWN": ""}
_KILOGRAMS = {"": 1.0, "KG": 1.0, "G": 0.001, "GM": 0.001, "LB": 0.45359237, "[LB_AV]": 0.45359237}
_METRES = {"": 1.0, "M": 1.0, "CM": 0.01, "MM": 0.001, "IN": 0.0254, "[IN_I]": 0.0254}


def person_name(repetitions: Sequence[Repetition]) -> str | None:
    """XPN to a DICOM PN: the legal name, ideographic and phonetic repetitions (XPN.8) as its groups."""
    if not repetitions:
        return None
    if repetitions[0].raw.strip() == DELETED:
        return ""
    legal = [one for one in repetitions if (one.text(7) or "L") in ("L", "D", "U")] or list(repetitions)
    groups = ["", "", ""]
    for one in legal:
        group = _GROUP_OF.get((one.text(8) or "").upper(), 0)
        groups[group] = groups[group] or _name_group(one, 1)
    name = "=".join(groups).rstrip("=")
    return name or None


def provider_name(repetition: Repetition) -> str | None:
    """XCN to a DICOM PN; where the sender wrote only a text into XCN.1, that text is the name."""
    if repetition.raw.strip() == DELETED:
        return ""
    name = _name_group(repetition, 2)
    if name:
        return name
    alone = repetition.text(1) or ""
    return _pn_part(alone) if any(c.isalpha() for c in alone) else None


def identifier(repetition: Repetition, default_issuer: str) -> PatientIdentifier | None:
    """CX to an identifier with its assigning authority: CX.4.1, else CX.4.2, else the source's default."""
    value = repetition.text(1)
    if not value:
        return None
    issuer = repetition.text(4, 1) or repetition.text(4, 2) or default_issuer
    return PatientIdentifier(_CONTROL.sub(" ", value), _CONTROL.sub(" ", issuer))


def birth_date(text: str | None, today: str = "") -> str | None:
    """TS to a civil date, whatever time or zone came with it.

    Raises InvalidValue where it is no date, or one after `today`.
    """
    if not text:
        return text
    if text.isdigit() and len(text) in (4, 6):
        return None  # a year alone is true but no date; nothing is made up
    day = civil_date(text)
    if not day:
        raise InvalidValue("no date of the form YYYYMMDD")
    if today and day > today:
        raise InvalidValue("a day that is still to come")
    return day


def civil_start(text: str, site: ZoneInfo, sender: ZoneInfo | None) -> tuple[str, str]:
    """TS to a civil date and time of the site.

    A time with an offset, or of a sender in another zone, is the same moment at the site; a time without
    either is the site's own. Raises InvalidValue where it is no time.
    """
    day, clock, offset = read_hl7_time(text)
    if not day or not re.match(r"\d{8}", text):
        raise InvalidValue("no date and time of the form YYYYMMDDHHMM")
    if not clock or not (offset or sender):
        return day, clock
    clock = clock.replace(":60", ":59")  # a leap second
    try:
        if offset:
            zoned = datetime.fromisoformat(f"{day}T{clock}{offset[:3]}:{offset[3:]}")
        else:
            zoned = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=sender)
        there = zoned.astimezone(site)
    except (ValueError, OverflowError):
        raise InvalidValue("no date and time with an offset that there is") from None
    return there.date().isoformat(), there.strftime("%H:%M:%S")


def moment(text: str, sender: ZoneInfo) -> str:
    """TS to a UTC instant; empty where it does not say the minute or is no time."""
    day, clock, offset = read_hl7_time(text)
    if not re.match(r"\d{12}", text) or not (day and clock):
        return ""
    said = f"{day}T{clock.replace(':60', ':59')}"  # a leap second
    try:
        if offset:
            return instant(datetime.fromisoformat(f"{said}{offset[:3]}:{offset[3:]}"))
        return instant(datetime.fromisoformat(said).replace(tzinfo=sender))
    except (ValueError, OverflowError):
        return ""


def sex(text: str | None) -> str | None:
    """Table 0001 to DICOM's M, F, O or empty. Raises InvalidValue for anything else."""
    if not text:
        return text
    try:
        return _SEX[text.strip().upper()]
    except KeyError:
        raise InvalidValue("no value of table 0001") from None


def address(repetition: Repetition) -> str | None:
    """XAD to one line: street, other, city, state and postal code, country."""
    if repetition.raw.strip() == DELETED:
        return ""
    street = ", ".join(p for p in (repetition.text(1), repetition.text(2)) if p)
    region = " ".join(p for p in (repetition.text(4), repetition.text(5)) if p)
    return plain(", ".join(p for p in (street, repetition.text(3), region, repetition.text(6)) if p)) or None


def phone(repetition: Repetition) -> str | None:
    """XTN to a number people can dial: the text of XTN.1 or .12, else built from its parts."""
    if repetition.raw.strip() == DELETED:
        return ""
    written = repetition.text(1) or repetition.text(12)
    if written:
        return plain(written)
    country = repetition.text(5)
    parts = (f"+{country.lstrip('+')}" if country else None, repetition.text(6), repetition.text(7))
    return " ".join(p for p in parts if p) or None


def location(repetition: Repetition) -> str | None:
    """PL to words: point of care, room, bed."""
    if repetition.raw.strip() == DELETED:
        return ""
    return " ".join(p for p in (repetition.text(n) for n in (1, 2, 3)) if p) or repetition.text(9)


def code(repetition: Repetition) -> Code | None:
    """CE/CWE to a code: the first triple, the alternate one where the first is empty."""
    for first in (1, 4):
        value, meaning, scheme = (repetition.text(first + n) or "" for n in range(3))
        if value or meaning:
            return Code(value, scheme, plain(meaning))
    return None


def words(repetition: Repetition) -> str | None:
    """What a person would read of a coded or free field: CE.2, the alternate's text, else CE.1.

    Subcomponents are not split: an ampersand in such a text is nearly always one that nobody escaped.
    """
    if repetition.raw.strip() == DELETED:
        return ""
    found = repetition.text(2, 0) or repetition.text(5, 0) or repetition.text(1, 0)
    return plain(found) if found else None


def kilograms(value: str, unit: str) -> float | None:
    """A weight in kg from its number and UCUM or ANSI+ unit; None where that cannot be told."""
    return _scaled(value, unit, _KILOGRAMS)


def metres(value: str, unit: str) -> float | None:
    """A height in m; None where that cannot be told."""
    return _scaled(value, unit, _METRES)


def plain(text: str) -> str:
    """Text without control characters but line feeds."""
    return _CONTROL.sub(" ", text).strip()


def _scaled(value: str, unit: str, factors: dict[str, float]) -> float | None:
    factor = factors.get(unit.strip().upper())
    try:
        number = float(value.replace(",", "."))
    except ValueError:
        return None
    return round(number * factor, 4) if factor is not None and 0 < number < 100_000 else None


def _name_group(repetition: Repetition, first: int) -> str:
    """Family, given, middle, prefix, suffix (with the degree) of a name that starts at component `first`."""
    family, given, middle, suffix, prefix, degree = (_pn_part(repetition.text(first + n)) for n in range(6))
    suffix = " ".join(p for p in (suffix, degree) if p)
    return f"{family}^{given}^{middle}^{prefix}^{suffix}".rstrip("^")


def _pn_part(text: str | None) -> str:
    """A component of a PN must not hold the PN's own delimiters (PS3.5 6.2.1)."""
    return _NOT_IN_PN.sub(" ", text or "").strip()
