"""The exam with a fault at call 1, 2, 3 … of store, index, sender and clock, until it does not fire.

After each the node starts again on the same folder, and the invariants hold (architecture, Habits 4.3.6).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pacs_core.archive.importing import import_bytes
from pacs_core.database.opening import open_index
from pacs_core.domain.access import Actor, Role
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.order import PlaceOrder, StepRequest
from pacs_core.domain.patient import RegisterPatient
from pacs_core.domain.records import DestinationRecord
from pacs_core.domain.report import Section
from pacs_core.domain.study import Origin
from pacs_core.runtime.sweep import sweep
from pacs_core.services.bundle import Services
from pacs_core.services.reporting import Signing
from pacs_core.storage.folder import FolderStore, sync_directory
from tests.support.dicom_bytes import dicom_file
from tests.support.faults import (
    Faults,
    FaultyClock,
    FaultyStore,
    FaultyTransmitter,
    faulty_index,
    faulty_syncs,
)
from tests.support.quick_engines import shared_compilation
from tests.support.spine import ScriptedTransmitter, TestClock, spine
from tests.support.web_node import quick_passwords

EVA = Actor("eva", Role.READER, "Eva")
STUDY = "1.2.3"
RIS = DestinationRecord("RIS", "127.0.0.1", 1, 3, 0, "C")
PERSON = RegisterPatient(PatientIdentifier("P1"), name="DOE^JANE", birth_date="1970-01-02", sex="F")
FILES = [dicom_file(STUDY, 1), dicom_file(STUDY, 2)]
FIRST_FILE_ON_ITS_WAY = Origin("dimse", "CT1", "READINGROOM", "127.0.0.1", "a1")


@dataclass
class Exam:
    """One exam as its senders play it: each repeats once what was not acknowledged, as real ones do."""

    services: Services
    clock: TestClock
    acknowledged: list[str] = field(default_factory=list)

    def play(self) -> None:
        for name, step in self.steps().items():
            for _ in range(2):
                try:
                    step()
                except Exception:  # noqa: BLE001  # whatever it was: this is the sender's side
                    continue
                self.acknowledged.append(name)
                break
        self.services.storing._senders.clear()

    def steps(self) -> dict[str, Callable[[], object]]:
        s = self.services
        stroke = Measurement("1.2.9", "length", STUDY, "1.2.3.1", "1.2.3.1.1", 1, ((0, 0, 0), (1, 1, 1)))
        signing = Signing(STUDY, "correct horse", (Section("Findings", "normal"),), "final")
        return {
            "patient": lambda: s.patients.register(
                RegisterPatient(PatientIdentifier("P1"), name="DOE^JANE", birth_date="1970-01-02", sex="F"),
                "RIS",
            ),
            "order": lambda: s.orders.place(_order(), "RIS"),
            "image 1": lambda: self.store(FILES[0]),
            "image 2": lambda: self.store(FILES[1]),
            "stroke": lambda: s.measuring.save(stroke, "eva"),
            "draft": lambda: s.reporting.save_draft(STUDY, "ct", "norm", None, EVA),
            "signature": lambda: s.reporting.sign(signing, EVA),
            "delivery": self.deliver,
        }

    def store(self, content: bytes) -> None:
        line = import_bytes(self.services.storing, content, FIRST_FILE_ON_ITS_WAY, "image")
        assert line.outcome in ("stored", "already there")

    def deliver(self) -> None:
        while due := self.services.delivering.due():
            for one in due:
                self.services.delivering.attempt(one.id)
            self.clock.forward(601)
        ((_, versions, deliveries),) = self.services.reporting.of_study(STUDY)
        assert versions
        assert [d.state for d in deliveries] == ["delivered"]


def _order() -> PlaceOrder:
    step = StepRequest(modality="CT", start_date="2026-03-02", start_time="11:00:00")
    patient = RegisterPatient(PatientIdentifier("P1"))
    return PlaceOrder(patient, placer_number="PL1", accession="A1", procedure_description="CT", steps=(step,))


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an account and a destination, to be copied for each run."""
    folder = tmp_path_factory.mktemp("furnished")
    with quick_passwords(), shared_compilation():
        with spine(folder) as house:
            house.services.configuring.save_destination(
                DestinationRecord("RIS", "127.0.0.1", 1, 3, 0, "C"), "t"
            )
            house.services.access.add_account("eva", "reader", "correct horse", "Eva")
        yield folder / "index.sqlite"


