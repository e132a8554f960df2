"""Writing the report: every function takes a draft and gives a new one.

Who holds the draft, saves it and paints it is elsewhere; a signed draft refuses every change (Conflict).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pacs_core.domain.errors import Conflict
from workstation.reporting.dictated_text import fitted, value_spoken
from workstation.reporting.draft import Cursor, Draft, Shown, Span, clean, show, shown
from workstation.reporting.draft_json import draft_from_json, draft_to_json
from workstation.reporting.facts import OrderFacts
from workstation.reporting.history import FieldChange, History, changes_since
from workstation.reporting.placeholders import MeasurementQuote, quote_of
from workstation.reporting.report_text import plain_text, report_sections
from workstation.reporting.template_model import FieldKind, Template, TemplateField

__all__ = [
    "Cursor",
    "Draft",
    "FieldChange",
    "History",
    "MeasurementQuote",
    "Shown",
    "Span",
    "accept_defaults",
    "change_template",
    "changes_since",
    "draft_from_json",
    "draft_to_json",
    "edit_shown",
    "freeze",
    "insert_dictation",
    "insert_measurement",
    "insert_text",
    "move_to",
    "next_field",
    "plain_text",
    "previous_field",
    "quote_of",
    "remove_measurement",
    "report_sections",
    "set_text",
    "shown",
    "start_draft",
    "update_measurement",
]


def start_draft(template: Template, facts: OrderFacts | None = None) -> Draft:
    """An empty report of a template: merge fields from the order, the rest with the template's own text.

    The cursor stands in the first field that nobody has filled, its text selected.
    """
    facts = facts or OrderFacts()
    values = {item.identifier: _first_text(item, facts.merge_values()) for item in template.fields}
    draft = Draft(
        template,
        values,
        Cursor(template.fields[0].identifier),
        untouched=frozenset(values),
        study_uid=facts.study_uid,
    )
    unmerged = [item for item in template.fields if not item.merge]
    return move_to(draft, (unmerged or list(template.fields))[0].identifier)


def _first_text(item: TemplateField, merged: Mapping[str, str]) -> str:
    """The order's text where the field asks for it, else the template's; a closed list takes its own."""
    text = clean(merged.get(item.merge, ""), item.kind) if item.merge else ""
    if text and item.kind is FieldKind.SELECTION:
        return value_spoken(item, text) or (text if item.open else item.default)
    return text or item.default


def change_template(draft: Draft, template: Template, facts: OrderFacts | None = None) -> Draft:
    """The same report under another template: what was written goes with its field, or into Findings.

    Nothing that a person wrote is lost; untouched text of the old template is.
    """
    _still_open(draft)
    fresh = start_draft(template, facts or OrderFacts(study_uid=draft.study_uid))
    values = dict(fresh.values)
    untouched = set(fresh.untouched)
    left: list[str] = []
    for item in draft.fields:
        text = draft.values[item.identifier]
        if item.identifier in draft.untouched or not text.strip():
            continue
        if item.identifier in values:
            values[item.identifier] = text
            untouched.discard(item.identifier)
        else:
            left.append(f"{item.label}: {text}" if item.label else text)
    if left:
        home = _free_text_field(template)
        kept = [] if home in untouched else [values[home]]
        values[home] = "\n".join(part for part in [*kept, *left] if part)
        untouched.discard(home)
    moved = replace(
        fresh,
        values=values,
        untouched=frozenset(untouched),
        quotes=draft.quotes,
        next_quote=draft.next_quote,
        study_uid=draft.study_uid,
    )
    return move_to(moved, fresh.cursor.field_id)


def _free_text_field(template: Template) -> str:
    """Where words without a place of their own go: the last free text of Findings, else the last field."""
    findings = [s for s in template.sections if s.code == "59776-5" or s.heading.lower() == "findings"]
    inside = [f for s in findings for p in s.paragraphs for f in p.fields if f.kind is FieldKind.TEXTAREA]
    anywhere = [f for f in template.fields if f.kind is FieldKind.TEXTAREA]
    return (inside or anywhere or list(template.fields))[-1].identifier


def set_text(draft: Draft, field_id: str, text: str, caret: int | None = None) -> Draft:
    """Put raw text into a field; the cursor goes there, to `caret` or the end. Raises KeyError, Conflict."""
    _still_open(draft)
    kept = clean(text, draft.field(field_id).kind)
    place = len(kept) if caret is None else max(0, min(caret, len(kept)))
    return replace(
        draft,
        values={**draft.values, field_id: kept},
        untouched=draft.untouched - {field_id},
        cursor=Cursor(field_id, place, place),
    )


def insert_text(draft: Draft, text: str) -> Draft:
    """Put text at the cursor, in place of what is selected, exactly as typed."""
    cursor = draft.cursor
    words = clean(text, draft.field(cursor.field_id).kind)
    whole = draft.text[: cursor.start] + words + draft.text[cursor.end :]
    return set_text(draft, cursor.field_id, whole, cursor.start + len(words))


def insert_dictation(draft: Draft, words: str) -> Draft:
    """Put recognised words at the cursor with the blanks and capitals of prose.

    A selection takes the choice that was named, a number the number in it; where they can make nothing of the
    words, an open selection takes them as they are and the others stay as they were.
    """
    item = draft.field(draft.cursor.field_id)
    if item.kind in {FieldKind.SELECTION, FieldKind.NUMBER}:
        value = value_spoken(item, words)
        if value is not None:
            return set_text(draft, item.identifier, _added(draft, item, value))
        if item.kind is FieldKind.NUMBER or not item.open:
            return draft
    cursor = draft.cursor
    return insert_text(draft, fitted(draft.text[: cursor.start], words, draft.text[cursor.end :]))


def _added(draft: Draft, item: TemplateField, value: str) -> str:
    """A further choice beside those already taken, where several may stand together."""
    present = draft.values[item.identifier]
    if not item.multiple or item.identifier in draft.untouched or not present:
        return value
    return present if value in present else f"{present} {value}"


def insert_measurement(draft: Draft, quote: MeasurementQuote) -> Draft:
    """Quote a measurement at the cursor; one that is quoted already keeps its name."""
    _still_open(draft)
    known = [name for name, other in draft.quotes.items() if other.tracking_uid == quote.tracking_uid]
    name = known[0] if known else f"m{draft.next_quote}"
    quoted = replace(
        draft,
        quotes={**draft.quotes, name: quote},
        next_quote=draft.next_quote + (0 if known else 1),
    )
    before, after = draft.text[: draft.cursor.start], draft.text[draft.cursor.end :]
    lead = " " if before and before[-1] not in " \n\t(" else ""
    trail = " " if after and after[0] not in " \n.,;:)" else ""
    return insert_text(quoted, f"{lead}{{{name}}}{trail}")


def update_measurement(draft: Draft, quote: MeasurementQuote) -> Draft:
    """The measurement has changed: every sentence that quotes it changes with it. A signed one stays."""
    known = [name for name, other in draft.quotes.items() if other.tracking_uid == quote.tracking_uid]
    if draft.frozen or not known:
        return draft
    return replace(draft, quotes={**draft.quotes, **dict.fromkeys(known, quote)})


def remove_measurement(draft: Draft, tracking_uid: str) -> Draft:
    """The stroke is gone: sentences that quote it say so, and the report cannot be signed like that."""
    gone = [quote for quote in draft.quotes.values() if quote.tracking_uid == tracking_uid]
    return update_measurement(draft, replace(gone[0], deleted=True)) if gone else draft


def edit_shown(draft: Draft, field_id: str, text: str, caret: int | None = None) -> Draft:
    """What an editor that shows measurements in words has made of a field.

    Measurements that were not touched stay live; one that was typed into becomes ordinary text.
    """
    before = shown(draft, field_id)
    wanted = clean(text, draft.field(field_id).kind)
    start, old_end, new_end = _changed_range(before.text, wanted, caret)
    raw = draft.values[field_id]
    pieces, at = [], 0
    for span in before.spans:
        if span.end <= start or span.start >= old_end:
            continue
        pieces += [raw[at : span.raw_start], before.text[span.start : span.end]]
        at = span.raw_end
    literal = "".join([*pieces, raw[at:]])
    fixed = show(literal, draft.quotes)  # the same words, with the touched measurements as plain text
    edited = literal[: fixed.to_raw(start)] + wanted[start:new_end] + literal[fixed.to_raw(old_end) :]
    changed = set_text(draft, field_id, edited)
    place = shown(changed, field_id).to_raw(len(wanted) if caret is None else caret)
    return move_to(changed, field_id, place)


def _changed_range(old: str, new: str, caret: int | None) -> tuple[int, int, int]:
    """Where two texts differ: a start, and an end in each. The caret is behind what was typed."""
    limit = min(len(old), len(new))
    most = limit if caret is None else min(limit, caret)
    start = 0
    while start < most and old[start] == new[start]:
        start += 1
    end = 0
    while end < limit - start and old[len(old) - 1 - end] == new[len(new) - 1 - end]:
        end += 1
    return start, len(old) - end, len(new) - end


def move_to(draft: Draft, field_id: str, caret: int | None = None) -> Draft:
    """The cursor into a field: to `caret`, else to its end; text that nobody has touched yet is selected."""
    text = draft.values[field_id]
    if caret is not None:
        place = max(0, min(caret, len(text)))
        return replace(draft, cursor=Cursor(field_id, place, place))
    select = field_id in draft.untouched
    return replace(draft, cursor=Cursor(field_id, len(text), 0 if select else len(text)))


def next_field(draft: Draft) -> Draft:
    """The cursor into the next field; behind the last one it stays."""
    return _step(draft, 1)


def previous_field(draft: Draft) -> Draft:
    """The cursor into the field before; before the first one it stays."""
    return _step(draft, -1)


def _step(draft: Draft, by: int) -> Draft:
    names = [item.identifier for item in draft.fields]
    place = names.index(draft.cursor.field_id) + by
    return move_to(draft, names[max(0, min(place, len(names) - 1))])


def accept_defaults(draft: Draft) -> Draft:
    """Take the text that stands in every untouched field as one's own."""
    _still_open(draft)
    return replace(draft, untouched=frozenset(n for n in draft.untouched if not draft.values[n].strip()))


def freeze(draft: Draft) -> Draft:
    """The draft as it is signed: measurements become words for good, and nothing can be changed any more."""
    values = {name: shown(draft, name).text for name in draft.values}
    return replace(draft, values=values, frozen=True)


def _still_open(draft: Draft) -> None:
    if draft.frozen:
        raise Conflict("this report is signed; an addendum or a correction changes it", "report")
