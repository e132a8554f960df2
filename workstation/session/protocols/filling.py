"""Which series hangs in which cell of a stage: what the cells want, laid into a plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.luts import presets
from workstation.session.hanging import Layout, Place, Plan, Role, partner, score, three_planes
from workstation.session.protocols.choosing import Hanger
from workstation.session.protocols.facing import chest_wall_at
from workstation.session.protocols.model import CellRule, Look, Protocol, Stage, Wish
from workstation.session.protocols.reading_file import SUV
from workstation.session.view_state import Fit, Fusion, Plane, ViewState, Window

TURNING, TRUE_SIZE = "turning", "true size"


@dataclass(frozen=True, slots=True)
class Step:
    """A stage, and which of its pages (from 0) of how many."""

    stage: Stage
    page: int = 0
    pages: int = 1


@dataclass(frozen=True, slots=True)
class Hung:
    """A rule with the series that came to hang by it (None: none), and as which plane."""

    rule: CellRule
    hanger: Hanger | None
    plane: Plane = Plane.ACQUIRED


Picture = tuple[str, Plane, str | Window]
"""A series, as which plane, by which window."""


def steps(protocol: Protocol, current: Sequence[Hanger]) -> tuple[Step, ...]:
    """The stages that show something no stage before them shows so already, page by page."""
    found: list[Step] = []
    before: list[set[Picture]] = []
    for stage in protocol.stages:
        hung = _assigned(stage, stage.of_current, current)
        shown = {(h.hanger.shown.uid, h.plane, h.rule.look.window) for h in hung if h.hanger is not None}
        pages = _pages(stage, current) if stage.pages else 1
        less = pages == 1 and (len(shown) < len(hung) or stage.pages) and stage.missing != "empty"
        if not shown or (less and not stage.planes and any(shown <= earlier for earlier in before)):
            continue
        before.append(shown)
        found += [Step(stage, page, pages) for page in range(pages)]
    return tuple(found)


def fill(step: Step, current: Sequence[Hanger], prior: Sequence[Hanger], upright: bool, beside: bool) -> Plan:
    """The plan of a step; `beside` says that a prior hangs or will, `prior` what there is of it by now."""
    stage = step.stage
    if stage.planes:
        planned = _planes(stage, current, prior if stage.prior != "none" else (), upright)
        if planned is not None:
            return planned
    beside = beside and stage.prior != "none"
    layout = stage.layout if beside else _alone(stage, upright)
    hung = _paged(step, current) if stage.pages else _assigned(stage, stage.of_current, current)
    hung, layout = _laid(stage, hung, layout, current)
    shown = tuple(_place(one, Role.CURRENT, current) for one in hung)
    others: tuple[Place, ...] = ()
    if prior and beside:
        others = tuple(_place(one, Role.PRIOR, prior) for one in _of_prior(stage, hung, prior))
    sized = _sized(stage.size, (*shown, *others))
    return Plan(
        sized[: len(shown)],
        sized[len(shown) :],
        layout,
        upright,
        over=stage.prior == "over",
        prior_layout=stage.prior_layout if stage.of_prior else None,
    )


# ── which series ─────────────────────────────────────────────────────────────────────────────────────


def _best(rule: CellRule, series: Sequence[Hanger], used: set[tuple[str, Look]]) -> Hung | None:
    """The dearest series a rule may have, else a reformat of one; None where there is neither."""
    free = [h for h in series if (h.shown.uid, rule.look) not in used]
    fits = [h for h in free if rule.wish.fits(h.meaning)]
    if fits:
        return Hung(rule, max(fits, key=lambda h: _dear(rule.wish, h)), rule.look.plane)
    if rule.look.reformat is None:
        return None
    any_plane = Wish(tuple(w for w in rule.wish.want if w[0] not in ("plane", "made")), rule.wish.prefer)
    able = [h for h in free if h.shown.is_volume and any_plane.fits(h.meaning)]
    if not able:
        return None
    finest = max(able, key=lambda h: (h.meaning.thickness == "thin", _dear(any_plane, h)))
    return Hung(rule, finest, rule.look.reformat)


def _dear(wish: Wish, hanger: Hanger) -> tuple[float, float, float]:
    """What is preferred first; then what deserves a cell anyway; of equals the higher b-value."""
    shown, meaning = hanger.shown, hanger.meaning
    return wish.points(meaning), score(shown, shown.modality), meaning.b or 0.0


def _assigned(stage: Stage, rules: Sequence[CellRule], series: Sequence[Hanger]) -> list[Hung]:
    """The rules one after the other; nothing hangs twice as the same picture."""
    used: set[tuple[str, Look]] = set()
    found = []
    for rule in rules:
        one = _best(rule, series, used) or Hung(rule, None)
        if one.hanger is not None:
            used.add((one.hanger.shown.uid, rule.look))
        found.append(one)
    return found


def _fitting(rule: CellRule, series: Sequence[Hanger]) -> list[Hanger]:
    return [h for h in series if rule.wish.fits(h.meaning)]


def _pages(stage: Stage, series: Sequence[Hanger]) -> int:
    return max(1, math.ceil(len(_fitting(stage.of_current[0], series)) / stage.layout.cells))


def _paged(step: Step, series: Sequence[Hanger]) -> list[Hung]:
    """So many cells as the layout has, filled in the study's own order from where the page before ended."""
    rule, size = step.stage.of_current[0], step.stage.layout.cells
    here = _fitting(rule, series)[step.page * size : (step.page + 1) * size]
    return [Hung(rule, hanger, rule.look.plane) for hanger in here]


