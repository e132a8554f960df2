"""Checks of single fields: filled, of their kind, without placeholders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, time

from workstation.reporting.draft import Draft, shown
from workstation.reporting.placeholders import PLACEHOLDER
from workstation.reporting.sign_findings import SignFinding, Situation, finding
from workstation.reporting.template_model import CompletionAction, FieldKind, TemplateField

_UNFILLED = re.compile(r"\[\s*\]|_{3,}|\*{3,}|\?{3,}|\bX{3,}\b")
_BRACKETED = re.compile(r"\[[^\[\]\n]{1,60}\]")
_DELETED = re.compile(r"\[[^\[\]\n]*: deleted\]")


def field_findings(draft: Draft, situation: Situation) -> Iterator[SignFinding]:
    """Every field, in reading order."""
    for section in draft.template.sections:
        for paragraph in section.paragraphs:
            partly = any(draft.values[f.identifier].strip() for f in paragraph.fields) and any(
                isinstance(part, str) for part in paragraph.parts
            )
            for item in paragraph.fields:
                name = item.label or section.heading or item.identifier
                text = shown(draft, item.identifier).text
                if not text.strip():
                    yield from _empty(item, name, partly, situation)
                else:
                    yield from _of_kind(item, name, text.strip(), situation)
                    yield from _placeholders(item.identifier, text, situation)


def _empty(item: TemplateField, name: str, partly: bool, situation: Situation) -> Iterator[SignFinding]:
    at = (item.identifier, 0, 0)
    if item.completion is CompletionAction.PROHIBIT:
        yield finding(situation, "empty-required", at, label=name)
    elif item.completion is CompletionAction.ALERT:
        yield finding(situation, "empty-expected", at, label=name)
    elif partly:
        yield finding(situation, "gap-in-sentence", at, label=name)


def _of_kind(item: TemplateField, name: str, text: str, situation: Situation) -> Iterator[SignFinding]:
    at = (item.identifier, 0, len(text))
    if item.kind is FieldKind.NUMBER:
        yield from _number(item, name, text, situation)
    elif item.kind is FieldKind.DATE and not _reads(date.fromisoformat, text):
        yield finding(situation, "not-a-date", at, label=name, text=text)
    elif item.kind is FieldKind.TIME and not _reads(time.fromisoformat, text):
        yield finding(situation, "not-a-time", at, label=name, text=text)
    elif item.kind is FieldKind.SELECTION and not item.open and not _is_choice(item, text):
        yield finding(situation, "not-a-choice", at, label=name, text=text)


def _number(item: TemplateField, name: str, text: str, situation: Situation) -> Iterator[SignFinding]:
    at = (item.identifier, 0, len(text))
    if not re.fullmatch(r"[+-]?\d+(?:\.\d+)?", text):
        yield finding(situation, "not-a-number", at, label=name, text=text)
        return
    value = float(text)
    low = item.minimum if item.minimum is not None else value
    high = item.maximum if item.maximum is not None else value
    if not low <= value <= high:
        ends = ["-∞" if item.minimum is None else f"{low:g}", "∞" if item.maximum is None else f"{high:g}"]
        yield finding(situation, "out-of-range", at, label=name, text=text, limits=" to ".join(ends))


def _reads(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _is_choice(item: TemplateField, text: str) -> bool:
    rest = text
    for choice in item.choices:
        if rest == choice:
            return True
        if item.multiple and rest.startswith(f"{choice} "):
            rest = rest[len(choice) + 1 :]
    return False


def _placeholders(field_id: str, text: str, situation: Situation) -> Iterator[SignFinding]:
    """A name without its measurement, a deleted measurement, brackets and rows of underscores."""
    taken: list[tuple[int, int]] = []
    for pattern, code in (
        (PLACEHOLDER, "placeholder-left"),
        (_DELETED, "placeholder-left"),
        (_UNFILLED, "placeholder-left"),
        (_BRACKETED, "bracket-left"),
    ):
        for match in pattern.finditer(text):
            if all(match.end() <= start or match.start() >= end for start, end in taken):
                taken.append(match.span())
                yield finding(situation, code, (field_id, *match.span()), text=match.group(0))
