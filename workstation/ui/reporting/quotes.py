"""Measurements as the report quotes them: with the prior's value beside, and the way back to their image."""

from __future__ import annotations

from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.measurement_words import label_lines
from workstation.reporting.placeholders import MeasurementQuote, quote_of
from workstation.session.reading_session import ReadingSession
from workstation.session.stroke_places import paired
from workstation.ui import words


def quote_or_refuse(session: ReadingSession, stroke: Measurement) -> MeasurementQuote:
    """The quote of a stroke; raises InvalidValue with its own refusal."""
    prior = paired(session, stroke)
    return quote_of(stroke, prior, session.prior.study_date if prior is not None and session.prior else "")


def quote(session: ReadingSession, stroke: Measurement) -> MeasurementQuote | None:
    """The quote of a stroke, None where it has no number to be trusted."""
    try:
        return quote_or_refuse(session, stroke)
    except InvalidValue:
        return None


def able(session: ReadingSession) -> tuple[Measurement, ...]:
    """The current study's strokes that have a number, newest first."""
    strokes = [m for m in session.strokes_on(session.study_uid) if m.quantities and not m.refusal]
    return tuple(sorted(strokes, key=lambda m: m.changed_at or m.made_at, reverse=True))


def newest(session: ReadingSession) -> Measurement | None:
    """The selected stroke, else the one changed last."""
    strokes = able(session)
    chosen = [m for m in strokes if m.tracking_uid == session.selected]
    return next(iter(chosen or strokes), None)


def words_of(session: ReadingSession, stroke: Measurement) -> str:
    """A line of the insert menu: what was measured and where."""
    place = f"{words.t('series')} {stroke.series_number}, {words.t('image')} {stroke.instance_number}"
    return f"{'  '.join(label_lines(stroke)[:2])}   ({place})"
