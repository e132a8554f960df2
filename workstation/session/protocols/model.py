"""A hanging protocol: for which studies, and stage by stage which series in which cell (PS3.3 C.23).

Frozen values; `reading_file` makes them of a file, `writing_file` a file of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workstation.imaging.meaning import Meaning
from workstation.session.hanging import Layout, Role
from workstation.session.view_state import Plane, SlabMode, Window

Facts = tuple[tuple[str, tuple[str, ...]], ...]
"""Facts of `Meaning` by name, each with the words it may have; the first is liked best."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a cell wants of a series: all of `want` must be so, each of `prefer` makes it dearer."""

    want: Facts = ()
    prefer: Facts = ()

    def fits(self, meaning: Meaning) -> bool:
        """Whether a series may hang here; a localizer or a screen capture only where it is asked for."""
        if meaning.use != "image" and not any(fact == "use" for fact, _ in self.want):
            return False
        return all(meaning.says(fact) & frozenset(words) for fact, words in self.want)

    def points(self, meaning: Meaning) -> float:
        """How dear a series that fits is: an earlier word of a list counts more, an earlier fact too."""
        found = 0.0
        for place, (fact, words) in enumerate((*self.prefer, *self.want)):
            rank = next((n for n, word in enumerate(words) if word in meaning.says(fact)), None)
            if rank is not None:
                found += (1.0 - rank / len(words)) / (1.0 + place / 4)
        return found

    @property
    def words(self) -> tuple[str, ...]:
        """What is wanted, for the reader of an empty cell."""
        silent = ("use", "frames", "modality", "made")
        named = [words[0] for fact, words in self.want if fact not in silent and words[0]]
        return tuple(named) or tuple(words[0] for fact, words in self.want if fact == "modality")


@dataclass(frozen=True, slots=True)
class Look:
    """How a cell is seen at first. `window` is a preset's name or a window; `facing` the chest wall's side.

    `plane` other than acquired is a reformat; with `reformat` an acquired series of that plane is taken where
    there is one. `fuse` lays another series over; `turning` is the MIP of the whole volume.
    """

    plane: Plane = Plane.ACQUIRED
    reformat: Plane | None = None
    window: str | Window = ""
    invert: bool = False
    rotation: int = 0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    slab: float = 0.0
    slab_mode: SlabMode = SlabMode.MAXIMUM
    fuse: Wish | None = None
    turning: bool = False
    facing: str = ""


@dataclass(frozen=True, slots=True)
class CellRule:
    """One cell: what it wants, of which study, and how that is seen."""

    wish: Wish
    look: Look = Look()
    role: Role = Role.CURRENT


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a protocol.

    `layout` is that of each study's cells, `alone` where there is no prior. Cells of the prior are those of
    the study, each with what compares with it, unless some are its own, laid out by `prior_layout`. `prior`
    is beside, over (the study above its prior) or none. `missing` says what becomes of a cell whose series
    is not there: close (the layout shrinks), next (the best series left) or empty. `pages` repeats the stage
    until every series was shown. `size` is fit, same (one scale for all cells) or true (a millimetre on the
    screen is one of the patient). `planes` is the three planes of the first cell's volume.
    """

    name: str
    layout: Layout
    cells: tuple[CellRule, ...]
    alone: Layout | None = None
    prior_layout: Layout | None = None
    prior: str = "beside"
    missing: str = "close"
    pages: bool = False
    size: str = "fit"
    planes: bool = False

    @property
    def of_current(self) -> tuple[CellRule, ...]:
        return tuple(c for c in self.cells if c.role is Role.CURRENT)

    @property
    def of_prior(self) -> tuple[CellRule, ...]:
        return tuple(c for c in self.cells if c.role is Role.PRIOR)


@dataclass(frozen=True, slots=True)
class Match:
    """For which studies; what is empty asks nothing. `body_part` are regions, `procedure` words of the order
    or the study, `priors` and `monitors` least and most (None: any), `holds` what series it has to have.
    """

    modality: tuple[str, ...] = ()
    body_part: tuple[str, ...] = ()
    side: tuple[str, ...] = ()
    procedure: tuple[str, ...] = ()
    priors: tuple[int, int | None] | None = None
    monitors: tuple[int, int | None] | None = None
    holds: tuple[Wish, ...] = ()


@dataclass(frozen=True, slots=True)
class Protocol:
    """A hanging protocol. `key` is its file's name without suffix; `own` says that a reader wrote it."""

    key: str
    name: str
    match: Match
    stages: tuple[Stage, ...]
    own: bool = False
    path: Path | None = None
