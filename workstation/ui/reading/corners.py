"""What the archive and the session know for a cell's corners, and the value under the pointer."""

from __future__ import annotations

import math
import textwrap

from workstation.imaging.geometry import LETTERS, Vector
from workstation.imaging.luts import VoiWindow
from workstation.imaging.suv import SuvRefusal
from workstation.imaging.view_frame import ViewFrame
from workstation.imaging.volume import Volume
from workstation.rendering.overlays import Corner
from workstation.rendering.reformat import reformat_voi
from workstation.session.hanging import Role
from workstation.session.reading_session import CellState, ReadingSession
from workstation.session.view_state import Change, Subtraction, ViewState, Window
from workstation.ui import words
from workstation.ui.reading import uptake

REFUSAL_WIDTH = 40


def corner(session: ReadingSession, cell: CellState, volume: Volume, said: tuple[str, ...] = ()) -> Corner:
    """Series and time; patient and date because a prior may hang beside; what else is `said` of the view."""
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
        badges=tuple(b for b in (*said, _arriving(session, cell)) if b),
    )


def _arriving(session: ReadingSession, cell: CellState) -> str:
    """Findings in the images have their own badges in the picture; this one the pixels do not know."""
    coming = session.dossier is not None and session.dossier.exam.arriving and cell.role is Role.CURRENT
    return words.t("still arriving") if coming else ""


def said_of(view: ViewState, volume: Volume, above: Volume | None) -> tuple[str, ...]:
    """What a view is besides a plane: fused with what and how, or turned."""
    if view.subtraction is not None:
        return (_subtraction_words(view.subtraction),)
    if view.change is not None:
        return (f"{words.t('Less the prior')} · {view.change.words}",)
    turned = f"{words.t('Turning MIP')} {view.turn:.0f}°" if view.turn is not None else ""
    if view.fusion is None or above is None:
        pet = uptake.is_pet(volume.display_set) and view.window is not None
        level = uptake.window_words(volume.display_set, view.window) if pet and view.window else ""
        return tuple(text for text in (turned, level) if text)
    chosen, shown = view.fusion, above.display_set
    voi = reformat_voi(chosen.window, above)
    level = "VOI LUT"
    if isinstance(voi, VoiWindow):
        level = uptake.window_words(shown, Window(voi.centre, voi.width))
    said = [f"{shown.modality} {chosen.colours} {chosen.opacity:.0%}", level]
    refused = uptake.scale_of(shown, len(shown) // 2) if uptake.is_pet(shown) else None
    if isinstance(refused, SuvRefusal):
        said.append(words.t("no SUV"))
    return (" · ".join(said),)


def _subtraction_words(chosen: Subtraction) -> str:
    """Words such as: Subtracted · mask 3 · +0.5 ↓ +1.0 →."""
    mask = f" · {words.t('mask')} {chosen.mask}" if chosen.mask is not None else ""
    if chosen.shift is None:
        return f"{words.t('Subtracted')}{mask}"
    rows, columns = chosen.shift
    return f"{words.t('Subtracted')}{mask} · {rows:+.1f} ↓ {columns:+.1f} →"


def under_pointer(
    volume: Volume,
    frame: ViewFrame,
    x: float,
    y: float,
    above: Volume | None = None,
    change: Change | None = None,
) -> tuple[str, ...]:
    """Value with unit and patient millimetres (or image pixels) under a viewport position; of a PET its
    uptake or why there is none, of a fused picture both values, of a `change` that of the prior there too.
    """
    if not (0 <= x < frame.width and 0 <= y < frame.height):
        return ()
    point = frame.patient(x, y)
    value = _value(volume, frame, point)
    number = "" if value is None else _number(value, volume.unit)
    if not frame.in_patient:
        place = f"{math.floor(point[0] + 0.5)}, {math.floor(point[1] + 0.5)} px"
    else:
        place = (
            " ".join(f"{LETTERS[n][0 if point[n] >= 0 else 1]}{abs(point[n]):.1f}" for n in range(3)) + " mm"
        )
    lines = [f"{number}   {place}".strip()]
    if value is not None and uptake.is_pet(volume.display_set):
        lines += _uptake(volume, value, point, frame.index if frame.acquired else None)
    there = change.there(point) if change is not None else point
    over = above.value_in_patient(there) if above is not None and frame.in_patient else None
    if above is not None and over is not None:
        whose = words.t("Prior") if change is not None else above.display_set.modality
        lines.append(f"{whose} {_number(over, above.unit)}")
        if uptake.is_pet(above.display_set):
            lines += _uptake(above, over, there, None)
    return tuple(lines)


def _number(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}".strip() if abs(value) >= 10 else f"{value:.2f} {unit}".strip()


def _uptake(volume: Volume, value: float, point: Vector, index: int | None) -> list[str]:
    where = uptake.nearest_image(volume, point) if index is None else index
    return textwrap.wrap(uptake.value_words(volume.display_set, where, value), REFUSAL_WIDTH)


def _value(volume: Volume, frame: ViewFrame, point: tuple[float, float, float]) -> float | None:
    if not frame.acquired and frame.in_patient and not frame.instance_uid:
        return volume.value_in_patient(point)
    plane = volume.header(frame.index).plane if frame.in_patient else None
    column, row = plane.pixel(point)[:2] if plane is not None else point[:2]
    return volume.value_at(frame.index, math.floor(column + 0.5), math.floor(row + 0.5))
