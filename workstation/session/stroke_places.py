"""Strokes across studies and cells: which of the prior's one is compared with, and the way to its image."""

from __future__ import annotations

from pacs_core.domain.measurement import Measurement
from workstation.session.hanging import Role
from workstation.session.reading_session import ReadingSession


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


def go_to(session: ReadingSession, stroke: Measurement) -> None:
    """Bring the stroke's image in front: in a cell that holds its series, else in the first of its study.

    A stroke on a plane of its own has no image: the views go to its first point.
    """
    prior = session.prior is not None and stroke.study_uid == session.prior.study_uid
    role = Role.PRIOR if prior else Role.CURRENT
    cells = [c for c in session.cells if c.role is role]
    found = next(
        (
            (s, n)
            for s in session.sets[role]
            for n, f in enumerate(s.frames)
            if (f.sop_instance_uid, f.frame) == (stroke.instance_uid, stroke.frame)
        ),
        None,
    )
    if cells and found is None and stroke.points and not stroke.in_pixels:
        session.go_to(stroke.points[0], cells[0].number)
    if found is None or not cells:
        return
    shown, index = found
    holding = [c for c in cells if c.display_set is not None and c.display_set.uid == shown.uid]
    cell = (holding or cells)[0]
    if not holding:
        session.show(cell.number, shown)
    session.activate(cell.number)
    session.set_view(cell.number, session.cells[cell.number].view.with_(index=index))
