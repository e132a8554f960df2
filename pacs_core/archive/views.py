"""Records and domain values as the read models a screen is given."""

from __future__ import annotations

from collections.abc import Sequence

from pacs_core.archive import models as m
from pacs_core.domain.delivery import DeliveryState
from pacs_core.domain.order import Order, ScheduledProcedureStep
from pacs_core.domain.patient import Patient, display_name
from pacs_core.domain.reconciliation import Candidate
from pacs_core.domain.records import (
    AccountRecord,
    AuditRecord,
    DeliveryRecord,
    DestinationRecord,
    DraftRecord,
    Hl7SourceRecord,
    HoldRecord,
    MessageRecord,
    PeerRecord,
    ReportRecord,
    StudyRecord,
    TokenRecord,
    VersionRecord,
)
from pacs_core.services.reading_worklist import Exam, Standing, first_step, status_of, status_of_order
from pacs_core.services.reporting import version_of

_PRIORITY = {"STAT": 0, "HIGH": 1, "MEDIUM": 2, "ROUTINE": 3, "LOW": 4}

ABOUT_IMAGES = frozenset({"SR", "PR", "KO", "SEG", "REG", "RWV", "DOC", "PLAN"})
"""Modalities of objects that say something about images (PS3.3 C.7.3.1.1.1)."""


def patient_view(patient: Patient) -> m.PatientView:
    """A patient for banners and lists."""
    person = patient.demographics
    return m.PatientView(
        key=patient.id,
        patient_id=patient.identifier.value,
        issuer=patient.identifier.issuer,
        name=person.name,
        display_name=display_name(person.name),
        birth_date=person.birth_date,
        sex=person.sex,
        other_ids=tuple(str(i) for i in patient.other_identifiers),
        address=person.address,
        phone=person.phone,
        allergies=person.allergies,
        alerts=person.alerts,
        pregnancy=person.pregnancy,
        merged_into=patient.merged_into,
    )


def step_view(step: ScheduledProcedureStep) -> m.StepView:
    """A scheduled step."""
    return m.StepView(
        step.id,
        step.step_id,
        step.modality,
        step.start_date,
        step.start_time,
        step.station_aet,
        step.station_name,
        step.location,
        step.description,
        step.performing_physician,
        step.state.value,
    )


def order_view(
    order: Order, patient: Patient, images: int = 0, study_uids: tuple[str, ...] = ()
) -> m.OrderView:
    """An order with its patient and steps; what the order does not say of allergies and alerts, the patient
    may.
    """
    person = patient.demographics
    return m.OrderView(
        id=order.id,
        patient=patient_view(patient),
        accession=order.accession.value,
        accession_issuer=order.accession.issuer,
        accession_is_ours=order.accession_is_ours,
        placer_number=order.placer_number,
        filler_number=order.filler_number,
        state=order.state.value,
        priority=order.priority.value,
        procedure_id=order.procedure_id,
        procedure=order.procedure_description,
        procedure_code=order.procedure_code.value,
        body_part=order.body_part,
        laterality=order.laterality,
        study_uid=order.study_uid,
        indication=order.indication,
        question=order.question,
        referring_physician=order.referring_physician,
        referring_phone=order.referring_phone,
        requesting_physician=order.requesting_physician,
        contrast=order.contrast,
        allergies=order.allergies or person.allergies,
        alerts=order.alerts or person.alerts,
        pregnancy=order.pregnancy or person.pregnancy,
        technologist_note=order.technologist_note,
        source=order.source,
        steps=tuple(step_view(s) for s in order.steps),
        images=images,
        study_uids=study_uids,
    )


def imaged(modalities: str) -> str:
    """The modalities of a study's images, such as "PT/CT"; of what is said about them only where it is all
    there is.
    """
    all_ = [m for m in modalities.split("\\") if m]
    return "/".join([m for m in all_ if m not in ABOUT_IMAGES] or all_)


