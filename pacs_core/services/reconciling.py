"""Matching studies with orders wherever a fact arrives, and a person's link with its undo (architecture §11
i).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from pacs_core.domain.errors import Conflict
from pacs_core.domain.events import Event
from pacs_core.domain.order import Order, OrderState
from pacs_core.domain.patient import Demographics, Patient, completed
from pacs_core.domain.reconciliation import (
    Candidate,
    Held,
    Matched,
    Received,
    identifier_of,
    reconcile,
    same_name,
    suggest,
    unlike,
)
from pacs_core.domain.records import HoldRecord, StudyRecord
from pacs_core.domain.times import instant
from pacs_core.ports import Clock, Index, Transaction

MODALITY_DOORS = frozenset({"dimse", "stow"})
"""Doors whose studies should have an order; what is imported from files may be older than any order of ours.
"""


def received_of(study: StudyRecord) -> Received:
    """The identity a stored study came with."""
    return Received(
        study_uid=study.study_uid,
        patient_id=study.received_patient_id,
        issuer=study.received_issuer,
        name=study.received_name,
        birth_date=study.received_birth_date,
        sex=study.received_sex,
        accession=study.received_accession,
        accession_issuer=study.received_accession_issuer,
        modality=study.modalities.split("\\")[0],
        study_date=study.study_date,
        step_ids=_parts(study.received_steps),
        other_accessions=_parts(study.further_accessions),
    )


def _parts(joined: str) -> tuple[str, ...]:
    return tuple(part for part in joined.split("\\") if part)


class Reconciling:
    """One pure matcher, three triggers: the storing transaction, a late order, a late ADT; and a person."""

    def __init__(self, index: Index, clock: Clock) -> None:
        self._index = index
        self._clock = clock
        self.when_matched: Callable[[Transaction, StudyRecord, str], None] = _nothing

    # ── triggers ──

    def settle(self, tx: Transaction, study: StudyRecord, actor: str) -> StudyRecord:
        """Match or hold a study, except where a person has settled it; returns it as it is then."""
        if tx.holds.standing_decision(study.study_uid) is not None:
            return study
        received, linked = received_of(study), tx.studies.requests_of(study.id)
        decision = reconcile(received, self._numbered(tx, received), self._by_uid(tx, received), linked)
        if isinstance(decision, Matched):
            return self._match(tx, study, decision, linked, actor)
        if study.order_id is not None:
            study = self._unmatch(tx, study, self.patient_for(tx, received).id)
        if decision.kind in ("no order", "no accession"):
            contradiction = self._contradiction(tx, study, received)
            if contradiction:
                decision = Held("identity contradicts", contradiction)
            elif study.door not in MODALITY_DOORS:
                return tx.studies.update(study.study_uid, reconciliation="none")
        return self._hold(tx, study, decision, actor)

    def release_for_order(
        self, tx: Transaction, order: Order, actor: str, patient: Patient | None = None
    ) -> None:
        """Look again at held studies that this order might release, and at matched ones that name it too.

        `patient` is the order's, where the caller has it.
        """
        patient = patient or tx.patients.current(order.patient_id)
        ids = {i.value for i in (patient.identifier, *patient.other_identifiers)}
        for value in sorted(ids) or [""]:
            self._settle_all(tx, tx.studies.held_for(order.accession.value, value, order.study_uid), actor)
        for study in tx.studies.naming(order.accession.value) if order.accession.value else ():
            if study.reconciliation == "matched" and order.id not in tx.studies.requests_of(study.id):
                self.settle(tx, study, actor)

    def release_for_patient(self, tx: Transaction, patient: Patient, actor: str) -> None:
        """Look again at held studies that came under one of the patient's identifiers."""
        for identifier in (patient.identifier, *patient.other_identifiers):
            self._settle_all(tx, tx.studies.held_for("", identifier.value, ""), actor)
            for stranger in tx.patients.strangers(identifier):
                for study in tx.studies.of_patient(stranger.id):
                    self._adopt(tx, study)
        for order in tx.orders.of_patient(patient.id):
            if order.accession.value:
                self._settle_all(tx, tx.studies.held_for(order.accession.value, "", ""), actor)

    # ── a person ──

    def link(self, study_uid: str, order_id: int, actor: str) -> StudyRecord:
        """Link a study to an order: it takes the order's patient; undo brings back what was."""

        def link(tx: Transaction) -> StudyRecord:
            study, order = tx.studies.get(study_uid), tx.orders.get(order_id)
            if study.order_id == order_id:
                raise Conflict("the study is linked to that order already", "order")
            now = instant(self._clock.now())
            holds = list(tx.holds.open_for(study_uid)) or [
                tx.holds.add(study_uid, RELINKED, f"it was {study.reconciliation} before", now)
            ]
            for hold in holds:
                tx.holds.resolve(
                    hold.id,
                    resolved_at=now,
                    resolved_by=actor,
                    how="linked",
                    order_id=order_id,
                    previous_patient_id=study.patient_id,
                )
            linked = self._to_order(tx, study, order, actor)
            tx.record(
                _event("study.linked", linked, actor, {"order": order_id, "accession": order.accession.value})
            )
            return linked

        return self._index.write(link)

    def accept(self, study_uid: str, actor: str) -> StudyRecord:
        """Keep a held study as it is, without an order."""

        def accept(tx: Transaction) -> StudyRecord:
            study = tx.studies.get(study_uid)
            holds = tx.holds.open_for(study_uid)
            if not holds:
                raise Conflict("the study is not held", "study")
            now = instant(self._clock.now())
            for hold in holds:
                tx.holds.resolve(
                    hold.id,
                    resolved_at=now,
                    resolved_by=actor,
                    how="accepted",
                    previous_patient_id=study.patient_id,
                )
            kept = tx.studies.update(study_uid, reconciliation="accepted")
            tx.record(_event("study.accepted", kept, actor, {}))
            return kept

        return self._index.write(accept)

    def undo(self, hold_id: int, actor: str) -> StudyRecord:
        """Undo a link or acceptance: the study is what it would be without it, filed as it was before.

        Raises Conflict once something was signed on the study, where it was undone before, and where a newer
        decision stands.
        """

        def undo(tx: Transaction) -> StudyRecord:
            hold = tx.holds.get(hold_id)
            study = tx.studies.get(hold.study_uid)
            if not hold.resolved_at or hold.undone_at or hold.how not in BY_HAND:
                raise Conflict("there is nothing to undo", "hold")
            together, newest = tx.holds.of_decision(hold), tx.holds.standing_decision(hold.study_uid)
            if newest is not None and newest.id not in {one.id for one in together}:
                raise Conflict("the study was decided on again since then: undo that first", "hold")
            if any(tx.reports.versions(report.id) for report in tx.reports.of_study(hold.study_uid)):
                raise Conflict("a report was signed on this study: correct the report first", "report")
            now = instant(self._clock.now())
            if hold.how == "linked":
                owner = hold.previous_patient_id or study.patient_id
                study = self._unmatch(tx, study, tx.patients.current(owner).id)
            before = {one.id for one in tx.holds.open_for(study.study_uid)}
            for one in together:
                tx.holds.resolve(one.id, undone_at=now)
                if one.kind in UNRELATED_HOLDS:
                    tx.holds.add(study.study_uid, one.kind, one.reason, now)
            back = self._as_before(tx, study, actor)
            for one in tx.holds.open_for(study.study_uid):
                if one.id not in before:  # it waits for a person since it first did, not since the undo
                    tx.holds.resolve(one.id, since=min(h.since for h in together))
            tx.record(_event("study.unlinked", back, actor, {"hold": hold_id}))
            return back

        return self._index.write(undo)

    # ── lists ──

    def held(self) -> list[tuple[HoldRecord, StudyRecord, list[tuple[Candidate, float, tuple[str, ...]]]]]:
        """Every open hold with its study and the orders it may belong to."""
        with self._index.read() as tx:
            candidates = [self._candidate(tx, order) for order in tx.orders.waiting(500)]
            rows = []
            for hold in tx.holds.all_open():
                study = tx.studies.get(hold.study_uid)
                received = received_of(study)
                near = {
                    c.order.id: c
                    for c in (*candidates, *self._numbered(tx, received), *self._by_uid(tx, received))
                }
                rows.append((hold, study, suggest(received, list(near.values()))[:5]))
            return rows

    def resolved(self, limit: int) -> list[tuple[HoldRecord, StudyRecord]]:
        """Holds resolved lately, newest first."""
        with self._index.read() as tx:
            return [(hold, tx.studies.get(hold.study_uid)) for hold in tx.holds.resolved(limit)]

    def patient_for(self, tx: Transaction, received: Received) -> Patient:
        """The patient a new study is filed under until an order says otherwise.

        A known person whose name does not contradict; else the provisional one of earlier images under the
        same identifier that nothing contradicts; else a new provisional one.
        """
        identifier = identifier_of(received)
        known = tx.patients.find(identifier)
        if known is not None and (_agrees(known, received) or self._merged(tx, known, received)):
            return known
        own = tx.patients.provisional(received.study_uid)
        if own is not None:
            return own
        demographics = Demographics(name=received.name, birth_date=received.birth_date, sex=received.sex)
        for other in tx.patients.strangers(identifier):
            if not unlike(other.demographics, received):
                more = completed(other.demographics, demographics)
                return tx.patients.save(other.id, more) if other.provisional else other
        return tx.patients.add(identifier, demographics, scope=received.study_uid)

    # ── inside ──

    def _contradiction(self, tx: Transaction, study: StudyRecord, received: Received) -> str:
        """Why a study without an order cannot be of those its patient ID belongs to; empty where it can."""
        identifier = identifier_of(received)
        known = tx.patients.find(identifier)
        if known is not None:
            told = f"the patient known under the ID {received.patient_id} has another name"
            return "" if _agrees(known, received) or self._merged(tx, known, received) else told
        others = (p for p in tx.patients.strangers(identifier) if p.id != study.patient_id)
        return next((why for why in (unlike(p.demographics, received) for p in others) if why), "")

    @staticmethod
    def _merged(tx: Transaction, known: Patient, received: Received) -> bool:
        """Whether the person images came in as, under this ID and name, was merged into the known one."""
        for study in tx.studies.of_patient(known.id):
            if study.received_patient_id == received.patient_id and same_name(
                study.received_name, received.name
            ):
                one = tx.patients.provisional(study.study_uid)
                if one is not None and one.id == known.id:
                    return True
        return False

    def _settle_all(self, tx: Transaction, studies: Sequence[StudyRecord], actor: str) -> None:
        for study in studies:
            current = tx.studies.get(study.study_uid)
            if current.reconciliation in ("held", "none"):
                self._adopt(tx, self.settle(tx, current, actor))

    def _adopt(self, tx: Transaction, study: StudyRecord) -> None:
        """Move an unmatched study from its provisional patient to the person who is known by now."""
        if study.order_id is not None or not study.received_patient_id:
            return
        received = received_of(study)
        known = tx.patients.find(identifier_of(received))
        if known is None or known.id == study.patient_id or not _agrees(known, received):
            return
        if tx.patients.get(study.patient_id).provisional:
            self._move_reports(tx, tx.studies.update(study.study_uid, patient_id=known.id))

    def _numbered(self, tx: Transaction, received: Received) -> list[Candidate]:
        found: dict[int, Order] = {}
        for accession in (received.accession, *received.other_accessions):
            if accession:
                found.update({o.id: o for o in tx.orders.by_accession(accession)})
        known = tx.patients.find(identifier_of(received))
        for step_id in received.step_ids:
            if known is not None:
                found.update({o.id: o for o in tx.orders.by_step_id(step_id, known.id)})
        return [self._candidate(tx, order) for order in found.values()]

    def _by_uid(self, tx: Transaction, received: Received) -> list[Candidate]:
        return [self._candidate(tx, order) for order in tx.orders.by_study_uid(received.study_uid)]

    def _candidate(self, tx: Transaction, order: Order) -> Candidate:
        return Candidate(order, tx.patients.current(order.patient_id))

    def _match(
        self, tx: Transaction, study: StudyRecord, decision: Matched, linked: Sequence[int], actor: str
    ) -> StudyRecord:
        orders = [c.order for c in decision.candidates]
        first, now = orders[0], instant(self._clock.now())
        released = [h for h in tx.holds.open_for(study.study_uid) if h.kind not in UNRELATED_HOLDS]
        for hold in released:
            tx.holds.resolve(
                hold.id, resolved_at=now, resolved_by=actor, how="matched", order_id=first.id, undone_at=now
            )
        self._take(tx, study, orders)
        known = study.order_id == first.id and set(linked) == {o.id for o in orders}
        matched = tx.studies.update(
            study.study_uid,
            reconciliation="held" if tx.holds.open_for(study.study_uid) else "matched",
            order_id=first.id,
            patient_id=decision.candidates[0].patient.id,
        )
        self._free(tx, set(linked) - {o.id for o in orders})
        if known and not released:
            return matched
        self._move_reports(tx, matched)
        self.when_matched(tx, matched, actor)
        detail = {"how": decision.how, "accession": first.accession.value, "released": bool(released)}
        tx.record(_event("study.matched", matched, actor, detail))
        return matched

    def _to_order(self, tx: Transaction, study: StudyRecord, order: Order, actor: str) -> StudyRecord:
        """File a study under an order and its patient, as a person wants it."""
        self._unmatch(tx, study, order.patient_id)
        self._take(tx, study, [order])
        linked = tx.studies.update(
            study.study_uid, reconciliation="linked", order_id=order.id, patient_id=order.patient_id
        )
        self._move_reports(tx, linked)
        self.when_matched(tx, linked, actor)
        return linked

    def _as_before(self, tx: Transaction, study: StudyRecord, actor: str) -> StudyRecord:
        """What a study is once a decision on it is undone: as the one before says, else held or matched."""
        earlier = tx.holds.standing_decision(study.study_uid)
        if earlier is None:
            study = self.settle(tx, study, actor)
        elif earlier.how == "linked" and earlier.order_id is not None:
            study = self._to_order(tx, study, tx.orders.get(earlier.order_id), actor)
        else:
            study = tx.studies.update(study.study_uid, reconciliation="accepted")
        if tx.holds.open_for(study.study_uid):
            study = tx.studies.update(study.study_uid, reconciliation="held")
        return study

    def _take(self, tx: Transaction, study: StudyRecord, orders: Sequence[Order]) -> None:
        """Link every series of a study to these orders alone."""
        tx.studies.unlink_requests(study.id)
        for order in orders:
            tx.studies.link_request(study.id, order.id)
            if order.state is OrderState.SCHEDULED:
                _set_state(tx, order, OrderState.IN_PROGRESS, instant(self._clock.now()))

    def _unmatch(self, tx: Transaction, study: StudyRecord, patient_id: int) -> StudyRecord:
        """Take a study from its orders and file it under a patient."""
        before = tx.studies.requests_of(study.id)
        tx.studies.unlink_requests(study.id)
        free = tx.studies.update(study.study_uid, order_id=None, patient_id=patient_id)
        self._free(tx, before)
        self._move_reports(tx, free)
        return free

    def _free(self, tx: Transaction, order_ids: Collection[int]) -> None:
        """Orders that have lost their only study are scheduled again."""
        for order_id in sorted(order_ids):
            order = tx.orders.get(order_id)
            if order.state is OrderState.IN_PROGRESS and not tx.studies.of_order(order_id):
                _set_state(tx, order, OrderState.SCHEDULED, instant(self._clock.now()))

    def _hold(self, tx: Transaction, study: StudyRecord, decision: Held, actor: str) -> StudyRecord:
        open_kinds = {h.kind: h.reason for h in tx.holds.open_for(study.study_uid)}
        if open_kinds.get(decision.kind) == decision.reason and study.reconciliation == "held":
            return study
        for hold in tx.holds.open_for(study.study_uid):
            if hold.kind not in UNRELATED_HOLDS and hold.kind != decision.kind:
                now = instant(self._clock.now())
                tx.holds.resolve(hold.id, resolved_at=now, how="replaced", undone_at=now)
        tx.holds.add(study.study_uid, decision.kind, decision.reason, instant(self._clock.now()))
        held = tx.studies.update(study.study_uid, reconciliation="held")
        tx.record(_event("study.held", held, actor, {"kind": decision.kind}))
        return held

    def _move_reports(self, tx: Transaction, study: StudyRecord) -> None:
        for report in tx.reports.of_study(study.study_uid):
            if report.patient_id != study.patient_id or report.order_id != study.order_id:
                tx.reports.update(report.id, patient_id=study.patient_id, order_id=study.order_id)


BY_HAND = frozenset({"linked", "accepted"})
"""How a person ends a hold, which can be undone."""

RELINKED = "relinked"
"""The hold of a study that waited for nobody when a person linked it to another order."""

UNRELATED_HOLDS = frozenset({"other bytes", "two patients", "wrong worklist entry"})
"""Holds that a matching order does not answer: a person looks at them."""


def _nothing(_tx: Transaction, _study: StudyRecord, _actor: str) -> None:
    """What happens at a match until somebody asks to be told."""


def _agrees(known: Patient, received: Received) -> bool:
    if not known.demographics.name or not received.name:
        return True
    return same_name(known.demographics.name, received.name)


def _set_state(tx: Transaction, order: Order, state: OrderState, at: str) -> Order:
    steps = tuple(replace(step, state=state) for step in order.steps)
    return tx.orders.save(replace(order, state=state, steps=steps), at)


def _event(kind: str, study: StudyRecord, actor: str, detail: dict[str, object]) -> Event:
    return Event(
        kind,
        5,
        patient_id=study.patient_id,
        order_id=study.order_id,
        study_uid=study.study_uid,
        subject=f"study:{study.study_uid}",
        actor=actor,
        detail=detail,
    )
