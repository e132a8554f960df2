"""Checks of what the words say: sides, contradictions, organs, critical results, cited dates.

They read English. They find what a tired reader overlooks and know nothing of medicine: a finding is a
question to the reader, never a verdict, and its absence proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from workstation.reporting.facts import SIDE_WORDS
from workstation.reporting.shipped import code_list
from workstation.reporting.sign_findings import SignFinding, Situation, Statement, finding
from workstation.reporting.template_model import FieldKind
from workstation.reporting.words import denied, phrases_in, places_of, side_before, sides_in

_OPPOSITE = {"left": "right", "right": "left"}
_DATE = re.compile(r"\b(?:19|20)\d\d-\d\d-\d\d\b")


def wording_findings(report: tuple[Statement, ...], situation: Situation) -> Iterator[SignFinding]:
    """Everything the words of a report give cause to ask."""
    yield from laterality_of_order(report, situation)
    yield from laterality_flips(report, situation)
    yield from contradictions(report, situation)
    yield from organs(report, situation)
    yield from critical_words(report, situation)
    yield from cited_dates(report, situation)


def ordered_side(situation: Situation) -> str:
    """Left or right as the order has it, coded or in the procedure's words; empty where both or neither."""
    coded = SIDE_WORDS.get(situation.facts.laterality.strip().upper(), "")
    said = {side for _, _, side in sides_in(situation.facts.procedure)} | _letters(situation.facts.procedure)
    side = coded or (said.pop() if len(said) == 1 else "")
    return side if side in _OPPOSITE else ""


def _letters(procedure: str) -> set[str]:
    """``KNEE LT``, ``XR WRIST RT``: sides as procedure lists abbreviate them."""
    return {{"LT": "left", "RT": "right"}[word] for word in re.findall(r"\b(?:LT|RT)\b", procedure)}


def laterality_of_order(report: tuple[Statement, ...], situation: Situation) -> Iterator[SignFinding]:
    """Order against images, against the report's side field, and against body parts with the other side."""
    side = ordered_side(situation)
    if not side:
        return
    other = _OPPOSITE[side]
    images = SIDE_WORDS.get(situation.image_laterality.strip().upper(), "")
    if images == other:
        yield finding(situation, "laterality-images", order=side, images=images)
    parts = _examined_words(situation)
    for statement in report:
        if statement.label.rstrip(": ").lower() in {"side", "laterality"}:
            if statement.text.strip().lower() == other:
                at = (statement.field_id, 0, len(statement.text))
                yield finding(
                    situation, "laterality-field", at, order=side, label="Side", text=statement.text
                )
        elif statement.role != "background":
            yield from _other_side(statement, parts, side, situation)


def _other_side(
    statement: Statement, parts: tuple[str, ...], side: str, situation: Situation
) -> Iterator[SignFinding]:
    for start, end, _ in places_of(statement.text, parts):
        if side_before(statement.text, start) == _OPPOSITE[side]:
            begin = _side_start(statement.text, start)
            said = statement.text[begin:end]
            yield finding(
                situation, "laterality-order", (statement.field_id, begin, end), order=side, text=said
            )


def _examined_words(situation: Situation) -> tuple[str, ...]:
    """Words for the body parts that the order names."""
    said = f"{situation.facts.body_part} {situation.facts.procedure}"
    terms = code_list("body_parts")
    named = {
        t for t, words in terms.items() if t == situation.facts.body_part.upper() or phrases_in(said, words)
    }
    return tuple(word for term in sorted(named) for word in terms[term])


def _side_start(text: str, before: int) -> int:
    return max(start for start, _, _ in sides_in(text[:before]))


def laterality_flips(report: tuple[Statement, ...], situation: Situation) -> Iterator[SignFinding]:
    """A structure that the impression puts on one side and the findings on the other alone."""
    structures = code_list("sided_structures")
    found: dict[str, set[str]] = {}
    for statement in report:
        if statement.role == "findings":
            for structure, side, _, _ in _sided(statement, structures):
                found.setdefault(structure, set()).add(side)
    for statement in report:
        if statement.role != "impression":
            continue
        flipped: dict[
            tuple[int, str], int
        ] = {}  # (start, side) to the end of the longest phrase that begins there
        for structure, side, start, end in _sided(statement, structures):
            if side in _OPPOSITE and found.get(structure) == {_OPPOSITE[side]}:
                flipped[start, side] = max(end, flipped.get((start, side), 0))
        for (start, side), end in flipped.items():
            said, at = statement.text[start:end], (statement.field_id, start, end)
            yield finding(situation, "laterality-flip", at, text=said, findings=_OPPOSITE[side])


