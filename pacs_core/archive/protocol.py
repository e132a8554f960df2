"""The one door of the archive, declared once: routes, OpenAPI and the remote client derive from here.

Every method names by `asks` the verb it needs and its HTTP shape. Arguments and results are built of
the frozen models of `archive.models` and `domain`; `archive.codec` carries them over HTTP. Failures are the
errors of `domain.errors`: `NotSignedIn`, `Denied`, `NotFound`, `Conflict`, `InvalidValue`, ….
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pacs_core.archive import models as m
from pacs_core.domain.access import Verb
from pacs_core.domain.measurement import Measurement

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Route:
    """How a method is asked: the access verb, the HTTP method and the path below ``/api/v1``."""

    verb: Verb
    method: str
    path: str


def asks(verb: Verb, method: str, path: str) -> Callable[[F], F]:
    """Mark a method of a part with its verb and route."""

    def mark(function: F) -> F:
        function.__route__ = Route(verb, method, path)  # type: ignore[attr-defined]  # read by archive.routes
        return function

    return mark


class Worklist(Protocol):
    """The reading worklist."""

    @asks(Verb.VIEW, "POST", "/worklist/query")
    def rows(self, query: m.WorklistQuery, offset: int = 0, limit: int = 200) -> m.WorklistPage:
        """List exams by the query, most urgent first unless sorted otherwise."""
        ...

    @asks(Verb.VIEW, "GET", "/worklist/row")
    def row(self, key: str) -> m.ExamRow:
        """One row by its key (``study:UID`` or ``order:ID``); raises NotFound."""
        ...

    @asks(Verb.REPORT, "POST", "/worklist/claim")
    def claim(self, study_uid: str, take_over: bool = False) -> m.ExamRow:
        """Lock the exam for the caller; raises Conflict naming the present reader unless `take_over`."""
        ...

    @asks(Verb.REPORT, "POST", "/worklist/release")
    def release(self, study_uid: str) -> m.ExamRow:
        """Give the caller's lock back; nothing happens where there was none."""
        ...


class Studies(Protocol):
    """Studies and their pixels."""

    @asks(Verb.VIEW, "GET", "/studies/dossier")
    def open(self, study_uid: str) -> m.Dossier:
        """Everything needed to read the study, in one answer; audited as a view. Raises NotFound."""
        ...

    @asks(Verb.VIEW, "GET", "/studies/dossier/renewed")
    def renew(self, study_uid: str) -> m.Dossier:
        """What `open` answers, anew, for a window that has the study open. Raises NotFound.

        Audited as a view only where this sign-in has not looked at the study before.
        """
        ...

    @asks(Verb.VIEW, "GET", "/studies/manifest")
    def manifest(self, study_uid: str) -> m.StudyManifest:
        """Series, instances and frame locators of a study; raises NotFound.

        The first look of a sign-in at a study, at a prior too, is audited as a view.
        """
        ...

    @asks(Verb.VIEW, "GET", "/studies/priors")
    def priors(self, study_uid: str) -> tuple[m.Prior, ...]:
        """Earlier studies of the same patient, the most relevant first."""
        ...

    @asks(Verb.VIEW, "GET", "/studies/frame")
    def frame(self, sop_instance_uid: str, frame: int) -> m.FramePixels:
        """The stored bytes of one frame (1-based), as they came; raises NotFound."""
        ...

    @asks(Verb.VIEW, "GET", "/studies/file")
    def file(self, sop_instance_uid: str, original: bool = False) -> bytes:
        """The instance as a DICOM file, corrected identity overlaid unless `original`; audited as an
        export.
        """
        ...

    @asks(Verb.STORE, "POST", "/studies/file")
    def store(self, name: str, content: bytes) -> m.ImportLine:
        """Store one DICOM file; the answer names what became of it."""
        ...


class Measurements(Protocol):
    """Strokes of readers."""

    @asks(Verb.VIEW, "GET", "/measurements")
    def of(self, study_uid: str) -> tuple[Measurement, ...]:
        """All measurements on a study that are not deleted, oldest first."""
        ...

    @asks(Verb.MEASURE, "PUT", "/measurements")
    def save(self, measurement: Measurement) -> Measurement:
        """Save a stroke under its tracking UID; the same stroke twice is one. Durable when it returns."""
        ...

    @asks(Verb.MEASURE, "DELETE", "/measurements")
    def remove(self, tracking_uid: str) -> Measurement:
        """Mark a measurement deleted; saving it again brings it back. Raises NotFound."""
        ...

    @asks(Verb.MEASURE, "POST", "/measurements/objects")
    def keep(self, study_uid: str) -> tuple[m.ImportLine, ...]:
        """Write a study's measurements and key images as DICOM objects of it: SR TID 1500, presentation
        states, a key object selection. What says the same as one that is there is "already there".

        Raises NotFound for the study.
        """
        ...


