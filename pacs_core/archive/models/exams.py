"""People, their orders and exams: the reading worklist and what a reader is given."""

from __future__ import annotations

from dataclasses import dataclass

from pacs_core.archive.models.pixels import StudyManifest
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.report import ReportVersion, Section


@dataclass(frozen=True, slots=True)
class PatientView:
    """A patient for banners and lists; `birth_date` is civil, `identifier` shown with its issuer."""

    key: int
    patient_id: str
    issuer: str
    name: str
    display_name: str
    birth_date: str
    sex: str
    other_ids: tuple[str, ...] = ()
    address: str = ""
    phone: str = ""
    allergies: str = ""
    alerts: str = ""
    pregnancy: str = ""
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """A scheduled procedure step with what has come of it."""

    id: int
    step_id: str
    modality: str
    start_date: str
    start_time: str
    station_aet: str
    station_name: str
    location: str
    description: str
    performing_physician: str
    state: str


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with patient, procedure and steps, for the order strip and Schedule."""

    id: int
    patient: PatientView
    accession: str
    accession_issuer: str
    accession_is_ours: bool
    placer_number: str
    filler_number: str
    state: str
    priority: str
    procedure_id: str
    procedure: str
    procedure_code: str
    body_part: str
    laterality: str
    study_uid: str
    indication: str
    question: str
    referring_physician: str
    referring_phone: str
    requesting_physician: str
    contrast: str
    allergies: str
    alerts: str
    pregnancy: str
    technologist_note: str
    source: str
    steps: tuple[StepView, ...]
    images: int = 0
    study_uids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One result on its way: `state` is a DeliveryState, `answer` the other side's own words."""

    id: int
    report_id: int
    version: int
    destination: str
    control_id: str
    state: str
    attempts: int
    created_at: str
    next_attempt_at: str
    last_attempt_at: str
    answer_code: str
    answer: str
    accession: str = ""
    patient_name: str = ""
    study_uid: str = ""


@dataclass(frozen=True, slots=True)
class ExamRow:
    """A row of the reading worklist: one study, or an order that still waits for its images.

    `key` is ``study:UID`` or ``order:ID``. `status` is one of scheduled, arriving, arrived, reading, draft,
    preliminary, signed, cancelled. `expected` is None where nothing tells how many images will come.
    `reconciliation` is matched, linked, held or none, with its `hold_reason`. `delivery` is empty, waiting,
    silent, refused, delivered, withdrawn or needs a person; `acknowledgement` the receiver's words.
    """

    key: str
    study_uid: str
    order_id: int | None
    patient_key: int
    patient_id: str
    issuer: str
    patient_name: str
    patient_display: str
    birth_date: str
    sex: str
    accession: str
    modality: str
    procedure: str
    body_part: str
    priority: str
    indication: str
    study_date: str
    study_time: str
    scheduled_start: str
    series: int
    images: int
    expected: int | None
    arriving: bool
    last_image_at: str
    status: str
    reconciliation: str
    hold_reason: str
    report_state: str
    delivery: str
    acknowledgement: str
    locked_by: str
    referring_physician: str
    station: str
    revision: int


@dataclass(frozen=True, slots=True)
class WorklistQuery:
    """What to list; empty fields do not filter. `text` matches name, ID, accession and procedure."""

    text: str = ""
    modality: str = ""
    status: tuple[str, ...] = ()
    from_date: str = ""
    to_date: str = ""
    with_orders: bool = True
    patient_key: int | None = None
    sort: str = "priority"
    descending: bool = False


@dataclass(frozen=True, slots=True)
class WorklistPage:
    """A slice of the worklist, the number of rows in all, and the journal sequence it is true at."""

    rows: tuple[ExamRow, ...]
    total: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Prior:
    """An earlier study of the same patient, with its score and the reason it was chosen, in words."""

    study_uid: str
    study_date: str
    study_time: str
    modality: str
    description: str
    body_part: str
    accession: str
    images: int
    score: float
    reason: str
    report_state: str


@dataclass(frozen=True, slots=True)
class DraftView:
    """A report being written: `content` is the composer's own JSON text; `revision` counts saves."""

    report_id: int
    study_uid: str
    author: str
    template: str
    content: str
    revision: int
    saved_at: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report with its signed versions (oldest first), the asker's draft if any, and its deliveries.

    `drafting` names the other readers who have a draft of it; what they wrote is theirs alone.
    """

    report_id: int
    study_uid: str
    accession: str
    patient_key: int
    procedure: str
    study_date: str
    state: str
    versions: tuple[ReportVersion, ...]
    draft: DraftView | None
    deliveries: tuple[DeliveryView, ...]
    drafting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that is needed to begin to read, in one question (architecture §11 ii)."""

    exam: ExamRow
    patient: PatientView
    order: OrderView | None
    linked_orders: tuple[OrderView, ...]
    manifest: StudyManifest
    priors: tuple[Prior, ...]
    measurements: tuple[Measurement, ...]
    reports: tuple[ReportView, ...]
    prior_reports: tuple[ReportView, ...]
    lock: str
    sequence: int


@dataclass(frozen=True, slots=True)
class SignRequest:
    """What the reader signs: the frozen sections, with the password typed again.

    `kind` is preliminary, final, addendum or correction; a correction needs its `reason`. `revision` is the
    draft's, so that two windows cannot sign past each other.
    """

    study_uid: str
    password: str
    sections: tuple[Section, ...]
    kind: str = "final"
    reason: str = ""
    report_id: int | None = None
    measurement_uids: tuple[str, ...] = ()
