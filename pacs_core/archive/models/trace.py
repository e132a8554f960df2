"""The story of an exam, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass

from pacs_core.archive.models.exams import PatientView
from pacs_core.domain.events import Change


@dataclass(frozen=True, slots=True)
class StageView:
    """One of the seven stages: done, missing, waiting or failed, with its evidence in words."""

    number: int
    name: str
    state: str
    at: str
    evidence: str


@dataclass(frozen=True, slots=True)
class ExamTrace:
    """The story of one exam: its stages, the first that is missing, and every event."""

    accession: str
    patient: PatientView | None
    stages: tuple[StageView, ...]
    missing: str
    events: tuple[Change, ...]