class Reports(Protocol):
    """Reports: drafts, signatures and where their results are."""

    @asks(Verb.VIEW, "GET", "/reports")
    def of(self, study_uid: str) -> tuple[m.ReportView, ...]:
        """Reports on a study, newest last."""
        ...

    @asks(Verb.VIEW, "GET", "/reports/patient")
    def of_patient(self, patient_key: int) -> tuple[m.ReportView, ...]:
        """All reports of a patient, newest first."""
        ...

    @asks(Verb.REPORT, "PUT", "/reports/draft")
    def save_draft(
        self, study_uid: str, template: str, content: str, addendum_to: int | None = None
    ) -> m.DraftView:
        """Save the caller's draft; durable when it returns. Raises Conflict where another holds the exam."""
        ...

    @asks(Verb.REPORT, "DELETE", "/reports/draft")
    def discard_draft(self, study_uid: str) -> None:
        """Throw the caller's draft away (its last content stays in the journal)."""
        ...

    @asks(Verb.SIGN, "POST", "/reports/sign")
    def sign(self, request: m.SignRequest) -> m.ReportView:
        """Sign with the password again: new immutable version, delivery rows, one commit.

        Raises NotSignedIn for a wrong password, Conflict where the state forbids it.
        """
        ...


class Schedule(Protocol):
    """Patients, orders and today's steps, by hand."""

    @asks(Verb.SCHEDULE, "GET", "/schedule/day")
    def day(self, date: str = "", station: str = "") -> m.DayView:
        """Orders with a step on a civil day (empty: today at the site)."""
        ...

    @asks(Verb.SCHEDULE, "GET", "/schedule/patients")
    def patients(self, text: str, limit: int = 50) -> tuple[m.PatientView, ...]:
        """Patients whose name or ID contains the text, in any script."""
        ...

    @asks(Verb.SCHEDULE, "POST", "/schedule/patients")
    def save_patient(self, form: m.PatientForm) -> m.PatientView:
        """Create or update a patient; raises InvalidValue naming the field."""
        ...

    @asks(Verb.SCHEDULE, "POST", "/schedule/merge")
    def merge_patients(self, survivor_key: int, subsumed_key: int) -> m.PatientView:
        """Make one patient an alias of another, as an A40 would."""
        ...

    @asks(Verb.SCHEDULE, "POST", "/schedule/orders")
    def place_order(self, form: m.OrderForm) -> m.OrderView:
        """Make an order with its step; raises InvalidValue naming the field, NotFound for the patient."""
        ...

    @asks(Verb.SCHEDULE, "GET", "/schedule/order")
    def order(self, order_id: int) -> m.OrderView:
        """One order; raises NotFound."""
        ...

    @asks(Verb.SCHEDULE, "POST", "/schedule/reschedule")
    def reschedule(
        self, order_id: int, start_date: str, start_time: str, station_aet: str = ""
    ) -> m.OrderView:
        """Move an order's steps to another civil time or station; raises Conflict where it is over."""
        ...

    @asks(Verb.SCHEDULE, "POST", "/schedule/cancel")
    def cancel(self, order_id: int, reason: str = "") -> m.OrderView:
        """Cancel an order; images that already came stay linked."""
        ...

    @asks(Verb.SCHEDULE, "POST", "/schedule/note")
    def note(self, order_id: int, technologist_note: str) -> m.OrderView:
        """Set the technologist's note on an order."""
        ...


