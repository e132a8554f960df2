"""Which prior can be taken from a cell's series, or why none can. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from workstation.imaging.display_sets import DisplaySet
from workstation.session.hanging import Role
from workstation.session.linking import Tie
from workstation.session.reading_session import CellState
from workstation.session.view_state import Change

ONE_FRAME = "in one frame of reference"


class NotCompared(ValueError):
    """No prior can be taken away; the message says why."""


def compared(
    cell: CellState, others: Iterable[CellState], tie: Callable[[CellState, CellState], Tie | None]
) -> Change:
    """The change of a cell since the prior that hangs: its volume of the same modality with most images.

    Only what shares a frame of reference or was registered lies closely enough; raises NotCompared.
    """
    shown = cell.display_set
    if cell.role is not Role.CURRENT or shown is None or not shown.is_volume:
        raise NotCompared("choose a volume of the current study")
    there = [(c, c.display_set) for c in others if c.role is Role.PRIOR and c.display_set is not None]
    if not there:
        raise NotCompared("no prior hangs")
    volumes = [(c, s) for c, s in there if s.is_volume and s.modality == shown.modality]
    if not volumes:
        raise NotCompared(f"no {shown.modality} volume of the prior hangs")
    beside, prior = max(volumes, key=lambda pair: len(pair[1]))
    found = tie(cell, beside)
    if found is None:
        raise NotCompared("nothing ties the two")
    return _change(found, prior, cell)


def _change(tie: Tie, prior: DisplaySet, cell: CellState) -> Change:
    if tie.turn is not None:
        into = tuple((*row, along) for row, along in zip(tie.turn, tie.offset, strict=True))
        return Change(prior.uid, into, tie.words, cell.view.window)
    if not tie.exact:
        raise NotCompared("the prior is tied only approximately, it has not been registered")
    return Change(prior.uid, None, ONE_FRAME, cell.view.window)
