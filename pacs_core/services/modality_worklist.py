"""What a scanner may fetch: scheduled steps with the matching rules of PS3.4 Annex K."""

from __future__ import annotations

from dataclasses import dataclass

from pacs_core.domain.events import Event
from pacs_core.domain.matching import matches_name, matches_range, matches_text, matches_uids
from pacs_core.domain.order import Order, OrderState, ScheduledProcedureStep
from pacs_core.domain.patient import Patient, answers_to
from pacs_core.domain.records import PeerRecord, WorklistKeys
from pacs_core.ports import Clock, Index, Transaction


@dataclass(frozen=True, slots=True)
class WorklistItem:
    """One answer: the step with its order and the patient as known now; `station_aet` is the one to
    return.
    """

    patient: Patient
    order: Order
    step: ScheduledProcedureStep
    station_aet: str


class ModalityWorklist:
    """Answers from its own index, whatever is down upstream."""

    def __init__(self, index: Index, clock: Clock) -> None:
        self._index = index
        self._clock = clock

    def query(self, keys: WorklistKeys) -> list[WorklistItem]:
        """Steps that fit the keys, in order of their start; the first time each is shown to an asker is
        journalled.
        """
        with self._index.read() as tx:
            peers = {p.title: p for p in tx.configuration.peers()}
            items = [
                WorklistItem(patient, order, step, step.station_aet or keys.asker)
                for order, step in tx.orders.scheduled_steps(keys)
                for patient in (tx.patients.current(order.patient_id),)
                if self._fits(keys, patient, order, step, peers)
            ]
            new = [i for i in items if not tx.journal.has("worklist.answered", _subject(i, keys.asker))]
        if new:
            self._index.write(lambda tx: self._note(tx, new, keys.asker))
        return items

    def today(self) -> str:
        """The site's civil day."""
        return self._clock.civil_now().date().isoformat()

    def _fits(
        self,
        keys: WorklistKeys,
        patient: Patient,
        order: Order,
        step: ScheduledProcedureStep,
        peers: dict[str, PeerRecord],
    ) -> bool:
        person = patient.demographics
        return (
            _station_fits(keys, step, peers)
            and _step_fits(keys, step)
            and _order_fits(keys, order)
            and matches_name(keys.patient_name, person.name)
            and answers_to(patient, keys.patient_id, keys.issuer)
            and matches_range(*keys.birth_date, person.birth_date)
            and matches_text(keys.sex, person.sex)
        )

    def _note(self, tx: Transaction, items: list[WorklistItem], asker: str) -> None:
        for item in items:
            subject = _subject(item, asker)
            if not tx.journal.has("worklist.answered", subject):
                tx.record(
                    Event(
                        "worklist.answered",
                        3,
                        patient_id=item.patient.id,
                        order_id=item.order.id,
                        subject=subject,
                        actor=asker,
                        detail={"step": item.step.step_id, "accession": item.order.accession.value},
                    )
                )


def step_status(step: ScheduledProcedureStep) -> str:
    """Scheduled Procedure Step Status (0040,0020), PS3.3 C.4.10."""
    return "SCHEDULED" if step.state is OrderState.SCHEDULED else "STARTED"


def _step_fits(keys: WorklistKeys, step: ScheduledProcedureStep) -> bool:
    return (
        (not keys.modalities or any(matches_text(wanted, step.modality) for wanted in keys.modalities))
        and matches_range(*keys.start_date, step.start_date)
        and matches_range(*keys.start_time, step.start_time)
        and matches_name(keys.performing_physician, step.performing_physician)
        and matches_text(keys.step_id, step.step_id)
        and matches_text(keys.step_status, step_status(step))
        and matches_text(keys.station_name, step.station_name)
        and matches_text(keys.location, step.location)
    )


def _order_fits(keys: WorklistKeys, order: Order) -> bool:
    return (
        matches_text(keys.accession, order.accession.value)
        and matches_text(keys.accession_issuer, order.accession.issuer)
        and matches_text(keys.procedure_id, order.procedure_id)
        and matches_uids(keys.study_uids, order.study_uid)
        and matches_name(keys.referring_physician, order.referring_physician)
        and matches_name(keys.requesting_physician, order.requesting_physician)
        and matches_text(keys.admission_id, order.admission_id)
        and matches_text(keys.priority, order.priority.value)
        and matches_text(keys.placer_number, order.placer_number)
        and matches_text(keys.filler_number, order.filler_number)
    )


def _subject(item: WorklistItem, asker: str) -> str:
    return f"step:{item.step.id}:{asker}"


def _station_fits(keys: WorklistKeys, step: ScheduledProcedureStep, peers: dict[str, PeerRecord]) -> bool:
    """A step without a station goes to every AE of its modality; an AE we do not know is not filtered
    by it.
    """
    if step.station_aet:
        return matches_text(keys.station_aet, step.station_aet)
    asked = keys.station_aet if keys.station_aet and not set(keys.station_aet) & set("*?") else keys.asker
    peer = peers.get(asked)
    if keys.station_aet and not matches_text(keys.station_aet, keys.asker) and peer is None:
        return False
    return peer is None or not peer.modality or not step.modality or peer.modality == step.modality
