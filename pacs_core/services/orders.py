"""Placing, changing and cancelling orders, from the RIS or by hand (IHE RAD-2, RAD-3, RAD-4, RAD-13)."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from pacs_core.domain.errors import Conflict, InvalidValue, MissingValue, NotFound
from pacs_core.domain.events import Event
from pacs_core.domain.identifiers import AccessionNumber, check_short_string, new_uid
from pacs_core.domain.order import (
    CancelOrder,
    Code,
    Order,
    OrderState,
    PlaceOrder,
    Priority,
    ScheduledProcedureStep,
    StepRequest,
)
from pacs_core.domain.patient import Patient
from pacs_core.domain.times import instant
from pacs_core.ports import Clock, Index, Transaction
from pacs_core.services.order_endings import ENDED, check_ending, check_reopening
from pacs_core.services.order_numbers import (
    another_placer,
    made_here,
    made_procedure_id,
    order_to_change,
    order_to_end,
)
from pacs_core.services.patients import Patients
from pacs_core.services.performed_procedures import PerformedProcedures
from pacs_core.services.reconciling import Reconciling

_TEXTS = (
    "body_part",
    "laterality",
    "indication",
    "question",
    "referring_physician",
    "referring_phone",
    "requesting_physician",
    "contrast",
    "allergies",
    "alerts",
    "pregnancy",
    "technologist_note",
    "admission_id",
    "transport",
    "patient_state",
)
_OVER = (OrderState.CANCELLED, OrderState.DISCONTINUED, OrderState.COMPLETED)


class Orders:
    """Orders: what is placed here is in the worklist in the same instant."""

    def __init__(
        self,
        index: Index,
        clock: Clock,
        patients: Patients,
        reconciling: Reconciling,
        performed: PerformedProcedures,
    ) -> None:
        self._index = index
        self._clock = clock
        self._patients = patients
        self._reconciling = reconciling
        self._performed = performed

    def place(self, command: PlaceOrder, actor: str) -> Order:
        """Make an order, or change the one its numbers name."""
        return self._index.write(lambda tx: self.apply(tx, command, actor))

    def cancel(self, command: CancelOrder, actor: str) -> Order:
        """Cancel or discontinue an order; raises NotFound where the numbers name none."""
        return self._index.write(lambda tx: self.apply_cancel(tx, command, actor))

    def reschedule(self, order_id: int, date: str, time: str, station: str, actor: str) -> Order:
        """Move all steps of an order; raises Conflict where it is over."""

        def move(tx: Transaction) -> Order:
            order = _alive(tx.orders.get(order_id))
            steps = tuple(
                replace(s, start_date=date, start_time=time, station_aet=station or s.station_aet)
                for s in order.steps
            )
            return self._keep(
                tx, replace(order, steps=steps), "order.rescheduled", actor, {"start": f"{date} {time}"}
            )

        return self._index.write(move)

    def cancel_row(self, order_id: int, reason: str, actor: str) -> Order:
        """Cancel by row, as a person asks for it."""
        return self._index.write(
            lambda tx: self._end(tx, tx.orders.get(order_id), False, {"reason": reason}, actor)
        )

    def note(self, order_id: int, text: str, actor: str) -> Order:
        """Set the technologist's note."""

        def write(tx: Transaction) -> Order:
            order = replace(tx.orders.get(order_id), technologist_note=text)
            return self._keep(tx, order, "order.noted", actor, {})

        return self._index.write(write)

    def get(self, order_id: int) -> tuple[Order, Patient]:
        """One order with its surviving patient; raises NotFound."""
        with self._index.read() as tx:
            order = tx.orders.get(order_id)
            return order, tx.patients.current(order.patient_id)

    def on_day(self, date: str, station: str) -> list[tuple[Order, Patient, int, tuple[str, ...]]]:
        """Orders of a civil day with patient, number of images arrived and their study UIDs."""
        with self._index.read() as tx:
            rows = []
            for order in tx.orders.on_day(date or self._clock.civil_now().date().isoformat(), station):
                studies = tx.studies.of_order(order.id)
                images = sum(s.instance_count for s in studies)
                rows.append(
                    (
                        order,
                        tx.patients.current(order.patient_id),
                        images,
                        tuple(s.study_uid for s in studies),
                    )
                )
            return rows

    def apply(self, tx: Transaction, command: PlaceOrder, actor: str) -> Order:
        """Place or change within a transaction; raises NeedsPerson for an ended order (`order_endings`)."""
        known = order_to_change(tx, command)
        if known is not None and known.state in ENDED:
            check_reopening(tx, known, command, instant(self._clock.now()))
        patient = self._patients.apply(tx, command.patient, actor, of_order=True)
        if known is not None and known.state in ENDED:
            state = OrderState.IN_PROGRESS if tx.studies.of_order(known.id) else OrderState.SCHEDULED
            known = replace(known, state=state, steps=tuple(replace(s, state=state) for s in known.steps))
        order = self._changed(known, command, patient) if known else self._new(tx, command, patient)
        order = replace(order, steps=tuple(self._named(tx, step) for step in order.steps))
        kind = "order.changed" if known else "order.placed"
        detail: dict[str, object] = {"source": command.source, "placer": order.placer_number}
        return self._keep(tx, order, kind, actor, detail, patient)

    def apply_cancel(self, tx: Transaction, command: CancelOrder, actor: str) -> Order:
        """Cancel within a transaction, as a message asks for it; raises NotFound, NeedsPerson."""
        order = order_to_end(tx, command)
        if order is None:
            raise NotFound("no order has these numbers", "ORC-2")
        check_ending(tx, order, command)
        when = {"sent": command.sent, "received": command.received} if command.received else {}
        return self._end(tx, order, command.discontinue, {"reason": command.reason, **when}, actor)

    def _end(
        self, tx: Transaction, order: Order, discontinue: bool, detail: dict[str, object], actor: str
    ) -> Order:
        state = OrderState.DISCONTINUED if discontinue else OrderState.CANCELLED
        steps = tuple(replace(s, state=state) for s in order.steps)
        return self._keep(tx, replace(order, state=state, steps=steps), f"order.{state.value}", actor, detail)

    def _keep(
        self,
        tx: Transaction,
        order: Order,
        kind: str,
        actor: str,
        detail: dict[str, object],
        patient: Patient | None = None,
    ) -> Order:
        at = instant(self._clock.now())
        kept = tx.orders.save(order, at) if order.id else tx.orders.add(order, at)
        tx.record(
            Event(
                kind,
                2,
                patient_id=kept.patient_id,
                order_id=kept.id,
                subject=f"order:{kept.id}",
                actor=actor,
                detail={"accession": kept.accession.value, **detail},
            )
        )
        self._reconciling.release_for_order(tx, kept, actor, patient)
        self._performed.order_kept(tx, kept)
        for study in tx.studies.of_order(kept.id):
            tx.studies.update(study.study_uid)
        return kept

    def _new(self, tx: Transaction, command: PlaceOrder, patient: Patient) -> Order:
        accession, ours = self._accession(tx, command)
        procedure_id = check_short_string(
            command.procedure_id, "requested procedure ID"
        ) or made_procedure_id(tx)
        order = Order(
            id=0,
            patient_id=patient.id,
            placer_number=check_short_string(command.placer_number, "placer order number", 64),
            filler_number=check_short_string(command.filler_number, "filler order number", 64),
            accession=accession,
            accession_is_ours=ours,
            state=OrderState.SCHEDULED,
            priority=command.priority or Priority.ROUTINE,
            procedure_id=procedure_id,
            study_uid=command.study_uid or new_uid(),
            procedure_description=command.procedure_description or "",
            procedure_code=command.procedure_code or Code(),
            source=command.source,
            placer_issuer=command.placer_issuer,
            filler_issuer=command.filler_issuer,
        )
        texts: dict[str, Any] = {name: getattr(command, name) or "" for name in _TEXTS}
        order = replace(order, **texts)
        steps = command.steps or (StepRequest(),)
        return replace(order, steps=tuple(self._new_step(order, step) for step in steps))

    def _changed(self, known: Order, command: PlaceOrder, patient: Patient) -> Order:
        texts = {n: getattr(command, n) for n in _TEXTS if getattr(command, n) is not None}
        accession = known.accession
        ours = known.accession_is_ours
        if command.accession and (ours or not accession.value):
            accession, ours = AccessionNumber(_accession(command.accession), command.accession_issuer), False
        elif command.accession and command.accession != accession.value:
            raise Conflict(
                f"the order has the accession number {accession}, not {command.accession}", "accession number"
            )
        return replace(
            known,
            patient_id=patient.id,
            **_numbers(known, command),
            procedure_id=_procedure_id(known, command),
            accession=accession,
            accession_is_ours=ours,
            priority=command.priority or known.priority,
            study_uid=command.study_uid or known.study_uid,
            procedure_description=(
                known.procedure_description
                if command.procedure_description is None
                else command.procedure_description
            ),
            procedure_code=command.procedure_code or known.procedure_code,
            steps=_changed_steps(known, command.steps, another_placer(known, command)),
            **texts,
        )

    def _accession(self, tx: Transaction, command: PlaceOrder) -> tuple[AccessionNumber, bool]:
        if command.accession:
            return AccessionNumber(_accession(command.accession), command.accession_issuer), False
        if not command.allow_own_accession:
            raise MissingValue(
                "the order has no accession number, and this source may not have one made up",
                "accession number",
            )
        day = self._clock.civil_now().strftime("%y%m%d")
        while True:
            made = _accession(f"RR{day}{tx.orders.next_number('accession:' + day):04d}")
            if not tx.orders.by_accession(made):
                return AccessionNumber(made), True

    def _named(self, tx: Transaction, step: ScheduledProcedureStep) -> ScheduledProcedureStep:
        return step if step.step_id else replace(step, step_id=f"SPS{tx.orders.next_number('step')}")

    def _new_step(self, order: Order, step: StepRequest) -> ScheduledProcedureStep:
        now = self._clock.civil_now()
        return ScheduledProcedureStep(
            id=0,
            step_id=check_short_string(step.step_id, "scheduled procedure step ID"),
            modality=_code_string(step.modality, "modality"),
            start_date=step.start_date or now.date().isoformat(),
            start_time=step.start_time or (now.strftime("%H:%M:%S") if not step.start_date else "00:00:00"),
            station_aet=check_short_string(step.station_aet, "scheduled station AE title"),
            station_name=check_short_string(step.station_name, "scheduled station name"),
            location=check_short_string(step.location, "scheduled location"),
            description=step.description or order.procedure_description,
            protocol_code=step.protocol_code if step.protocol_code.value else order.procedure_code,
            performing_physician=step.performing_physician,
        )


