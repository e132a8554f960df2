"""The reading worklist: studies with everything their row shows, and orders that wait for images."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pacs_core.domain.access import Actor
from pacs_core.domain.errors import Conflict, NotFound
from pacs_core.domain.events import Event
from pacs_core.domain.matching import folded_name
from pacs_core.domain.order import Order, OrderState, ScheduledProcedureStep
from pacs_core.domain.patient import Patient
from pacs_core.domain.records import DeliveryRecord, HoldRecord, ReportRecord, StudyRecord
from pacs_core.domain.report import ReportState
from pacs_core.domain.times import instant
from pacs_core.ports import Clock, Index, Transaction
from pacs_core.services.storing import Storing


@dataclass(frozen=True, slots=True)
class Exam:
    """One row: a study with its patient, order, holds, reports and deliveries, or an order alone."""

    study: StudyRecord | None
    patient: Patient
    order: Order | None
    holds: Sequence[HoldRecord] = ()
    reports: Sequence[ReportRecord] = ()
    deliveries: Sequence[DeliveryRecord] = ()
    drafting: bool = False
    arriving: bool = False
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides where an exam stands in the list; its row's words of the same name say the same.

    Of a study, of which `study_id` is the row, or of an order alone, which is in `order`.
    """

    key: str
    status: str
    priority: str
    last_image_at: str = ""
    scheduled_start: str = ""
    study_date: str = ""
    study_id: int | None = None
    order: Exam | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What to list; see `archive.models.WorklistQuery`."""

    text: str = ""
    modality: str = ""
    dates: tuple[str, str] = ("", "")
    patient_id: int | None = None
    with_orders: bool = True


MOST = 200_000
"""Studies looked at for one list, the newest arrivals; more are found by searching."""

MOST_ORDERS = 5000


class Looks:
    """Which sign-in has looked at which study, so that a window that asks again writes no second audit line.

    In memory and bounded: what is forgotten is audited once more, never once less.
    """

    KEPT = 20_000

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str, str], None] = {}
        self._lock = threading.Lock()

    def has(self, study_uid: str, actor: Actor) -> bool:
        """Whether that sign-in has looked at that study."""
        return self._key(study_uid, actor) in self._known

    def add(self, study_uid: str, actor: Actor) -> None:
        """It has now."""
        with self._lock:
            self._known[self._key(study_uid, actor)] = None
            if len(self._known) > self.KEPT:
                del self._known[next(iter(self._known))]

    @staticmethod
    def _key(study_uid: str, actor: Actor) -> tuple[str, str, str, str]:
        return actor.name, actor.session, actor.address, study_uid


class ReadingWorklist:
    """Rows for the readers, locks with take-over."""

    def __init__(self, index: Index, clock: Clock, storing: Storing) -> None:
        self._index = index
        self._clock = clock
        self._storing = storing
        self._looks = Looks()

    def page(
        self, listing: Listing, choose: Callable[[list[Standing]], Sequence[Standing]]
    ) -> tuple[list[Exam], int]:
        """The exams that `choose` takes of all that fit, and the journal number they are true at."""
        with self._index.read() as tx:
            sequence = tx.journal.newest()
            found = self._standings(tx, listing)
            if listing.with_orders:
                found += _waiting(tx, listing)
            return self._exams(tx, choose(found)), sequence

    def _standings(self, tx: Transaction, listing: Listing) -> list[Standing]:
        arriving = self._storing.all_arriving()
        return [
            Standing(
                key=f"study:{one.study_uid}",
                status=status_of(one.report_state, one.drafting, one.locked_by, one.study_uid in arriving),
                priority=one.priority or "ROUTINE",
                last_image_at=one.last_received_at,
                study_date=one.study_date,
                study_id=one.study_id,
            )
            for one in tx.studies.standings(
                listing.text, listing.modality, listing.dates, listing.patient_id, MOST
            )
        ]

    def _exams(self, tx: Transaction, chosen: Sequence[Standing]) -> list[Exam]:
        studies = tx.studies.of_rows(s.study_id for s in chosen if s.study_id is not None)
        around = self._around(tx, list(studies.values()))
        exams = (around.get(s.study_id) if s.study_id is not None else s.order for s in chosen)
        return [exam for exam in exams if exam is not None]

    def exam(self, key: str) -> Exam:
        """The exam behind a row key; raises NotFound."""
        kind, _, value = key.partition(":")
        with self._index.read() as tx:
            if kind == "study":
                return self._exam(tx, tx.studies.get(value))
            if kind == "order" and value.isdigit():
                order = tx.orders.get(int(value))
                studies = tx.studies.of_order(order.id)
                if studies:
                    return self._exam(tx, studies[-1])
                return Exam(None, tx.patients.current(order.patient_id), order)
        raise NotFound(f"no exam {key}", "key")

    def orders_of(self, study: StudyRecord) -> list[tuple[Order, Patient]]:
        """Every order a study answers, the main one first."""
        with self._index.read() as tx:
            if study.order_id is None:
                return []
            main = tx.orders.get(study.order_id)
            patient = tx.patients.current(main.patient_id)
            others = [
                o
                for o in tx.orders.of_patient(main.patient_id)
                if o.id != main.id and any(s.id == study.id for s in tx.studies.of_order(o.id))
            ]
            return [(o, patient) for o in (main, *others)]

    def claim(self, study_uid: str, actor: Actor, take_over: bool) -> None:
        """Lock for the actor; raises Conflict naming who has it."""

        def claim(tx: Transaction) -> None:
            study = tx.studies.get(study_uid)
            if study.locked_by == actor.name:
                return
            if study.locked_by and not take_over:
                raise Conflict(f"{study.locked_by} is reading this exam", "exam")
            now = instant(self._clock.now())
            locked = tx.studies.update(study_uid, locked_by=actor.name, locked_at=now)
            tx.record(_event("exam.claimed", locked, actor.name, {"from": study.locked_by}))

        self._index.write(claim)

    def release(self, study_uid: str, actor: Actor) -> None:
        """Give the actor's lock back."""

        def release(tx: Transaction) -> None:
            study = tx.studies.get(study_uid)
            if study.locked_by == actor.name:
                freed = tx.studies.update(study_uid, locked_by="", locked_at="")
                tx.record(_event("exam.released", freed, actor.name, {}))

        self._index.write(release)

    def viewed(self, study_uid: str, actor: Actor) -> None:
        """Journal and audit that the study was opened."""

        def view(tx: Transaction) -> None:
            study = tx.studies.get(study_uid)
            tx.audit.append(
                actor.name, actor.role.value, "view", f"study:{study_uid}", "allowed", "", actor.address
            )
            tx.record(_event("study.viewed", study, actor.name, {}))

        self._index.write(view)
        self._looks.add(study_uid, actor)

    def looked_at(self, study_uid: str, actor: Actor) -> None:
        """`viewed`, where this sign-in has not looked at the study before."""
        if not self._looks.has(study_uid, actor):
            self.viewed(study_uid, actor)

    def priors(self, study_uid: str) -> list[Exam]:
        """Other studies of the same person, newest first."""
        with self._index.read() as tx:
            study = tx.studies.get(study_uid)
            others = [s for s in tx.studies.of_patient(study.patient_id) if s.study_uid != study_uid]
            around = self._around(tx, others)
            return [around[other.id] for other in others]

    def _exam(self, tx: Transaction, study: StudyRecord) -> Exam:
        return self._around(tx, [study])[study.id]

    def _around(self, tx: Transaction, studies: Sequence[StudyRecord]) -> dict[int, Exam]:
        """Studies by their row, each with all that its row shows; a few questions for all of them."""
        uids = [s.study_uid for s in studies]
        patients = tx.patients.current_of(s.patient_id for s in studies)
        orders = tx.orders.of_rows(s.order_id for s in studies if s.order_id is not None)
        holds = tx.holds.open_of(s.study_uid for s in studies if s.reconciliation == "held")
        reports = tx.reports.of_studies(uids)
        deliveries = tx.deliveries.of_reports(r.id for of_one in reports.values() for r in of_one)
        drafting, expected = tx.reports.drafting(uids), tx.studies.expected_of(s.id for s in studies)
        return {
            s.id: Exam(
                study=s,
                patient=patients[s.patient_id],
                order=orders[s.order_id] if s.order_id is not None else None,
                holds=holds.get(s.study_uid, ()),
                reports=reports.get(s.study_uid, ()),
                deliveries=[d for r in reports.get(s.study_uid, ()) for d in deliveries.get(r.id, ())],
                drafting=s.study_uid in drafting,
                arriving=self._storing.arriving(s.study_uid),
                expected=expected[s.id] if expected.get(s.id, 0) >= max(s.instance_count, 1) else None,
            )
            for s in studies
        }


