"""Which strokes lie over a picture: the study's own, the one being drawn, and the crosshair."""

from __future__ import annotations

from pacs_core.domain.measurement import Measurement
from workstation.imaging.geometry import Vector
from workstation.imaging.view_frame import ViewFrame
from workstation.rendering.display_list import DisplayList
from workstation.rendering.overlays import crosshair_list
from workstation.rendering.strokes import measurement_list
from workstation.session.hanging import Role
from workstation.session.reading_session import CellState, ReadingSession


def over(
    session: ReadingSession,
    cell: CellState,
    frame: ViewFrame,
    preview: Measurement | None,
    crosshair: Vector | None,
) -> DisplayList:
    """The display list of everything the reader drew that this picture shows."""
    kept = [
        m
        for m in session.strokes_on(cell.study_uid)
        if preview is None or m.tracking_uid != preview.tracking_uid
    ]
    drawn = [preview] if preview is not None else []
    chosen = preview.tracking_uid if preview is not None else session.selected
    marks = measurement_list(frame, (*kept, *drawn), selected=chosen, prior=cell.role is Role.PRIOR)
    return marks + (crosshair_list(frame, crosshair) if crosshair is not None else DisplayList())
