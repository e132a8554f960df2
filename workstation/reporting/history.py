"""Undo and redo of a report, and what changed between two states of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workstation.reporting.draft import Draft, shown
from workstation.reporting.placeholders import MeasurementQuote

_DEEPEST = 500


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field whose words differ, as the reader sees them before and after."""

    field_id: str
    label: str
    before: str
    after: str


def changes_since(before: Draft, after: Draft) -> tuple[FieldChange, ...]:
    """The fields whose shown text differs, in reading order; one that was not there before was empty."""
    changes = []
    for item in after.fields:
        new = shown(after, item.identifier).text
        old = shown(before, item.identifier).text if item.identifier in before.values else ""
        if old != new:
            changes.append(FieldChange(item.identifier, item.label, old, new))
    return tuple(changes)


class History:
    """The states of one report. A run of typing in one field is one step, up to the end of a word."""

    def __init__(self, draft: Draft) -> None:
        self._past: list[Draft] = []
        self._now = draft
        self._future: list[Draft] = []
        self._typing_in = ""

    @property
    def draft(self) -> Draft:
        return self._now

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def do(self, draft: Draft, typing: bool = False) -> Draft:
        """Make this the present state. Moving the cursor alone is no step."""
        if self._same_text(draft):
            self._now = draft
            self._typing_in = ""
            return draft
        runs_on = typing and self._typing_in == draft.cursor.field_id
        if not runs_on:
            self._past = [*self._past[-_DEEPEST + 1 :], self._now]
        self._now, self._future = draft, []
        self._typing_in = draft.cursor.field_id if typing and not _word_ended(draft) else ""
        return draft

    def undo(self) -> Draft:
        """Back one step; stays where there is none."""
        if self._past:
            self._future.append(self._now)
            self._now = self._past.pop()
        self._typing_in = ""
        return self._now

    def redo(self) -> Draft:
        """Forward again; stays where there is nothing undone."""
        if self._future:
            self._past.append(self._now)
            self._now = self._future.pop()
        self._typing_in = ""
        return self._now

    def update_measurement(self, quote: MeasurementQuote) -> Draft:
        """A measurement has changed: in every state, for undoing words must not bring back an old number."""
        self._past = [_with_quote(draft, quote) for draft in self._past]
        self._future = [_with_quote(draft, quote) for draft in self._future]
        self._now = _with_quote(self._now, quote)
        return self._now

    def _same_text(self, draft: Draft) -> bool:
        now = self._now
        return (now.values, now.quotes, now.template, now.untouched, now.frozen) == (
            draft.values,
            draft.quotes,
            draft.template,
            draft.untouched,
            draft.frozen,
        )


def _with_quote(draft: Draft, quote: MeasurementQuote) -> Draft:
    names = [name for name, other in draft.quotes.items() if other.tracking_uid == quote.tracking_uid]
    if draft.frozen or not names:
        return draft
    return replace(draft, quotes={**draft.quotes, **dict.fromkeys(names, quote)})


def _word_ended(draft: Draft) -> bool:
    typed = draft.text[: draft.cursor.start]
    return not typed or typed[-1] in " \n.,;:"
