"""What the services need of the world: an index, a store, a transmitter and a clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from pacs_core.domain import records as r
from pacs_core.domain.commitment import Commitment
from pacs_core.domain.delivery import Outcome
from pacs_core.domain.events import Change, Event
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.order import Order, OrderReference, ScheduledProcedureStep
from pacs_core.domain.patient import Demographics, Patient
from pacs_core.domain.performed import PerformedProcedureStep
from pacs_core.domain.rehearsal import Removed

T = TypeVar("T")


class Patients(Protocol):
    """Patients, their identifiers and merges."""

    def get(self, patient_id: int) -> Patient:
        """The patient of that row, not following a merge; raises NotFound."""
        ...

    def current(self, patient_id: int) -> Patient:
        """The patient, or the survivor it was merged into."""
        ...

    def current_of(self, patient_ids: Iterable[int]) -> Mapping[int, Patient]:
        """`current` of many, by the row that was asked for."""
        ...

    def find(self, identifier: PatientIdentifier) -> Patient | None:
        """The surviving patient with that identifier; with an empty issuer any issuer fits if it is the only
        one.
        """
        ...

    def add(self, identifier: PatientIdentifier, demographics: Demographics, scope: str = "") -> Patient:
        """A new patient; `scope` (the UID of its first study) keeps a provisional one out of `find`."""
        ...

    def provisional(self, scope: str) -> Patient | None:
        """The provisional patient made for that study, or who it was merged into, where there is one."""
        ...

    def strangers(self, identifier: PatientIdentifier) -> Sequence[Patient]:
        """Provisional patients whose images came under that identifier, or who they were merged into."""
        ...

    def save(self, patient_id: int, demographics: Demographics) -> Patient:
        """Replace the demographics."""
        ...

    def add_identifier(self, patient_id: int, identifier: PatientIdentifier) -> None:
        """Give the patient one more identifier; nothing happens where it has it."""
        ...

    def merge(self, survivor_id: int, subsumed_id: int) -> None:
        """Make one an alias of the other and move its orders, studies, reports and visits."""
        ...

    def visit(self, patient_id: int, number: str, patient_class: str, location: str, at: str) -> None:
        """Remember a visit."""
        ...

    def search(self, text: str, limit: int) -> Sequence[Patient]:
        """Surviving patients by name, in any script, or identifier."""
        ...


class Orders(Protocol):
    """Orders with their requested procedure and steps."""

    def get(self, order_id: int) -> Order:
        """One order; raises NotFound."""
        ...

    def of_rows(self, order_ids: Iterable[int]) -> Mapping[int, Order]: ...
    def with_numbers(self, reference: OrderReference) -> Sequence[Order]:
        """Orders with its placer, filler or accession number, as they were placed; never by patient alone."""
        ...

    def by_accession(self, accession: str, issuer: str = "") -> Sequence[Order]:
        """Orders with that accession number; an empty issuer fits any."""
        ...

    def by_study_uid(self, study_uid: str) -> Sequence[Order]:
        """Orders whose procedure was given that Study Instance UID."""
        ...

    def by_step_id(self, step_id: str, patient_id: int) -> Sequence[Order]:
        """Orders of a patient with that scheduled procedure step ID."""
        ...

    def of_patient(self, patient_id: int) -> Sequence[Order]:
        """All orders of a patient, newest first."""
        ...

    def add(self, order: Order, at: str) -> Order:
        """Insert (ids of the argument are ignored) and return it with its ids."""
        ...

    def save(self, order: Order, at: str) -> Order:
        """Replace an order and its steps by row id."""
        ...

    def on_day(self, date: str, station: str) -> Sequence[Order]:
        """Orders with a step on a civil day, in order of time."""
        ...

    def waiting(self, limit: int) -> Sequence[Order]:
        """Orders scheduled or in progress without any study, by start."""
        ...

    def scheduled_steps(self, keys: r.WorklistKeys) -> Sequence[tuple[Order, ScheduledProcedureStep]]:
        """Steps a worklist query may see, by the keys the index can answer."""
        ...

    def next_number(self, counter: str) -> int:
        """The next number of a named counter, never given twice."""
        ...


class Performed(Protocol):
    """Performed procedure steps, by the SOP Instance UID of their MPPS."""

    def find(self, sop_instance_uid: str) -> PerformedProcedureStep | None: ...
    def get(self, sop_instance_uid: str) -> PerformedProcedureStep:
        """One step; raises NotFound."""
        ...

    def add(self, step: PerformedProcedureStep, at: str) -> PerformedProcedureStep: ...
    def save(self, step: PerformedProcedureStep, at: str) -> PerformedProcedureStep:
        """Replace a step by row id."""
        ...

    def of_order(self, order_id: int) -> Sequence[PerformedProcedureStep]: ...
    def of_study(self, study_uid: str) -> Sequence[PerformedProcedureStep]: ...
    def waiting_for(self, accession: str, study_uid: str) -> Sequence[PerformedProcedureStep]:
        """Steps that name this accession number or study, and no order was found for."""
        ...

    def naming(self, accession: str) -> Sequence[PerformedProcedureStep]:
        """Steps that name an accession number."""
        ...


class Commitments(Protocol):
    """Storage commitment transactions."""

    def get(self, commitment_id: int) -> Commitment: ...
    def find(self, peer: str, transaction_uid: str, *, ours: bool) -> Commitment | None: ...
    def add(self, record: Commitment) -> Commitment: ...
    def update(self, commitment_id: int, **changes: object) -> Commitment: ...
    def due(self, now: str, limit: int, without: Collection[str] = ()) -> Sequence[Commitment]:
        """Transactions to be tried now; `without` leaves peers out."""
        ...

    def next_due(self, without: Collection[str] = ()) -> str: ...


class Studies(Protocol):
    """Studies, series and instances."""

    def find(self, study_uid: str) -> r.StudyRecord | None: ...
    def get(self, study_uid: str) -> r.StudyRecord:
        """One study; raises NotFound."""
        ...

    def add(self, study: r.StudyRecord) -> r.StudyRecord: ...
    def update(self, study_uid: str, **changes: object) -> r.StudyRecord:
        """Change named columns; `revision` counts up."""
        ...

    def find_series(self, study_id: int, series_uid: str) -> r.SeriesRecord | None:
        """The series with that UID in that study (a UID that came in two studies is two series)."""
        ...

    def update_series(self, series_id: int, **changes: object) -> None: ...
    def add_series(self, series: r.SeriesRecord) -> r.SeriesRecord: ...
    def series_of(self, study_id: int) -> Sequence[r.SeriesRecord]: ...
    def find_instance(self, sop_instance_uid: str) -> r.InstanceRecord | None:
        """The served instance with that UID."""
        ...

    def versions_of(self, sop_instance_uid: str) -> Sequence[r.InstanceRecord]:
        """Every set of bytes that came under that UID, oldest first."""
        ...

    def count_known(self, sop_instance_uids: Sequence[str]) -> int:
        """How many of these UIDs are served."""
        ...

    def digests_of(self, sop_instance_uid: str) -> Sequence[str]:
        """The digests of every set of bytes that came under that UID."""
        ...

    def add_instance(self, record: r.InstanceRecord, **of_study: object) -> None:
        """Insert, count up series and study, and change named columns of the study with it."""
        ...

    def instances_of(self, study_id: int, series_id: int | None = None) -> Sequence[r.InstanceRecord]: ...
    def link_request(self, study_id: int, order_id: int) -> None:
        """Link every series of a study to an order's procedure."""
        ...

    def requests_of(self, study_id: int) -> Sequence[int]:
        """The orders that a study's series are linked to."""
        ...

    def unlink_requests(self, study_id: int) -> None: ...
    def of_patient(self, patient_id: int) -> Sequence[r.StudyRecord]: ...
    def of_order(self, order_id: int) -> Sequence[r.StudyRecord]: ...
    def held_for(self, accession: str, patient_id: str, study_uid: str) -> Sequence[r.StudyRecord]:
        """Held studies that an order with these numbers might release."""
        ...

    def naming(self, accession: str) -> Sequence[r.StudyRecord]:
        """Studies whose images name that accession number."""
        ...

    def search(self, keys: r.StudyKeys, limit: int = 0) -> Sequence[r.StudyRecord]:
        """Studies that the index finds for the keys; the caller checks the matching rules again."""
        ...

    def standings(
        self, text: str, modality: str, dates: tuple[str, str], patient_id: int | None, limit: int
    ) -> Sequence[r.StandingRecord]:
        """What decides where studies stand in the reading worklist, newest arrivals first."""
        ...

    def of_rows(self, study_ids: Iterable[int]) -> Mapping[int, r.StudyRecord]: ...
    def expected_of(self, study_ids: Iterable[int]) -> Mapping[int, int]:
        """How many images the series of these studies say they will have."""
        ...

    def count(self) -> tuple[int, int]:
        """How many studies and instances there are."""
        ...

    def has_blob(self, key: str) -> bool:
        """Say whether an instance's row names that blob."""
        ...

    def known_blobs(self, keys: Sequence[str]) -> set[str]:
        """Which of these blob keys (some hundreds at once) have a row."""
        ...

    def blob_keys(self) -> Iterator[str]:
        """Every blob key that has a row."""
        ...

    def count_blobs(self) -> int:
        """How many blob keys have a row."""
        ...


