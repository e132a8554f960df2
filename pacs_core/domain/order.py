"""Imaging orders: Order → RequestedProcedure → ScheduledProcedureStep (PS3.3 C.4.10-C.4.12; IHE RAD TF-2
4.2).

One order of ours carries one requested procedure with one or more scheduled steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pacs_core.domain.identifiers import AccessionNumber, PatientIdentifier
from pacs_core.domain.patient import RegisterPatient


class OrderState(StrEnum):
    """Where an order stands."""

    SCHEDULED = "scheduled"
    IN_PROGRESS = "in progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DISCONTINUED = "discontinued"


class Priority(StrEnum):
    """Requested Procedure Priority (0040,1003)."""

    STAT = "STAT"
    HIGH = "HIGH"
    ROUTINE = "ROUTINE"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


BY_HAND = "by hand"
"""The source of an order that a person made."""


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept: value, scheme, meaning (PS3.3 8.8)."""

    value: str = ""
    scheme: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class ScheduledProcedureStep:
    """What a station is to do: the row a modality worklist answers.

    `start_date`/`start_time` are civil (``YYYY-MM-DD``, ``HH:MM:SS``) in the site's zone; an empty
    `station_aet` offers the step to every known AE of its modality.
    """

    id: int
    step_id: str
    modality: str
    start_date: str
    start_time: str
    station_aet: str = ""
    station_name: str = ""
    location: str = ""
    description: str = ""
    protocol_code: Code = field(default_factory=Code)
    performing_physician: str = ""
    state: OrderState = OrderState.SCHEDULED


@dataclass(frozen=True, slots=True)
class Order:
    """An imaging service request with its accession number and requested procedure.

    `placer_issuer` and `filler_issuer` say who gave those numbers: namespace, universal ID and its type
    joined by ``^``, as the sender wrote them (HL7 EI.2 to EI.4).
    """

    id: int
    patient_id: int
    placer_number: str
    filler_number: str
    accession: AccessionNumber
    accession_is_ours: bool
    state: OrderState
    priority: Priority
    procedure_id: str
    study_uid: str
    procedure_description: str
    procedure_code: Code
    body_part: str = ""
    laterality: str = ""
    indication: str = ""
    question: str = ""
    referring_physician: str = ""
    referring_phone: str = ""
    requesting_physician: str = ""
    contrast: str = ""
    allergies: str = ""
    alerts: str = ""
    pregnancy: str = ""
    technologist_note: str = ""
    admission_id: str = ""
    transport: str = ""
    patient_state: str = ""
    source: str = ""
    steps: tuple[ScheduledProcedureStep, ...] = ()
    placer_issuer: str = ""
    filler_issuer: str = ""


@dataclass(frozen=True, slots=True)
class StepRequest:
    """A step as an order message or a person asks for it; None or empty = not said."""

    step_id: str = ""
    modality: str = ""
    start_date: str = ""
    start_time: str = ""
    station_aet: str = ""
    station_name: str = ""
    location: str = ""
    description: str = ""
    protocol_code: Code = field(default_factory=Code)
    performing_physician: str = ""


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Make an order, or change the one that `placer_number`/`filler_number`/`accession` names.

    On a change a field that is None is left as it is. `allow_own_accession` lets the service make an
    accession number where `accession` is empty; it is then marked as ours. `only_changes` (ORC-1 XO) opens
    no order that was ended. `sent` and `received` are when the sender wrote it and when it came, as UTC
    instants; empty: not said, and now.
    """

    patient: RegisterPatient
    placer_number: str = ""
    filler_number: str = ""
    accession: str = ""
    accession_issuer: str = ""
    allow_own_accession: bool = True
    procedure_id: str = ""
    study_uid: str = ""
    priority: Priority | None = None
    procedure_description: str | None = None
    procedure_code: Code | None = None
    body_part: str | None = None
    laterality: str | None = None
    indication: str | None = None
    question: str | None = None
    referring_physician: str | None = None
    referring_phone: str | None = None
    requesting_physician: str | None = None
    contrast: str | None = None
    allergies: str | None = None
    alerts: str | None = None
    pregnancy: str | None = None
    technologist_note: str | None = None
    admission_id: str | None = None
    transport: str | None = None
    patient_state: str | None = None
    steps: tuple[StepRequest, ...] = ()
    source: str = ""
    placer_issuer: str = ""
    filler_issuer: str = ""
    only_changes: bool = False
    sent: str = ""
    received: str = ""

    @property
    def reference(self) -> OrderReference:
        """The order it may be about."""
        return OrderReference(
            self.placer_number,
            self.filler_number,
            self.accession,
            self.procedure_id,
            source=self.source,
            placer_issuer=self.placer_issuer,
            filler_issuer=self.filler_issuer,
        )


@dataclass(frozen=True, slots=True)
class OrderReference:
    """The numbers by which a message names an order that exists; any of them may be empty.

    `procedure_id` tells orders apart that share the others.
    """

    placer_number: str = ""
    filler_number: str = ""
    accession: str = ""
    procedure_id: str = ""
    patient: PatientIdentifier | None = None
    source: str = ""
    placer_issuer: str = ""
    filler_issuer: str = ""


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel (ORC-1 CA) or discontinue (DC) an order; images already there stay linked.

    `sent` and `received` are as in `PlaceOrder`.
    """

    order: OrderReference
    discontinue: bool = False
    reason: str = ""
    sent: str = ""
    received: str = ""

    @property
    def reference(self) -> OrderReference:
        """The order it is about."""
        return self.order
