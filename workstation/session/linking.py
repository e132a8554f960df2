"""How one cell's view moves another's: by patient millimetres, never by image number. Pure.

Two frames of reference that are one (PS3.3 C.7.4.1) are tied exactly; two that are not, by an anchor set
at opening (the middles of what hangs) or by hand, and that tie is called approximate wherever it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from workstation.imaging import anchors
from workstation.imaging.anchors import has_place
from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.geometry import add, as_vector, dot, scaled, subtract
from workstation.imaging.registration import Confidence, Registration
from workstation.imaging.registration_transform import Transform
from workstation.session.view_state import Plane, Vector, ViewState

if TYPE_CHECKING:
    from workstation.session.reading_session import CellState

PARALLEL = 0.9
SAME_AXES = 1.0 - 1e-9
NORMALS: dict[Plane, Vector] = {
    Plane.AXIAL: (0.0, 0.0, 1.0),
    Plane.CORONAL: (0.0, 1.0, 0.0),
    Plane.SAGITTAL: (1.0, 0.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class Tie:
    """Turning by `turn` (rows of a 3 x 3 matrix, None: not at all) and adding `offset` (mm) carries a point
    of one frame of reference into another; `exact`, by an anchor, or by a registration.
    """

    offset: Vector
    exact: bool
    words: str = ""
    turn: tuple[Vector, Vector, Vector] | None = None


SAME = Tie((0.0, 0.0, 0.0), True)


def space(cell: CellState) -> str:
    """The space a cell's coordinates live in: its frame of reference, else its own series."""
    shown = cell.display_set
    if shown is None:
        return ""
    return f"{cell.study_uid}|{shown.frame_of_reference_uid or shown.uid}"


def key(one: CellState, other: CellState) -> tuple[str, str]:
    """The pair of spaces two cells live in."""
    return space(one), space(other)


def tie(one: CellState, other: CellState) -> Tie | None:
    """Tie two spaces at opening; None where either has no place in a patient."""
    a, b = one.display_set, other.display_set
    if a is None or b is None:
        return None
    if one.study_uid == other.study_uid and a.frame_of_reference_uid != b.frame_of_reference_uid:
        return None
    found = anchors.link(a, b)
    return Tie(found.offset, found.exact, found.words) if found is not None else None


def tie_here(one: CellState, other: CellState) -> Tie | None:
    """Tie two spaces at the points the cells show now."""
    here, there = point_of(one), point_of(other)
    if here is None or there is None or one.role is other.role:
        return None
    return Tie(subtract(there, here), False, anchors.anchored(here, there).words)


def reversed_(tie_: Tie) -> Tie:
    """The way back."""
    if tie_.turn is None:
        return Tie(scaled(tie_.offset, -1.0), tie_.exact, tie_.words)
    back = Transform(np.array(tie_.turn), np.array(tie_.offset)).inverse
    return Tie(as_vector(back.offset), tie_.exact, tie_.words, _rows(back))


def registered(found: Registration) -> Tie | None:
    """The tie of a registration, labelled with how and how sure; None for one that is not to be believed."""
    if found.confidence is Confidence.LOW:
        return None
    return Tie(as_vector(found.transform.offset), False, found.words, _rows(found.transform))


def _rows(transform: Transform) -> tuple[Vector, Vector, Vector]:
    x, y, z = (as_vector(row) for row in transform.matrix)
    return x, y, z


def middle(shown: DisplaySet) -> Vector:
    """The middle of a display set in its own space."""
    return shown.geometry.centre if shown.geometry is not None else anchors.middle(shown)


def carried(point: Vector, by: Tie) -> Vector:
    """A point of one space in the other."""
    if by.turn is None:
        return add(point, by.offset)
    x, y, z = (dot(row, point) for row in by.turn)
    return add((x, y, z), by.offset)


def turned(direction: Vector, by: Tie) -> Vector:
    """A direction of one space in the other."""
    return carried(direction, replace(by, offset=(0.0, 0.0, 0.0)))


def point_of(cell: CellState) -> Vector | None:
    """The patient point a cell shows in its middle; None where its images have no place."""
    shown, view = cell.display_set, cell.view
    if shown is None or not has_place(shown):
        return None
    if view.plane is Plane.ACQUIRED:
        plane = shown.frames[min(view.index, len(shown) - 1)].plane
        return plane.centre if plane is not None else None
    return view.centre or middle(shown)


def normal_of(cell: CellState) -> Vector | None:
    """The direction a cell scrolls along."""
    shown, view = cell.display_set, cell.view
    if shown is None:
        return None
    if view.plane in NORMALS:
        return NORMALS[view.plane]
    if view.plane is Plane.OBLIQUE:
        r, d = view.right, view.down
        return (r[1] * d[2] - r[2] * d[1], r[2] * d[0] - r[0] * d[2], r[0] * d[1] - r[1] * d[0])
    plane = shown.frames[0].plane
    return plane.normal if plane is not None else None


