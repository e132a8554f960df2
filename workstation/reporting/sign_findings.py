"""What a check before signing finds, and the statements of a report that checks look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from workstation.reporting.draft import Draft, shown
from workstation.reporting.facts import OrderFacts
from workstation.reporting.shipped import code_list
from workstation.reporting.template_model import FieldKind, Label, TemplateSection


class Severity(StrEnum):
    """BLOCK must be mended before signing, ALERT is asked about."""

    BLOCK = "block"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class SignFinding:
    """One thing found: a code of ``resources/code_lists/sign_checks.json``, and where in the shown text."""

    code: str
    severity: Severity
    message: str
    field_id: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Situation:
    """What is open on the desk at the moment of signing; empty or None where it is not known.

    `facts` is the archive's present truth on the order, `open_patient_id` and `open_study_uid` what the
    window shows. `images_total` and `images_expected` count the study's images as they came, `images_viewed`
    those looked at of the `images_shown`, where each frame counts. `image_laterality` is its images'
    (0020,0060) or (0020,0062). `prior_dates` are civil study dates of the patient's earlier studies,
    `measured` the (tracking UID, label) of labelled measurements on this study, `unsure` the dictated words
    nobody looked at (field, start, end, text). `severities` are a site's own, by code.
    """

    facts: OrderFacts = field(default_factory=OrderFacts)
    open_patient_id: str = ""
    open_study_uid: str = ""
    images_total: int | None = None
    images_viewed: int | None = None
    images_shown: int | None = None
    images_expected: int | None = None
    still_arriving: bool = False
    critical_recorded: bool = False
    image_laterality: str = ""
    prior_dates: tuple[str, ...] = ()
    measured: tuple[tuple[str, str], ...] = ()
    unsure: tuple[tuple[str, int, int, str], ...] = ()
    severities: tuple[tuple[str, Severity], ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """The shown text of one field with its label and the part of the report it belongs to.

    `role` is findings, impression or background (indication, technique, comparison).
    """

    field_id: str
    label: str
    role: str
    text: str
    untouched: bool
    kind: FieldKind = FieldKind.TEXT


_BACKGROUND = {"18785-6", "55752-0", "11329-0", "18834-2", "55111-9"}
_BACKGROUND_WORDS = ("indication", "technique", "comparison", "history", "clinical", "procedure")


def role_of(section: TemplateSection) -> str:
    """Whether a section is findings, impression or background, by its LOINC code or heading."""
    heading = section.heading.lower()
    if section.code == "19005-8" or heading in {"impression", "conclusion", "assessment", "opinion"}:
        return "impression"
    if section.code in _BACKGROUND or heading.startswith(_BACKGROUND_WORDS):
        return "background"
    return "findings"


def statements(draft: Draft) -> tuple[Statement, ...]:
    """The report field by field, in reading order."""
    return tuple(_statements(draft))


def _statements(draft: Draft) -> Iterator[Statement]:
    for section in draft.template.sections:
        role = role_of(section)
        for paragraph in section.paragraphs:
            labels = {part.field_id: part.text for part in paragraph.parts if isinstance(part, Label)}
            for item in paragraph.fields:
                text = shown(draft, item.identifier).text
                label = labels.get(item.identifier, item.label)
                untouched = item.identifier in draft.untouched
                yield Statement(item.identifier, label, role, text, untouched, item.kind)


def finding(
    situation: Situation, code: str, at: tuple[str, int, int] = ("", 0, 0), **words: object
) -> SignFinding:
    """A finding with the severity and words that the data has for its code, or the site's own severity."""
    severity, message = code_list("sign_checks")[code]
    chosen = dict(situation.severities).get(code, Severity(severity))
    return SignFinding(code, chosen, message.format(**words), *at)
