"""Going through the stages of a hanging protocol, and taking up what comes late; on behalf of the session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workstation.session import linking
from workstation.session.hanging import Place, Role, first_view
from workstation.session.protocols.model import Protocol
from workstation.session.view_state import ViewState

if TYPE_CHECKING:
    from workstation.session.reading_session import CellState, ReadingSession


class Stages:
    """The session's own way through its protocol."""

    def __init__(self, session: ReadingSession) -> None:
        self._session, self._hangings = session, session.hangings

    def step(self, by: int, upright: bool) -> None:
        """The next or an earlier stage, at the place that is shown now; out of a layout of the reader's own
        back to the stage that was left.
        """
        session = self._session
        if session.dossier is not None and (session.layout is not None or self._hangings.go(by)):
            session.hang_anew(upright, self._at_its_place)

    def go_to(self, number: int, upright: bool) -> None:
        """One stage by its number, from 0."""
        self._hangings.go_to(number)
        if self._session.dossier is not None:
            self._session.hang_anew(upright, self._at_its_place)

    def hang_by(self, protocol: Protocol, upright: bool) -> bool:
        """Hang by a protocol of the reader's choice; False where it shows nothing of this study."""
        session = self._session
        if session.dossier is None or not self._hangings.use(protocol, session.sets[Role.CURRENT]):
            return False
        session.hang_anew(upright, self._at_its_place)
        return True

    def wanted(self, number: int) -> tuple[str, ...]:
        """What an empty cell was to show, as its stage says."""
        plan = self._session.plan
        places = (*plan.current, *plan.prior) if plan is not None else ()
        return places[number].wanted if number < len(places) else ()

    def waiting(self, upright: bool) -> list[CellState] | None:
        """The cells with new series in those that wait for one; None where none does, or all hang anew."""
        session = self._session
        self._hangings.renew(session.sets[Role.CURRENT])
        plan = self._hangings.plan(session.sets, upright) if session.layout is None else None
        places = (*plan.current, *plan.prior) if plan is not None else ()
        if plan is None or plan.planes or len(places) != len(session.cells):
            return None
        filled = [_taking_up(c, p) for c, p in zip(session.cells, places, strict=True)]
        return filled if filled != session.cells else None

    def _at_its_place(self, cell: CellState, before: Sequence[CellState]) -> ViewState:
        """A cell's view at the point its study was looked at before, seen as its stage says."""
        for was in before:
            point, tie = linking.point_of(was), self._session.tie(was, cell)
            if was.role is cell.role and point is not None and tie is not None and was.view.turn is None:
                return linking.at_point(cell, linking.carried(point, tie))
        return cell.view


def _taking_up(cell: CellState, place: Place) -> CellState:
    """An empty cell with the series that belongs in its place; another as it is."""
    if cell.display_set or cell.document or place.display_set is None:
        return cell
    return replace(cell, display_set=place.display_set, view=first_view(place))
