"""Which series hangs in which cell. Pure: display sets and the shape of the room in, a plan out.

`hang` is for studies no hanging protocol fits, and for a layout the reader chose; `protocols` makes the same
plans of its files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from workstation.imaging.display_sets import DisplaySet
from workstation.session.view_state import Plane, ViewState


class Role(Enum):
    """Whose images a cell shows."""

    CURRENT = "current"
    PRIOR = "prior"


FIRST = ViewState()


@dataclass(frozen=True, slots=True)
class Place:
    """One cell of the plan: its study's role, its display set (None: left empty) and its first view.

    `wanted` are the facts of the series that belongs here, `finish` what of the view only the window can say:
    SUV, turning, true size.
    """

    role: Role
    display_set: DisplaySet | None
    view: ViewState = FIRST
    wanted: tuple[str, ...] = ()
    finish: frozenset[str] = frozenset()


def first_view(place: Place) -> ViewState:
    """The first view of a place: the middle image of a stack, the middle of a volume."""
    shown = place.display_set
    if shown is None:
        return place.view
    view = place.view
    if view.plane is Plane.ACQUIRED and view.index == 0 and shown.kind != "cine":
        view = view.with_(index=len(shown) // 2)
    return view


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows and columns of one frame of cells."""

    rows: int
    columns: int

    @property
    def cells(self) -> int:
        return self.rows * self.columns


@dataclass(frozen=True, slots=True)
class Plan:
    """How the room hangs: the frames side by side, or one above the other in an upright window.

    `planes` says that the study's three planes fill the place and one cell of the prior takes what is left;
    `over` that the study hangs above its prior however wide the window is. `prior_layout` None is `layout`.
    """

    current: tuple[Place, ...]
    prior: tuple[Place, ...]
    layout: Layout
    upright: bool
    planes: bool = False
    over: bool = False
    prior_layout: Layout | None = None


def score(display_set: DisplaySet, modality: str) -> float:
    """How much a display set deserves a cell: volumes before stacks, thin before thick, scouts last."""
    if display_set.kind == "localizer":
        return -1.0
    points = 100.0 if display_set.modality == modality else 0.0
    points += {"volume": 50.0, "cine": 40.0, "stack": 30.0}.get(display_set.kind, 20.0)
    points += min(len(display_set), 600) / 20.0
    points += 5.0 if display_set.orientation.startswith("axial") else 0.0
    return points - (8.0 if "derived" in display_set.description.casefold() else 0.0)


def ranked(sets: Sequence[DisplaySet], modality: str) -> list[DisplaySet]:
    """Display sets by score, best first; equals by series number."""
    return sorted(sets, key=lambda s: (-score(s, modality), s.series_number or 0))


def alike(current: DisplaySet, prior: DisplaySet) -> float:
    """How well a prior's display set can be compared with a current one."""
    points = 40.0 if current.modality == prior.modality else 0.0
    points += 30.0 if current.orientation == prior.orientation else 0.0
    points += 20.0 if current.kind == prior.kind else 0.0
    shared = set(current.description.casefold().split()) & set(prior.description.casefold().split())
    return points + 5.0 * len(shared) + min(len(prior), 600) / 60.0


def partner(current: DisplaySet | None, priors: Sequence[DisplaySet]) -> DisplaySet | None:
    """The prior's display set to hang beside a current one."""
    able = [p for p in priors if p.kind != "localizer"] or list(priors)
    if not able:
        return None
    return able[0] if current is None else max(able, key=lambda p: alike(current, p))


def hang(
    current: Sequence[DisplaySet],
    prior: Sequence[DisplaySet],
    modality: str,
    upright: bool,
    layout: Layout | None = None,
) -> Plan:
    """Hang the best series of the study, and of its prior what compares best with each."""
    best = ranked(current, modality)
    layout = layout or _layout(best, bool(prior), upright)
    shown = _of_interest(best)[: layout.cells]
    places = [Place(Role.CURRENT, s) for s in shown]
    places += [Place(Role.CURRENT, None)] * (layout.cells - len(places))
    beside: list[Place] = []
    if prior:
        beside = [
            Place(Role.PRIOR, partner(p.display_set, prior)) if p.display_set else Place(Role.PRIOR, None)
            for p in places
        ]
    return Plan(tuple(places), tuple(beside), layout, upright)


def reformats(display_set: DisplaySet, role: Role) -> tuple[Place, ...]:
    """Axial, coronal and sagittal of one volume."""
    planes = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)
    return tuple(Place(role, display_set, ViewState(plane=plane)) for plane in planes)


def three_planes(current: DisplaySet, prior: DisplaySet | None, upright: bool) -> Plan:
    """The three planes of the study's volume, and one cell of the prior's where there is one."""
    beside = reformats(prior, Role.PRIOR)[:1] if prior is not None else ()
    return Plan(reformats(current, Role.CURRENT), beside, Layout(2, 2), upright, planes=True)


def _of_interest(best: list[DisplaySet]) -> list[DisplaySet]:
    return [s for s in best if s.kind != "localizer"] or best


def _layout(best: list[DisplaySet], with_prior: bool, upright: bool) -> Layout:
    count = len(_of_interest(best))
    projections = all(s.kind in ("single", "localizer") for s in best)
    if count <= 1 or (with_prior and not projections) or not projections:
        return Layout(1, 1)
    return Layout(2, 1) if upright else Layout(1, 2)
