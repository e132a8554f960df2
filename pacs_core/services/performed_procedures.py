"""Performed procedure steps: kept as modalities say them, found their order, the scheduled step moved with
them (PS3.4 F.7; IHE RAD-6, RAD-7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pacs_core.domain.errors import Duplicate
from pacs_core.domain.events import Event
from pacs_core.domain.order import Order, OrderState
from pacs_core.domain.patient import answers_to
from pacs_core.domain.performed import (
    WRONG_ENTRY,
    PerformedChange,
    PerformedProcedureStep,
    PerformedState,
    ScheduledStepReference,
    changed,
    check_begin,
    step_state,
)
from pacs_core.domain.records import StudyRecord
from pacs_core.domain.times import instant
from pacs_core.ports import Clock, Index, Transaction

WRONG_ENTRY_HOLD = "wrong worklist entry"

_ENDED = (OrderState.CANCELLED, OrderState.DISCONTINUED, OrderState.COMPLETED)
_KINDS = {
    PerformedState.IN_PROGRESS: "performed.started",
    PerformedState.COMPLETED: "performed.completed",
    PerformedState.DISCONTINUED: "performed.discontinued",
}


class PerformedProcedures:
    """What modalities did; a step without an order is kept all the same, and finds it when it comes."""

    def __init__(self, index: Index, clock: Clock) -> None:
        self._index = index
        self._clock = clock

    def begin(self, step: PerformedProcedureStep) -> PerformedProcedureStep:
        """Keep a new step (N-CREATE); raises InvalidValue for a wrong state, Duplicate for a known UID."""
        check_begin(step)
        return self._index.write(lambda tx: self._begin(tx, step))

    def change(self, sop_instance_uid: str, change: PerformedChange, actor: str) -> PerformedProcedureStep:
        """Change a step (N-SET); raises NotFound, Conflict for one that has ended, EmptyValue."""
        return self._index.write(lambda tx: self._change(tx, sop_instance_uid, change, actor))

    def get(self, sop_instance_uid: str) -> PerformedProcedureStep:
        """One step; raises NotFound."""
        with self._index.read() as tx:
            return tx.performed.get(sop_instance_uid)

    def order_kept(self, tx: Transaction, order: Order) -> None:
        """An order was placed or changed: what was performed before it came is found, and moves its steps."""
        matched = False
        for step in tx.performed.waiting_for(order.accession.value, order.study_uid):
            linked = self._linked(tx, step)
            if linked.scheduled != step.scheduled:
                kept = tx.performed.save(linked, instant(self._clock.now()))
                self._note(tx, "performed.matched", kept, kept.station_aet)
                matched = True
        if matched:
            self._move(tx, order.id)

    # ── within a transaction ──

    def _begin(self, tx: Transaction, step: PerformedProcedureStep) -> PerformedProcedureStep:
        if tx.performed.find(step.sop_instance_uid) is not None:
            raise Duplicate(
                f"there is a performed procedure step {step.sop_instance_uid} already", "SOP Instance UID"
            )
        kept = tx.performed.add(self._linked(tx, step), instant(self._clock.now()))
        self._after(tx, kept, step.calling_aet)
        return kept

    def _change(
        self, tx: Transaction, uid: str, change: PerformedChange, actor: str
    ) -> PerformedProcedureStep:
        before = tx.performed.get(uid)
        kept = tx.performed.save(changed(before, change), instant(self._clock.now()))
        if kept.state is not before.state:
            self._after(tx, kept, actor)
            if mistaken(kept):
                self._hold(tx, kept)
        return kept

    def _after(self, tx: Transaction, step: PerformedProcedureStep, actor: str) -> None:
        """A step has a new state: its scheduled steps follow, and it is journalled."""
        for order_id in sorted({one.order_id for one in step.scheduled if one.order_id is not None}):
            self._move(tx, order_id)
        self._note(tx, _KINDS[step.state], step, actor)

    def _linked(self, tx: Transaction, step: PerformedProcedureStep) -> PerformedProcedureStep:
        return replace(step, scheduled=tuple(_found(tx, step, one) for one in step.scheduled))

    def _move(self, tx: Transaction, order_id: int) -> None:
        """Give an order's scheduled steps the state of what was performed for them."""
        order = tx.orders.get(order_id)
        performed = tx.performed.of_order(order_id)
        if not performed or order.state in _ENDED:
            return
        steps = tuple(
            replace(one, state=step_state(_of_step(performed, order, one.step_id)) or one.state)
            for one in order.steps
        )
        begun = any(one.state in (OrderState.IN_PROGRESS, OrderState.COMPLETED) for one in steps)
        state = order.state
        if begun:
            state = OrderState.IN_PROGRESS
        elif not tx.studies.of_order(order_id):
            state = OrderState.SCHEDULED
        if (state, steps) != (order.state, order.steps):
            tx.orders.save(replace(order, state=state, steps=steps), instant(self._clock.now()))

    def _hold(self, tx: Transaction, step: PerformedProcedureStep) -> None:
        for uid in sorted({one.study_uid for one in step.scheduled}):
            study = tx.studies.find(uid)
            if study is not None:
                hold_wrong_entry(tx, study, instant(self._clock.now()))

    def _note(self, tx: Transaction, kind: str, step: PerformedProcedureStep, actor: str) -> None:
        """One fact for each order, or study where there is no order, that the step is about."""
        told: set[tuple[int | None, str]] = set()
        for one in step.scheduled:
            about = (one.order_id, one.study_uid if one.order_id is None else "")
            if about in told:
                continue
            told.add(about)
            patient_id = tx.orders.get(one.order_id).patient_id if one.order_id is not None else None
            detail: dict[str, object] = {
                "station": step.station_name or step.station_aet,
                "accession": one.accession,
                "step": one.step_id,
                "images": len(step.instance_uids),
                "reason": step.reason.meaning or step.reason.value,
                "scheduled": one.order_id is not None,
            }
            subject = f"performed:{step.sop_instance_uid}"
            tx.record(Event(kind, 4, patient_id, one.order_id, one.study_uid, subject, actor, detail))


