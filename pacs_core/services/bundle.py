"""All services of one node, wired once."""

from __future__ import annotations

from pacs_core.ports import BlobStore, Clock, Index, Transmitter
from pacs_core.services.access import Access
from pacs_core.services.auditing import AuditedIndex
from pacs_core.services.configuring import Configuring
from pacs_core.services.delivering import Delivering
from pacs_core.services.inbound import Inbound
from pacs_core.services.measuring import Measuring
from pacs_core.services.modality_worklist import ModalityWorklist
from pacs_core.services.orders import Orders
from pacs_core.services.patients import Patients
from pacs_core.services.performed_procedures import PerformedProcedures
from pacs_core.services.querying import Querying
from pacs_core.services.reading_worklist import ReadingWorklist
from pacs_core.services.reconciling import Reconciling
from pacs_core.services.rehearsing import Rehearsing
from pacs_core.services.reporting import Reporting
from pacs_core.services.retrieving import Retrieving
from pacs_core.services.storage_commitment import StorageCommitment
from pacs_core.services.storing import Storing
from pacs_core.services.tracing import Tracing


class Services:
    """The use-cases over one index, one blob store, one clock and one transmitter."""

    def __init__(self, index: Index, blobs: BlobStore, clock: Clock, transmitter: Transmitter) -> None:
        self.access = Access(index, clock)  # writes lines of its own, and takes nobody else's along
        self.index = index = AuditedIndex(index)
        self.blobs = blobs
        self.clock = clock
        self.reconciling = Reconciling(index, clock)
        self.patients = Patients(index, clock, self.reconciling)
        self.performed_procedures = PerformedProcedures(index, clock)
        self.orders = Orders(index, clock, self.patients, self.reconciling, self.performed_procedures)
        self.inbound = Inbound(index, clock, self.patients, self.orders)
        self.modality_worklist = ModalityWorklist(index, clock)
        self.storing = Storing(index, blobs, clock, self.reconciling)
        self.storage_commitment = StorageCommitment(index, blobs, clock)
        self.querying = Querying(index)
        self.retrieving = Retrieving(index, blobs)
        self.reading_worklist = ReadingWorklist(index, clock, self.storing)
        self.measuring = Measuring(index, clock)
        self.reporting = Reporting(index, clock, self.access)
        self.reconciling.when_matched = self.reporting.release_waiting
        self.delivering = Delivering(index, clock, transmitter)
        self.configuring = Configuring(index, clock)
        self.rehearsing = Rehearsing(index, blobs, clock, self.access, self.configuring)
        self.tracing = Tracing(index)
