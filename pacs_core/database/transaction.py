"""One transaction on one connection: the repositories, and the facts that wait for their numbers."""

from __future__ import annotations

from sqlalchemy import Connection

from pacs_core.database.repositories.accounts import AccountRows, AuditRows
from pacs_core.database.repositories.commitments import CommitmentRows
from pacs_core.database.repositories.configuration import ConfigurationRows
from pacs_core.database.repositories.deliveries import DeliveryRows
from pacs_core.database.repositories.holds import HoldRows
from pacs_core.database.repositories.journal import COALESCED, JournalRows
from pacs_core.database.repositories.messages import MessageRows
from pacs_core.database.repositories.orders import OrderRows
from pacs_core.database.repositories.patients import PatientRows
from pacs_core.database.repositories.performed import PerformedRows
from pacs_core.database.repositories.rehearsals import RehearsalRows
from pacs_core.database.repositories.reports import MeasurementRows, ReportRows
from pacs_core.database.repositories.studies import StudyRows
from pacs_core.domain.events import Event
from pacs_core.ports import (
    Accounts,
    Audit,
    Clock,
    Commitments,
    Configuration,
    Deliveries,
    Holds,
    Journal,
    Measurements,
    Messages,
    Orders,
    Patients,
    Performed,
    Rehearsals,
    Reports,
    Studies,
)


class IndexTransaction:
    """Implements `ports.Transaction` over one SQLAlchemy connection."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._clock = clock
        self._events: list[Event] = []
        self._journal = JournalRows(connection)
        self.patients: Patients = PatientRows(connection)
        self.orders: Orders = OrderRows(connection)
        self.commitments: Commitments = CommitmentRows(connection)
        self.performed: Performed = PerformedRows(connection)
        self.studies: Studies = StudyRows(connection)
        self.holds: Holds = HoldRows(connection)
        self.reports: Reports = ReportRows(connection)
        self.measurements: Measurements = MeasurementRows(connection)
        self.deliveries: Deliveries = DeliveryRows(connection)
        self.messages: Messages = MessageRows(connection)
        self.configuration: Configuration = ConfigurationRows(connection)
        self.accounts: Accounts = AccountRows(connection)
        self.audit: Audit = AuditRows(connection, clock)
        self.rehearsals: Rehearsals = RehearsalRows(connection)
        self.journal: Journal = self._journal

    def record(self, event: Event) -> None:
        """Note a fact; it gets its number in the same commit."""
        self._events.append(event)

    def mark(self) -> int:
        """How many facts are noted; `forget_after` drops the later ones."""
        return len(self._events)

    def forget_after(self, mark: int) -> None:
        """Drop the facts noted since `mark` (their savepoint was undone)."""
        del self._events[mark:]

    def write_journal(self) -> int:
        """Number and write the noted facts; returns the newest number, 0 where there were none."""
        return self._journal.append(self._events, self._clock.now()) if self._events else 0

    @property
    def only_arrivals(self) -> bool:
        """Whether no fact is noted but that images came in."""
        return all(event.kind in COALESCED for event in self._events)
