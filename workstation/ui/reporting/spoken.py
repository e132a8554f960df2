"""Spoken words in the draft: written at the cursor, the unsure ones marked until somebody looked at them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from workstation.reporting import composer
from workstation.reporting.dictation import SpeechContext, Utterance, context_for
from workstation.reporting.doubts import Doubt, Doubts
from workstation.ui import words
from workstation.ui.reporting.dictation import Dictation

if TYPE_CHECKING:
    from workstation.ui.reporting.panel import ReportPanel

Unsure = tuple[tuple[str, int, int, str], ...]


class Spoken:
    """What the microphone brings to the report. `doubts` are the words to look at twice."""

    def __init__(self, panel: ReportPanel) -> None:
        self._panel = panel
        self.doubts = Doubts()
        self._asked: composer.Draft | None = None
        self.dictation = Dictation(panel.desk, self._context)
        self.dictation.heard.connect(self._heard)
        self.dictation.failed.connect(lambda text: panel.desk.say(text, "waiting"))

    def of(self, draft: composer.Draft, field_id: str) -> tuple[Doubt, ...]:
        """The doubtful words of a field as it stands."""
        return self.doubts.of(field_id, composer.shown(draft, field_id).text)

    def unsure(self, draft: composer.Draft) -> Unsure:
        """(field, start, end, words) of every doubtful word, in reading order."""
        return tuple(
            (item.identifier, one.start, one.end, one.text)
            for item in draft.fields
            for one in self.of(draft, item.identifier)
        )

    def go_to_next(self) -> None:
        """Select the next doubtful word, so that typing or dictating replaces it."""
        draft = self._panel.draft
        found = self.unsure(draft) if draft is not None else ()
        if draft is None or not found:
            self._panel.desk.say(words.t("No word is marked as unsure."), "quiet")
            return
        order = {item.identifier: n for n, item in enumerate(draft.fields)}
        cursor = draft.cursor
        here = (order[cursor.field_id], composer.shown(draft, cursor.field_id).to_shown(cursor.start))
        later = [one for one in found if (order[one[0]], one[1]) > here]
        field_id, start, end, _text = (later or list(found))[0]
        self._panel.select(field_id, start, end)

    def settle(self, field_id: str, doubt: Doubt) -> None:
        """It is right as it stands."""
        self.doubts.settle(field_id, doubt)
        self._panel.show_again()

    def replace(self, field_id: str, doubt: Doubt, other: str) -> None:
        """Take another reading of a word; with none the word goes, and one of the blanks beside it."""
        draft = self._panel.draft
        if draft is None:
            return
        text = composer.shown(draft, field_id).text
        start = doubt.start
        if not other and start and text[start - 1] == " ":
            start -= 1
        changed = text[:start] + other + text[doubt.end :]
        self._panel.change(composer.edit_shown(draft, field_id, changed, start + len(other)))

    def _context(self) -> SpeechContext:
        self._asked = draft = self._panel.draft
        return context_for(draft, self._panel.facts) if draft is not None else SpeechContext()

    def _where_it_was_said(self, draft: composer.Draft) -> composer.Draft:
        """The draft with its cursor where it stood when the words were spoken: what was selected since then,
        to look at it, is not overwritten by them.
        """
        asked = self._asked
        if asked is None or asked.cursor == draft.cursor:
            return draft
        field_id = asked.cursor.field_id
        if field_id in draft.values and draft.values[field_id] == asked.values.get(field_id):
            return replace(draft, cursor=asked.cursor)
        return replace(draft, cursor=replace(draft.cursor, anchor=draft.cursor.caret))

    def _heard(self, utterance: Utterance) -> None:
        panel, draft = self._panel, self._panel.draft
        if draft is None or not panel.writing:
            return
        draft, self._asked = self._where_it_was_said(draft), None
        spoken = composer.insert_dictation(draft, utterance.text)
        if spoken is draft:
            told = words.t("This field could make nothing of: {text}")
            panel.desk.say(told.format(text=utterance.text), "waiting")
            return
        name = spoken.cursor.field_id
        before, after = (composer.shown(one, name).text for one in (draft, spoken))
        self.doubts.heard(name, before, after, utterance)
        panel.change(spoken)
        count = len(self.of(spoken, name))
        panel.desk.say(self._told(count), "waiting" if count else "quiet")

    @staticmethod
    def _told(count: int) -> str:
        if not count:
            return words.t("Written down")
        if count == 1:
            return words.t("Written down. One word is underlined: please look at it (F2)")
        return words.t("Written down. {n} words are underlined: please look at them (F2)").format(n=count)

    def dictate_file(self) -> None:
        """Write down what a sound file says."""
        name, _kind = QFileDialog.getOpenFileName(
            self._panel,
            words.t("Sound file"),
            "",
            f"{words.t('Sound')} (*.wav)",
            options=QFileDialog.Option.DontUseNativeDialog,
        )
        if name:
            self.dictation.transcribe_file(Path(name))
