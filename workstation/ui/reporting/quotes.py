"""Measurements as the report quotes them: with the prior's value beside, and the way back to their image."""

from __future__ import annotations

from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.measurement_words import label_lines
from workstation.reporting.placeholders import MeasurementQuote, quote_of
from workstation.session.hanging import Role
from workstation.session.reading_session import ReadingSession
from workstation.ui import words


def paired(session: ReadingSession, stroke: Measurement) -> Measurement | None:
    """The prior's stroke it is compared with: the one it names, else the only one of its kind and label."""
    if session.prior is None:
        return None
    there = session.strokes_on(session.prior.study_uid)
    named = [m for m in there if m.tracking_uid == stroke.pairs_with or m.pairs_with == stroke.tracking_uid]
    if named:
        return named[0]
    alike = [m for m in there if m.kind == stroke.kind and m.label == stroke.label]
    return alike[0] if len(alike) == 1 else None


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


def go_to(session: ReadingSession, stroke: Measurement) -> None:
    """Bring the stroke's image in front: in a cell that holds its series, else in the first of its study."""
    prior = session.prior is not None and stroke.study_uid == session.prior.study_uid
    role = Role.PRIOR if prior else Role.CURRENT
    found = next(
        (
            (s, n)
            for s in session.sets[role]
            for n, f in enumerate(s.frames)
            if (f.sop_instance_uid, f.frame) == (stroke.instance_uid, stroke.frame)
        ),
        None,
    )
    cells = [c for c in session.cells if c.role is role]
    if found is None or not cells:
        return
    shown, index = found
    holding = [c for c in cells if c.display_set is not None and c.display_set.uid == shown.uid]
    cell = (holding or cells)[0]
    if not holding:
        session.show(cell.number, shown)
    session.activate(cell.number)
    session.set_view(cell.number, session.cells[cell.number].view.with_(index=index))
