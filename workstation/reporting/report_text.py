"""The report as text: sections for signing and sending, one plain page for clipboard and preview."""

from __future__ import annotations

from pacs_core.domain.report import Section
from workstation.reporting.draft import Draft, shown
from workstation.reporting.template_model import Label, Paragraph, TemplateField


def paragraph_text(draft: Draft, paragraph: Paragraph) -> str:
    """One line of the report; empty where no field of it is filled. Labels of empty fields go too."""
    filled = {f.identifier for f in paragraph.fields if draft.values[f.identifier].strip()}
    if paragraph.fields and not filled:
        return ""
    pieces: list[str] = []
    for part in paragraph.parts:
        text = _part_text(draft, part, filled)
        if not text:
            continue
        glued = pieces and isinstance(part, str) and part[0] in ".,;:!?)"
        pieces.append(text if glued or not pieces else f" {text}")
    return "".join(pieces)


def _part_text(draft: Draft, part: str | Label | TemplateField, filled: set[str]) -> str:
    if isinstance(part, Label):
        return part.text if not part.field_id or part.field_id in filled else ""
    if isinstance(part, TemplateField):
        return shown(draft, part.identifier).text.strip()
    return part


def report_sections(draft: Draft) -> tuple[Section, ...]:
    """The main sections that have text, each with those below it, in order: what is signed and sent."""
    made: list[tuple[str, str, list[str]]] = []
    for section in draft.template.sections:
        lines = [text for paragraph in section.paragraphs if (text := paragraph_text(draft, paragraph))]
        if section.level == 1 or not made:
            made.append((section.heading, section.code, lines))
        elif lines:
            made[-1][2].extend([*([""] if made[-1][2] else []), section.heading, *lines])
    return tuple(Section(heading, "\n".join(lines), code) for heading, code, lines in made if lines)


def plain_text(draft: Draft) -> str:
    """The whole report as one page of plain text, headings in capitals, a blank line between sections."""
    return page_of(report_sections(draft))


def page_of(sections: tuple[Section, ...]) -> str:
    """Sections as one page of plain text; the same for a draft and for what was signed."""
    return "\n\n".join(f"{s.heading.upper()}\n{s.text}" if s.heading else s.text for s in sections) + "\n"
