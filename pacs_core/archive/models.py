"""Read models of the archive: what a screen is given, frozen, the same in process and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pacs_core.domain.events import Change
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.report import ReportVersion, Section

# ── pixels ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A frame in a file both sides can open: `offset`/`length` in bytes, or its encapsulated `fragments`.

    `big_endian` and `deflated` frames are never offered as LocalFile.
    """

    path: str
    offset: int
    length: int
    transfer_syntax: str
    fragments: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Url:
    """A frame to be asked for: ``studies.frame(sop_instance_uid, frame)`` gives its bytes."""

    sop_instance_uid: str
    frame: int
    transfer_syntax: str


@dataclass(frozen=True, slots=True)
class FramePixels:
    """The bytes of one frame as stored: one element for native pixels, one per fragment otherwise."""

    transfer_syntax: str
    fragments: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class InstanceManifest:
    """One stored instance for viewing: its attributes (DICOM keyword → value) and a locator per frame.

    `attributes` holds geometry, rescale, windows, bits, photometric and so on as numbers, strings or lists;
    ``attributes["Frames"]`` the per-frame ones of multi-frame objects. `arrived` counts up within a study.
    """

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax: str
    instance_number: int | None
    rows: int
    columns: int
    number_of_frames: int
    attributes: Mapping[str, object]
    frames: tuple[LocalFile | Url, ...]
    key: bool = False


@dataclass(frozen=True, slots=True)
class SeriesManifest:
    """One series with its instances in order of arrival."""

    series_uid: str
    modality: str
    number: int | None
    description: str
    body_part: str
    laterality: str
    instances: tuple[InstanceManifest, ...]


@dataclass(frozen=True, slots=True)
class StudyManifest:
    """Everything a viewer needs to show a study; identity and dates are the archive's own truth."""

    study_uid: str
    patient_key: int
    patient_id: str
    patient_name: str
    study_date: str
    study_time: str
    description: str
    accession: str
    series: tuple[SeriesManifest, ...]
    revision: int = 0


# ── people and exams ─────────────────────────────────────────────────────────────────────────────────


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
    """A report with its signed versions (oldest first), its draft if any, and its deliveries."""

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


# ── front desk ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PatientForm:
    """A patient typed by hand; `patient_id` empty lets the archive make one. `new` refuses a taken one."""

    patient_id: str = ""
    issuer: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""
    phone: str = ""
    address: str = ""
    allergies: str = ""
    alerts: str = ""
    pregnancy: str = ""
    weight_kg: float | None = None
    new: bool = False


@dataclass(frozen=True, slots=True)
class OrderForm:
    """An order typed by hand; `accession` empty lets the archive make one, marked as ours."""

    patient_id: str
    issuer: str = ""
    accession: str = ""
    procedure: str = ""
    modality: str = ""
    body_part: str = ""
    laterality: str = ""
    priority: str = "ROUTINE"
    start_date: str = ""
    start_time: str = ""
    station_aet: str = ""
    indication: str = ""
    question: str = ""
    referring_physician: str = ""
    referring_phone: str = ""
    contrast: str = ""
    technologist_note: str = ""


@dataclass(frozen=True, slots=True)
class DayView:
    """One day's steps: each order with the step that lies on that day, and what has arrived."""

    date: str
    today: str
    zone: str
    orders: tuple[OrderView, ...]
    stations: tuple[str, ...]


# ── inbox ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An order a held study may belong to: `score` 0-1 and the evidence field by field, in words."""

    order: OrderView
    score: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldStudy:
    """A study that waits for a person, why, and what might be right."""

    hold_id: int
    study_uid: str
    reason: str
    kind: str
    since: str
    received_patient_id: str
    received_name: str
    received_birth_date: str
    received_sex: str
    received_accession: str
    modality: str
    description: str
    study_date: str
    images: int
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class ResolvedHold:
    """A hold that was resolved, by whom and how; it can be undone while nothing was signed on it."""

    hold_id: int
    study_uid: str
    order_id: int | None
    accession: str
    patient_name: str
    how: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """A received HL7 message that was not, or not wholly, processed; `text` is the raw message as read."""

    id: int
    received_at: str
    source: str
    message_type: str
    control_id: str
    state: str
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """How many things wait for a person, for the rail."""

    held: int
    messages: int
    deliveries: int
    overdue: int = 0