def exam_row(exam: Exam) -> m.ExamRow:
    """A row of the reading worklist."""
    study, order, patient = exam.study, exam.order, exam.patient
    report = exam.reports[-1] if exam.reports else None
    delivery = _telling_delivery(exam.deliveries)
    steps = order.steps if order else ()
    first = first_step(order) if order else None
    return m.ExamRow(
        key=f"study:{study.study_uid}" if study else f"order:{order.id if order else 0}",
        study_uid=study.study_uid if study else "",
        order_id=order.id if order else None,
        patient_key=patient.id,
        patient_id=patient.identifier.value,
        issuer=patient.identifier.issuer,
        patient_name=patient.demographics.name,
        patient_display=display_name(patient.demographics.name),
        birth_date=patient.demographics.birth_date,
        sex=patient.demographics.sex,
        accession=_accession(study, order),
        modality=imaged(study.modalities) if study else "/".join(dict.fromkeys(s.modality for s in steps)),
        procedure=(order.procedure_description if order else "") or (study.description if study else ""),
        body_part=(order.body_part if order else "") or (study.body_part if study else ""),
        priority=order.priority.value if order else "ROUTINE",
        indication=order.indication if order else "",
        study_date=study.study_date if study else "",
        study_time=study.study_time if study else "",
        scheduled_start=f"{first.start_date} {first.start_time}" if first else "",
        series=study.series_count if study else 0,
        images=study.instance_count if study else 0,
        expected=exam.expected,
        arriving=exam.arriving,
        last_image_at=study.last_received_at if study else "",
        status=status_of(report.state if report else "", exam.drafting, study.locked_by, exam.arriving)
        if study
        else status_of_order(order),
        reconciliation=study.reconciliation if study else "",
        hold_reason="; ".join(h.reason for h in exam.holds),
        report_state=report.state if report else "",
        delivery=delivery.state if delivery else "",
        acknowledgement=_acknowledgement(delivery),
        locked_by=study.locked_by if study else "",
        referring_physician=(order.referring_physician if order else "")
        or (study.referring_physician if study else ""),
        station=study.station if study else (first.station_aet if first else ""),
        revision=study.revision if study else 0,
    )


def urgency(row: m.ExamRow | Standing) -> tuple[int, int, str, str]:
    """The order of reading: unread before signed, STAT first, then the longest waiting."""
    done = row.status in ("signed", "cancelled")
    waiting_for_images = row.status == "scheduled"
    return (
        2 if done else 1 if waiting_for_images else 0,
        _PRIORITY.get(row.priority, 3),
        row.scheduled_start if waiting_for_images else row.last_image_at,
        row.key,
    )


def delivery_view(
    delivery: DeliveryRecord, accession: str = "", name: str = "", study_uid: str = "", version: int = 0
) -> m.DeliveryView:
    """A result on its way."""
    return m.DeliveryView(
        id=delivery.id,
        report_id=delivery.report_id,
        version=version,
        destination=delivery.destination,
        control_id=delivery.control_id,
        state=delivery.state,
        attempts=delivery.attempts,
        created_at=delivery.created_at,
        next_attempt_at=""
        if delivery.state in (DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.WITHDRAWN)
        else delivery.due_at,
        last_attempt_at=delivery.last_attempt_at,
        answer_code=delivery.answer_code,
        answer=delivery.answer,
        accession=accession,
        patient_name=name,
        study_uid=study_uid,
    )


def draft_view(draft: DraftRecord) -> m.DraftView:
    """A draft."""
    return m.DraftView(
        draft.report_id,
        draft.study_uid,
        draft.author,
        draft.template,
        draft.content,
        draft.revision,
        draft.saved_at,
    )


def report_view(
    report: ReportRecord,
    versions: Sequence[VersionRecord],
    deliveries: Sequence[DeliveryRecord],
    drafts: Sequence[DraftRecord],
    asker: str,
    study: StudyRecord | None,
    order: Order | None,
) -> m.ReportView:
    """A report with what belongs to it, of its drafts only the asker's own."""
    draft = next((d for d in drafts if d.author == asker), None)
    numbers = {v.id: v.version for v in versions}
    return m.ReportView(
        report_id=report.id,
        study_uid=report.study_uid,
        accession=_accession(study, order),
        patient_key=report.patient_id,
        procedure=(order.procedure_description if order else "") or (study.description if study else ""),
        study_date=study.study_date if study else "",
        state=report.state,
        versions=tuple(version_of(v) for v in versions),
        draft=draft_view(draft) if draft else None,
        deliveries=tuple(
            delivery_view(d, _accession(study, order), "", report.study_uid, numbers.get(d.version_id, 0))
            for d in deliveries
        ),
        drafting=tuple(d.author for d in drafts if d.author != asker),
    )