class Holds(Protocol):
    """Studies that wait for a person."""

    def open_for(self, study_uid: str) -> Sequence[r.HoldRecord]: ...
    def open_of(self, study_uids: Iterable[str]) -> Mapping[str, Sequence[r.HoldRecord]]: ...
    def get(self, hold_id: int) -> r.HoldRecord: ...
    def add(self, study_uid: str, kind: str, reason: str, at: str) -> r.HoldRecord:
        """Open a hold; the same kind twice on a study is one."""
        ...

    def resolve(self, hold_id: int, **changes: object) -> r.HoldRecord: ...
    def all_open(self) -> Sequence[r.HoldRecord]: ...
    def resolved(self, limit: int) -> Sequence[r.HoldRecord]: ...
    def of_decision(self, hold: r.HoldRecord) -> Sequence[r.HoldRecord]:
        """The holds of a study that were resolved together with this one."""
        ...

    def standing_decision(self, study_uid: str) -> r.HoldRecord | None:
        """The newest hold of a study that a person resolved by link or acceptance, and nobody has undone."""
        ...


class Reports(Protocol):
    """Reports, versions and drafts."""

    def of_study(self, study_uid: str) -> Sequence[r.ReportRecord]: ...
    def of_studies(self, study_uids: Iterable[str]) -> Mapping[str, Sequence[r.ReportRecord]]: ...
    def drafting(self, study_uids: Iterable[str]) -> set[str]:
        """Which of these studies somebody has a draft on."""
        ...

    def of_patient(self, patient_id: int) -> Sequence[r.ReportRecord]: ...
    def get(self, report_id: int) -> r.ReportRecord: ...
    def add(self, report: r.ReportRecord) -> r.ReportRecord: ...
    def update(self, report_id: int, **changes: object) -> r.ReportRecord: ...
    def versions(self, report_id: int) -> Sequence[r.VersionRecord]: ...
    def version(self, version_id: int) -> r.VersionRecord: ...
    def add_version(self, version: r.VersionRecord) -> r.VersionRecord: ...
    def drafts(self, study_uid: str) -> Sequence[r.DraftRecord]: ...
    def draft(self, study_uid: str, author: str) -> r.DraftRecord | None: ...
    def save_draft(self, draft: r.DraftRecord) -> r.DraftRecord: ...
    def drop_draft(self, study_uid: str, author: str) -> None: ...