class Inbox(Protocol):
    """What needs a person."""

    @asks(Verb.VIEW, "GET", "/inbox/counts")
    def counts(self) -> m.InboxCounts:
        """How many things wait."""
        ...

    @asks(Verb.RECONCILE, "GET", "/inbox/held")
    def held(self) -> tuple[m.HeldStudy, ...]:
        """Studies held, with reasons and suggested orders, oldest first."""
        ...

    @asks(Verb.RECONCILE, "GET", "/inbox/resolved")
    def resolved(self, limit: int = 50) -> tuple[m.ResolvedHold, ...]:
        """Holds resolved lately, newest first; each can be undone."""
        ...

    @asks(Verb.RECONCILE, "POST", "/inbox/link")
    def link(self, study_uid: str, order_id: int) -> m.ExamRow:
        """Link a study to an order and take the order's identity; raises Conflict where already linked."""
        ...

    @asks(Verb.RECONCILE, "POST", "/inbox/accept")
    def accept(self, study_uid: str) -> m.ExamRow:
        """Keep a held study as it is, without an order."""
        ...

    @asks(Verb.RECONCILE, "POST", "/inbox/undo")
    def undo(self, hold_id: int) -> m.ExamRow:
        """Undo a link or acceptance: the study is held again, as it was."""
        ...

    @asks(Verb.RECONCILE, "GET", "/inbox/messages")
    def messages(self) -> tuple[m.MessageView, ...]:
        """HL7 messages parked or unprocessed, oldest first."""
        ...

    @asks(Verb.RECONCILE, "POST", "/inbox/messages/done")
    def message_done(self, message_id: int, note: str = "") -> None:
        """Mark a message as dealt with by a person."""
        ...

    @asks(Verb.RECONCILE, "POST", "/inbox/messages/again")
    def process_again(self, message_id: int) -> m.MessageView:
        """Process a parked or failed message once more, as its source is read now; says what became of it.

        Raises NotFound, Conflict where it waits for nobody, Refused for a source with an unreadable map.
        """
        ...

    @asks(Verb.VIEW, "GET", "/inbox/deliveries")
    def deliveries(self) -> tuple[m.DeliveryView, ...]:
        """Results not delivered yet, those that need a person first."""
        ...

    @asks(Verb.RECONCILE, "POST", "/inbox/deliveries/retry")
    def retry(self, delivery_id: int) -> m.DeliveryView:
        """Try a delivery again now, from the start of its policy."""
        ...


class Trace(Protocol):
    """The story of an exam."""

    @asks(Verb.VIEW, "GET", "/trace")
    def of(self, accession: str) -> m.ExamTrace:
        """Every event of the exam with that accession number, and the stage that is missing; raises
        NotFound.
        """
        ...