def status_of(report_state: str, drafting: bool, locked_by: str, arriving: bool) -> str:
    """Where a study stands: its newest report decides, then a draft, then who reads it, then its images."""
    if report_state == ReportState.PRELIMINARY:
        return "preliminary"
    if report_state and report_state != ReportState.DRAFT:
        return "signed"
    if drafting:
        return "draft"
    if locked_by:
        return "reading"
    return "arriving" if arriving else "arrived"


def status_of_order(order: Order | None) -> str:
    """Where an order without images stands."""
    over = order is not None and order.state in (OrderState.CANCELLED, OrderState.DISCONTINUED)
    return "cancelled" if over else "scheduled"


def first_step(order: Order) -> ScheduledProcedureStep | None:
    """The step that comes first."""
    return min(order.steps, key=lambda s: (s.start_date, s.start_time), default=None)


def _waiting(tx: Transaction, listing: Listing) -> list[Standing]:
    """Orders that wait for their images, and fit."""
    orders = tx.orders.waiting(MOST_ORDERS)
    patients = tx.patients.current_of(o.patient_id for o in orders)
    exams = [Exam(None, patients[o.patient_id], o) for o in orders]
    return [_of_order(e, e.order) for e in exams if e.order is not None and _order_fits(listing, e)]


def _of_order(exam: Exam, order: Order) -> Standing:
    first = first_step(order)
    return Standing(
        key=f"order:{order.id}",
        status=status_of_order(order),
        priority=order.priority.value,
        scheduled_start=f"{first.start_date} {first.start_time}" if first else "",
        order=exam,
    )


def _order_fits(listing: Listing, exam: Exam) -> bool:
    order = exam.order
    if order is None or (listing.patient_id is not None and exam.patient.id != listing.patient_id):
        return False
    if listing.modality and listing.modality not in {s.modality for s in order.steps}:
        return False
    days = [s.start_date for s in order.steps]
    low, high = listing.dates
    if (low and max(days) < low) or (high and min(days) > high):
        return False
    identifiers = [exam.patient.identifier, *exam.patient.other_identifiers]
    hay = folded_name(
        " ".join(
            (
                exam.patient.demographics.name,
                order.accession.value,
                order.procedure_description,
                *(i.value for i in identifiers),
            )
        )
    )
    return all(folded_name(word) in hay for word in listing.text.split())


def _event(kind: str, study: StudyRecord, actor: str, detail: dict[str, object]) -> Event:
    return Event(
        kind, 6, study.patient_id, study.order_id, study.study_uid, f"study:{study.study_uid}", actor, detail
    )
