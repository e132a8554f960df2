"""Performed procedure steps: what a modality says it did, and the states it may say (PS3.4 F.7; PS3.3
C.4.13-C.4.15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pacs_core.domain.errors import Conflict, EmptyValue, InvalidValue
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import Code, OrderState

WRONG_ENTRY = "110514"
"""The discontinuation reason (PS3.16 CID 9300) of a step that was begun on somebody else's worklist entry."""

STATUS = "PerformedProcedureStepStatus (0040,0252)"
END_DATE = "PerformedProcedureStepEndDate (0040,0250)"
END_TIME = "PerformedProcedureStepEndTime (0040,0251)"
SERIES = "PerformedSeriesSequence (0040,0340)"


class PerformedState(StrEnum):
    """Performed Procedure Step Status (0040,0252)."""

    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"


STEP_STATE: Mapping[PerformedState, OrderState] = {
    PerformedState.IN_PROGRESS: OrderState.IN_PROGRESS,
    PerformedState.COMPLETED: OrderState.COMPLETED,
    PerformedState.DISCONTINUED: OrderState.DISCONTINUED,
}
"""What becomes of the scheduled step."""


@dataclass(frozen=True, slots=True)
class ScheduledStepReference:
    """An item of the Scheduled Step Attributes Sequence: what was scheduled; empty where it was not.

    `order_id` is the order it was found to belong to.
    """

    study_uid: str
    accession: str = ""
    procedure_id: str = ""
    step_id: str = ""
    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class PerformedSeries:
    """A series that was made, with the UIDs of its images and other objects."""

    series_uid: str
    description: str = ""
    protocol: str = ""
    instance_uids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PerformedProcedureStep:
    """What was done, under the SOP Instance UID of its MPPS; dates and times are civil, as received.

    `attributes` is everything that was said, as DICOM JSON (PS3.18 F).
    """

    sop_instance_uid: str
    state: PerformedState
    performed_id: str
    station_aet: str
    start_date: str
    start_time: str
    modality: str
    patient: PatientIdentifier
    patient_name: str = ""
    station_name: str = ""
    end_date: str = ""
    end_time: str = ""
    description: str = ""
    reason: Code = field(default_factory=Code)
    series: tuple[PerformedSeries, ...] = ()
    scheduled: tuple[ScheduledStepReference, ...] = ()
    attributes: Mapping[str, object] = field(default_factory=dict)
    calling_aet: str = ""
    id: int = 0

    @property
    def instance_uids(self) -> tuple[str, ...]:
        """Every object that was made."""
        return tuple(uid for one in self.series for uid in one.instance_uids)


@dataclass(frozen=True, slots=True)
class PerformedChange:
    """What an N-SET says; None is not said."""

    state: PerformedState | None = None
    end_date: str | None = None
    end_time: str | None = None
    description: str | None = None
    reason: Code | None = None
    series: tuple[PerformedSeries, ...] | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)


def changed(step: PerformedProcedureStep, change: PerformedChange) -> PerformedProcedureStep:
    """The step after an N-SET, whose attributes replace those said before (PS3.4 F.7.2.2).

    Raises Conflict where the step has ended, EmptyValue where it may not end like this.
    """
    if step.state is not PerformedState.IN_PROGRESS:
        raise Conflict(f"the step is {step.state} and may no longer be updated", STATUS)
    names = ("state", "end_date", "end_time", "description", "reason", "series")
    said = {name: getattr(change, name) for name in names if getattr(change, name) is not None}
    after = replace(step, **said, attributes={**step.attributes, **change.attributes})
    if after.state is not PerformedState.IN_PROGRESS:
        _check_end(after)
    return after


def step_state(performed: Sequence[PerformedProcedureStep]) -> OrderState | None:
    """The scheduled step's state by everything that was performed for it, in whatever order it was told.

    Work in progress counts before work that was completed (append case), that before work that was
    discontinued; a step that was only begun by mistake is scheduled again. None where nothing was performed.
    """
    states = {one.state for one in performed if one.state is not PerformedState.DISCONTINUED}
    given_up = [one for one in performed if one.state is PerformedState.DISCONTINUED]
    for state in (PerformedState.IN_PROGRESS, PerformedState.COMPLETED):
        if state in states:
            return STEP_STATE[state]
    if not given_up:
        return None
    mistaken = all(one.reason.value == WRONG_ENTRY for one in given_up)
    return OrderState.SCHEDULED if mistaken else OrderState.DISCONTINUED


def check_begin(step: PerformedProcedureStep) -> None:
    """Raise InvalidValue where a step is created in another state than IN PROGRESS (PS3.4 F.7.2.1.2)."""
    if step.state is not PerformedState.IN_PROGRESS:
        raise InvalidValue(f"a step is created IN PROGRESS, not {step.state}", STATUS)


def _check_end(step: PerformedProcedureStep) -> None:
    """What has to be said by the end (PS3.4 table F.7.2-1, final state); a discontinued step may have made
    nothing."""
    if not step.end_date:
        raise EmptyValue("a step that has ended says its end date", END_DATE)
    if not step.end_time:
        raise EmptyValue("a step that has ended says its end time", END_TIME)
    if step.state is PerformedState.COMPLETED and not step.series:
        raise EmptyValue("a completed step says which series were made", SERIES)
