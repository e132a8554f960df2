"""What waits for a person."""

from __future__ import annotations

from dataclasses import dataclass

from pacs_core.archive.models.exams import DeliveryView, OrderView, PatientView


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An order a held study may belong to: `score` 0-1 and the evidence field by field, in words; `delivered`
    are results of other studies that its receivers have already.
    """

    order: OrderView
    score: float
    evidence: tuple[str, ...]
    delivered: tuple[DeliveryView, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldStudy:
    """A study that waits for a person, why, and what might be right.

    `filed` is the person it is filed under meanwhile, `known` the one its patient ID belongs to where that is
    another. `signed` says that it has a signed report, `delivered` which results of it their receivers have.
    """

    hold_id: int
    study_uid: str
    reason: str
    kind: str
    since: str
    received_patient_id: str
    received_name: str
    received_birth_date: str
    received_sex: str
    received_accession: str
    modality: str
    description: str
    study_date: str
    images: int
    suggestions: tuple[Suggestion, ...]
    filed: PatientView | None = None
    known: PatientView | None = None
    signed: bool = False
    delivered: tuple[DeliveryView, ...] = ()


@dataclass(frozen=True, slots=True)
class ResolvedHold:
    """A hold that was resolved, by whom and how; it can be undone while nothing was signed on it."""

    hold_id: int
    study_uid: str
    order_id: int | None
    accession: str
    patient_name: str
    how: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """A received HL7 message that was not, or not wholly, processed; `text` is the raw message as read."""

    id: int
    received_at: str
    source: str
    message_type: str
    control_id: str
    state: str
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """How many things wait for a person, for the rail."""

    held: int
    messages: int
    deliveries: int
    overdue: int = 0
