"""The archive in this process: the protocol over the services, each call checked for its verb."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import partial
from typing import Any, cast

from pacs_core.archive import models as m
from pacs_core.archive import protocol as p
from pacs_core.archive import views as v
from pacs_core.archive.administration import Administration
from pacs_core.archive.annotating import keep_annotations
from pacs_core.archive.guarded import Guarded, told
from pacs_core.archive.importing import import_bytes
from pacs_core.archive.manifest import DEFLATED, study_manifest
from pacs_core.archive.part import NodeFacts, Part
from pacs_core.archive.priors import rank
from pacs_core.archive.schedule import Schedule
from pacs_core.dicom.coercion import Correction, overlay
from pacs_core.domain.access import Actor
from pacs_core.domain.delivery import DeliveryState
from pacs_core.domain.errors import InvalidValue, NotFound
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.reconciliation import identifier_of
from pacs_core.domain.records import DeliveryRecord, InstanceRecord, StudyRecord
from pacs_core.domain.study import Origin
from pacs_core.ports import Transaction
from pacs_core.services.auditing import Line
from pacs_core.services.bundle import Services
from pacs_core.services.reading_worklist import Listing, Standing
from pacs_core.services.reconciling import received_of
from pacs_core.services.reporting import Signing
from pacs_core.services.taking_back import standing

EARLY = frozenset({"priority", "status", "last_image_at", "study_date", "key"})
"""Orders of the worklist that a `Standing` knows already, so that only the rows shown are made whole."""

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"


class _Worklist(Part):
    def rows(self, query: m.WorklistQuery, offset: int = 0, limit: int = 200) -> m.WorklistPage:
        listing = Listing(
            query.text, query.modality, (query.from_date, query.to_date), query.patient_key, query.with_orders
        )
        key, total = sort_key(query.sort), 0
        early = query.sort in EARLY

        def choose(found: list[Standing]) -> list[Standing]:
            nonlocal total
            fitting = [s for s in found if not query.status or s.status in query.status]
            total = len(fitting)
            if not early:
                return fitting
            fitting.sort(key=key, reverse=query.descending)
            return fitting[offset : offset + limit]

        exams, sequence = self.services.reading_worklist.page(listing, choose)
        rows = [v.exam_row(exam) for exam in exams]
        if not early:  # by a column that only the whole row knows
            rows.sort(key=key, reverse=query.descending)
            rows = rows[offset : offset + limit]
        return m.WorklistPage(tuple(rows), total, sequence)

    def row(self, key: str) -> m.ExamRow:
        return v.exam_row(self.services.reading_worklist.exam(key))

    def claim(self, study_uid: str, take_over: bool = False) -> m.ExamRow:
        self.services.reading_worklist.claim(study_uid, self.actor, take_over)
        return self.row(f"study:{study_uid}")

    def release(self, study_uid: str) -> m.ExamRow:
        self.services.reading_worklist.release(study_uid, self.actor)
        return self.row(f"study:{study_uid}")


class _Studies(Part):
    def open(self, study_uid: str) -> m.Dossier:
        self.services.reading_worklist.viewed(study_uid, self.actor)
        return self.renew(study_uid)

    def renew(self, study_uid: str) -> m.Dossier:
        reading = self.services.reading_worklist
        reading.looked_at(study_uid, self.actor)
        exam = reading.exam(f"study:{study_uid}")
        study = cast("StudyRecord", exam.study)
        row = v.exam_row(exam)
        orders = tuple(v.order_view(o, patient) for o, patient in reading.orders_of(study))
        others = [v.exam_row(e) for e in reading.priors(study_uid)]
        reports = _Reports(self.services, self.actor, self.facts, local_files=self.local_files)
        earlier = tuple(
            r for r in reports.of_patient(exam.patient.id) if r.study_uid != study_uid and r.versions
        )
        return m.Dossier(
            exam=row,
            patient=v.patient_view(exam.patient),
            order=orders[0] if orders else None,
            linked_orders=orders[1:],
            manifest=self.manifest(study_uid),
            priors=rank(row, others),
            measurements=tuple(self.services.measuring.of_study(study_uid)),
            reports=reports.of(study_uid),
            prior_reports=earlier,
            lock=study.locked_by,
            sequence=self.services.index.wait_for_change(0, 0.0),
        )

    def manifest(self, study_uid: str) -> m.StudyManifest:
        self.services.reading_worklist.looked_at(study_uid, self.actor)
        with self.services.index.read() as tx:
            return study_manifest(tx, study_uid, self.services.blobs, local=self.local_files)

    def priors(self, study_uid: str) -> tuple[m.Prior, ...]:
        reading = self.services.reading_worklist
        others = [v.exam_row(e) for e in reading.priors(study_uid)]
        return rank(v.exam_row(reading.exam(f"study:{study_uid}")), others)

    def frame(self, sop_instance_uid: str, frame: int) -> m.FramePixels:
        found = self.services.retrieving.file(sop_instance_uid)
        places = json.loads(found.instance.frames) if found.instance.frames else []
        if places and 1 <= frame <= len(places):
            offset, length, fragments = places[frame - 1]
            read = partial(self.services.retrieving.read, found)
            parts = tuple(read(a, b) for a, b in fragments) if fragments else (read(offset, length),)
            return m.FramePixels(found.instance.transfer_syntax_uid, parts)
        return _inflated_frame(self.services.retrieving.read(found), found.instance, frame)

    def file(self, sop_instance_uid: str, original: bool = False) -> bytes:
        found = self.services.retrieving.file(sop_instance_uid)
        self.services.access.note(self.actor, "export", f"instance:{sop_instance_uid}")
        content = self.services.retrieving.read(found)
        if original or not found.corrections:
            return content
        return overlay(content, Correction(found.corrections, at=self.services.clock.now()))

    def store(self, name: str, content: bytes) -> m.ImportLine:
        origin = Origin("import", self.actor.name, address=self.actor.address)
        line = import_bytes(self.services.storing, content, origin, name)
        self.services.access.note(self.actor, "import", f"study:{line.study_uid}", line.outcome)
        return line


class _Measurements(Part):
    def of(self, study_uid: str) -> tuple[Measurement, ...]:
        return tuple(self.services.measuring.of_study(study_uid))

    def save(self, measurement: Measurement) -> Measurement:
        return self.services.measuring.save(measurement, self.actor.name)

    def remove(self, tracking_uid: str) -> Measurement:
        return self.services.measuring.remove(tracking_uid, self.actor.name)

    def keep(self, study_uid: str) -> tuple[m.ImportLine, ...]:
        return keep_annotations(self.services, self.actor, study_uid)


class _Reports(Part):
    def of(self, study_uid: str) -> tuple[m.ReportView, ...]:
        with self.services.index.read() as tx:
            return tuple(_report(tx, r.id, self.actor.name) for r in tx.reports.of_study(study_uid))

    def of_patient(self, patient_key: int) -> tuple[m.ReportView, ...]:
        with self.services.index.read() as tx:
            return tuple(_report(tx, r.id, self.actor.name) for r in tx.reports.of_patient(patient_key))

    def save_draft(
        self, study_uid: str, template: str, content: str, addendum_to: int | None = None
    ) -> m.DraftView:
        return v.draft_view(
            self.services.reporting.save_draft(study_uid, template, content, addendum_to, self.actor)
        )

    def discard_draft(self, study_uid: str) -> None:
        self.services.reporting.discard_draft(study_uid, self.actor)

    def sign(self, request: m.SignRequest) -> m.ReportView:
        signing = Signing(
            request.study_uid,
            request.password,
            request.sections,
            request.kind,
            request.reason,
            request.report_id,
            request.measurement_uids,
        )
        report = self.services.reporting.sign(signing, self.actor)
        with self.services.index.read() as tx:
            return _report(tx, report.id, self.actor.name)


class _Inbox(Part):
    def counts(self) -> m.InboxCounts:
        with self.services.index.read() as tx:
            deliveries = tx.deliveries.open()
            return m.InboxCounts(
                held=len({h.study_uid for h in tx.holds.all_open()}),
                messages=len(tx.messages.open()),
                deliveries=len(deliveries),
                overdue=sum(d.alerted or d.state == "needs a person" for d in deliveries),
            )

    def held(self) -> tuple[m.HeldStudy, ...]:
        rows = self.services.reconciling.held()
        with self.services.index.read() as tx:
            return tuple(_held(tx, v.held_view(*row), row[1]) for row in rows)

    def resolved(self, limit: int = 50) -> tuple[m.ResolvedHold, ...]:
        rows = self.services.reconciling.resolved(limit)
        with self.services.index.read() as tx:
            return tuple(
                m.ResolvedHold(
                    hold.id,
                    study.study_uid,
                    hold.order_id,
                    tx.orders.get(hold.order_id).accession.value
                    if hold.order_id
                    else study.received_accession,
                    tx.patients.current(study.patient_id).demographics.name,
                    hold.how,
                    hold.resolved_by,
                    hold.resolved_at,
                )
                for hold, study in rows
            )

    def link(self, study_uid: str, order_id: int) -> m.ExamRow:
        self.services.reconciling.link(study_uid, order_id, self.actor.name)
        return self._row(study_uid)

    def accept(self, study_uid: str) -> m.ExamRow:
        self.services.reconciling.accept(study_uid, self.actor.name)
        return self._row(study_uid)

    def undo(self, hold_id: int) -> m.ExamRow:
        return self._row(self.services.reconciling.undo(hold_id, self.actor.name).study_uid)

    def messages(self) -> tuple[m.MessageView, ...]:
        return tuple(v.message_view(message) for message in self.services.inbound.open())

    def message_done(self, message_id: int, note: str = "") -> None:
        self.services.inbound.done(message_id, note, self.actor.name)

    def process_again(self, message_id: int) -> m.MessageView:
        message = self.services.inbound.again(message_id, self.actor.name)
        self.facts.process(message.id)
        return v.message_view(self.services.inbound.get(message.id))

    def deliveries(self) -> tuple[m.DeliveryView, ...]:
        with self.services.index.read() as tx:
            return tuple(_delivery(tx, d) for d in tx.deliveries.open())

    def retry(self, delivery_id: int) -> m.DeliveryView:
        delivery = self.services.delivering.retry(delivery_id, self.actor.name)
        with self.services.index.read() as tx:
            return _delivery(tx, delivery)

    def _row(self, study_uid: str) -> m.ExamRow:
        return v.exam_row(self.services.reading_worklist.exam(f"study:{study_uid}"))


class _Trace(Part):
    def of(self, accession: str) -> m.ExamTrace:
        story = self.services.tracing.of(accession)
        return m.ExamTrace(
            accession=story.accession,
            patient=v.patient_view(story.patient) if story.patient else None,
            stages=tuple(m.StageView(**asdict(s)) for s in story.stages),
            missing=story.missing,
            events=told(story.events, self.actor),
        )


class _Changes(Part):
    def since(self, sequence: int, wait_s: float = 0.0, limit: int = 500) -> m.ChangesPage:
        newest = self.services.index.wait_for_change(sequence, min(wait_s, 60.0))
        with self.services.index.read() as tx:
            return m.ChangesPage(told(tx.journal.since(sequence, limit), self.actor), newest)


_IMPLEMENTATIONS: dict[str, type[Part]] = {
    "worklist": _Worklist,
    "studies": _Studies,
    "measurements": _Measurements,
    "reports": _Reports,
    "schedule": Schedule,
    "inbox": _Inbox,
    "trace": _Trace,
    "administration": Administration,
    "changes": _Changes,
}


class LocalArchive:
    """The archive as one actor sees it, over the services of this process; implements `protocol.Archive`."""

    def __init__(
        self,
        services: Services,
        actor: Actor,
        node: NodeFacts,
        *,
        local_files: bool = True,
        session: str = "",
    ) -> None:
        self._actor = actor
        self._access = services.access
        self._session = session
        self._parts = {
            name: Guarded(
                kind(services, actor, node, local_files=local_files),
                p.PARTS[name],
                self._require(services),
                partial(Line, actor),
                partial(services.access.note, actor),
            )
            for name, kind in _IMPLEMENTATIONS.items()
        }

    def _require(self, services: Services) -> Callable[[p.Route, str], None]:
        def require(route: p.Route, subject: str) -> None:
            if self._session:
                services.access.actor_of(self._session)
            services.access.require(self._actor, route.verb, subject)

        return require

    @property
    def who(self) -> m.WhoAmI:
        """The actor."""
        return m.WhoAmI(self._actor.name, self._actor.role.value, self._actor.full_name)

    @property
    def worklist(self) -> p.Worklist:
        """The reading worklist."""
        return cast("p.Worklist", self._parts["worklist"])

    @property
    def studies(self) -> p.Studies:
        """Studies and pixels."""
        return cast("p.Studies", self._parts["studies"])

    @property
    def measurements(self) -> p.Measurements:
        """Strokes."""
        return cast("p.Measurements", self._parts["measurements"])

    @property
    def reports(self) -> p.Reports:
        """Reports."""
        return cast("p.Reports", self._parts["reports"])

    @property
    def schedule(self) -> p.Schedule:
        """Patients, orders and steps."""
        return cast("p.Schedule", self._parts["schedule"])

    @property
    def inbox(self) -> p.Inbox:
        """What needs a person."""
        return cast("p.Inbox", self._parts["inbox"])

    @property
    def trace(self) -> p.Trace:
        """Stories of exams."""
        return cast("p.Trace", self._parts["trace"])

    @property
    def administration(self) -> p.Administration:
        """Peers, accounts and the node."""
        return cast("p.Administration", self._parts["administration"])

    @property
    def changes(self) -> p.Changes:
        """The feed."""
        return cast("p.Changes", self._parts["changes"])

    def sign_out(self) -> None:
        """End the session, where there is one."""
        if self._session:
            self._access.sign_out(self._session)


class LocalDoor:
    """Sign-in over the services of this process; implements `protocol.Door`."""

    def __init__(
        self, services: Services, node: NodeFacts, facts: Callable[[], m.SignIn], *, local_files: bool = True
    ) -> None:
        self._services = services
        self._node = node
        self._facts = facts
        self._local_files = local_files

    def sign_in_facts(self) -> m.SignIn:
        """What the sign-in page may show."""
        return self._facts()

    def sign_in(self, name: str, password: str) -> LocalArchive:
        """Open the archive as a person."""
        secret, actor = self._services.access.sign_in(name, password)
        return LocalArchive(
            self._services,
            actor,
            self._node,
            local_files=self._local_files,
            session=secret,
        )


def _report(tx: Transaction, report_id: int, author: str) -> m.ReportView:
    report = tx.reports.get(report_id)
    study = tx.studies.find(report.study_uid)
    order = tx.orders.get(report.order_id) if report.order_id is not None else None
    return v.report_view(
        report,
        tx.reports.versions(report.id),
        tx.deliveries.of_report(report.id),
        [d for d in tx.reports.drafts(report.study_uid) if d.report_id == report.id],
        author,
        study,
        order,
    )


def _inflated_frame(content: bytes, instance: InstanceRecord, frame: int) -> m.FramePixels:
    """A frame of a file whose bytes do not lie as they are (deflated), as explicit little endian."""
    from pacs_core.dicom.intake import intake_bytes
    from pacs_core.dicom.transcoding import transcode

    if instance.transfer_syntax_uid != DEFLATED or not 1 <= frame <= instance.number_of_frames:
        raise NotFound(f"the instance has no frame {frame}", "frame")
    plain = transcode(content, EXPLICIT_LITTLE)
    place = intake_bytes(plain).header.frames[frame - 1]
    return m.FramePixels(EXPLICIT_LITTLE, (plain[place.offset : place.offset + place.length],))


def _held(tx: Transaction, held: m.HeldStudy, study: StudyRecord) -> m.HeldStudy:
    """A held study with the people it may be of, and what was reported and delivered already."""
    filed, known = tx.patients.current(study.patient_id), tx.patients.find(identifier_of(received_of(study)))
    return replace(
        held,
        suggestions=tuple(
            replace(one, delivered=_delivered(tx, _studies(tx, one.order.id), study.study_uid))
            for one in held.suggestions
        ),
        filed=v.patient_view(filed),
        known=v.patient_view(known) if known is not None and known.id != filed.id else None,
        signed=any(tx.reports.versions(report.id) for report in tx.reports.of_study(study.study_uid)),
        delivered=_delivered(tx, (study.study_uid,)),
    )


def _studies(tx: Transaction, order_id: int) -> list[str]:
    return [study.study_uid for study in tx.studies.of_order(order_id)]


def _delivered(tx: Transaction, study_uids: Iterable[str], but: str = "") -> tuple[m.DeliveryView, ...]:
    """Results of these studies that stand with their receivers, of each receiver and order the newest."""
    newest: dict[tuple[str, str, str], DeliveryRecord] = {}
    for uid in study_uids:
        for report in tx.reports.of_study(uid) if uid != but else ():
            for one in standing(tx.deliveries.of_report(report.id)):
                if one.state == DeliveryState.DELIVERED:
                    newest[uid, one.stream, one.destination] = one
    return tuple(_delivery(tx, one) for one in newest.values())


def _delivery(tx: Transaction, delivery: DeliveryRecord) -> m.DeliveryView:
    report = tx.reports.get(delivery.report_id)
    order = tx.orders.get(delivery.order_id) if delivery.order_id is not None else None
    name = tx.patients.current(report.patient_id).demographics.name
    version = tx.reports.version(delivery.version_id).version
    return v.delivery_view(delivery, order.accession.value if order else "", name, report.study_uid, version)


def sort_key(sort: str) -> Callable[[Any], Any]:
    """How rows are put in order by a column; raises InvalidValue where there is no such one."""
    if sort == "priority":
        return v.urgency
    if sort not in m.ExamRow.__dataclass_fields__:
        raise InvalidValue(f"the worklist cannot be sorted by {sort}", "sort")
    return lambda row: (_comparable(getattr(row, sort)), row.key)


def _comparable(value: str | int | None) -> tuple[bool, float, str]:
    """Numbers as numbers, texts as texts, and what is not known before both."""
    if value is None or isinstance(value, str):
        return value is not None, 0.0, value or ""
    return True, float(value), ""