class Measurements(Protocol):
    """Strokes by tracking UID."""

    def of_study(self, study_uid: str) -> Sequence[Measurement]: ...
    def find(self, tracking_uid: str) -> Measurement | None: ...
    def put(self, measurement: Measurement) -> None: ...


class Deliveries(Protocol):
    """Results on their way."""

    def add(self, delivery: r.DeliveryRecord) -> r.DeliveryRecord: ...
    def get(self, delivery_id: int) -> r.DeliveryRecord: ...
    def update(self, delivery_id: int, **changes: object) -> r.DeliveryRecord: ...
    def due(self, now: str, limit: int, without: Collection[str] = ()) -> Sequence[r.DeliveryRecord]:
        """Deliveries to be tried now: due, and the first undelivered of their stream and destination.

        `without` leaves destinations out.
        """
        ...

    def is_due(self, delivery_id: int, now: str) -> bool:
        """Say whether this one is to be tried now."""
        ...

    def next_due(self, without: Collection[str] = ()) -> str:
        """The instant of the next attempt, empty where none waits."""
        ...

    def of_report(self, report_id: int) -> Sequence[r.DeliveryRecord]: ...
    def of_reports(self, report_ids: Iterable[int]) -> Mapping[int, Sequence[r.DeliveryRecord]]: ...
    def open(self) -> Sequence[r.DeliveryRecord]:
        """Everything not delivered, what needs a person first."""
        ...

    def waiting_for(self, destination: str) -> int: ...


