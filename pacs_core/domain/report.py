"""Reports: states, versions and the transitions between them (HL7 tables 0123 and 0085)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pacs_core.domain.errors import Conflict


class ReportState(StrEnum):
    """The state of a report as a whole."""

    DRAFT = "draft"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    ADDENDED = "addended"
    CORRECTED = "corrected"
    ENTERED_IN_ERROR = "entered in error"


class VersionKind(StrEnum):
    """What a signed version is to the one before it."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    ADDENDUM = "addendum"
    CORRECTION = "correction"


_NEXT: dict[ReportState, dict[VersionKind, ReportState]] = {
    ReportState.DRAFT: {
        VersionKind.PRELIMINARY: ReportState.PRELIMINARY,
        VersionKind.FINAL: ReportState.FINAL,
    },
    ReportState.PRELIMINARY: {
        VersionKind.PRELIMINARY: ReportState.PRELIMINARY,
        VersionKind.FINAL: ReportState.FINAL,
    },
    ReportState.FINAL: {
        VersionKind.ADDENDUM: ReportState.ADDENDED,
        VersionKind.CORRECTION: ReportState.CORRECTED,
    },
    ReportState.ADDENDED: {
        VersionKind.ADDENDUM: ReportState.ADDENDED,
        VersionKind.CORRECTION: ReportState.CORRECTED,
    },
    ReportState.CORRECTED: {
        VersionKind.ADDENDUM: ReportState.ADDENDED,
        VersionKind.CORRECTION: ReportState.CORRECTED,
    },
    ReportState.ENTERED_IN_ERROR: {},
}

OBR25 = {"preliminary": "P", "final": "F", "addendum": "C", "correction": "C"}
"""Result status OBR-25 by version kind (HL7 table 0123); a destination may map addendum to F."""


def after_signing(state: ReportState, kind: VersionKind) -> ReportState:
    """The state once a version of that kind is signed; raises Conflict where the table has no such step."""
    try:
        return _NEXT[state][kind]
    except KeyError:
        raise Conflict(f"a {state} report cannot get a {kind} version", "report") from None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its text; `code` is the LOINC code of the section where known."""

    heading: str
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class ReportVersion:
    """What was signed: frozen sections, who, when (UTC) and the digest of the canonical text."""

    version: int
    kind: VersionKind
    sections: tuple[Section, ...]
    signer: str
    signer_name: str
    signed_at: str
    digest: str
    reason: str = ""
