"""What the index keeps, row by row: plain frozen records without behaviour.

Instants are UTC ISO strings ending in ``Z``; civil dates and times stay as received (``YYYY-MM-DD``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """A study: its identity as received, the patient it belongs to now, and how it was reconciled.

    `reconciliation` is one of matched, linked, accepted, held, none. `further_accessions` and
    `received_steps` are the other numbers its images name their orders by, joined by backslashes.
    """

    id: int
    study_uid: str
    patient_id: int
    received_patient_id: str
    received_issuer: str
    received_name: str
    received_birth_date: str
    received_sex: str
    received_accession: str
    study_id: str
    study_date: str
    study_time: str
    description: str
    referring_physician: str
    modalities: str
    body_part: str
    institution: str
    station: str
    series_count: int
    instance_count: int
    reconciliation: str
    order_id: int | None
    first_received_at: str
    last_received_at: str
    revision: int
    calling_aet: str = ""
    door: str = ""
    locked_by: str = ""
    locked_at: str = ""
    received_accession_issuer: str = ""
    further_accessions: str = ""
    received_steps: str = ""


@dataclass(frozen=True, slots=True)
class StandingRecord:
    """What decides where a study stands in the reading worklist; `report_state` is its newest report's."""

    study_id: int
    study_uid: str
    locked_by: str
    last_received_at: str
    study_date: str
    priority: str
    report_state: str
    drafting: bool


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """A series of a study."""

    id: int
    series_uid: str
    study_id: int
    modality: str
    series_number: int | None
    description: str
    series_date: str
    series_time: str
    body_part: str
    laterality: str
    station: str
    manufacturer: str
    instance_count: int
    expected_count: int = 0


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """A stored instance; `attributes` is the JSON text of the header's further attributes.

    `identity` is the JSON text of what its header says of patient and accession number (by DICOM keyword),
    empty where that is what the study's record says.

    Of several rows with one SOP Instance UID the one with `current` true is served; the others hold other
    bytes that came under the same UID.
    """

    id: int
    sop_instance_uid: str
    series_id: int
    study_id: int
    sop_class_uid: str
    transfer_syntax_uid: str
    instance_number: int | None
    rows: int
    columns: int
    number_of_frames: int
    blob_key: str
    size: int
    digest: str
    dataset_offset: int
    pixel_offset: int | None
    pixel_length: int | None
    frames: str
    attributes: str
    received_at: str
    current: bool = True
    identity: str = ""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """As much of an instance's row as says where its bytes are and what they were."""

    id: int
    blob_key: str
    sop_instance_uid: str
    dataset_offset: int
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """Why a study waits for a person, and how that ended."""

    id: int
    study_uid: str
    kind: str
    reason: str
    since: str
    resolved_at: str = ""
    resolved_by: str = ""
    how: str = ""
    order_id: int | None = None
    previous_patient_id: int | None = None
    undone_at: str = ""


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A received HL7 message: raw bytes kept, what it was, what became of it and the acknowledgement sent.

    `state` is received, processed, parked, failed or done.
    """

    id: int
    received_at: str
    source: str
    address: str
    control_id: str
    sender: str
    digest: str
    message_type: str
    raw: bytes
    state: str
    reason: str
    ack: bytes
    handled_by: str = ""


@dataclass(frozen=True, slots=True)
class ReportRecord:
    """A report of a study; the text lives in its versions."""

    id: int
    study_uid: str
    patient_id: int
    order_id: int | None
    state: str
    created_at: str
    changed_at: str


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A signed version: `content` is the canonical JSON of its sections, `digest` its SHA-256."""

    id: int
    report_id: int
    version: int
    kind: str
    content: str
    signer: str
    signer_name: str
    signed_at: str
    digest: str
    reason: str = ""
    measurements: str = ""


