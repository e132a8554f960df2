"""The reading worklist: studies with everything their row shows, and orders that wait for images."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from pacs_core.domain.access import Actor
from pacs_core.domain.errors import Conflict, NotFound
from pacs_core.domain.events import Event
from pacs_core.domain.matching import folded_name
from pacs_core.domain.order import Order
from pacs_core.domain.patient import Patient
from pacs_core.domain.records import DeliveryRecord, HoldRecord, ReportRecord, StudyRecord
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
class Listing:
    """What to list; see `archive.models.WorklistQuery`."""

    text: str = ""
    modality: str = ""
    dates: tuple[str, str] = ("", "")
    patient_id: int | None = None
    with_orders: bool = True


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

    def rows(self, listing: Listing, limit: int = 5000) -> tuple[list[Exam], int]:
        """Exams that fit, and the journal number they are true at."""
        with self._index.read() as tx:
            sequence = tx.journal.newest()
            studies = tx.studies.rows(
                listing.text, listing.modality, listing.dates, listing.patient_id, limit
            )
            exams = [self._exam(tx, study) for study in studies]
            if listing.with_orders:
                exams += [e for e in self._waiting(tx, limit) if _order_fits(listing, e)]
        return exams, sequence

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
            return [self._exam(tx, other) for other in others]

    def _waiting(self, tx: Transaction, limit: int) -> list[Exam]:
        return [Exam(None, tx.patients.current(o.patient_id), o) for o in tx.orders.waiting(limit)]

    def _exam(self, tx: Transaction, study: StudyRecord) -> Exam:
        reports = tx.reports.of_study(study.study_uid)
        expected = sum(s.expected_count for s in tx.studies.series_of(study.id))
        return Exam(
            study=study,
            patient=tx.patients.current(study.patient_id),
            order=tx.orders.get(study.order_id) if study.order_id is not None else None,
            holds=tx.holds.open_for(study.study_uid) if study.reconciliation == "held" else (),
            reports=reports,
            deliveries=[d for report in reports for d in tx.deliveries.of_report(report.id)],
            drafting=bool(tx.reports.drafts(study.study_uid)),
            arriving=self._storing.arriving(study.study_uid),
            expected=expected if expected >= study.instance_count and expected else None,
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
