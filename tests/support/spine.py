"""A node's services on a throw-away folder, for tests that need no socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pacs_core.database.opening import open_index
from pacs_core.domain.delivery import Outcome, OutcomeKind
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import Order, PlaceOrder, StepRequest
from pacs_core.domain.patient import RegisterPatient
from pacs_core.domain.records import DeliveryRecord, DestinationRecord
from pacs_core.domain.study import InstanceHeader, Origin
from pacs_core.ports import Transaction
from pacs_core.services.bundle import Services
from pacs_core.services.storing import Kept, ReceivedObject
from pacs_core.storage.folder import FolderStore, sync_directory

CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


class TestClock:
    """A clock that a test moves."""

    __test__ = False

    def __init__(self, zone: str = "UTC", at: datetime | None = None) -> None:
        self.at = at or datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
        self._zone = ZoneInfo(zone)

    def now(self) -> datetime:
        return self.at

    def civil_now(self) -> datetime:
        return self.at.astimezone(self._zone)

    @property
    def zone_name(self) -> str:
        return self._zone.key

    def stand(self, at: datetime, zone: str) -> None:
        """Be that instant at a site of that zone."""
        self.at, self._zone = at, ZoneInfo(zone)

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class ScriptedTransmitter:
    """A destination that answers as it is told, and remembers what it was sent."""

    def __init__(self) -> None:
        self.answers: list[Outcome] = []
        self.sent: list[tuple[str, bytes, str]] = []

    def render(self, tx: Transaction, delivery: DeliveryRecord, destination: DestinationRecord) -> bytes:
        return f"{destination.name}|{delivery.control_id}|{delivery.version_id}".encode()

    def send(self, destination: DestinationRecord, payload: bytes, control_id: str) -> Outcome:
        self.sent.append((destination.name, payload, control_id))
        return self.answers.pop(0) if self.answers else Outcome(OutcomeKind.ACKNOWLEDGED, "AA", "got it")


class Spine:
    """Services with the shortcuts that tests use."""

    def __init__(self, folder: Path, clock: TestClock) -> None:
        self.clock = clock
        self.transmitter = ScriptedTransmitter()
        self.index = open_index(folder / "index.sqlite", clock, sync_directory)
        self.store = FolderStore(folder / "store", reserve_bytes=0)
        self.services = Services(self.index, self.store, clock, self.transmitter)

    def patient(
        self, value: str = "P1", name: str = "DOE^JANE", birth: str = "1970-01-02", sex: str = "F"
    ) -> int:
        command = RegisterPatient(PatientIdentifier(value), name=name, birth_date=birth, sex=sex)
        return self.services.patients.register(command, "RIS").id

    def order(
        self, accession: str = "A1", patient: str = "P1", modality: str = "CT", **more: object
    ) -> Order:
        command = PlaceOrder(
            patient=RegisterPatient(PatientIdentifier(patient)),
            accession=accession,
            placer_number=f"PL-{accession}" if accession else "",
            procedure_description="CT chest",
            steps=(StepRequest(modality=modality, start_date="2026-03-02", start_time="11:00:00"),),
            source="RIS",
        )
        return self.services.orders.place(replace(command, **more), "RIS")  # type: ignore[arg-type]  # test shortcut

    def image(
        self,
        study: str = "1.2.3",
        number: int = 1,
        content: bytes = b"",
        association: str = "",
        door: str = "dimse",
        **header: object,
    ) -> Kept:
        uid = str(header.pop("sop_instance_uid", f"{study}.1.{number}"))
        base = InstanceHeader(
            sop_class_uid=CT_STORAGE,
            sop_instance_uid=uid,
            study_instance_uid=study,
            series_instance_uid=f"{study}.1",
            transfer_syntax_uid=EXPLICIT,
            patient_id="P1",
            patient_name="DOE^JANE",
            patient_birth_date="1970-01-02",
            patient_sex="F",
            accession_number="A1",
            modality="CT",
            study_date="2026-03-02",
            instance_number=number,
            rows=4,
            columns=4,
        )
        full = replace(base, **header)  # type: ignore[arg-type]  # test shortcut
        body = content or f"bytes of {uid}".encode()
        writer = self.services.storing.begin()
        writer.write(body)
        received = ReceivedObject(full, body.hex(), len(body), 0)
        origin = Origin(door, "CT1", "READINGROOM", "127.0.0.1", association)
        return self.services.storing.keep(writer, received, origin)

    def study(self, uid: str = "1.2.3"):  # type: ignore[no-untyped-def]  # whatever the index keeps
        with self.index.read() as tx:
            return tx.studies.get(uid)


@contextmanager
def spine(folder: Path, zone: str = "UTC", at: datetime | None = None) -> Iterator[Spine]:
    """Services on a folder, closed at the end."""
    made = Spine(folder, TestClock(zone, at))
    try:
        yield made
    finally:
        made.index.close()
