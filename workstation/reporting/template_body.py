"""The body of an MRRT template: elements become sections, paragraphs, labels and fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from workstation.reporting import template_guard as guard
from workstation.reporting.template_model import (
    CompletionAction,
    ConceptCode,
    FieldKind,
    Label,
    Paragraph,
    Part,
    TemplateField,
    TemplateRefused,
    TemplateSection,
)

_BLOCKS = frozenset(
    "p div li ul ol tr table tbody thead section header h1 h2 h3 h4 h5 h6 br hr article".split()
)
_KINDS = {
    "text": FieldKind.TEXT,
    "merge": FieldKind.TEXT,
    "textarea": FieldKind.TEXTAREA,
    "number": FieldKind.NUMBER,
    "date": FieldKind.DATE,
    "time": FieldKind.TIME,
    "selection_list": FieldKind.SELECTION,
    "checkbox": FieldKind.SELECTION,
    "radio": FieldKind.SELECTION,
}
_IGNORED_INPUTS = frozenset("button submit reset hidden image file password".split())
_MERGE_NAMES = {
    "reason": "indication",
    "reasonforexam": "indication",
    "reasonforstudy": "indication",
    "clinicalinformation": "indication",
    "clinicalhistory": "history",
    "comparisons": "comparison",
    "comparisonstudy": "comparison",
    "accessionnumber": "accession",
    "procedureinformation": "technique",
    "proceduredescription": "procedure",
}
_SECTION_CODES = {
    "indication": "18785-6",
    "clinical information": "55752-0",
    "history": "11329-0",
    "comparison": "18834-2",
    "technique": "55111-9",
    "procedure information": "55111-9",
    "findings": "59776-5",
    "impression": "19005-8",
    "recommendation": "18783-1",
}
"""LOINC codes of the sections by heading, where the template brings none (MRRT Vol. 3, Table 8.1.3)."""


@dataclass(slots=True)
class _OpenSection:
    identifier: str
    heading: str
    level: int
    paragraphs: list[Paragraph] = field(default_factory=list)


@dataclass(slots=True)
class _Choices:
    """Options being collected for a select, a datalist or a group of boxes."""

    item: TemplateField
    texts: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)
    option: str | None = None
    selected: bool = False


class BodyBuilder:
    """Takes elements in document order; `sections` gives what they were."""

    def __init__(self) -> None:
        self._done: list[_OpenSection] = [_OpenSection("", "", 1)]
        self._stack: list[_OpenSection] = [self._done[0]]
        self._parts: list[Part] = []
        self._run = ""
        self._label: str | None = None
        self._heading: str | None = None
        self._textarea: tuple[TemplateField, list[str]] | None = None
        self._select: _Choices | None = None
        self._group: tuple[_Choices, int] | None = None
        self._lists: dict[str, tuple[str, ...]] = {}
        self._datalist: tuple[str, _Choices] | None = None
        self._waiting: dict[str, str] = {}
        self._seen: dict[str, str] = {}
        self._remarks: list[str] = []

    def start(self, tag: str, attributes: dict[str, str], depth: int, where: str) -> None:
        """An element begins; `depth` counts the open elements with it."""
        if tag in _BLOCKS and self._group is None:
            self._end_paragraph()
        match tag:
            case "section":
                self._start_section(attributes, where)
            case "header" | "h1" | "h2" | "h3":
                self._heading = ""
            case "label":
                self._end_run()
                self._label = attributes.get("for", "")
            case "input":
                self._input(attributes, where)
            case "textarea":
                self._textarea = (self._field(attributes, FieldKind.TEXTAREA, where), [])
            case "select":
                self._select = _Choices(self._field(attributes, FieldKind.SELECTION, where))
            case "datalist":
                self._datalist = (attributes.get("id", ""), _Choices(TemplateField("")))
            case "option":
                self._end_option(where)
                self._start_option(attributes)
            case _ if "data-field-type" in attributes:
                group = _Choices(self._field(attributes, FieldKind.SELECTION, where))
                self._group = (group, depth)

    def end(self, tag: str, depth: int, where: str) -> None:
        """An element ends; `depth` counts those that stay open."""
        match tag:
            case "section":
                self._end_paragraph()
                if len(self._stack) > 1:
                    self._stack.pop()
            case "header" | "h1" | "h2" | "h3":
                self._end_heading()
            case "label":
                self._end_label()
            case "textarea" if self._textarea is not None:
                self._end_textarea()
            case "select" if self._select is not None:
                self._end_option(where)
                self._add_choices(self._select)
                self._select = None
            case "datalist" if self._datalist is not None:
                identifier, choices = self._datalist
                self._lists[identifier] = tuple(choices.texts)
                self._datalist = None
            case "option":
                self._end_option(where)
        if self._group is not None and depth < self._group[1]:
            group, self._group, self._run = self._group[0], None, ""
            self._add_choices(group)
        if tag in _BLOCKS and self._group is None:
            self._end_paragraph()

    def text(self, data: str) -> None:
        """Characters between elements."""
        if self._textarea is not None:
            self._textarea[1].append(data)
            return
        choices = self._select or (self._datalist[1] if self._datalist else None)
        if choices is not None:
            if choices.option is not None:
                choices.option += data
        elif self._heading is not None:
            self._heading += data
        elif self._group is None:
            self._run += data

    def sections(
        self, codes: dict[str, ConceptCode], source: str
    ) -> tuple[tuple[TemplateSection, ...], tuple[str, ...]]:
        """The sections with their codes, and remarks; refuses a body without any field."""
        self._end_paragraph()
        made = tuple(
            self._section(section, codes) for section in self._done if section.paragraphs or section.heading
        )
        if not any(paragraph.fields for section in made for paragraph in section.paragraphs):
            raise TemplateRefused("the template has no field to fill", source)
        for identifier in self._waiting:
            self._remarks.append(f"field {identifier} names a list of choices that is not there")
        return made, tuple(self._remarks)

    def _section(self, section: _OpenSection, codes: dict[str, ConceptCode]) -> TemplateSection:
        code = codes.get(section.identifier)
        loinc = (
            code.value if code and code.scheme == "LN" else _SECTION_CODES.get(section.heading.lower(), "")
        )
        paragraphs = tuple(
            Paragraph(tuple(self._finished(p, codes) for p in q.parts)) for q in section.paragraphs
        )
        return TemplateSection(section.identifier, section.heading, section.level, loinc, paragraphs)

    def _finished(self, part: Part, codes: dict[str, ConceptCode]) -> Part:
        if not isinstance(part, TemplateField):
            return part
        label = part.label
        for section in self._done:
            for paragraph in section.paragraphs:
                for other in paragraph.parts:
                    if isinstance(other, Label) and other.field_id == part.identifier and not label:
                        label = other.text.rstrip(" :")
        listed = self._waiting.get(part.identifier)
        choices = part.choices
        if listed is not None and listed in self._lists:
            choices = self._lists[listed]
            del self._waiting[part.identifier]
        return replace(part, label=label or part.hint, code=codes.get(part.identifier), choices=choices)

    def _start_section(self, attributes: dict[str, str], where: str) -> None:
        if len(self._done) > guard.MOST_SECTIONS:
            raise TemplateRefused("too many sections", where)
        heading = " ".join(attributes.get("data-section-name", "").split())
        identifier = attributes.get("id", "") or f"section-{len(self._done)}"
        section = _OpenSection(identifier, heading, len(self._stack))
        self._stack.append(section)
        self._done.append(section)

    def _end_heading(self) -> None:
        text, self._heading = " ".join((self._heading or "").split()), None
        if not text:
            return
        section = self._stack[-1]
        if not section.heading:
            section.heading = text
        elif text.lower() != section.heading.lower() and section.paragraphs:
            section.paragraphs.append(Paragraph((text,)))

    def _end_run(self) -> None:
        text, self._run = " ".join(self._run.split()), ""
        if text:
            self._parts.append(text)

    def _end_label(self) -> None:
        text, self._run = " ".join(self._run.split()), ""
        if text and self._group is None:
            self._parts.append(Label(text, self._label or "") if self._label else text)
        self._label = None

    def _end_paragraph(self) -> None:
        self._end_run()
        if self._parts:
            self._stack[-1].paragraphs.append(Paragraph(tuple(self._parts)))
            self._parts = []

    def _field(self, attributes: dict[str, str], kind: FieldKind, where: str) -> TemplateField:
        """A field from its element's attributes; refuses a second one of the same name."""
        declared = attributes.get("data-field-type", "").strip().lower()
        if declared and declared not in _KINDS:
            raise TemplateRefused(f"data-field-type {declared!r} is not known", where)
        kind = _KINDS.get(declared, kind)
        identifier = attributes.get("id", "").strip() or f"field-{len(self._seen) + 1}"
        if identifier in self._seen:
            raise TemplateRefused(f"field {identifier!r} is there twice", where)
        if len(self._seen) >= guard.MOST_FIELDS:
            raise TemplateRefused(f"more than {guard.MOST_FIELDS} fields", where)
        self._seen[identifier] = where
        self._end_run()
        return TemplateField(
            identifier,
            label=" ".join(attributes.get("title", "").split()),
            kind=kind,
            default=attributes.get("value", "") if kind is not FieldKind.SELECTION else "",
            completion=_completion(attributes, where),
            merge=_merge_name(attributes),
            minimum=_number(attributes.get("min", ""), where),
            maximum=_number(attributes.get("max", ""), where),
            multiple="multiple" in attributes or declared == "checkbox",
            open=declared != "radio" and attributes.get("data-reading-room-open", "true").lower() != "false",
            hint=attributes.get("placeholder", ""),
        )

    def _input(self, attributes: dict[str, str], where: str) -> None:
        kind = attributes.get("type", "text").strip().lower()
        if kind in _IGNORED_INPUTS:
            self._remarks.append(f"<input type={kind}> left out")
        elif self._group is not None:
            self._group_box(kind, attributes)
        elif kind in {"checkbox", "radio"}:
            self._lone_box(kind, attributes, where)
        else:
            field_ = self._field(attributes, _KINDS.get(kind, FieldKind.TEXT), where)
            if listed := attributes.get("list"):
                field_ = replace(field_, kind=FieldKind.SELECTION, default=attributes.get("value", ""))
                self._waiting[field_.identifier] = listed
            self._parts.append(field_)

    def _group_box(self, kind: str, attributes: dict[str, str]) -> None:
        """A box or button within a group; its free-text neighbour only says that other text is welcome."""
        assert self._group is not None
        if kind in {"checkbox", "radio"} and (value := attributes.get("value", "").strip()):
            self._group[0].texts.append(value)
            if "checked" in attributes:
                self._group[0].chosen.append(value)

    def _lone_box(self, kind: str, attributes: dict[str, str], where: str) -> None:
        value = attributes.get("value", "").strip() or "yes"
        declared = {**attributes, "data-field-type": attributes.get("data-field-type", kind)}
        choices = _Choices(self._field(declared, FieldKind.SELECTION, where), [value])
        choices.chosen = [value] if "checked" in attributes else []
        self._add_choices(choices)

    def _start_option(self, attributes: dict[str, str]) -> None:
        choices = self._select or (self._datalist[1] if self._datalist else None)
        if choices is not None:
            choices.option = ""
            choices.selected = "selected" in attributes

    def _end_option(self, where: str) -> None:
        choices = self._select or (self._datalist[1] if self._datalist else None)
        if choices is None or choices.option is None:
            return
        text, choices.option = " ".join(choices.option.split()), None
        if len(choices.texts) >= guard.MOST_CHOICES:
            raise TemplateRefused(f"more than {guard.MOST_CHOICES} choices in one field", where)
        if text:
            choices.texts.append(text)
            if choices.selected:
                choices.chosen.append(text)

    def _end_textarea(self) -> None:
        assert self._textarea is not None
        field_, lines = self._textarea
        self._textarea = None
        text = re.sub(r"\r\n?", "\n", "".join(lines)).removeprefix("\n").rstrip()
        self._parts.append(replace(field_, default=text or field_.default))

    def _add_choices(self, choices: _Choices) -> None:
        self._parts.append(
            replace(
                choices.item,
                choices=tuple(dict.fromkeys(choices.texts)),
                default=" ".join(choices.chosen if choices.item.multiple else choices.chosen[:1]),
            )
        )


def _completion(attributes: dict[str, str], where: str) -> CompletionAction:
    """NONE (also called silent), ALERT or PROHIBIT; anything else is refused."""
    text = attributes.get("data-field-completion-action", "").strip().lower() or "none"
    try:
        return CompletionAction("none" if text == "silent" else text)
    except ValueError:
        raise TemplateRefused(f"data-field-completion-action {text!r} is not known", where) from None


def _merge_name(attributes: dict[str, str]) -> str:
    flagged = attributes.get("data-field-merge-flag", "").strip().lower() == "true"
    if not flagged and attributes.get("data-field-type", "").strip().lower() != "merge":
        return ""
    name = re.sub(r"[^a-z]", "", (attributes.get("name") or attributes.get("id", "")).lower())
    return _MERGE_NAMES.get(name, name)


def _number(text: str, where: str) -> float | None:
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise TemplateRefused(f"a limit of a number field is {text!r}", where) from None
