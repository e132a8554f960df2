"""What the archive and the session know for a cell's corners, and the value under the pointer."""

from __future__ import annotations

import math

from workstation.imaging.geometry import LETTERS
from workstation.imaging.view_frame import ViewFrame
from workstation.imaging.volume import Volume
from workstation.rendering.overlays import Corner
from workstation.session.hanging import Role
from workstation.session.reading_session import CellState, ReadingSession
from workstation.ui import words


def corner(session: ReadingSession, cell: CellState, volume: Volume, playing: str = "") -> Corner:
    """Series and time; patient and date because a prior may hang beside; what `playing` says of a loop."""
    dossier, shown = session.dossier, cell.display_set
    if dossier is None or shown is None:
        return Corner()
    number = "" if shown.series_number is None else str(shown.series_number)
    name = " ".join(part for part in (number, shown.description or shown.modality, shown.label) if part)
    prior = cell.role is Role.PRIOR and session.prior is not None
    date, time = (
        (session.prior.study_date, session.prior.study_time)
        if prior and session.prior
        else (dossier.exam.study_date, dossier.exam.study_time)
    )
    header = volume.header(min(cell.view.index, len(volume.loaded) - 1))
    return Corner(
        series=name,
        time=words.clock(header.content_time or time),
        patient=dossier.patient.display_name,
        date=words.iso_date(date) if session.prior is not None else "",
        badges=tuple(b for b in (playing, _arriving(session, cell)) if b),
    )


def _arriving(session: ReadingSession, cell: CellState) -> str:
    """Findings in the images have their own badges in the picture; this one the pixels do not know."""
    coming = session.dossier is not None and session.dossier.exam.arriving and cell.role is Role.CURRENT
    return words.t("still arriving") if coming else ""


def under_pointer(volume: Volume, frame: ViewFrame, x: float, y: float) -> str:
    """Value with unit and patient millimetres (or image pixels) under a viewport position."""
    if not (0 <= x < frame.width and 0 <= y < frame.height):
        return ""
    point = frame.patient(x, y)
    value = _value(volume, frame, point)
    number = (
        ""
        if value is None
        else f"{value:.0f} {volume.unit}".strip()
        if abs(value) >= 10
        else f"{value:.2f} {volume.unit}".strip()
    )
    if not frame.in_patient:
        place = f"{math.floor(point[0] + 0.5)}, {math.floor(point[1] + 0.5)} px"
    else:
        place = (
            " ".join(f"{LETTERS[n][0 if point[n] >= 0 else 1]}{abs(point[n]):.1f}" for n in range(3)) + " mm"
        )
    return f"{number}   {place}".strip()


def _value(volume: Volume, frame: ViewFrame, point: tuple[float, float, float]) -> float | None:
    if not frame.acquired and frame.in_patient and not frame.instance_uid:
        return volume.value_in_patient(point)
    plane = volume.header(frame.index).plane if frame.in_patient else None
    column, row = plane.pixel(point)[:2] if plane is not None else point[:2]
    return volume.value_at(frame.index, math.floor(column + 0.5), math.floor(row + 0.5))
