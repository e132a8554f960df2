"""A patient: demographics, identifiers and merges (HL7 v2 chapter 3; PS3.3 C.7.1)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from pacs_core.domain.identifiers import PN_LENGTH, PatientIdentifier
from pacs_core.domain.matching import matches_text

DELETE = '""'


@dataclass(frozen=True, slots=True)
class Demographics:
    """What is known of a person.

    `name` is a DICOM PN in Unicode (components by ``^``, groups by ``=``); `birth_date` a civil
    ``YYYY-MM-DD`` or empty; `sex` one of M, F, O or empty.
    """

    name: str = ""
    birth_date: str = ""
    sex: str = ""
    address: str = ""
    phone: str = ""
    weight_kg: float | None = None
    height_m: float | None = None
    allergies: str = ""
    alerts: str = ""
    pregnancy: str = ""


def completed(one: Demographics, other: Demographics) -> Demographics:
    """The one's demographics, with what they do not say taken from the other."""
    missing = {f.name: getattr(other, f.name) for f in fields(one) if getattr(one, f.name) in ("", None)}
    return replace(one, **missing)


@dataclass(frozen=True, slots=True)
class Patient:
    """One person in the archive; `merged_into` names the survivor where this row was merged away."""

    id: int
    identifier: PatientIdentifier
    demographics: Demographics
    other_identifiers: tuple[PatientIdentifier, ...] = ()
    merged_into: int | None = None
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class RegisterPatient:
    """Create or update a patient; a field that is None is left as it is, an empty string deletes it."""

    identifier: PatientIdentifier
    name: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    address: str | None = None
    phone: str | None = None
    weight_kg: float | None = None
    height_m: float | None = None
    allergies: str | None = None
    alerts: str | None = None
    pregnancy: str | None = None
    other_identifiers: tuple[PatientIdentifier, ...] = ()
    visit_number: str | None = None
    location: str | None = None
    patient_class: str | None = None
    event: str = ""


@dataclass(frozen=True, slots=True)
class MergePatients:
    """Make `subsumed` an alias of `survivor` (HL7 A40: MRG-1 into PID-3); nothing is deleted."""

    survivor: RegisterPatient
    subsumed: PatientIdentifier


def answers_to(patient: Patient, wanted: str, issuer: str) -> bool:
    """Say whether a query for a Patient ID and its issuer means this person (PS3.4 C.2.2.2).

    Earlier and other identifiers count; an issuer that is not said on either side fits any.
    """
    own = (patient.identifier, *patient.other_identifiers)
    if not wanted.strip("*"):
        return not issuer or any(i.issuer == issuer for i in own)
    return any(
        matches_text(wanted, i.value) and (not issuer or not i.issuer or i.issuer == issuer) for i in own
    )


def fitted_name(name: str) -> str:
    """A PN whose groups have at most 64 characters (PS3.5 table 6.2-1); what is too long is cut visibly."""
    groups = name.split("=")
    return "=".join(g if len(g) <= PN_LENGTH else f"{g[: PN_LENGTH - 3].rstrip()}..." for g in groups)


def display_name(name: str) -> str:
    """A DICOM PN for people: own script first with the Latin group beside, e.g. ``山田 太郎 (Yamada,
    Tarou)``; a comma after the family name where the script is alphabetic, none where it is East Asian.
    """
    groups = [" ".join(p for p in _natural(g) if p) for g in name.split("=")]
    latin = groups[0] if groups else ""
    own = groups[1] if len(groups) > 1 else ""
    if own and latin:
        return f"{own} ({latin})"
    return own or latin or (groups[2] if len(groups) > 2 else "")


def _natural(group: str) -> tuple[str, ...]:
    family, given, middle, prefix, suffix = (group.split("^") + [""] * 5)[:5]
    comma = "," if family and given and not _east_asian(family) else ""
    return tuple(p.strip() for p in (prefix, family + comma, given, middle, suffix))


EAST_ASIAN = ((0x1100, 0x11FF), (0x2E80, 0xA4CF), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F),
              (0x20000, 0x3FFFF))  # fmt: skip
"""Hangul, Han, Kana, Bopomofo and Yi in Unicode."""


def _east_asian(text: str) -> bool:
    """Whether a name is written in a script that sets family and given name apart without a comma."""
    return not text.isascii() and any(low <= ord(c) <= high for c in text for low, high in EAST_ASIAN)