def _numbers(known: Order, command: PlaceOrder) -> dict[str, Any]:
    """The order's own numbers: a further step's placer and filler number are not those of the order."""
    if another_placer(known, command):
        return {}
    names = ("placer_number", "filler_number", "placer_issuer", "filler_issuer")
    return {name: getattr(command, name) or getattr(known, name) for name in names}


def _procedure_id(known: Order, command: PlaceOrder) -> str:
    """The source's requested procedure ID takes the place of one made here."""
    said = check_short_string(command.procedure_id, "requested procedure ID")
    return said if said and made_here(known.procedure_id) else known.procedure_id


def _accession(value: str) -> str:
    return check_short_string(value, "accession number")


def _code_string(value: str, what: str) -> str:
    text = check_short_string(value, what)
    if text != text.upper():
        raise InvalidValue(f"{what} is written in capitals", what)
    return text


def _alive(order: Order) -> Order:
    if order.state in _OVER:
        raise Conflict(f"the order is {order.state}", "order")
    return order


def _added_step(order: Order, request: StepRequest) -> ScheduledProcedureStep:
    """A further step of an order that has others: what it leaves unsaid is as in the first one."""
    first = order.steps[0]
    step_id = check_short_string(request.step_id, "scheduled procedure step ID")
    said = {f.name: getattr(request, f.name) for f in fields(request)}
    changes = {n: v for n, v in said.items() if v and n != "step_id" and v != Code()}
    return replace(first, id=0, step_id=step_id, state=OrderState.SCHEDULED, **changes)


def _changed_steps(
    known: Order, wanted: tuple[StepRequest, ...], further: bool
) -> tuple[ScheduledProcedureStep, ...]:
    """Steps by their ID, or the only one by its place; what a request leaves empty stays.

    `further`: an unknown ID is one step more, not the only step under another name.
    """
    steps = list(known.steps)
    for place, request in enumerate(wanted):
        where = next(
            (i for i, s in enumerate(steps) if request.step_id and s.step_id == request.step_id), None
        )
        if (
            where is None
            and (not request.step_id or (len(steps) == len(wanted) == 1 and not further))
            and place < len(steps)
        ):
            where = place
        if where is None:
            steps.append(_added_step(known, request))
            continue
        said = {f.name: getattr(request, f.name) for f in fields(request)}
        changes = {n: v for n, v in said.items() if v and n != "step_id" and v != Code()}
        if request.step_id:
            changes["step_id"] = check_short_string(request.step_id, "scheduled procedure step ID")
        steps[where] = replace(steps[where], **changes)
    return tuple(steps)
