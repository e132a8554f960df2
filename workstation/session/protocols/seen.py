"""A hanging protocol of what hangs now: each cell asks for the series it shows, seen as it is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from workstation.imaging.meaning import Meaning
from workstation.session.hanging import Layout, Role
from workstation.session.protocols.choosing import Hanger
from workstation.session.protocols.library import key_of
from workstation.session.protocols.model import CellRule, Facts, Look, Match, Protocol, Stage, Wish
from workstation.session.view_state import Plane, SlabMode, ViewState

TELLING = ("modality", "plane", "view", "weighting", "correction", "projection")
"""Facts a series is asked for by; where they find another one too, so many of the next as tell them apart."""
FURTHER = ("side", "phase", "contrast", "kernel", "diffusion", "fat", "made", "thickness", "frames")


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell as it is: whose study, its series (None: empty) and its view."""

    role: Role
    hanger: Hanger | None
    view: ViewState


def protocol_of(name: str, stage: str, match: Match, cells: Sequence[Shown], layouts: dict[Role, Layout],
                series: Mapping[Role, Sequence[Hanger]], over: bool) -> Protocol:  # fmt: skip
    """A protocol of one stage. Cells of the prior that show what the study's do are left to it."""
    rules = [_rule(cell, series[cell.role]) for cell in cells]
    current = tuple(r for r in rules if r.role is Role.CURRENT)
    prior = tuple(r for r in rules if r.role is Role.PRIOR)
    mirrored = [(r.wish.want, r.look) for r in prior] == [(r.wish.want, r.look) for r in current]
    own = () if mirrored else prior
    seen = Stage(
        name=stage,
        layout=layouts[Role.CURRENT],
        cells=(*current, *own),
        prior_layout=layouts[Role.PRIOR] if own else None,
        prior=("over" if over else "beside") if prior else "none",
        size="same" if any(c.view.fit and c.view.fit.extent for c in cells) else "fit",
    )
    return Protocol(key_of(name), name, match, (seen,), own=True)


def with_stage(protocol: Protocol, stage: Stage) -> Protocol:
    """The protocol with a stage more, or with the one of its name made anew."""
    names = [s.name for s in protocol.stages]
    if stage.name not in names:
        return replace(protocol, stages=(*protocol.stages, stage))
    place = names.index(stage.name)
    return replace(protocol, stages=(*protocol.stages[:place], stage, *protocol.stages[place + 1 :]))


def _rule(cell: Shown, series: Sequence[Hanger]) -> CellRule:
    if cell.hanger is None:
        return CellRule(Wish((("use", ("image",)),)), Look(), cell.role)
    wish = _wish(cell.hanger, series)
    return CellRule(wish, _look(cell.view, cell.hanger.meaning, series), cell.role)


def _wish(hanger: Hanger, series: Sequence[Hanger]) -> Wish:
    """So many facts as tell it from the others of the study, the rest preferred."""
    meaning = hanger.meaning
    wanted = list(TELLING)
    further = [fact for fact in FURTHER if _one(meaning, fact)]
    if meaning.view or meaning.modality == "MG":
        wanted.append("side")
    while further and _taken_for(meaning, wanted, series):
        wanted.append(further.pop(0))
    rest = tuple(fact for fact in FURTHER if fact not in wanted)
    use: Facts = (("use", (meaning.use,)),) if meaning.use != "image" else ()
    return Wish((*_facts(meaning, wanted), *use), _facts(meaning, rest))


def _taken_for(meaning: Meaning, wanted: Sequence[str], series: Sequence[Hanger]) -> bool:
    wish = Wish(_facts(meaning, wanted))
    return any(wish.fits(h.meaning) and h.meaning != meaning for h in series)


def _facts(meaning: Meaning, names: Sequence[str]) -> Facts:
    return tuple((fact, (word,)) for fact in dict.fromkeys(names) if (word := _one(meaning, fact)))


def _one(meaning: Meaning, fact: str) -> str:
    return next(iter(sorted(meaning.says(fact))), "")


def _look(view: ViewState, meaning: Meaning, series: Sequence[Hanger]) -> Look:
    over = view.fusion.over if view.fusion is not None else ""
    above = next((h for h in series if h.shown.uid == over), None)
    pet = meaning.modality == "PT"
    window = "SUV" if pet and view.window else (view.window.label or view.window) if view.window else ""
    plain = view.turn is None
    return Look(
        plane=view.plane if plain and view.plane is not Plane.OBLIQUE else Plane.ACQUIRED,
        window=window,
        invert=view.invert,
        rotation=view.rotation % 4 if not _side(view) else 0,
        flip_horizontal=view.flip_horizontal and not _side(view),
        flip_vertical=view.flip_vertical,
        slab=view.slab if plain else 0.0,
        slab_mode=view.slab_mode if plain else SlabMode.MAXIMUM,
        fuse=Wish(_facts(above.meaning, TELLING)) if above is not None else None,
        turning=not plain,
        facing=_side(view),
    )


def _side(view: ViewState) -> str:
    return view.fit.side if view.fit is not None else ""
