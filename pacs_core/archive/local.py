"""The archive in this process: the protocol over the services, each call checked for its verb."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, Protocol, cast

from pacs_core.archive import models as m
from pacs_core.archive import protocol as p
from pacs_core.archive import views as v
from pacs_core.archive.guarded import Guarded, told
from pacs_core.archive.importing import import_bytes
from pacs_core.archive.manifest import DEFLATED, study_manifest
from pacs_core.archive.priors import rank
from pacs_core.dicom.coercion import Correction, overlay
from pacs_core.domain.access import OWNER, Actor
from pacs_core.domain.errors import Conflict, Denied, InvalidValue, NotFound
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.order import PlaceOrder, Priority, StepRequest
from pacs_core.domain.patient import RegisterPatient
from pacs_core.domain.records import DeliveryRecord, InstanceRecord, StudyRecord
from pacs_core.domain.rehearsal import ISSUER
from pacs_core.domain.study import Origin
from pacs_core.domain.times import civil_date, civil_time
from pacs_core.ports import Transaction
from pacs_core.services.auditing import Line
from pacs_core.services.bundle import Services
from pacs_core.services.reading_worklist import Listing
from pacs_core.services.reporting import Signing

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"


class NodeFacts(Protocol):
    """What the archive asks of the node around it."""

    def info(self) -> m.NodeInfo:
        """Addresses, data folder, warnings and checks of the running node."""
        ...

    def echo(self, title: str) -> m.Check:
        """C-ECHO a peer."""
        ...

    def process(self, message_id: int) -> None:
        """Carry out a journalled HL7 message now."""
        ...

    def stop_soon(self) -> None:
        """End the node once this call is answered; raises Conflict where it cannot."""
        ...

    def settings_list(self) -> tuple[m.Setting, ...]:
        """Every setting with its words."""
        ...

    def save_settings(self, values: Mapping[str, object]) -> tuple[m.Setting, ...]:
        """Write settings to the configuration file."""
        ...

    def check_field_map(self, text: str) -> None:
        """Raise InvalidValue naming the line of a bad HL7 field map."""
        ...


class _Part:
    """What every part works with."""

    def __init__(self, services: Services, actor: Actor, node: NodeFacts, *, local_files: bool) -> None:
        self.services = services
        self.actor = actor
        self.facts = node
        self.local_files = local_files


class _Worklist(_Part):
    def rows(self, query: m.WorklistQuery, offset: int = 0, limit: int = 200) -> m.WorklistPage:
        listing = Listing(
            query.text, query.modality, (query.from_date, query.to_date), query.patient_key, query.with_orders
        )
        exams, sequence = self.services.reading_worklist.rows(listing)
        rows = [v.exam_row(exam) for exam in exams]
        if query.status:
            rows = [row for row in rows if row.status in query.status]
        rows.sort(key=sort_key(query.sort), reverse=query.descending)
        return m.WorklistPage(tuple(rows[offset : offset + limit]), len(rows), sequence)

    def row(self, key: str) -> m.ExamRow:
        return v.exam_row(self.services.reading_worklist.exam(key))

    def claim(self, study_uid: str, take_over: bool = False) -> m.ExamRow:
        self.services.reading_worklist.claim(study_uid, self.actor, take_over)
        return self.row(f"study:{study_uid}")

    def release(self, study_uid: str) -> m.ExamRow:
        self.services.reading_worklist.release(study_uid, self.actor)
        return self.row(f"study:{study_uid}")


class _Studies(_Part):
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


class _Measurements(_Part):
    def of(self, study_uid: str) -> tuple[Measurement, ...]:
        return tuple(self.services.measuring.of_study(study_uid))

    def save(self, measurement: Measurement) -> Measurement:
        return self.services.measuring.save(measurement, self.actor.name)

    def remove(self, tracking_uid: str) -> Measurement:
        return self.services.measuring.remove(tracking_uid, self.actor.name)


class _Reports(_Part):
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


class _Schedule(_Part):
    def day(self, date: str = "", station: str = "") -> m.DayView:
        today = self.services.clock.civil_now().date().isoformat()
        day = civil_date(date) if date else today
        if not day:
            raise InvalidValue("a date is written YYYY-MM-DD", "date")
        rows = self.services.orders.on_day(day, station)
        stations = {p.title for p in self.services.configuring.peers() if p.modality}
        stations |= {s.station_aet for order, *_ in rows for s in order.steps if s.station_aet}
        return m.DayView(
            date=day,
            today=today,
            zone=self.services.clock.zone_name,
            orders=tuple(v.order_view(*row) for row in rows),
            stations=tuple(sorted(stations)),
        )

    def patients(self, text: str, limit: int = 50) -> tuple[m.PatientView, ...]:
        with self.services.index.read() as tx:
            return tuple(v.patient_view(patient) for patient in tx.patients.search(text, limit))

    def save_patient(self, form: m.PatientForm) -> m.PatientView:
        birth = civil_date(form.birth_date) if form.birth_date else ""
        if form.birth_date and not birth:
            raise InvalidValue("a birth date is written YYYY-MM-DD", "birth_date")
        if form.sex not in ("", "M", "F", "O"):
            raise InvalidValue("the sex is M, F, O or left empty", "sex")
        if not form.name.strip("^ "):
            raise InvalidValue("a patient needs a name", "name")
        identifier = PatientIdentifier(form.patient_id.strip(), form.issuer.strip())
        if identifier.value and form.new:
            self._refuse_known(identifier)
        command = RegisterPatient(
            identifier=identifier,
            name=form.name.strip(),
            birth_date=birth,
            sex=form.sex,
            address=form.address,
            phone=form.phone,
            weight_kg=form.weight_kg,
            allergies=form.allergies,
            alerts=form.alerts,
            pregnancy=form.pregnancy,
            event="by hand",
        )
        return v.patient_view(self.services.patients.register_by_hand(command, self.actor.name))

    def _refuse_known(self, identifier: PatientIdentifier) -> None:
        with self.services.index.read() as tx:
            known = tx.patients.find(identifier)
        if known is not None:
            raise Conflict(
                f"the patient ID {identifier.value} is taken: it is another patient's", "patient_id"
            )

    def merge_patients(self, survivor_key: int, subsumed_key: int) -> m.PatientView:
        return v.patient_view(self.services.patients.merge_rows(survivor_key, subsumed_key, self.actor.name))

    def place_order(self, form: m.OrderForm) -> m.OrderView:
        identifier = PatientIdentifier(form.patient_id, form.issuer)
        with self.services.index.read() as tx:
            if tx.patients.find(identifier) is None:
                raise NotFound(f"no patient has the ID {form.patient_id}", "patient_id")
            if form.accession.strip() and tx.orders.by_accession(form.accession.strip()):
                raise Conflict(f"there is an order with the accession number {form.accession}", "accession")
        order = self.services.orders.place(_order_command(form, identifier), self.actor.name)
        return self.order(order.id)

    def order(self, order_id: int) -> m.OrderView:
        order, patient = self.services.orders.get(order_id)
        with self.services.index.read() as tx:
            studies = tx.studies.of_order(order_id)
        images = sum(s.instance_count for s in studies)
        return v.order_view(order, patient, images, tuple(s.study_uid for s in studies))

    def reschedule(
        self, order_id: int, start_date: str, start_time: str, station_aet: str = ""
    ) -> m.OrderView:
        day, time = _civil(start_date, start_time)
        self.services.orders.reschedule(order_id, day, time, station_aet, self.actor.name)
        return self.order(order_id)

    def cancel(self, order_id: int, reason: str = "") -> m.OrderView:
        self.services.orders.cancel_row(order_id, reason, self.actor.name)
        return self.order(order_id)

    def note(self, order_id: int, technologist_note: str) -> m.OrderView:
        self.services.orders.note(order_id, technologist_note, self.actor.name)
        return self.order(order_id)


class _Inbox(_Part):
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
        return tuple(v.held_view(*row) for row in self.services.reconciling.held())

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


class _Trace(_Part):
    def of(self, accession: str) -> m.ExamTrace:
        story = self.services.tracing.of(accession)
        return m.ExamTrace(
            accession=story.accession,
            patient=v.patient_view(story.patient) if story.patient else None,
            stages=tuple(m.StageView(**asdict(s)) for s in story.stages),
            missing=story.missing,
            events=told(story.events, self.actor),
        )


class _Administration(_Part):
    def node(self) -> m.NodeInfo:
        return self.facts.info()

    def stop(self) -> None:
        if self.actor.name != OWNER or not self.local_files:
            raise Denied("only the owner of the data folder ends its node", "node")
        self.services.access.note(self.actor, "stop", "node")
        self.facts.stop_soon()

    def peers(self) -> tuple[m.Peer, ...]:
        return tuple(v.peer_view(peer) for peer in self.services.configuring.peers())

    def save_peer(self, peer: m.Peer) -> m.Peer:
        return v.peer_view(self.services.configuring.save_peer(v.peer_record(peer), self.actor.name))

    def remove_peer(self, title: str) -> None:
        self.services.configuring.remove_peer(title, self.actor.name)

    def echo(self, title: str) -> m.Check:
        return self.facts.echo(title)

    def hl7_sources(self) -> tuple[m.Hl7Source, ...]:
        return tuple(v.source_view(source) for source in self.services.configuring.sources())

    def save_hl7_source(self, source: m.Hl7Source) -> m.Hl7Source:
        self.facts.check_field_map(source.field_map)
        return v.source_view(self.services.configuring.save_source(v.source_record(source), self.actor.name))

    def remove_hl7_source(self, name: str) -> None:
        self.services.configuring.remove_source(name, self.actor.name)

    def destinations(self) -> tuple[m.Destination, ...]:
        return tuple(v.destination_view(d) for d in self.services.configuring.destinations())

    def save_destination(self, destination: m.Destination) -> m.Destination:
        record = v.destination_record(destination)
        return v.destination_view(self.services.configuring.save_destination(record, self.actor.name))

    def remove_destination(self, name: str) -> None:
        self.services.configuring.remove_destination(name, self.actor.name)

    def users(self) -> tuple[m.Account, ...]:
        return tuple(v.account_view(a) for a in self.services.access.accounts())

    def add_user(self, name: str, role: str, password: str, full_name: str = "") -> m.Account:
        return v.account_view(
            self.services.access.add_account(name, role, password, full_name, self.actor.name)
        )

    def set_password(self, name: str, password: str) -> None:
        self.services.access.set_password(name, password, self.actor.name)

    def disable_user(self, name: str, disabled: bool = True) -> m.Account:
        return v.account_view(self.services.access.disable(name, disabled, self.actor.name))

    def tokens(self) -> tuple[m.TokenView, ...]:
        return tuple(v.token_view(t) for t in self.services.access.tokens())

    def add_token(self, name: str, role: str) -> m.TokenView:
        secret, record = self.services.access.add_token(name, role, self.actor.name)
        return v.token_view(record, secret)

    def revoke_token(self, name: str) -> None:
        self.services.access.revoke_token(name, self.actor.name)

    def settings(self) -> tuple[m.Setting, ...]:
        return self.facts.settings_list()

    def save_settings(self, values: Mapping[str, object]) -> tuple[m.Setting, ...]:
        after = self.facts.save_settings(values)
        told = {s.key: s.value for s in after if s.key in values}
        self.services.configuring.settings_saved(told, self.actor.name)
        self.services.access.note(self.actor, "change settings", "settings", detail=json.dumps(told))
        return after

    def begin_rehearsal(self, hl7_host: str, dicom_host: str) -> m.Rehearsal:
        begun = self.services.rehearsing.begin(hl7_host, dicom_host, self.actor)
        return m.Rehearsal(begun.name, begun.password, ISSUER)

    def end_rehearsal(self) -> m.RehearsalRemoved:
        return m.RehearsalRemoved(self.services.rehearsing.end(self.actor.name).rows)

    def audit(self, before: int = 0, limit: int = 200) -> tuple[m.AuditRow, ...]:
        with self.services.index.read() as tx:
            return tuple(v.audit_view(row) for row in tx.audit.before(before, min(limit, 1000)))


class _Changes(_Part):
    def since(self, sequence: int, wait_s: float = 0.0, limit: int = 500) -> m.ChangesPage:
        newest = self.services.index.wait_for_change(sequence, min(wait_s, 60.0))
        with self.services.index.read() as tx:
            return m.ChangesPage(told(tx.journal.since(sequence, limit), self.actor), newest)


_IMPLEMENTATIONS: dict[str, type[_Part]] = {
    "worklist": _Worklist,
    "studies": _Studies,
    "measurements": _Measurements,
    "reports": _Reports,
    "schedule": _Schedule,
    "inbox": _Inbox,
    "trace": _Trace,
    "administration": _Administration,
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
    mine = tx.reports.draft(report.study_uid, author)
    return v.report_view(
        report,
        tx.reports.versions(report.id),
        tx.deliveries.of_report(report.id),
        mine if mine and mine.report_id == report.id else None,
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


def _delivery(tx: Transaction, delivery: DeliveryRecord) -> m.DeliveryView:
    report = tx.reports.get(delivery.report_id)
    order = tx.orders.get(delivery.order_id) if delivery.order_id is not None else None
    name = tx.patients.current(report.patient_id).demographics.name
    version = tx.reports.version(delivery.version_id).version
    return v.delivery_view(delivery, order.accession.value if order else "", name, report.study_uid, version)


def sort_key(sort: str) -> Callable[[m.ExamRow], Any]:
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


def _order_command(form: m.OrderForm, identifier: PatientIdentifier) -> PlaceOrder:
    day, time = _civil(form.start_date, form.start_time)
    try:
        priority = Priority(form.priority)
    except ValueError:
        raise InvalidValue(f"no priority {form.priority}", "priority") from None
    if not form.modality:
        raise InvalidValue("an order needs a modality", "modality")
    return PlaceOrder(
        patient=RegisterPatient(identifier, event="order by hand"),
        accession=form.accession.strip(),
        priority=priority,
        procedure_description=form.procedure,
        body_part=form.body_part,
        laterality=form.laterality,
        indication=form.indication,
        question=form.question,
        referring_physician=form.referring_physician,
        referring_phone=form.referring_phone,
        contrast=form.contrast,
        technologist_note=form.technologist_note,
        steps=(
            StepRequest(
                modality=form.modality, start_date=day, start_time=time, station_aet=form.station_aet
            ),
        ),
        source="by hand",
    )


def _civil(day: str, time: str) -> tuple[str, str]:
    date, clock = civil_date(day), civil_time(time)
    if day and not date:
        raise InvalidValue("a date is written YYYY-MM-DD", "start_date")
    if time and not clock:
        raise InvalidValue("a time is written HH:MM", "start_time")
    return date, clock