@dataclass(frozen=True, slots=True)
class DraftRecord:
    """A report being written by one author on one study."""

    id: int
    study_uid: str
    author: str
    report_id: int
    template: str
    content: str
    revision: int
    saved_at: str


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One version on its way to one destination; `payload` is fixed at the first attempt.

    `stream` keeps the results of one order in order: a later one waits while an earlier is not delivered.
    `takes_back` is the row of the newest delivery that this one takes back, 0 for a result.
    """

    id: int
    version_id: int
    report_id: int
    destination: str
    stream: str
    control_id: str
    payload: bytes
    state: str
    attempts: int
    silent_attempts: int
    refused_attempts: int
    created_at: str
    due_at: str
    last_attempt_at: str
    answer_code: str
    answer: str
    alerted: bool = False
    takes_back: int = 0

    @property
    def order_id(self) -> int | None:
        """The order whose result this is, whatever its study was linked to since."""
        row = self.stream.removeprefix("order:")
        return int(row) if row.isdigit() else None


@dataclass(frozen=True, slots=True)
class PeerRecord:
    """A DICOM peer."""

    title: str
    host: str
    port: int
    modality: str
    station: str
    may_store: bool
    may_query: bool
    may_retrieve: bool
    may_worklist: bool
    last_seen: str = ""
    last_did: str = ""


@dataclass(frozen=True, slots=True)
class Hl7SourceRecord:
    """An HL7 sender and its field map."""

    name: str
    host: str
    facility: str
    character_set: str
    field_map: str
    last_seen: str = ""
    last_did: str = ""


@dataclass(frozen=True, slots=True)
class DestinationRecord:
    """An MLLP receiver of results."""

    name: str
    host: str
    port: int
    refused_tries: int
    hold_seconds: int
    addendum_status: str
    reserved_for_tests: bool = False
    paused: bool = False


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """A user; `secret` is the Argon2 hash of the password."""

    name: str
    role: str
    full_name: str
    secret: str
    disabled: bool
    created_at: str
    last_sign_in: str = ""
    failures: int = 0
    locked_until: str = ""


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A bearer token or session: only the SHA-256 of its secret is kept."""

    name: str
    digest: str
    role: str
    account: str
    created_at: str
    expires_at: str
    last_used_at: str = ""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A line of the append-only audit; `chain` hashes the line with the one before it."""

    id: int
    at: str
    actor: str
    role: str
    verb: str
    subject: str
    outcome: str
    detail: str
    address: str
    chain: str


@dataclass(frozen=True, slots=True)
class StudyKeys:
    """Search keys of a study query, already split by kind; empty means not asked (PS3.4 C.2.2.2)."""

    patient_id: str = ""
    issuer: str = ""
    patient_name: str = ""
    birth_date: tuple[str, str] = ("", "")
    sex: str = ""
    accession: str = ""
    study_uids: tuple[str, ...] = ()
    series_uids: tuple[str, ...] = ()
    instance_uids: tuple[str, ...] = ()
    study_date: tuple[str, str] = ("", "")
    study_time: tuple[str, str] = ("", "")
    study_id: str = ""
    study_description: str = ""
    referring_physician: str = ""
    modalities: tuple[str, ...] = ()
    modality: str = ""
    series_number: str = ""
    series_description: str = ""
    body_part: str = ""
    sop_classes: tuple[str, ...] = ()
    instance_number: str = ""


@dataclass(frozen=True, slots=True)
class WorklistKeys:
    """Search keys of a modality worklist query (PS3.4 K.6.1.2.2); dates civil, ranges inclusive."""

    asker: str = ""
    station_aet: str = ""
    modalities: tuple[str, ...] = ()
    start_date: tuple[str, str] = ("", "")
    start_time: tuple[str, str] = ("", "")
    performing_physician: str = ""
    patient_name: str = ""
    patient_id: str = ""
    issuer: str = ""
    birth_date: tuple[str, str] = ("", "")
    sex: str = ""
    accession: str = ""
    accession_issuer: str = ""
    procedure_id: str = ""
    step_id: str = ""
    step_status: str = ""
    station_name: str = ""
    location: str = ""
    study_uids: tuple[str, ...] = ()
    referring_physician: str = ""
    requesting_physician: str = ""
    admission_id: str = ""
    priority: str = ""
    placer_number: str = ""
    filler_number: str = ""
