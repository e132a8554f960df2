"""The templates at hand and which of them an order calls for."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pacs_core.domain.errors import NotFound
from workstation.reporting.facts import OrderFacts
from workstation.reporting.shipped import TEMPLATE_FOLDER, code_list
from workstation.reporting.template_guard import LARGEST_BYTES
from workstation.reporting.template_model import (
    CompletionAction,
    ConceptCode,
    FieldKind,
    Label,
    Paragraph,
    Template,
    TemplateField,
    TemplateRefused,
    TemplateSection,
)
from workstation.reporting.template_reader import read_template
from workstation.reporting.template_writer import template_html
from workstation.reporting.words import phrases_in

__all__ = [
    "CompletionAction",
    "ConceptCode",
    "FieldKind",
    "Label",
    "Paragraph",
    "RefusedTemplate",
    "Template",
    "TemplateChoice",
    "TemplateField",
    "TemplateLibrary",
    "TemplateRefused",
    "TemplateSection",
    "read_template",
    "template_html",
]

log = logging.getLogger("reading_room.report")
_MOST_FILES = 2_000


@dataclass(frozen=True, slots=True)
class RefusedTemplate:
    """A file that is no template we take, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    """The template for an order, why this one, and the others that would do, best first."""

    template: Template
    reason: str
    others: tuple[Template, ...] = ()


class TemplateLibrary:
    """The shipped templates and a site's own, which replace those of the same identifier."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._by_identifier: dict[str, Template] = {}
        refused: list[RefusedTemplate] = []
        for folder in (TEMPLATE_FOLDER, *folders):
            refused += self._read_folder(folder)
        self.refused = tuple(refused)

    @property
    def templates(self) -> tuple[Template, ...]:
        """All of them by title."""
        return tuple(sorted(self._by_identifier.values(), key=lambda template: template.title.lower()))

    def by_identifier(self, identifier: str) -> Template:
        """The template of that identifier; raises NotFound."""
        try:
            return self._by_identifier[identifier]
        except KeyError:
            raise NotFound(f"there is no report template {identifier!r}", "template") from None

    def choose(self, facts: OrderFacts) -> TemplateChoice:
        """The best template for an order, and those that would do; raises NotFound where there is none."""
        ranked = sorted(
            (match for template in self.templates if (match := _match(template, facts)) is not None),
            key=lambda match: -match.score,
        )
        if not ranked:
            raise NotFound("no report template is installed", "template")
        others = tuple(match.template for match in ranked[1:])
        return TemplateChoice(ranked[0].template, ranked[0].reason, others)

    def import_file(self, path: Path, into: Path) -> Template:
        """Check a template file and copy it into a site's folder; raises TemplateRefused."""
        template = _read_file(path)
        into.mkdir(parents=True, exist_ok=True)
        target = into / f"{_file_name(template.identifier)}.html"
        partial = target.with_suffix(".part")
        partial.write_bytes(path.read_bytes())
        partial.replace(target)
        self._by_identifier[template.identifier] = template
        return template

    def _read_folder(self, folder: Path) -> list[RefusedTemplate]:
        refused = []
        files = sorted(path for path in folder.glob("*.htm*") if path.is_file())
        for path in files[:_MOST_FILES]:
            try:
                template = _read_file(path)
            except (TemplateRefused, OSError) as error:
                log.warning("report template %s refused: %s", path.name, error)
                refused.append(RefusedTemplate(path, str(error)))
            else:
                self._by_identifier[template.identifier] = template
        return refused


def _read_file(path: Path) -> Template:
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise TemplateRefused(f"the file has {size} bytes, a template at most {LARGEST_BYTES}", path.name)
    return read_template(path.read_bytes(), path.name)


def _file_name(identifier: str) -> str:
    """The identifier as a file name that every platform takes."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in identifier)[:100].strip(
        "."
    )


@dataclass(frozen=True, slots=True)
class _Match:
    template: Template
    score: float
    reason: str


def _match(template: Template, facts: OrderFacts) -> _Match | None:
    """How well a template suits an order; None where modality or body part contradict."""
    reasons: list[str] = []
    score = 0.0
    asked = {term.upper() for term in re.split(r"[^A-Za-z0-9]+", facts.modality) if term}
    if template.modalities and asked:
        wanted = [{m.strip().upper() for m in listed.split("+")} for listed in template.modalities]
        alike = max((len(one) / len(asked) for one in wanted if one <= asked), default=0.0)
        if not alike:
            return None
        score += 10 * alike
        reasons.append("+".join(sorted(asked)))
    named, said = _body_parts(facts)
    parts = {part.upper() for part in template.body_parts}
    if parts and (named or said):
        if not parts & (named | said):
            return None
        score += 3 if parts & named else 2
        reasons.append(f"{'/'.join(sorted(parts & (named | said))).lower()} in the order")
    elif parts:
        score -= 10  # a guess at the body part is worse than the template for any examination
    if found := phrases_in(facts.procedure, template.procedures):
        score += min(2, len(found))
        reasons.append(f"the procedure says {', '.join(found)}")
    if not template.modalities and not parts:
        score += 0.5  # where nothing is known of an order, the template for any examination comes first
    return _Match(template, score, "; ".join(reasons) or "nothing more fitting is known of this order")


def _body_parts(facts: OrderFacts) -> tuple[set[str], set[str]]:
    """Body parts as DICOM terms: those that the order codes, and those its procedure text speaks of."""
    terms = code_list("body_parts")
    coded = facts.body_part.strip().upper()
    named = (
        {coded} if coded in terms else {t for t, words in terms.items() if phrases_in(facts.body_part, words)}
    )
    said = {term for term, words in terms.items() if phrases_in(facts.procedure, words)}
    return named, said
