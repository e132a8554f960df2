"""The story of one exam: its seven stages with evidence, and the first that is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pacs_core.domain.errors import NotFound
from pacs_core.domain.events import Change
from pacs_core.domain.order import Order
from pacs_core.domain.patient import Patient
from pacs_core.domain.performed import PerformedProcedureStep, PerformedState
from pacs_core.domain.records import StudyRecord
from pacs_core.ports import Index, Transaction
from pacs_core.services.order_endings import ENDED, ENDINGS

STAGES = ("patient", "order", "worklist", "acquisition", "reconciliation", "reading", "report")
"""The seven stages by number, from 1."""

WORKLIST = 3


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: done, waiting, missing or failed, since when, and its evidence in words."""

    number: int
    name: str
    state: str
    at: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Story:
    """All that happened to one exam."""

    accession: str
    patient: Patient | None
    stages: tuple[Stage, ...]
    missing: str
    events: tuple[Change, ...]


class Tracing:
    """Tells the story from the journal."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def of(self, accession: str) -> Story:
        """The story behind an accession number; raises NotFound where neither order nor study has it."""
        with self._index.read() as tx:
            orders = list(tx.orders.by_accession(accession)) if accession else []
            studies = self._studies(tx, accession, orders)
            performed = self._performed(tx, accession, orders, studies)
            if not orders and not studies and not performed:
                raise NotFound(f"no exam has the accession number {accession}", "accession")
            patient = self._patient(tx, orders, studies)
            patients = [patient.id] if patient else []
            uids = {s.study_uid for s in studies} | {r.study_uid for p in performed for r in p.scheduled}
            events = tx.journal.of_exam([o.id for o in orders], sorted(uids), patients)
            done = [_Performed(one, tx.studies.count_known(one.instance_uids)) for one in performed]
        exam = Exam(studies, done, orders)
        stages = tuple(_stage(n, name, events, exam) for n, name in enumerate(STAGES, 1))
        missing = next((s.name for s in stages if s.state != "done"), "")
        return Story(accession, patient, stages, missing, tuple(events))

    def _studies(self, tx: Transaction, accession: str, orders: Sequence[Order]) -> list[StudyRecord]:
        found = {s.study_uid: s for o in orders for s in tx.studies.of_order(o.id)}
        for study in tx.studies.held_for(accession, "", ""):
            found.setdefault(study.study_uid, study)
        if accession and not found and not orders:
            found = {s.study_uid: s for s in tx.studies.naming(accession)}
        return list(found.values())

    def _performed(
        self, tx: Transaction, accession: str, orders: Sequence[Order], studies: Sequence[StudyRecord]
    ) -> list[PerformedProcedureStep]:
        found = [one for order in orders for one in tx.performed.of_order(order.id)]
        found += [one for study in studies for one in tx.performed.of_study(study.study_uid)]
        if not orders:
            found += tx.performed.naming(accession)
        return sorted({one.id: one for one in found}.values(), key=lambda one: one.id)

    def _patient(
        self, tx: Transaction, orders: Sequence[Order], studies: Sequence[StudyRecord]
    ) -> Patient | None:
        ids = [o.patient_id for o in orders] + [s.patient_id for s in studies]
        return tx.patients.current(ids[0]) if ids else None


@dataclass(frozen=True, slots=True)
class _Performed:
    """What a modality says it did, and how many of the objects it names are here."""

    step: PerformedProcedureStep
    arrived: int

    @property
    def complete(self) -> bool:
        """Whether the step has ended and everything it made is here."""
        over = self.step.state is not PerformedState.IN_PROGRESS
        return over and self.arrived == len(self.step.instance_uids)

    def words(self) -> str:
        """The step in words."""
        step, made = self.step, len(self.step.instance_uids)
        said = f"{step.station_name or step.station_aet}: {step.state.value.lower()}"
        if step.reason.value:
            said += f" ({step.reason.meaning or step.reason.value})"
        return f"{said}, {self.arrived} of {made} here" if made else said


@dataclass(frozen=True, slots=True)
class Exam:
    """What is there of an exam beside its journal."""

    studies: Sequence[StudyRecord]
    performed: Sequence[_Performed]
    orders: Sequence[Order] = ()

    @property
    def given_up(self) -> frozenset[int]:
        """The orders that were ended, where another one of the same accession number lives."""
        over = frozenset(order.id for order in self.orders if order.state in ENDED)
        return over if len(over) < len(self.orders) else frozenset()


Judge = Callable[[Sequence[Change], Exam], tuple[str, str, str]]


def _stage(number: int, name: str, events: Sequence[Change], exam: Exam) -> Stage:
    mine = [
        e for e in events if e.stage == number and (number != WORKLIST or e.order_id not in exam.given_up)
    ]
    state, at, evidence = _JUDGES[number](mine, exam)
    return Stage(number, name, state, at, evidence)


def _seen(kinds: tuple[str, ...], words: str, missing: str) -> Judge:
    def judge(events: Sequence[Change], _exam: Exam) -> tuple[str, str, str]:
        hit = [e for e in events if e.kind in kinds]
        return ("done", hit[-1].at, words.format(hit[-1].actor)) if hit else ("missing", "", missing)

    return judge


def _ordered(events: Sequence[Change], exam: Exam) -> tuple[str, str, str]:
    """Each order's last fact; of several with one accession number those that live come first and count."""
    last = {e.order_id: e for e in events if e.kind.startswith("order.")}
    if not last:
        return "missing", "", "no order came"
    live = [e for e in last.values() if e.kind not in ENDINGS]
    shown = [*live, *(e for e in last.values() if e.kind in ENDINGS)]
    names = {order.id: order.placer_number or order.filler_number or order.study_uid for order in exam.orders}
    told = [
        f"{names.get(e.order_id or 0, '')}: {_order_words(e)}" if len(shown) > 1 else _order_words(e)
        for e in shown
    ]
    at = max(e.at for e in live or shown)
    return "done" if live else "failed", at, "; ".join(told)