class Messages(Protocol):
    """The log of received HL7 messages."""

    def add(self, message: r.MessageRecord) -> r.MessageRecord: ...
    def get(self, message_id: int) -> r.MessageRecord: ...
    def update(self, message_id: int, **changes: object) -> r.MessageRecord: ...
    def duplicate_of(self, sender: str, control_id: str, digest: str) -> r.MessageRecord | None:
        """An earlier message with the same sender, control id and content, answered or not yet."""
        ...

    def open(self) -> Sequence[r.MessageRecord]:
        """Parked and failed ones, oldest first."""
        ...

    def unprocessed(self) -> Sequence[r.MessageRecord]:
        """Accepted, not yet processed: to be taken up again at start."""
        ...


class Configuration(Protocol):
    """Peers, HL7 sources and destinations."""

    def peers(self) -> Sequence[r.PeerRecord]: ...
    def save_peer(self, peer: r.PeerRecord) -> None: ...
    def remove_peer(self, title: str) -> bool: ...
    def sources(self) -> Sequence[r.Hl7SourceRecord]: ...
    def save_source(self, source: r.Hl7SourceRecord) -> None: ...
    def remove_source(self, name: str) -> bool: ...
    def destinations(self) -> Sequence[r.DestinationRecord]: ...
    def save_destination(self, destination: r.DestinationRecord) -> None: ...
    def remove_destination(self, name: str) -> bool: ...


class Accounts(Protocol):
    """Users and tokens."""

    def all(self) -> Sequence[r.AccountRecord]: ...
    def find(self, name: str) -> r.AccountRecord | None: ...
    def add(self, account: r.AccountRecord) -> None: ...
    def update(self, name: str, **changes: object) -> None: ...
    def tokens(self) -> Sequence[r.TokenRecord]: ...
    def token(self, digest: str) -> r.TokenRecord | None: ...
    def add_token(self, token: r.TokenRecord) -> None: ...
    def remove_tokens(self, *, name: str = "", account: str = "", digest: str = "") -> int: ...


class Audit(Protocol):
    """The append-only audit."""

    def append(
        self, actor: str, role: str, verb: str, subject: str, outcome: str, detail: str, address: str
    ) -> None: ...
    def before(self, sequence: int, limit: int) -> Sequence[r.AuditRecord]: ...


class Journal(Protocol):
    """The facts, numbered in the order of their commits."""

    def since(self, sequence: int, limit: int) -> Sequence[Change]: ...
    def newest(self) -> int: ...
    def of_exam(
        self, order_ids: Sequence[int], study_uids: Sequence[str], patient_ids: Sequence[int]
    ) -> Sequence[Change]:
        """Everything that concerns these orders and studies, and the patients' own stage-1 facts."""
        ...

    def newest_on(self, subject: str, kinds: Collection[str]) -> Change | None:
        """The newest fact of these kinds on that subject."""
        ...

    def has(self, kind: str, subject: str) -> bool:
        """Say whether a fact of that kind on that subject was recorded before."""
        ...


