"""Identifiers of patients, orders and objects: each a type, never a bare string."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from pacs_core.domain.errors import InvalidValue

PN_LENGTH, PN_GROUPS = 64, 3
"""Characters of a component group and groups of a PN (PS3.5 6.2)."""

UID_PATTERN = re.compile(r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$")
LENIENT_UID_PATTERN = re.compile(r"^[0-9]+(\.[0-9]+)*$")


@dataclass(frozen=True, slots=True, order=True)
class PatientIdentifier:
    """A Patient ID with the issuer that gave it (PS3.3 C.7.1.1; HL7 PID-3.1 and PID-3.4)."""

    value: str
    issuer: str = ""

    def __str__(self) -> str:
        return f"{self.value}^^^{self.issuer}" if self.issuer else self.value


@dataclass(frozen=True, slots=True, order=True)
class AccessionNumber:
    """An accession number with its issuer (PS3.3 C.7.2.1), at most 16 characters (VR SH)."""

    value: str
    issuer: str = ""

    def __str__(self) -> str:
        return self.value


def check_person_name(value: str, what: str) -> str:
    """Return the name; raises InvalidValue where a PN cannot hold it (PS3.5 6.2.1)."""
    if "\\" in value or any(ord(c) < 32 for c in value):
        raise InvalidValue("a name has no backslash and no line ends", what)
    groups = value.split("=")
    if len(groups) > PN_GROUPS or any(len(group) > PN_LENGTH for group in groups):
        raise InvalidValue(f"a name has at most {PN_LENGTH} characters in {PN_GROUPS} scripts", what)
    return value


def check_short_string(value: str, what: str, limit: int = 16) -> str:
    """Return the value stripped, or refuse it where the DICOM VR cannot hold it (PS3.5 6.2).

    Raises InvalidValue naming the field; nothing is ever cut.
    """
    text = value.strip()
    if len(text) > limit:
        raise InvalidValue(f"{what} has {len(text)} characters, DICOM allows {limit}", what)
    if "\\" in text or any(ord(c) < 32 for c in text):
        raise InvalidValue(f"{what} contains a backslash or a control character", what)
    return text


def is_uid(value: str) -> bool:
    """Say whether the value is a UID by PS3.5 9.1 (digits and dots, at most 64 characters, no leading
    zeros).
    """
    return 0 < len(value) <= 64 and UID_PATTERN.match(value) is not None


def is_tolerable_uid(value: str) -> bool:
    """Say whether a received UID can be kept although a component has a leading zero (seen in the field)."""
    return 0 < len(value) <= 64 and LENIENT_UID_PATTERN.match(value) is not None


def new_uid() -> str:
    """Make a UID from a random UUID under the root 2.25 (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


def uid_from_name(name: str) -> str:
    """Make the same UID from the same name, always (PS3.5 B.2 on a version-5 UUID)."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, name).int}"