# ── trace ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class StageView:
    """One of the seven stages: done, missing, waiting or failed, with its evidence in words."""

    number: int
    name: str
    state: str
    at: str
    evidence: str


@dataclass(frozen=True, slots=True)
class ExamTrace:
    """The story of one exam: its stages, the first that is missing, and every event."""

    accession: str
    patient: PatientView | None
    stages: tuple[StageView, ...]
    missing: str
    events: tuple[Change, ...]


# ── administration ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Peer:
    """A DICOM application entity that may talk to us, and what it may do."""

    title: str
    host: str
    port: int
    modality: str = ""
    station: str = ""
    may_store: bool = True
    may_query: bool = True
    may_retrieve: bool = True
    may_worklist: bool = True
    last_seen: str = ""
    last_did: str = ""


@dataclass(frozen=True, slots=True)
class Hl7Source:
    """Who may send HL7: MSH-3 (and MSH-4) name, address, and its field map as TOML text."""

    name: str
    host: str
    field_map: str = ""
    facility: str = ""
    character_set: str = ""
    last_seen: str = ""
    last_did: str = ""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where results go over MLLP, and how it answers refusals."""

    name: str
    host: str
    port: int
    refused_tries: int = 3
    hold_seconds: int = 0
    addendum_status: str = "C"
    reserved_for_tests: bool = False
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the product; never its password."""

    name: str
    role: str
    full_name: str
    disabled: bool
    created_at: str
    last_sign_in: str = ""


@dataclass(frozen=True, slots=True)
class TokenView:
    """A bearer token for HTTP; `secret` is there only in the answer that made it."""

    name: str
    role: str
    created_at: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `doctor` or the health page: ok, warn or fail, and what to do."""

    name: str
    state: str
    words: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """The running node: its addresses to copy, its data folder, site zone and versions."""

    version: str
    dicom: str
    ae: str
    hl7: str
    http: str
    data: str
    zone: str
    today: str
    lan_addresses: tuple[str, ...]
    warnings: tuple[str, ...]
    demo: bool = False
    free_bytes: int = 0
    images: int = 0
    studies: int = 0
    checks: tuple[Check, ...] = ()
    idle_lock_min: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the configuration file, in words; `kind` is text, number, yes or no, or list.

    `value` is what the file (or its default) says and the next start will read, `running` what is in effect
    now: it differs where the command line said otherwise, or a change waits for a `restart`.
    """

    key: str
    words: str
    kind: str
    value: object
    default: object
    running: object
    restart: bool = True


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A rehearsal begun on a live node: one name for its reader, HL7 source (MSH-3) and scanner (AE title).

    `password` is the reader's; `issuer` the one that marks its patient as no patient.
    """

    name: str
    password: str
    issuer: str


@dataclass(frozen=True, slots=True)
class RehearsalRemoved:
    """What was taken away after a rehearsal: how many, by what they were."""

    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One line of the append-only audit."""

    sequence: int
    at: str
    actor: str
    role: str
    verb: str
    subject: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """The signed-in person as the archive knows them."""

    name: str
    role: str
    full_name: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was opened: the bearer of later calls, and who it is."""

    token: str
    who: WhoAmI


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the sign-in page may know before anybody signed in."""

    node: str
    demo_user: str = ""
    demo_password: str = ""
    has_accounts: bool = True
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Journal rows after a sequence number, and the newest number there is."""

    changes: tuple[Change, ...]
    sequence: int


@dataclass(frozen=True, slots=True)
class ImportLine:
    """What became of one imported file: stored, already there, not DICOM or not storable, and why."""

    path: str
    outcome: str
    words: str
    study_uid: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """A small open mapping for answers that have no fixed shape."""

    values: Mapping[str, object] = field(default_factory=dict)
