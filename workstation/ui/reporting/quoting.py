"""Measurements in the report: quoted at the cursor, changed with their strokes, a way back to the image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.measurement import Measurement
from workstation.reporting import composer
from workstation.session.stroke_places import go_to
from workstation.ui import words
from workstation.ui.reporting import quotes

if TYPE_CHECKING:
    from workstation.ui.reporting.panel import ReportPanel


class Quoting:
    """Between the strokes of the session and the sentences of the draft."""

    def __init__(self, panel: ReportPanel) -> None:
        self._panel, self._session = panel, panel.session

    def strokes_changed(self) -> None:
        """Every sentence that quotes a measurement changes with it."""
        history = self._panel.history
        if history is None or not self._panel.writing or history.draft.frozen:
            return
        before = history.draft
        for quote in {q.tracking_uid: q for q in before.quotes.values()}.values():
            stroke = self._session.measurements.get(quote.tracking_uid)
            if stroke is None:
                history.update_measurement(replace(quote, deleted=True))
                continue
            fresh = quotes.quote(self._session, stroke)
            if fresh is not None and fresh != quote:
                history.update_measurement(fresh)
        if history.draft.quotes != before.quotes:
            self._panel.show_and_keep()

    def insert(self, stroke: Measurement | None = None) -> None:
        """Quote a measurement at the cursor: the given one, the selected one, else the newest."""
        chosen, draft = stroke or quotes.newest(self._session), self._panel.draft
        if chosen is None or draft is None:
            self._panel.desk.say(words.t("There is no measurement on this study yet."), "waiting")
            return
        try:
            quote = quotes.quote_or_refuse(self._session, chosen)
        except InvalidValue as error:
            self._panel.desk.say(words.failure(error).words, "waiting")
            return
        self._panel.change(composer.insert_measurement(draft, quote))

    def menu(self) -> QMenu:
        """All measurements of the study, to insert one."""
        menu = QMenu(self._panel)
        strokes = quotes.able(self._session)
        for stroke in strokes:
            menu.addAction(quotes.words_of(self._session, stroke), lambda s=stroke: self.insert(s))
        if not strokes:
            menu.addAction(words.t("No measurement yet")).setEnabled(False)
        return menu

    def show_stroke(self, tracking_uid: str) -> None:
        """A click on a number in the text jumps to its image."""
        stroke = self._session.measurements.get(tracking_uid)
        if stroke is None:
            return
        self._session.select(tracking_uid)
        go_to(self._session, stroke)
