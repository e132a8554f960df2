"""Facts for the journal: what happened, to what, told once in the transaction that did it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    """A fact to be recorded; `stage` is the exam stage (1 patient … 7 report) it belongs to, 0 for none."""

    kind: str
    stage: int
    patient_id: int | None = None
    order_id: int | None = None
    study_uid: str = ""
    subject: str = ""
    actor: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A journal row as every screen hears it: `sequence` only grows, `at` is a UTC instant."""

    sequence: int
    at: str
    kind: str
    stage: int
    patient_id: int | None
    order_id: int | None
    study_uid: str
    subject: str
    actor: str
    detail: Mapping[str, object]