def _laid(
    stage: Stage, hung: list[Hung], layout: Layout, series: Sequence[Hanger]
) -> tuple[list[Hung], Layout]:
    """What becomes of cells without a series, and of the layout."""
    if stage.missing == "empty":
        return hung[: layout.cells], layout
    if stage.missing == "next":
        hung = _with_the_next(hung, series)
    kept = [one for one in hung if one.hanger is not None][: layout.cells]
    return kept, _shrunk(layout, len(kept))


def _with_the_next(hung: list[Hung], series: Sequence[Hanger]) -> list[Hung]:
    taken = {one.hanger.shown.uid for one in hung if one.hanger is not None}
    rest = [h for h in series if h.shown.uid not in taken and h.meaning.use == "image"]
    rest.sort(key=lambda h: -score(h.shown, h.shown.modality))
    return [Hung(one.rule, rest.pop(0)) if one.hanger is None and rest else one for one in hung]


def _shrunk(layout: Layout, count: int) -> Layout:
    if count >= layout.cells or count < 1:
        return layout if count else Layout(1, 1)
    rows = math.ceil(count / layout.columns)
    return Layout(rows, math.ceil(count / rows))


def _alone(stage: Stage, upright: bool) -> Layout:
    """The layout without a prior; lying ones stand up in an upright window, but where places have meaning."""
    layout = stage.alone or stage.layout
    lies = layout.rows < layout.columns and stage.missing != "empty"
    return Layout(layout.columns, layout.rows) if upright and lies else layout


def _of_prior(stage: Stage, hung: list[Hung], prior: Sequence[Hanger]) -> list[Hung]:
    """The prior's own cells, else in each place what compares with the study's series there."""
    if stage.of_prior:
        own, layout = _assigned(stage, stage.of_prior, prior), stage.prior_layout or stage.layout
        return own[: layout.cells]
    used: set[tuple[str, Look]] = set()
    found = []
    for one in hung:
        other = _best(one.rule, prior, used)
        if other is None and stage.missing != "empty":
            other = _compared(one, prior)
        if other is not None and other.hanger is not None:
            used.add((other.hanger.shown.uid, one.rule.look))
        found.append(other or Hung(one.rule, None))
    return found


def _compared(one: Hung, prior: Sequence[Hanger]) -> Hung | None:
    """What of the prior compares best with a series, where none fits the rule."""
    shown = partner(one.hanger.shown if one.hanger else None, [h.shown for h in prior])
    hanger = next((h for h in prior if shown is not None and h.shown.uid == shown.uid), None)
    return Hung(replace(one.rule, look=Look()), hanger) if hanger is not None else None