def held_view(
    hold: HoldRecord, study: StudyRecord, suggestions: Sequence[tuple[Candidate, float, tuple[str, ...]]]
) -> m.HeldStudy:
    """A held study with its suggestions."""
    return m.HeldStudy(
        hold_id=hold.id,
        study_uid=study.study_uid,
        reason=hold.reason,
        kind=hold.kind,
        since=hold.since,
        received_patient_id=study.received_patient_id,
        received_name=study.received_name,
        received_birth_date=study.received_birth_date,
        received_sex=study.received_sex,
        received_accession=study.received_accession,
        modality=imaged(study.modalities),
        description=study.description,
        study_date=study.study_date,
        images=study.instance_count,
        suggestions=tuple(
            m.Suggestion(order_view(c.order, c.patient), round(score, 3), words)
            for c, score, words in suggestions
        ),
    )


def message_view(message: MessageRecord) -> m.MessageView:
    """A message that waits for a person; bytes that are no UTF-8 are shown as Latin-1."""
    try:
        text = message.raw.decode()
    except UnicodeDecodeError:
        text = message.raw.decode("latin-1")
    return m.MessageView(
        message.id,
        message.received_at,
        message.source or message.sender,
        message.message_type,
        message.control_id,
        message.state,
        message.reason,
        text.replace("\r", "\n"),
    )


def peer_view(p: PeerRecord) -> m.Peer:
    """A peer."""
    return m.Peer(
        p.title,
        p.host,
        p.port,
        p.modality,
        p.station,
        p.may_store,
        p.may_query,
        p.may_retrieve,
        p.may_worklist,
        p.last_seen,
        p.last_did,
    )


def peer_record(p: m.Peer) -> PeerRecord:
    """A peer as it is kept."""
    return PeerRecord(
        p.title,
        p.host,
        p.port,
        p.modality,
        p.station,
        p.may_store,
        p.may_query,
        p.may_retrieve,
        p.may_worklist,
        p.last_seen,
        p.last_did,
    )


def source_view(s: Hl7SourceRecord) -> m.Hl7Source:
    """An HL7 source."""
    return m.Hl7Source(s.name, s.host, s.field_map, s.facility, s.character_set, s.last_seen, s.last_did)


def source_record(s: m.Hl7Source) -> Hl7SourceRecord:
    """An HL7 source as it is kept."""
    return Hl7SourceRecord(s.name, s.host, s.facility, s.character_set, s.field_map, s.last_seen, s.last_did)


def destination_view(d: DestinationRecord) -> m.Destination:
    """A destination."""
    return m.Destination(
        d.name,
        d.host,
        d.port,
        d.refused_tries,
        d.hold_seconds,
        d.addendum_status,
        d.reserved_for_tests,
        d.paused,
    )


def destination_record(d: m.Destination) -> DestinationRecord:
    """A destination as it is kept."""
    return DestinationRecord(
        d.name,
        d.host,
        d.port,
        d.refused_tries,
        d.hold_seconds,
        d.addendum_status,
        d.reserved_for_tests,
        d.paused,
    )


def account_view(a: AccountRecord) -> m.Account:
    """An account without its secret."""
    return m.Account(a.name, a.role, a.full_name, a.disabled, a.created_at, a.last_sign_in)


def token_view(t: TokenRecord, secret: str = "") -> m.TokenView:
    """A token; its secret only where it was just made."""
    return m.TokenView(t.name, t.role, t.created_at, secret)


def audit_view(a: AuditRecord) -> m.AuditRow:
    """A line of the audit."""
    return m.AuditRow(a.id, a.at, a.actor, a.role, a.verb, a.subject, a.outcome, a.detail)


def _accession(study: StudyRecord | None, order: Order | None) -> str:
    if order is not None and order.accession.value:
        return order.accession.value
    return study.received_accession if study else ""


def _telling_delivery(deliveries: Sequence[DeliveryRecord]) -> DeliveryRecord | None:
    """The delivery a row speaks of: what needs a person first, then what waits, then the newest delivered."""
    worst = {
        DeliveryState.DEAD.value: 0,
        DeliveryState.REFUSED.value: 1,
        DeliveryState.SILENT.value: 2,
        DeliveryState.WAITING.value: 3,
        DeliveryState.DELIVERED.value: 4,
        DeliveryState.WITHDRAWN.value: 5,
    }
    return min(deliveries, key=lambda d: (worst[d.state], -d.id), default=None)


def _acknowledgement(delivery: DeliveryRecord | None) -> str:
    if delivery is None or not (delivery.answer_code or delivery.answer):
        return ""
    return " ".join(part for part in (delivery.answer_code, delivery.answer) if part)
