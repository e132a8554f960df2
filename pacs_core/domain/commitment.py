"""Storage commitment: which objects another application entity wants us to answer for, or we want it to
(PS3.4 annex J)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PROCESSING_FAILURE = 0x0110
NO_SUCH_OBJECT = 0x0112
CLASS_INSTANCE_CONFLICT = 0x0119

LASTS_DAYS = 7
"""So long a report is tried; then a person has to see to the peer."""


class CommitmentState(StrEnum):
    """Where a transaction stands."""

    WAITING = "waiting"
    ASKED = "asked"
    DONE = "done"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Reference:
    """An object by SOP class and instance; `failure` is its Failure Reason (0008,1197), 0 where safe."""

    sop_class_uid: str
    sop_instance_uid: str
    failure: int = 0


@dataclass(frozen=True, slots=True)
class Commitment:
    """A transaction with a peer; `ours` where we asked; `checked` once it is known what became of each."""

    transaction_uid: str
    peer: str
    ours: bool
    references: tuple[Reference, ...]
    state: CommitmentState
    created_at: str
    due_at: str
    checked: bool = False
    attempts: int = 0
    answer: str = ""
    id: int = 0

    @property
    def destination(self) -> str:
        """The peer it is about: one that is silent holds up no other."""
        return self.peer

    @property
    def failed(self) -> tuple[Reference, ...]:
        """The objects that are not safe."""
        return tuple(one for one in self.references if one.failure)