def _planes(stage: Stage, current: Sequence[Hanger], prior: Sequence[Hanger], upright: bool) -> Plan | None:
    """The three planes of the first cell's volume; None where that is no volume."""
    volumes = ([h for h in series if h.shown.is_volume] for series in (current, prior))
    found = [_best(stage.of_current[0], series, set()) for series in volumes]
    one, other = (f.hanger.shown if f is not None and f.hanger is not None else None for f in found)
    return three_planes(one, other, upright) if one is not None else None


# ── how it is seen ───────────────────────────────────────────────────────────────────────────────────


def _place(one: Hung, role: Role, series: Sequence[Hanger]) -> Place:
    if one.hanger is None:
        return Place(role, None, wanted=one.rule.wish.words)
    look, shown = one.rule.look, one.hanger.shown
    view = ViewState(
        plane=one.plane,
        window=_window(look.window, shown),
        invert=look.invert,
        rotation=look.rotation,
        flip_horizontal=look.flip_horizontal,
        flip_vertical=look.flip_vertical,
        slab=look.slab if shown.is_volume else 0.0,
        slab_mode=look.slab_mode,
        fusion=_fusion(look, shown, series),
    )
    uptake = look.window == SUV or view.fusion is not None
    asked = ((SUV, uptake), (TURNING, look.turning and shown.is_volume))
    return Place(role, shown, _faced(view, look, one.hanger), finish=frozenset(n for n, on in asked if on))


def _window(window: str | Window, shown: DisplaySet) -> Window | None:
    if isinstance(window, Window):
        return window
    named = next((p for p in presets(shown.modality) if p.label == window), None)
    return Window(named.centre, named.width, named.label) if named is not None else None


def _fusion(look: Look, shown: DisplaySet, series: Sequence[Hanger]) -> Fusion | None:
    """What the look lays over, of the same frame of reference."""
    if look.fuse is None or not shown.is_volume:
        return None
    here = shown.frame_of_reference_uid
    able = [h for h in series if h.shown.is_volume and here and h.shown.frame_of_reference_uid == here]
    over = [h for h in able if h.shown.uid != shown.uid and look.fuse.fits(h.meaning)]
    wish = look.fuse
    return Fusion(max(over, key=lambda h: _dear(wish, h)).shown.uid) if over else None


def _faced(view: ViewState, look: Look, hanger: Hanger) -> ViewState:
    """The chest wall at its edge, where the header says which way the image lies."""
    if not look.facing:
        return view
    names = hanger.shown.frames[0].patient_orientation
    turned = chest_wall_at(look.facing, names, hanger.meaning.side)
    turns, flip = turned or (0, False)
    return view.with_(rotation=turns, flip_horizontal=flip, fit=Fit(side=look.facing))


def _sized(size: str, places: tuple[Place, ...]) -> tuple[Place, ...]:
    """All cells in one scale, or for the window to make true size."""
    if size == "fit":
        return places
    extents = [_extent(p) for p in places if p.display_set is not None and not p.view.is_reformat]
    if not extents:
        return places
    most = (max(width for width, _ in extents), max(height for _, height in extents))
    extra = frozenset({TRUE_SIZE}) if size == "true" else frozenset[str]()
    return tuple(_in_scale(p, most, extra) for p in places)


def _in_scale(place: Place, most: tuple[float, float], extra: frozenset[str]) -> Place:
    if place.display_set is None or place.view.is_reformat:
        return place
    fit = replace(place.view.fit or Fit(), extent=most)
    return replace(place, view=place.view.with_(fit=fit), finish=place.finish | extra)


def _extent(place: Place) -> tuple[float, float]:
    """Width and height of an image as it lies on the screen, in its own mm."""
    assert place.display_set is not None
    first = place.display_set.frames[0]
    down, across = first.calibration.spacing
    width, height = first.layout.columns * across, first.layout.rows * down
    return (height, width) if place.view.rotation % 2 else (width, height)