def _sided(statement: Statement, structures: dict[str, list[str]]) -> Iterator[tuple[str, str, int, int]]:
    """(structure, side, start, end) of what a statement asserts on a side, or its label does."""
    labelled = {side for _, _, side in sides_in(statement.label)}
    for structure, words in structures.items():
        for start, end, _ in places_of(statement.text, words):
            if denied(statement.text, start, end):
                continue
            if side := side_before(statement.text, start):
                yield structure, side, _side_start(statement.text, start), end
            elif len(labelled) == 1:
                yield structure, next(iter(labelled)), start, end


def contradictions(report: tuple[Statement, ...], situation: Situation) -> Iterator[SignFinding]:
    """What the impression asserts while the findings deny it and assert it nowhere."""
    findings = [statement for statement in report if statement.role == "findings"]
    for words in code_list("deniable_findings").values():
        denials, asserted = _mentions(findings, words)
        if asserted or not denials:
            continue
        for statement in report:
            if statement.role != "impression":
                continue
            for start, end, _ in places_of(statement.text, words):
                if not denied(statement.text, start, end):
                    said, at = statement.text[start:end], (statement.field_id, start, end)
                    yield finding(situation, "contradiction", at, text=said, denied=denials[0])


def _mentions(findings: list[Statement], words: list[str]) -> tuple[list[str], bool]:
    """The sentences that deny it, and whether any asserts it."""
    denials, asserted = [], False
    for statement in findings:
        for start, end, _ in places_of(statement.text, words):
            if denied(statement.text, start, end):
                denials.append(_sentence(statement.text, start))
            else:
                asserted = True
    return denials, asserted


def _sentence(text: str, at: int) -> str:
    start = max(text.rfind(mark, 0, at) for mark in ".\n;") + 1
    ends = [place for mark in ".\n;" if (place := text.find(mark, at)) >= 0]
    return text[start : min(ends, default=len(text)) + 1].strip()


def organs(report: tuple[Statement, ...], situation: Situation) -> Iterator[SignFinding]:
    """Organs that the patient's sex does not have; surgery and records differ, so this only asks."""
    sex = situation.facts.sex.strip().upper()[:1]
    for having, words in code_list("sex_organs").items():
        if sex not in {"M", "F"} or sex == having:
            continue
        for statement in report:
            for start, end, _ in places_of(statement.text, words):
                if statement.role != "background" and not statement.untouched:
                    said, at = statement.text[start:end], (statement.field_id, start, end)
                    yield finding(situation, "sex-mismatch", at, sex=sex, text=said)


def critical_words(report: tuple[Statement, ...], situation: Situation) -> Iterator[SignFinding]:
    """Critical results that are said without a record of who was told (ACR communication parameter)."""
    if situation.critical_recorded:
        return
    lists = code_list("critical_terms")
    for statement in report:
        words = list(lists["anywhere"]) if statement.role != "background" else []
        words += lists["impression"] if statement.role == "impression" else []
        for start, end, _ in places_of(statement.text, words):
            if not denied(statement.text, start, end):
                said, at = statement.text[start:end], (statement.field_id, start, end)
                yield finding(situation, "critical-unrecorded", at, text=said)


def cited_dates(report: tuple[Statement, ...], situation: Situation) -> Iterator[SignFinding]:
    """Dates that the report cites and no prior study has."""
    known = {*situation.prior_dates, situation.facts.study_date}
    for statement in report:
        if statement.kind is FieldKind.DATE:
            continue  # a date asked for by the template is no cited study
        for match in _DATE.finditer(statement.text):
            if match.group(0) not in known:
                yield finding(
                    situation, "prior-unknown", (statement.field_id, *match.span()), text=match.group(0)
                )
