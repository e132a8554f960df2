"""Drafts, signatures and the deliveries they cause: one commit, frozen for good (contract, promise 4)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pacs_core.domain.access import Actor
from pacs_core.domain.delivery import DeliveryState
from pacs_core.domain.errors import Conflict, InvalidValue
from pacs_core.domain.events import Event
from pacs_core.domain.order import OrderState
from pacs_core.domain.records import DeliveryRecord, DraftRecord, ReportRecord, StudyRecord, VersionRecord
from pacs_core.domain.rehearsal import ISSUER, rehearses
from pacs_core.domain.report import ReportState, ReportVersion, Section, VersionKind, after_signing
from pacs_core.domain.times import instant
from pacs_core.ports import Clock, Index, Transaction
from pacs_core.services.access import Access
from pacs_core.services.taking_back import standing, take_back


@dataclass(frozen=True, slots=True)
class Signing:
    """What is to be signed; see `archive.models.SignRequest`."""

    study_uid: str
    password: str
    sections: tuple[Section, ...]
    kind: str
    reason: str = ""
    report_id: int | None = None
    measurement_uids: tuple[str, ...] = ()


class Reporting:
    """Reports of a study: one draft an author, versions that never change."""

    def __init__(self, index: Index, clock: Clock, access: Access) -> None:
        self._index = index
        self._clock = clock
        self._access = access

    def save_draft(
        self, study_uid: str, template: str, content: str, addendum_to: int | None, actor: Actor
    ) -> DraftRecord:
        """Keep the author's draft; raises Conflict while another reader has the exam, and for an addendum to
        another study's report.
        """

        def save(tx: Transaction) -> DraftRecord:
            study = tx.studies.get(study_uid)
            if study.locked_by and study.locked_by != actor.name:
                raise Conflict(f"{study.locked_by} is reading this exam", "exam")
            report = tx.reports.get(addendum_to) if addendum_to else self._open_report(tx, study)
            if report.study_uid != study_uid:
                raise Conflict("this report belongs to another study", "report")
            before = tx.reports.draft(study_uid, actor.name)
            now = instant(self._clock.now())
            draft = tx.reports.save_draft(
                DraftRecord(0, study_uid, actor.name, report.id, template, content, 1, now)
            )
            if before is None:
                tx.record(_event("report.begun", report, study, actor.name, {}))
            else:
                tx.record(_event("report.drafted", report, study, actor.name, {"revision": draft.revision}))
            return draft

        return self._index.write(save)

    def discard_draft(self, study_uid: str, actor: Actor) -> None:
        """Take the author's draft away; its last text stays in the journal, so that nothing is lost by a
        slip.
        """

        def discard(tx: Transaction) -> None:
            draft = tx.reports.draft(study_uid, actor.name)
            if draft is None:
                return
            study = tx.studies.get(study_uid)
            tx.reports.drop_draft(study_uid, actor.name)
            report = tx.reports.get(draft.report_id)
            tx.record(_event("report.discarded", report, study, actor.name, {"content": draft.content}))

        self._index.write(discard)

    def sign(self, signing: Signing, actor: Actor) -> ReportRecord:
        """Sign with the password again: version, deliveries and state in one commit.

        Raises NotSignedIn or LockedOut for the password, Conflict where the state or another reader forbids
        it, InvalidValue for an empty report or a correction without a reason.
        """
        kind = _kind(signing)
        if not any(s.text.strip() for s in signing.sections):
            raise InvalidValue("the report is empty", "sections")
        admit = self._access.proof(actor.name, signing.password, actor.address, "sign")

        def sign(tx: Transaction) -> ReportRecord:
            admit(tx)
            study = tx.studies.get(signing.study_uid)
            if study.locked_by and study.locked_by != actor.name:
                raise Conflict(f"{study.locked_by} is reading this exam", "exam")
            report = self._report_to_sign(tx, study, signing, kind)
            version = self._add_version(tx, report, signing, kind, actor)
            state = after_signing(ReportState(report.state), kind)
            now = instant(self._clock.now())
            report = tx.reports.update(report.id, state=state.value, changed_at=now, order_id=study.order_id)
            tx.reports.drop_draft(study.study_uid, actor.name)
            if study.locked_by == actor.name:
                tx.studies.update(study.study_uid, locked_by="", locked_at="")
            tx.record(
                _event(
                    "report.signed",
                    report,
                    study,
                    actor.name,
                    {"version": version.version, "kind": kind.value},
                )
            )
            self._complete_order(tx, study, kind, now)
            if report.order_id is not None:
                self.queue_deliveries(tx, report, version, study, actor.name)
            else:
                tx.record(
                    _event("report.waits", report, study, actor.name, {"why": "the study has no order yet"})
                )
            return report

        try:
            return self._index.write(sign)
        except Conflict as refused:
            self._access.note(actor, "sign", f"study:{signing.study_uid}", "refused", refused.message)
            raise

    def of_study(
        self, study_uid: str
    ) -> list[tuple[ReportRecord, Sequence[VersionRecord], Sequence[DeliveryRecord]]]:
        """Reports of a study with versions and deliveries."""
        with self._index.read() as tx:
            return [
                (report, tx.reports.versions(report.id), tx.deliveries.of_report(report.id))
                for report in tx.reports.of_study(study_uid)
            ]

    def queue_deliveries(
        self, tx: Transaction, report: ReportRecord, version: VersionRecord, study: StudyRecord, actor: str
    ) -> None:
        """One delivery row per destination, in the same transaction as the fact that causes it.

        What is rehearsed goes to the destinations reserved for tests alone, and nothing else goes there.
        """
        now = self._clock.now()
        order = tx.orders.get(report.order_id) if report.order_id is not None else None
        rehearsal = study.received_issuer == ISSUER or (order is not None and rehearses(order.source))
        for destination in tx.configuration.destinations():
            if destination.reserved_for_tests and not rehearsal:
                continue
            if rehearsal and not destination.reserved_for_tests:
                continue
            number = tx.orders.next_number("control")
            delivery = tx.deliveries.add(
                DeliveryRecord(
                    id=0,
                    version_id=version.id,
                    report_id=report.id,
                    destination=destination.name,
                    stream=_stream(report.order_id),
                    control_id=f"RR{now:%y%m%d}{number:08d}",
                    payload=b"",
                    state=DeliveryState.WAITING.value,
                    attempts=0,
                    silent_attempts=0,
                    refused_attempts=0,
                    created_at=instant(now),
                    due_at=instant(now + timedelta(seconds=_hold(destination.hold_seconds, order))),
                    last_attempt_at="",
                    answer_code="",
                    answer="",
                )
            )
            detail: dict[str, object] = {"destination": destination.name, "control_id": delivery.control_id}
            queued = _event("delivery.queued", report, study, actor, detail)
            tx.record(replace(queued, subject=f"delivery:{delivery.id}"))

    def release_waiting(self, tx: Transaction, study: StudyRecord, actor: str) -> None:
        """Send what was signed before the study had this order (temporary order rule).

        What is still on its way for an order that the study belongs to no longer is withdrawn, what was
        delivered there is taken back.
        """
        answered = {_stream(order_id) for order_id in tx.studies.requests_of(study.id)}
        for report in tx.reports.of_study(study.study_uid):
            if report.order_id is None:
                continue
            for delivery in standing(tx.deliveries.of_report(report.id)):
                if delivery.stream not in answered and delivery.state != DeliveryState.DELIVERED:
                    self._withdraw(tx, delivery, report, study, actor)
            take_back(tx, report, answered, self._clock.now(), actor)
            sent = standing(tx.deliveries.of_report(report.id))
            known = {d.version_id for d in sent if d.stream == _stream(report.order_id)}
            for version in tx.reports.versions(report.id):
                if version.id not in known:
                    self.queue_deliveries(tx, report, version, study, actor)

    def _withdraw(
        self, tx: Transaction, delivery: DeliveryRecord, report: ReportRecord, study: StudyRecord, actor: str
    ) -> None:
        tx.deliveries.update(delivery.id, state=DeliveryState.WITHDRAWN.value)
        detail: dict[str, object] = {
            "text": "the study was linked to another order",
            "destination": delivery.destination,
            "control_id": delivery.control_id,
            "attempts": delivery.attempts,
        }
        event = _event("delivery.withdrawn", report, study, actor, detail)
        tx.record(replace(event, order_id=delivery.order_id, subject=f"delivery:{delivery.id}"))

    def _open_report(self, tx: Transaction, study: StudyRecord) -> ReportRecord:
        for report in tx.reports.of_study(study.study_uid):
            if report.state in (ReportState.DRAFT, ReportState.PRELIMINARY):
                return report
        signed = tx.reports.of_study(study.study_uid)
        return signed[-1] if signed else self._new_report(tx, study)

    def _new_report(self, tx: Transaction, study: StudyRecord) -> ReportRecord:
        now = instant(self._clock.now())
        return tx.reports.add(
            ReportRecord(
                0, study.study_uid, study.patient_id, study.order_id, ReportState.DRAFT.value, now, now
            )
        )

    def _report_to_sign(
        self, tx: Transaction, study: StudyRecord, signing: Signing, kind: VersionKind
    ) -> ReportRecord:
        if signing.report_id is not None:
            report = tx.reports.get(signing.report_id)
            if report.study_uid != study.study_uid:
                raise Conflict("this report belongs to another study", "report")
            return report
        report = self._open_report(tx, study)
        if kind in (VersionKind.FINAL, VersionKind.PRELIMINARY) and report.state not in (
            ReportState.DRAFT,
            ReportState.PRELIMINARY,
        ):
            raise Conflict("the report is signed already: add an addendum or a correction", "report")
        return report

    def _add_version(
        self, tx: Transaction, report: ReportRecord, signing: Signing, kind: VersionKind, actor: Actor
    ) -> VersionRecord:
        number = len(tx.reports.versions(report.id)) + 1
        content = canonical(signing.sections)
        at = instant(self._clock.now())
        bound = "\x1f".join((content, str(report.id), str(number), kind.value, actor.name, at))
        return tx.reports.add_version(
            VersionRecord(
                id=0,
                report_id=report.id,
                version=number,
                kind=kind.value,
                content=content,
                signer=actor.name,
                signer_name=actor.full_name,
                signed_at=at,
                digest=hashlib.sha256(bound.encode()).hexdigest(),
                reason=signing.reason,
                measurements=json.dumps(list(signing.measurement_uids)),
            )
        )

    def _complete_order(self, tx: Transaction, study: StudyRecord, kind: VersionKind, now: str) -> None:
        if study.order_id is None or kind is VersionKind.PRELIMINARY:
            return
        order = tx.orders.get(study.order_id)
        if order.state in (OrderState.SCHEDULED, OrderState.IN_PROGRESS):
            steps = tuple(replace(s, state=OrderState.COMPLETED) for s in order.steps)
            tx.orders.save(replace(order, state=OrderState.COMPLETED, steps=steps), now)


def canonical(sections: Sequence[Section]) -> str:
    """The text a signature is over: the sections as JSON without choices of layout."""
    rows = [{"heading": s.heading, "text": s.text, "code": s.code} for s in sections]
    return json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def version_of(record: VersionRecord) -> ReportVersion:
    """A signed version as a value."""
    sections = tuple(Section(row["heading"], row["text"], row["code"]) for row in json.loads(record.content))
    return ReportVersion(
        record.version,
        VersionKind(record.kind),
        sections,
        record.signer,
        record.signer_name,
        record.signed_at,
        record.digest,
        record.reason,
    )


def _kind(signing: Signing) -> VersionKind:
    try:
        kind = VersionKind(signing.kind)
    except ValueError:
        raise InvalidValue(f"no kind of signature {signing.kind}", "kind") from None
    if kind is VersionKind.CORRECTION and not signing.reason.strip():
        raise InvalidValue("a correction needs its reason", "reason")
    return kind


def _stream(order_id: int | None) -> str:
    """What is delivered in order: the results of one order."""
    return f"order:{order_id}"


def _hold(seconds: int, order: object) -> int:
    priority = getattr(order, "priority", "")
    return 0 if priority == "STAT" else seconds


def _event(
    kind: str, report: ReportRecord, study: StudyRecord, actor: str, detail: dict[str, object]
) -> Event:
    return Event(
        kind, 7, study.patient_id, study.order_id, study.study_uid, f"report:{report.id}", actor, detail
    )
