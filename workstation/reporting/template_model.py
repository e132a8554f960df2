"""Report templates as IHE MRRT has them: sections of paragraphs, in which fields wait to be filled.

IHE RAD TF Management of Radiology Report Templates (MRRT) rev. 1.7, Vol. 3: HTML5 with Dublin Core
metadata, coded content in one ``<script type="text/xml">``, fields with ``data-field-type`` and
``data-field-completion-action`` (NONE, ALERT, PROHIBIT) and ``data-field-merge-flag``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from pacs_core.domain.errors import Refused


class TemplateRefused(Refused):
    """A template that is not taken; the message says why, `where` the file and line."""


class FieldKind(StrEnum):
    """What a field takes (MRRT data-field-type, lower case; a check box list is a selection of several)."""

    TEXT = "text"
    TEXTAREA = "textarea"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    SELECTION = "selection"


class CompletionAction(StrEnum):
    """What happens at signing while the field is empty (MRRT data-field-completion-action)."""

    NONE = "none"
    ALERT = "alert"
    PROHIBIT = "prohibit"


@dataclass(frozen=True, slots=True)
class ConceptCode:
    """A code of the template's coded content, e.g. ``ConceptCode("59776-5", "LN", "Findings")``."""

    value: str
    scheme: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class TemplateField:
    """A place to fill. `default` is its first text, `choices` the texts of a selection.

    `merge` names what of the order fills it (``indication``, ``accession`` …), `minimum` and `maximum`
    belong to numbers (their unit is a label that follows), `multiple` says that several choices may
    stand together, `open` that other text than the choices is welcome.
    """

    identifier: str
    label: str = ""
    kind: FieldKind = FieldKind.TEXT
    default: str = ""
    choices: tuple[str, ...] = ()
    completion: CompletionAction = CompletionAction.NONE
    merge: str = ""
    minimum: float | None = None
    maximum: float | None = None
    multiple: bool = False
    open: bool = True
    hint: str = ""
    code: ConceptCode | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """Words that belong to a field and go with it: they are left out where the field stays empty."""

    text: str
    field_id: str = ""


Part = str | Label | TemplateField


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line of the report: fixed text, labels and fields in reading order."""

    parts: tuple[Part, ...]

    @property
    def fields(self) -> tuple[TemplateField, ...]:
        return tuple(part for part in self.parts if isinstance(part, TemplateField))


@dataclass(frozen=True, slots=True)
class TemplateSection:
    """A heading with its paragraphs; `level` is 1 for a main section, 2 for one within it."""

    identifier: str
    heading: str
    level: int = 1
    code: str = ""
    paragraphs: tuple[Paragraph, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A report template. `metadata` is its Dublin Core (without ``dcterms.``); `modalities`, `body_parts`
    and `procedures` say for which orders it is meant; `hotwords` what dictation should expect;
    `remarks` what the reader of the file had to leave out or mend."""

    identifier: str
    title: str
    sections: tuple[TemplateSection, ...]
    language: str = "en"
    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    hotwords: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    remarks: tuple[str, ...] = field(default=(), compare=False)
    source: str = field(default="", compare=False)

    @property
    def fields(self) -> tuple[TemplateField, ...]:
        """Every field in reading order."""
        return tuple(self._each_field())

    def _each_field(self) -> Iterator[TemplateField]:
        for section in self.sections:
            for paragraph in section.paragraphs:
                yield from paragraph.fields