class Administration(Protocol):
    """Peers, sources, destinations, accounts and the node itself."""

    @asks(Verb.SELF, "GET", "/node")
    def node(self) -> m.NodeInfo:
        """The running node: addresses, data folder, warnings."""
        ...

    @asks(Verb.ADMINISTER, "POST", "/node/stop")
    def stop(self) -> None:
        """End the node once what is in flight is done; for the data folder's owner alone, on its machine.

        Raises Denied for anybody else, Conflict where it runs inside another program.
        """
        ...

    @asks(Verb.ADMINISTER, "GET", "/peers")
    def peers(self) -> tuple[m.Peer, ...]:
        """DICOM peers by title."""
        ...

    @asks(Verb.ADMINISTER, "PUT", "/peers")
    def save_peer(self, peer: m.Peer) -> m.Peer:
        """Add or change a peer; takes effect at once."""
        ...

    @asks(Verb.ADMINISTER, "DELETE", "/peers")
    def remove_peer(self, title: str) -> None:
        """Remove a peer; raises NotFound."""
        ...

    @asks(Verb.ADMINISTER, "POST", "/peers/echo")
    def echo(self, title: str) -> m.Check:
        """C-ECHO a peer and say what happened."""
        ...

    @asks(Verb.ADMINISTER, "GET", "/hl7-sources")
    def hl7_sources(self) -> tuple[m.Hl7Source, ...]:
        """Who may send HL7."""
        ...

    @asks(Verb.ADMINISTER, "PUT", "/hl7-sources")
    def save_hl7_source(self, source: m.Hl7Source) -> m.Hl7Source:
        """Add or change an HL7 source; raises InvalidValue naming the line of a bad field map."""
        ...

    @asks(Verb.ADMINISTER, "DELETE", "/hl7-sources")
    def remove_hl7_source(self, name: str) -> None:
        """Remove an HL7 source; raises NotFound."""
        ...

    @asks(Verb.ADMINISTER, "GET", "/destinations")
    def destinations(self) -> tuple[m.Destination, ...]:
        """Where results go."""
        ...

    @asks(Verb.ADMINISTER, "PUT", "/destinations")
    def save_destination(self, destination: m.Destination) -> m.Destination:
        """Add or change a destination; takes effect at once."""
        ...

    @asks(Verb.ADMINISTER, "DELETE", "/destinations")
    def remove_destination(self, name: str) -> None:
        """Remove a destination; raises Conflict while results wait for it."""
        ...

    @asks(Verb.ADMINISTER, "GET", "/users")
    def users(self) -> tuple[m.Account, ...]:
        """Accounts by name."""
        ...

    @asks(Verb.ADMINISTER, "POST", "/users")
    def add_user(self, name: str, role: str, password: str, full_name: str = "") -> m.Account:
        """Add an account; raises Conflict where the name is taken, InvalidValue for a weak password."""
        ...

    @asks(Verb.ADMINISTER, "POST", "/users/password")
    def set_password(self, name: str, password: str) -> None:
        """Set an account's password; raises NotFound."""
        ...

    @asks(Verb.ADMINISTER, "POST", "/users/disable")
    def disable_user(self, name: str, disabled: bool = True) -> m.Account:
        """Disable or enable an account; its sessions end."""
        ...

    @asks(Verb.ADMINISTER, "GET", "/tokens")
    def tokens(self) -> tuple[m.TokenView, ...]:
        """Tokens by name, never their secrets."""
        ...

    @asks(Verb.ADMINISTER, "POST", "/tokens")
    def add_token(self, name: str, role: str) -> m.TokenView:
        """Make a token; its secret is in this answer only."""
        ...

    @asks(Verb.ADMINISTER, "DELETE", "/tokens")
    def revoke_token(self, name: str) -> None:
        """Revoke a token; raises NotFound."""
        ...

    @asks(Verb.ADMINISTER, "GET", "/settings")
    def settings(self) -> tuple[m.Setting, ...]:
        """Every key of the configuration file: words, value, default, and whether a change needs a start."""
        ...

    @asks(Verb.ADMINISTER, "PUT", "/settings")
    def save_settings(self, values: Mapping[str, object]) -> tuple[m.Setting, ...]:
        """Change settings by key; null brings back a default. All are written to the file, or none.

        Raises InvalidValue naming the key, Refused where the file may not be written.
        """
        ...

    @asks(Verb.ADMINISTER, "POST", "/rehearsal")
    def begin_rehearsal(self, hl7_host: str, dicom_host: str) -> m.Rehearsal:
        """Make the reader, HL7 source and scanner of a rehearsal that calls from these addresses.

        What an earlier one left behind is removed first. Raises InvalidValue for a bad address.
        """
        ...

    @asks(Verb.ADMINISTER, "DELETE", "/rehearsal")
    def end_rehearsal(self) -> m.RehearsalRemoved:
        """Remove everything of rehearsals: rows, files, account; journal and audit keep their lines."""
        ...

    @asks(Verb.ADMINISTER, "GET", "/audit")
    def audit(self, before: int = 0, limit: int = 200) -> tuple[m.AuditRow, ...]:
        """Audit rows, newest first."""
        ...


class Changes(Protocol):
    """The feed that repaints the screens."""

    @asks(Verb.SELF, "GET", "/changes")
    def since(self, sequence: int, wait_s: float = 0.0, limit: int = 500) -> m.ChangesPage:
        """Journal rows after `sequence`; waits up to `wait_s` seconds for the first one."""
        ...


class Archive(Protocol):
    """The archive as one signed-in person sees it."""

    @property
    def who(self) -> m.WhoAmI:
        """The signed-in person."""
        ...

    @property
    def worklist(self) -> Worklist: ...
    @property
    def studies(self) -> Studies: ...
    @property
    def measurements(self) -> Measurements: ...
    @property
    def reports(self) -> Reports: ...
    @property
    def schedule(self) -> Schedule: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def trace(self) -> Trace: ...
    @property
    def administration(self) -> Administration: ...
    @property
    def changes(self) -> Changes: ...

    def sign_out(self) -> None:
        """End the session; the next call raises NotSignedIn."""
        ...


class Door(Protocol):
    """Where a workstation knocks: gives the sign-in facts, and an Archive for a name and password."""

    def sign_in_facts(self) -> m.SignIn:
        """What the sign-in page may show; raises StorageFailure/Busy while the core is not reachable."""
        ...

    def sign_in(self, name: str, password: str) -> Archive:
        """Open the archive as a person; raises NotSignedIn or LockedOut (with seconds to wait)."""
        ...


PARTS: dict[str, type] = {
    "worklist": Worklist,
    "studies": Studies,
    "measurements": Measurements,
    "reports": Reports,
    "schedule": Schedule,
    "inbox": Inbox,
    "trace": Trace,
    "administration": Administration,
    "changes": Changes,
}
"""The parts of the archive by attribute name; every door derives from this table."""
