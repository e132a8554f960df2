"""The story of one exam: its seven stages with evidence, and the first that is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pacs_core.domain.errors import NotFound
from pacs_core.domain.events import Change
from pacs_core.domain.order import Order
from pacs_core.domain.patient import Patient
from pacs_core.domain.records import StudyRecord
from pacs_core.ports import Index, Transaction

STAGES = ("patient", "order", "worklist", "acquisition", "reconciliation", "reading", "report")
"""The seven stages by number, from 1."""


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
            if not orders and not studies:
                raise NotFound(f"no exam has the accession number {accession}", "accession")
            patient = self._patient(tx, orders, studies)
            patients = [patient.id] if patient else []
            events = tx.journal.of_exam([o.id for o in orders], [s.study_uid for s in studies], patients)
        stages = tuple(_stage(n, name, events, studies) for n, name in enumerate(STAGES, 1))
        missing = next((s.name for s in stages if s.state != "done"), "")
        return Story(accession, patient, stages, missing, tuple(events))

    def _studies(self, tx: Transaction, accession: str, orders: Sequence[Order]) -> list[StudyRecord]:
        found = {s.study_uid: s for o in orders for s in tx.studies.of_order(o.id)}
        for study in tx.studies.held_for(accession, "", ""):
            found.setdefault(study.study_uid, study)
        if accession and not found and not orders:
            found = {s.study_uid: s for s in tx.studies.naming(accession)}
        return list(found.values())

    def _patient(
        self, tx: Transaction, orders: Sequence[Order], studies: Sequence[StudyRecord]
    ) -> Patient | None:
        ids = [o.patient_id for o in orders] + [s.patient_id for s in studies]
        return tx.patients.current(ids[0]) if ids else None


Judge = Callable[[Sequence[Change], Sequence[StudyRecord]], tuple[str, str, str]]


def _stage(number: int, name: str, events: Sequence[Change], studies: Sequence[StudyRecord]) -> Stage:
    mine = [e for e in events if e.stage == number]
    state, at, evidence = _JUDGES[number](mine, studies)
    return Stage(number, name, state, at, evidence)


def _seen(kinds: tuple[str, ...], words: str, missing: str) -> Judge:
    def judge(events: Sequence[Change], _studies: Sequence[StudyRecord]) -> tuple[str, str, str]:
        hit = [e for e in events if e.kind in kinds]
        return ("done", hit[-1].at, words.format(hit[-1].actor)) if hit else ("missing", "", missing)

    return judge


def _ordered(events: Sequence[Change], _studies: Sequence[StudyRecord]) -> tuple[str, str, str]:
    last = next((e for e in reversed(events) if e.kind.startswith("order.")), None)
    if last is None:
        return "missing", "", "no order came"
    if last.kind in ("order.cancelled", "order.discontinued"):
        return "failed", last.at, last.kind.replace(".", " ")
    return "done", last.at, f"{last.kind.replace('.', ' ')} by {last.actor}"


def _acquired(events: Sequence[Change], studies: Sequence[StudyRecord]) -> tuple[str, str, str]:
    images = sum(s.instance_count for s in studies)
    if not images:
        return "missing", "", "no image came"
    return (
        "done",
        events[-1].at if events else "",
        f"{images} image{'' if images == 1 else 's'} from {studies[-1].calling_aet or 'a file'}",
    )


def _reconciled(events: Sequence[Change], studies: Sequence[StudyRecord]) -> tuple[str, str, str]:
    if not studies:
        return "missing", "", "nothing to reconcile yet"
    at = events[-1].at if events else ""
    held = [s for s in studies if s.reconciliation == "held"]
    if held:
        why = next((str(e.detail.get("kind", "")) for e in reversed(events) if e.kind == "study.held"), "")
        return "failed", at, f"held: {why}"
    return "done", at, studies[-1].reconciliation


def _read(events: Sequence[Change], _studies: Sequence[StudyRecord]) -> tuple[str, str, str]:
    views = [e for e in events if e.kind == "study.viewed"]
    strokes = len({e.subject for e in events if e.kind == "measurement.saved"})
    if not views:
        return "missing", "", "nobody opened it"
    return "done", views[-1].at, f"opened by {views[-1].actor}, {strokes} measurements"


def _reported(events: Sequence[Change], _studies: Sequence[StudyRecord]) -> tuple[str, str, str]:
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