def mistaken(step: PerformedProcedureStep) -> bool:
    """Say whether a step was given up because it was begun on the wrong worklist entry."""
    return step.state is PerformedState.DISCONTINUED and step.reason.value == WRONG_ENTRY


def hold_wrong_entry(tx: Transaction, study: StudyRecord, now: str) -> None:
    """Hold a study whose modality says that it was taken on the wrong worklist entry."""
    if any(h.kind == WRONG_ENTRY_HOLD for h in tx.holds.open_for(study.study_uid)):
        return
    reason = "the modality says that the wrong worklist entry was selected"
    tx.holds.add(study.study_uid, WRONG_ENTRY_HOLD, reason, now)
    held = tx.studies.update(study.study_uid, reconciliation="held")
    subject = f"study:{study.study_uid}"
    detail = {"kind": WRONG_ENTRY_HOLD}
    tx.record(Event("study.held", 5, held.patient_id, held.order_id, held.study_uid, subject, "", detail))


def _found(
    tx: Transaction, step: PerformedProcedureStep, one: ScheduledStepReference
) -> ScheduledStepReference:
    """The reference with the one order it means, if there is one and it is that patient's."""
    if one.order_id is not None:
        return one
    orders = tx.orders.by_accession(one.accession) if one.accession else tx.orders.by_study_uid(one.study_uid)
    fitting = [o for o in orders if _fits(tx, o, step, one)]
    return replace(one, order_id=fitting[0].id) if len(fitting) == 1 else one


def _fits(tx: Transaction, order: Order, step: PerformedProcedureStep, one: ScheduledStepReference) -> bool:
    if one.step_id and one.step_id not in {s.step_id for s in order.steps}:
        return False
    if one.procedure_id and one.procedure_id != order.procedure_id:
        return False
    if not step.patient.value:
        return one.study_uid == order.study_uid
    return answers_to(tx.patients.current(order.patient_id), step.patient.value, step.patient.issuer)


def _of_step(
    performed: Sequence[PerformedProcedureStep], order: Order, step_id: str
) -> list[PerformedProcedureStep]:
    """What was performed for one step of an order; a reference without a step ID means all of them."""
    return [
        one
        for one in performed
        if any(ref.order_id == order.id and ref.step_id in ("", step_id) for ref in one.scheduled)
    ]
