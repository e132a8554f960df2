"""Templates of what comes after a signature: an addendum, or the whole text corrected."""

from __future__ import annotations

from pacs_core.domain.report import ReportVersion, Section
from workstation.reporting.template_model import (
    CompletionAction,
    FieldKind,
    Paragraph,
    Template,
    TemplateField,
    TemplateSection,
)
from workstation.ui import words

ADDENDUM, CORRECTION = "reading-room-addendum", "reading-room-correction"
ADDENDUM_CODE = "55107-7"


def addendum() -> Template:
    """One text of its own."""
    heading = words.t("Addendum")
    item = TemplateField("addendum-text", heading, FieldKind.TEXTAREA, completion=CompletionAction.PROHIBIT)
    section = TemplateSection("addendum", heading, code=ADDENDUM_CODE, paragraphs=(Paragraph((item,)),))
    return Template(ADDENDUM, heading, (section,))


def correction(version: ReportVersion) -> Template:
    """Every section of the signed text as a field that holds it."""
    sections = tuple(
        TemplateSection(
            f"s{n}",
            s.heading,
            code=s.code,
            paragraphs=(
                Paragraph((TemplateField(f"s{n}-text", s.heading, FieldKind.TEXTAREA, default=s.text),)),
            ),
        )
        for n, s in enumerate(version.sections)
    )
    return Template(CORRECTION, words.t("Correction"), sections)


def with_addendum(version: ReportVersion, added: tuple[Section, ...]) -> tuple[Section, ...]:
    """The full text as it stands after the addendum: the signed sections untouched, the new one behind
    them.
    """
    return (*version.sections, *added)
