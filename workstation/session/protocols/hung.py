"""The protocol a study hangs by, and where in its stages the reader is: the session asks for its plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pacs_core.archive.models import Dossier
from pacs_core.archive.priors import comparable
from workstation.imaging.display_sets import DisplaySet
from workstation.session import priors
from workstation.session.hanging import Place, Plan, Role
from workstation.session.protocols.choosing import (
    Judged,
    StudyFacts,
    facts_of,
    hangers,
    judge,
    judged,
)
from workstation.session.protocols.filling import Step, fill, steps
from workstation.session.protocols.model import Protocol
from workstation.session.view_state import ViewState

Sets = Mapping[Role, Sequence[DisplaySet]]
Finish = Callable[[Place], ViewState]
"""Makes the view of a place whose `finish` only the window can do."""


@dataclass(frozen=True, slots=True)
class Hanging:
    """A study's protocol: why it, and which of its steps hangs; `by_hand` where the reader chose it."""

    judged: Judged
    steps: tuple[Step, ...]
    number: int = 0
    by_hand: bool = False

    @property
    def protocol(self) -> Protocol:
        return self.judged.protocol

    @property
    def step(self) -> Step:
        return self.steps[self.number]

    @property
    def place(self) -> tuple[int, int]:
        """Which step it is (from 1) of how many."""
        return self.number + 1, len(self.steps)


class Hangings:
    """What the session hangs by. `protocols` and `monitors` are set by whoever knows them, `finish` by the
    window.
    """

    def __init__(self) -> None:
        self.protocols: tuple[Protocol, ...] = ()
        self.monitors = 1
        self.finish: Finish | None = None
        self.forget()

    def forget(self) -> None:
        """No study is open."""
        self.all: tuple[Judged, ...] = ()
        self.now: Hanging | None = None
        self.facts = StudyFacts(frozenset())
        self._beside = False

    def begin(self, dossier: Dossier, current: Sequence[DisplaySet]) -> None:
        """Choose the protocol of a study that opens; whether a prior will hang beside it is known already."""
        exam = dossier.exam
        chosen = priors.choose(dossier.priors, exam.modality, exam.body_part, exam.procedure)
        self._beside = chosen.prior is not None
        series = hangers(current)
        count = sum(comparable(exam.modality, p.modality) > 0 for p in dossier.priors if p.images)
        self.facts = facts_of(dossier, series, count, self.monitors)
        self.all = judged(self.protocols, self.facts, series)
        best = self.all[0] if self.all and self.all[0].fits else None
        found = steps(best.protocol, series) if best is not None else ()
        self.now = Hanging(best, found) if best is not None and found else None

    def renew(self, current: Sequence[DisplaySet]) -> None:
        """Images joined: there may be more to show by the same protocol."""
        if self.now is not None:
            found = steps(self.now.protocol, hangers(current))
            if found:
                self.now = replace(self.now, steps=found, number=min(self.now.number, len(found) - 1))

    def use(self, protocol: Protocol, current: Sequence[DisplaySet]) -> bool:
        """Hang by a protocol of the reader's choice; False where it shows nothing of this study."""
        series = hangers(current)
        found = steps(protocol, series)
        if found:
            self.now = Hanging(judge(protocol, self.facts, series), found, by_hand=True)
        return bool(found)

    def go(self, by: int) -> bool:
        """So many steps on, round at the end; False where there is no other."""
        if self.now is None or len(self.now.steps) < 2:
            return False
        self.now = replace(self.now, number=(self.now.number + by) % len(self.now.steps))
        return True

    def go_to(self, number: int) -> None:
        if self.now is not None and 0 <= number < len(self.now.steps):
            self.now = replace(self.now, number=number)

    def leave_planes(self) -> None:
        """Out of a stage of three planes, to the first that is none."""
        if self.now is not None and self.now.step.stage.planes:
            able = (n for n, step in enumerate(self.now.steps) if not step.stage.planes)
            self.now = replace(self.now, number=next(able, 0))

    def plan(self, sets: Sets, upright: bool) -> Plan | None:
        """The plan of the step that hangs; None where no protocol does."""
        if self.now is None:
            return None
        current, prior = (hangers(sets[role]) for role in (Role.CURRENT, Role.PRIOR))
        made = fill(self.now.step, current, prior, upright, self._beside or bool(prior))
        return replace(
            made,
            current=tuple(self._finished(p) for p in made.current),
            prior=tuple(self._finished(p) for p in made.prior),
        )

    def meaning_words(self, shown: DisplaySet) -> tuple[str, ...]:
        """What a display set of the open study means, in words."""
        return hangers((shown,))[0].meaning.words

    def _finished(self, place: Place) -> Place:
        done = self.finish is not None and place.finish and place.display_set is not None
        return replace(place, view=self.finish(place)) if done and self.finish is not None else place
