"""Bringing results to their destinations: the same bytes again until they are acknowledged."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import timedelta

from pacs_core.domain.delivery import DeliveryState, Outcome, OutcomeKind, RetryPolicy, next_step
from pacs_core.domain.errors import Conflict, NotFound, ReadingRoomError
from pacs_core.domain.events import Event
from pacs_core.domain.records import DeliveryRecord, DestinationRecord
from pacs_core.domain.times import instant
from pacs_core.ports import Clock, Index, Transaction, Transmitter
from pacs_core.services.taking_back import take_back

log = logging.getLogger("reading_room.deliver")


class Delivering:
    """The outbox: claims what is due, sends it, records the answer."""

    def __init__(self, index: Index, clock: Clock, transmitter: Transmitter) -> None:
        self._index = index
        self._clock = clock
        self._transmitter = transmitter

    def due(self, limit: int = 100, without: Collection[str] = ()) -> Sequence[DeliveryRecord]:
        """What is to be tried now, at most one of each stream and destination, `without` some of these."""
        with self._index.read() as tx:
            return tx.deliveries.due(instant(self._clock.now()), limit, without)

    def next_due(self, without: Collection[str] = ()) -> str:
        """The instant of the next attempt, empty where none waits."""
        with self._index.read() as tx:
            return tx.deliveries.next_due(without)

    def attempt(self, delivery_id: int) -> DeliveryRecord:
        """Send one delivery once and record the answer; the rendered bytes are kept before they are first
        sent. What is no longer due (somebody else was quicker) is left as it is.
        """
        delivery, destination, due = self._index.write(lambda tx: self._prepared(tx, delivery_id))
        if not due:
            return delivery
        if destination is None:
            outcome = Outcome(
                OutcomeKind.SILENT, "", f"there is no destination {delivery.destination} any more"
            )
        elif not delivery.payload:
            return self._index.write(lambda tx: self._unrenderable(tx, delivery))
        else:
            outcome = self._transmitter.send(destination, delivery.payload, delivery.control_id)
        policy = RetryPolicy(destination.refused_tries if destination else 3)
        return self._index.write(lambda tx: self._record(tx, delivery_id, policy, outcome))

    def retry(self, delivery_id: int, actor: str) -> DeliveryRecord:
        """Try again now, from the start of the policy; a delivered one stays delivered.

        Raises Conflict for one that was withdrawn.
        """

        def again(tx: Transaction) -> DeliveryRecord:
            delivery = tx.deliveries.get(delivery_id)
            if delivery.state == DeliveryState.DELIVERED:
                return delivery
            if delivery.state == DeliveryState.WITHDRAWN:
                raise Conflict(
                    "the study belongs to another order now, which has a result of its own", "order"
                )
            delivery = tx.deliveries.update(
                delivery_id,
                state=DeliveryState.WAITING.value,
                refused_attempts=0,
                silent_attempts=0,
                due_at=instant(self._clock.now()),
            )
            tx.record(_event(tx, "delivery.retried", delivery, actor, {}))
            return delivery

        return self._index.write(again)

    def open(self) -> Sequence[DeliveryRecord]:
        """Everything not delivered, what needs a person first."""
        with self._index.read() as tx:
            return tx.deliveries.open()

    def _prepared(
        self, tx: Transaction, delivery_id: int
    ) -> tuple[DeliveryRecord, DestinationRecord | None, bool]:
        delivery = tx.deliveries.get(delivery_id)
        due = tx.deliveries.is_due(delivery_id, instant(self._clock.now()))
        destination = next(
            (d for d in tx.configuration.destinations() if d.name == delivery.destination), None
        )
        if delivery.payload or destination is None or not due:
            return delivery, destination, due
        try:
            payload = self._transmitter.render(tx, delivery, destination)
        except ReadingRoomError as error:
            log.error("delivery %s cannot be rendered: %s", delivery_id, type(error).__name__)
            return tx.deliveries.update(delivery_id, answer=error.message), destination, due
        return tx.deliveries.update(delivery_id, payload=payload), destination, due

    def _unrenderable(self, tx: Transaction, delivery: DeliveryRecord) -> DeliveryRecord:
        dead = tx.deliveries.update(delivery.id, state=DeliveryState.DEAD.value)
        tx.record(_event(tx, "delivery.dead", dead, "", {"why": "cannot be rendered"}))
        return dead

    def _record(
        self, tx: Transaction, delivery_id: int, policy: RetryPolicy, outcome: Outcome
    ) -> DeliveryRecord:
        delivery = tx.deliveries.get(delivery_id)
        step = next_step(policy, outcome, delivery.silent_attempts, delivery.refused_attempts)
        if delivery.state == DeliveryState.WITHDRAWN and outcome.kind is not OutcomeKind.ACKNOWLEDGED:
            return delivery  # meanwhile its study was linked to another order
        now = self._clock.now()
        silent = outcome.kind is OutcomeKind.SILENT
        refused = outcome.kind is OutcomeKind.REFUSED
        after = tx.deliveries.update(
            delivery_id,
            state=step.state.value,
            attempts=delivery.attempts + 1,
            silent_attempts=delivery.silent_attempts + silent,
            refused_attempts=delivery.refused_attempts + refused,
            last_attempt_at=instant(now),
            due_at=instant(now + timedelta(seconds=step.delay_s)),
            answer_code=outcome.code,
            answer=outcome.text,
            alerted=delivery.alerted or silent,
        )
        if not (silent and delivery.alerted):
            detail: dict[str, object] = {
                "code": outcome.code,
                "text": outcome.text,
                "control_id": delivery.control_id,
                "attempts": after.attempts,
                "destination": delivery.destination,
            }
            tx.record(_event(tx, f"delivery.{_word(step.state)}", after, delivery.destination, detail))
        if delivery.state == DeliveryState.WITHDRAWN and not delivery.takes_back:  # too late: it has arrived
            report = tx.reports.get(delivery.report_id)
            answered = {f"order:{row}" for row in tx.studies.requests_of(tx.studies.get(report.study_uid).id)}
            take_back(tx, report, answered, now, "")
        return after


def _word(state: DeliveryState) -> str:
    return {"waiting": "queued", "needs a person": "dead"}.get(state.value, state.value)


def _event(
    tx: Transaction, kind: str, delivery: DeliveryRecord, actor: str, detail: dict[str, object]
) -> Event:
    report = tx.reports.get(delivery.report_id)
    try:
        study_uid = tx.studies.get(report.study_uid).study_uid
    except NotFound:
        study_uid = report.study_uid
    return Event(
        kind, 7, report.patient_id, delivery.order_id, study_uid, f"delivery:{delivery.id}", actor, detail
    )