class Rehearsals(Protocol):
    """Everything of rehearsals on a live node, by its reserved marks (`domain.rehearsal`)."""

    def strangers(self) -> Sequence[r.StudyRecord]:
        """Studies that are no rehearsal's own, and are linked to an order of one."""
        ...

    def borrowed_orders(self) -> Sequence[int]:
        """Orders that are no rehearsal's own, and have a study of one."""
        ...

    def any_left(self) -> bool:
        """Say whether a rehearsal was begun and not ended."""
        ...

    def remove(self) -> Removed:
        """Delete the rows; their blobs are the caller's to remove after the commit."""
        ...


class Transaction(Protocol):
    """One unit of work: repositories that see and change one state of the index, and the journal's pen."""

    patients: Patients
    orders: Orders
    performed: Performed
    commitments: Commitments
    studies: Studies
    holds: Holds
    reports: Reports
    measurements: Measurements
    deliveries: Deliveries
    messages: Messages
    configuration: Configuration
    accounts: Accounts
    audit: Audit
    rehearsals: Rehearsals
    journal: Journal

    def record(self, event: Event) -> None:
        """Note a fact; it gets its number in the same commit."""
        ...


class Index(Protocol):
    """The database behind one writer (architecture §5)."""

    def write(self, work: Callable[[Transaction], T], *, of_synced_files: bool = False) -> T:
        """Run a re-runnable function in the writer's next commit; returns after that commit is synced.

        `of_synced_files` says that all it writes can be made again from blobs that are synced, as the sweep
        at a start does; its commit is then not waited for by a sync of its own.

        Whatever the function raises is raised here and nothing of it is kept; StorageFailure where the
        commit itself failed.
        """
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """A transaction for reading: one consistent state."""
        ...

    def wait_for_change(self, sequence: int, timeout_s: float, *, arrivals: bool = True) -> int:
        """Wait until the journal is past `sequence`, or the time is over; returns its newest number.

        With `arrivals` False images that only come in (``images.stored``) end no wait, and are no newest
        number.
        """
        ...


TOLD = 16
"""Digits of a digest that a blob's name tells."""


class BlobWriter(Protocol):
    """An object being received: write its bytes, then commit or abort."""

    def write(self, data: bytes | bytearray | memoryview) -> None: ...
    def commit(self) -> None:
        """Sync file and directory and give it its final name; raises StorageFailure or OutOfSpace."""
        ...

    def abort(self) -> None: ...
    @property
    def key(self) -> str: ...
    @property
    def path(self) -> Path: ...


class BlobStore(Protocol):
    """Files by opaque key: create, read, read a range, remove (style.md D.2)."""

    def create(self, suffix: str = ".dcm", digest: str = "") -> BlobWriter:
        """Begin a blob; its name tells the beginning of its data set's digest where that is known."""
        ...

    def open(self, key: str) -> BinaryIO:
        """Open for reading; raises NotFound."""
        ...

    def read(self, key: str, offset: int = 0, length: int = -1) -> bytes: ...
    def path(self, key: str) -> Path | None:
        """Where the file lies on this machine, None where it is not a local file."""
        ...

    def remove(self, key: str) -> None: ...
    def keys(self) -> Iterator[str]: ...
    def free_bytes(self) -> int: ...


class Transmitter(Protocol):
    """A way to a destination: renders what is sent once, then sends the same bytes each time."""

    def render(
        self, tx: Transaction, delivery: r.DeliveryRecord, destination: r.DestinationRecord
    ) -> bytes: ...
    def send(self, destination: r.DestinationRecord, payload: bytes, control_id: str) -> Outcome:
        """Send and wait for the answer; never raises for a peer's behaviour, that is an Outcome."""
        ...


class Clock(Protocol):
    """The time: instants in UTC, and the site's civil day."""

    def now(self) -> datetime:
        """Now, aware, in UTC."""
        ...

    def civil_now(self) -> datetime:
        """Now at the site, aware, in the site's zone."""
        ...

    @property
    def zone_name(self) -> str:
        """The site's zone, e.g. ``Europe/Berlin``."""
        ...