@dataclass
class Run:
    """A folder, the exam played on it under a fault, and what the destination heard."""

    folder: Path
    faults: Faults
    clock: FaultyClock
    exam: Exam
    transmitter: FaultyTransmitter


def play(folder: Path, furnished: Path, faults: Faults) -> Run:
    """Play the exam with the fault, then let the process end as it can."""
    folder.mkdir()
    (folder / "index.sqlite").write_bytes(furnished.read_bytes())
    clock = FaultyClock()
    clock.forward(10)
    index = open_index(folder / "index.sqlite", clock, sync_directory)
    transmitter = FaultyTransmitter(faults)
    with ExitStack() as closing:
        closing.callback(index.close)
        exam = Exam(Services(index, FaultyStore(folder / "store", faults), clock, transmitter), clock)
        closing.enter_context(faulty_syncs(faults))
        faulty_index(index, faults)
        clock.faults = faults
        exam.play()
    return Run(folder, faults, clock, exam, transmitter)


class After:
    """The node started again on what the run left."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.clock = TestClock(at=run.clock.at)
        self.index = open_index(run.folder / "index.sqlite", self.clock, sync_directory)
        self.store = FolderStore(run.folder / "store", reserve_bytes=0)
        self.transmitter = ScriptedTransmitter()
        self.services = Services(self.index, self.store, self.clock, self.transmitter)
        self.swept = sweep(self.services, self.store, run.folder / "quarantine")

    def check(self) -> None:
        """All invariants, then the exam played to its end."""
        try:
            self.rows_and_blobs()
            self.acknowledged_is_there()
            self.signed_has_its_deliveries()
            self.journal_is_gapless()
            self.delivered_is_not_due()
            self.goes_on()
        finally:
            self.index.close()

    def rows_and_blobs(self) -> None:
        assert self.swept["rows without file"] == 0
        assert self.swept["set aside"] == 0
        assert not list(self.store.unfinished())
        with self.index.read() as tx:
            keys = set(tx.studies.blob_keys())
            studies = [s for s in (tx.studies.find(STUDY),) if s is not None]
            for study in studies:
                instances = tx.studies.instances_of(study.id)
                assert study.instance_count == len(instances)
                assert study.series_count == len(tx.studies.series_of(study.id))
                assert sum(s.instance_count for s in tx.studies.series_of(study.id)) == len(instances)
                for instance in instances:
                    content = self.store.read(instance.blob_key, instance.dataset_offset)
                    assert hashlib.sha256(content).hexdigest() == instance.digest
        assert keys == set(self.store.keys())

    def acknowledged_is_there(self) -> None:
        told = set(self.run.exam.acknowledged)
        with self.index.read() as tx:
            patient = tx.patients.find(PatientIdentifier("P1"))
            there = {
                "patient": patient is not None and patient.demographics.name == "DOE^JANE",
                "order": bool(tx.orders.by_accession("A1")),
                "image 1": tx.studies.find_instance("1.2.3.1.1") is not None,
                "image 2": tx.studies.find_instance("1.2.3.1.2") is not None,
                "stroke": tx.measurements.find("1.2.9") is not None,
                "draft": bool(tx.reports.of_study(STUDY)),
                "signature": any(tx.reports.versions(r.id) for r in tx.reports.of_study(STUDY)),
                "delivery": any(tx.deliveries.of_report(r.id) for r in tx.reports.of_study(STUDY)),
            }
            assert {name for name in told if not there[name]} == set()
            assert len(tx.orders.by_accession("A1")) <= 1
            if there["draft"] and not there["signature"]:
                assert [d.content for d in tx.reports.drafts(STUDY)] == ["norm"]

    def signed_has_its_deliveries(self) -> None:
        with self.index.read() as tx:
            for report in tx.reports.of_study(STUDY):
                versions = [v.id for v in tx.reports.versions(report.id)]
                assert report.state == ("final" if versions else "draft")
                if report.order_id is not None:
                    assert [d.version_id for d in tx.deliveries.of_report(report.id)] == versions

    def journal_is_gapless(self) -> None:
        with self.index.read() as tx:
            numbers = [change.sequence for change in tx.journal.since(0, 10_000)]
        assert numbers == list(range(1, len(numbers) + 1))

    def delivered_is_not_due(self) -> None:
        self.clock.forward(3600)
        due = {d.id for d in self.services.delivering.due()}
        heard = {control for _, _, control in self.run.transmitter.sent}
        with self.index.read() as tx:
            for report in tx.reports.of_study(STUDY):
                for delivery in tx.deliveries.of_report(report.id):
                    assert (delivery.id in due) == (delivery.state != "delivered")
                    assert delivery.state != "delivered" or delivery.control_id in heard
        assert len(set(self.run.transmitter.sent)) <= 1

    def goes_on(self) -> None:
        """The senders repeat what they were not told: in the end the exam is whole, and told once."""
        again = Exam(self.services, self.clock)
        for name, step in again.steps().items():
            if name not in self.run.exam.acknowledged or name == "delivery":
                if name == "signature" and self.signed():
                    continue
                step()
        with self.index.read() as tx:
            study = tx.studies.get(STUDY)
            (report,) = tx.reports.of_study(STUDY)
            assert (study.instance_count, report.state) == (2, "final")
            assert study.order_id is not None
            assert [d.state for d in tx.deliveries.of_report(report.id)] == ["delivered"]
        sent = set(self.run.transmitter.sent) | set(self.transmitter.sent)
        assert len(sent) == 1

    def signed(self) -> bool:
        with self.index.read() as tx:
            return any(tx.reports.versions(r.id) for r in tx.reports.of_study(STUDY))


KINDS = ("blob", "sync", "read", "before commit", "after commit", "before sending", "after sending", "clock")


def every_call(tmp_path: Path, furnished: Path, kind: str, lasting: bool, stride: int) -> int:
    """Play with the fault at each call until it does not fire; how often it did."""
    for fired, at in enumerate(range(1, 10_000, stride)):
        run = play(tmp_path / f"{at}", furnished, Faults(kind, at, lasting))
        After(run).check()
        if not run.faults.fired:
            return fired
    raise AssertionError("the fault never stops")


@pytest.fixture(autouse=True)
def _errors_are_expected(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", "reading_room")


@pytest.mark.parametrize("kind", KINDS)
def test_the_invariants_hold_after_a_fault_at_a_call(tmp_path: Path, furnished: Path, kind: str) -> None:
    """Each call once; the clock, read at every turn, at every fifth."""
    assert every_call(tmp_path, furnished, kind, lasting=False, stride=5 if kind == "clock" else 1) > 0


@pytest.mark.parametrize("kind", [k for k in KINDS if "sending" not in k])
def test_the_invariants_hold_where_nothing_works_from_a_call_on(
    tmp_path: Path, furnished: Path, kind: str
) -> None:
    assert every_call(tmp_path, furnished, kind, lasting=True, stride=9 if kind == "clock" else 4) > 0


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from there on"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_invariants_hold_after_a_fault_at_every_single_call(
    tmp_path: Path, furnished: Path, kind: str, lasting: bool
) -> None:
    assert every_call(tmp_path, furnished, kind, lasting, 1) > 0


def test_without_a_fault_everything_is_acknowledged(tmp_path: Path, furnished: Path) -> None:
    run = play(tmp_path / "whole", furnished, Faults("none", 1))
    assert run.exam.acknowledged == list(run.exam.steps())
    After(run).check()