def nearest(shown: DisplaySet, point: Vector) -> int:
    """The image whose plane lies nearest a point of its own space."""
    return anchors.slice_at(shown, point)


def alike(here: Vector, there: Vector) -> bool:
    """Whether two cells cut the body the same way."""
    return abs(dot(here, there)) >= PARALLEL


def at_point(cell: CellState, point: Vector) -> ViewState:
    """The cell's view brought to a point of its own space."""
    shown, view = cell.display_set, cell.view
    if shown is None or not has_place(shown) or view.turn is not None:
        return view
    if view.plane is Plane.ACQUIRED:
        return view.with_(index=nearest(shown, point))
    normal = normal_of(cell)
    assert normal is not None
    centre = view.centre or middle(shown)
    return view.with_(centre=add(centre, normal, dot(subtract(point, centre), normal)))


def cut_alike(one: CellState, cell: CellState, by: Tie | None) -> ViewState:
    """The view of `cell` cutting the body as the plane of `one` does, turned as that is, at its place; its
    own where it cuts so already, and where `one` shows no plane that stands still.
    """
    view = one.view
    if view.plane is Plane.ACQUIRED or view.turn is not None or cell.view.turn is not None:
        return cell.view
    right, down = (turned(axis, by or SAME) for axis in (view.right, view.down))
    same = min(dot(right, cell.view.right), dot(down, cell.view.down)) > SAME_AXES
    if cell.view.plane is view.plane and (view.plane is not Plane.OBLIQUE or same):
        return cell.view
    point = point_of(one)
    centre = carried(point, by) if by is not None and point is not None else cell.view.centre
    return cell.view.with_(plane=view.plane, right=right, down=down, centre=centre)


def as_before(cell: CellState, before: Sequence[CellState]) -> ViewState:
    """The view of a cell hung anew: the window, and the place along its normal, at which its images were
    looked at before; its own where they were not.
    """
    same = [b for b in before if b.role is cell.role and b.display_set == cell.display_set]
    if not same or cell.display_set is None:
        return cell.view
    here = normal_of(cell)
    was = next((b for b in same if here is not None and (n := normal_of(b)) and alike(here, n)), same[0])
    if was.view.plane is cell.view.plane and was.view.turn == cell.view.turn:
        return was.view
    if cell.view.turn is not None or was.view.turn is not None:
        return cell.view
    view = cell.view.with_(
        window=was.view.window, invert=was.view.invert, fusion=was.view.fusion, change=was.view.change
    )
    point = point_of(was)
    return at_point(replace(cell, view=view), point) if point is not None else view


def level(cells: Sequence[CellState]) -> list[CellState]:
    """Cells of one study and frame of reference at one place at first: that of the first of them."""
    leads: dict[tuple[object, str], Vector] = {}
    found = []
    for cell in cells:
        point, still = point_of(cell), cell.view.turn is None
        frame = cell.display_set.frame_of_reference_uid if cell.display_set is not None else ""
        lead = leads.setdefault((cell.role, frame), point) if point is not None and frame and still else point
        found.append(replace(cell, view=at_point(cell, lead)) if lead and lead != point else cell)
    return found


def followed(cell: CellState, before: ViewState, other: CellState, by: Tie | None) -> ViewState:
    """The view of `other` after `cell` scrolled; unchanged where they are not tied or cut other ways."""
    point, here, there = point_of(cell), normal_of(cell), normal_of(other)
    scrolled = cell.view.index != before.index or cell.view.centre != before.centre
    if (
        cell.view.turn is not None
        or not scrolled
        or by is None
        or point is None
        or here is None
        or there is None
    ):
        return other.view
    if not alike(here, there):
        return other.view
    return at_point(other, carried(point, by))


def same_window(cell: CellState, before: ViewState, other: CellState) -> ViewState:
    """The view of `other` with the window `cell` was given, where both are of one modality."""
    a, b = cell.display_set, other.display_set
    changed = cell.view.window != before.window or cell.view.invert != before.invert
    if cell.view.turn != other.view.turn or _is_difference(cell.view) != _is_difference(other.view):
        return other.view
    if not changed or a is None or b is None or a.modality != b.modality or a.is_colour != b.is_colour:
        return other.view
    return other.view.with_(window=cell.view.window, invert=cell.view.invert)


def _is_difference(view: ViewState) -> bool:
    """Its window is of what is left, not of the images' own values."""
    return view.change is not None or view.subtraction is not None


def same_image(before: DisplaySet, index: int, now: DisplaySet) -> int:
    """Where the image that was in front lies in the display set that has grown."""
    shown = before.frames[min(index, len(before) - 1)]
    same = (
        n
        for n, f in enumerate(now.frames)
        if (f.sop_instance_uid, f.frame) == (shown.sop_instance_uid, shown.frame)
    )
    return next(same, min(index, len(now) - 1))