def _order_words(last: Change) -> str:
    words = last.kind.replace(".", " ")
    return words if last.kind in ENDINGS else f"{words} by {last.actor}"


def _acquired(events: Sequence[Change], exam: Exam) -> tuple[str, str, str]:
    images = sum(s.instance_count for s in exam.studies)
    at = events[-1].at if events else ""
    said = [one.words() for one in exam.performed]
    if not images:
        return _nothing_here(exam), at, "; ".join(("no image came", *said))
    arrived = f"{images} image{'' if images == 1 else 's'} from {exam.studies[-1].calling_aet or 'a file'}"
    state = "done" if all(one.complete for one in exam.performed) else "waiting"
    return state, at, "; ".join((arrived, *said))


def _nothing_here(exam: Exam) -> str:
    """Without images: missing, waiting where a modality is at work or made some, failed where it gave up."""
    if not exam.performed:
        return "missing"
    given_up = all(one.step.state is PerformedState.DISCONTINUED and one.complete for one in exam.performed)
    return "failed" if given_up else "waiting"


def _reconciled(events: Sequence[Change], exam: Exam) -> tuple[str, str, str]:
    studies = exam.studies
    if not studies:
        return "missing", "", "nothing to reconcile yet"
    at = events[-1].at if events else ""
    held = [s for s in studies if s.reconciliation == "held"]
    if held:
        why = next((str(e.detail.get("kind", "")) for e in reversed(events) if e.kind == "study.held"), "")
        return "failed", at, f"held: {why}"
    return "done", at, studies[-1].reconciliation


def _read(events: Sequence[Change], _exam: Exam) -> tuple[str, str, str]:
    views = [e for e in events if e.kind == "study.viewed"]
    strokes = len({e.subject for e in events if e.kind == "measurement.saved"})
    if not views:
        return "missing", "", "nobody opened it"
    return "done", views[-1].at, f"opened by {views[-1].actor}, {strokes} measurements"


def _reported(events: Sequence[Change], _exam: Exam) -> tuple[str, str, str]:
    signed = [e for e in events if e.kind == "report.signed"]
    if not signed:
        return "missing", "", "not signed"
    latest: dict[str, Change] = {}
    for event in events:
        if event.kind.startswith("delivery."):
            latest[event.subject] = event
    if not latest:
        return "waiting", signed[-1].at, "signed; it has nowhere to go"
    over = [e for e in latest.values() if e.kind in ("delivery.delivered", "delivery.withdrawn")]
    open_ones = [e for e in latest.values() if e not in over]
    last = (open_ones or sorted(over, key=lambda e: e.kind == "delivery.delivered"))[-1]
    words = f"{last.kind.split('.')[1]}: {last.detail.get('code', '')} {last.detail.get('text', '')}".strip(
        " :"
    )
    state = "done" if not open_ones else ("failed" if last.kind == "delivery.dead" else "waiting")
    return state, last.at, words


_JUDGES: dict[int, Judge] = {
    1: _seen(("patient.registered", "patient.updated", "patient.merged"), "registered by {}", "no ADT came"),
    2: _ordered,
    3: _seen(("worklist.answered",), "fetched by {}", "no scanner asked for it"),
    4: _acquired,
    5: _reconciled,
    6: _read,
    7: _reported,
}
