"""The worker that brings results: no destination holds up another, no failure ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pacs_core.domain.access import Actor, Role
from pacs_core.domain.delivery import Outcome, OutcomeKind
from pacs_core.domain.errors import StorageFailure
from pacs_core.domain.records import DestinationRecord
from pacs_core.domain.report import Section
from pacs_core.runtime.clock import SystemClock
from pacs_core.runtime.workers import DeliveryWorker
from pacs_core.services.delivering import Delivering
from pacs_core.services.reporting import Signing
from tests.support.spine import ScriptedTransmitter, Spine, spine
from tests.support.web_node import PASSWORD, quick_passwords
from tests.watching import Expectation

PATIENCE = 30.0
EVA = Actor("eva", Role.READER, "Eva")


class Destinations(ScriptedTransmitter):
    """Some take everything at once, some keep the line open and say nothing until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.changed = threading.Condition()
        self.begun: list[str] = []
        self.taken: list[str] = []

    def send(self, destination: DestinationRecord, payload: bytes, control_id: str) -> Outcome:
        with self.changed:
            self.begun.append(destination.name)
            self.changed.notify_all()
        if destination.name.startswith("SILENT"):
            assert self.let_go.wait(PATIENCE)
            return Outcome(OutcomeKind.SILENT, "", "no answer")
        with self.changed:
            self.taken.append(destination.name)
            self.changed.notify_all()
        return Outcome(OutcomeKind.ACKNOWLEDGED, "AA", "")

    def wait_for(self, what: list[str], name: str, many: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: what.count(name) >= many, PATIENCE), what


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Spine]:
    with quick_passwords(), spine(tmp_path) as made:
        made.services.access.add_account("eva", "reader", PASSWORD, "Eva")
        made.transmitter = Destinations()
        made.services.delivering = Delivering(made.index, made.clock, made.transmitter)
        yield made


def to(house: Spine, *names: str) -> None:
    for known in house.services.configuring.destinations():
        if not house.services.delivering.open():
            house.services.configuring.remove_destination(known.name, "t")
    for name in names:
        house.services.configuring.save_destination(DestinationRecord(name, "127.0.0.1", 1, 3, 0, "C"), "t")


def sign(house: Spine, number: int) -> None:
    """A result of an order of its own, on its way to every destination there is now."""
    house.patient(f"P{number}")
    house.order(f"A{number}", f"P{number}")
    house.image(f"1.2.{number}", patient_id=f"P{number}", accession_number=f"A{number}")
    signing = Signing(f"1.2.{number}", PASSWORD, (Section("Findings", "normal"),), "final")
    house.services.reporting.sign(signing, EVA)


@contextmanager
def working(house: Spine) -> Iterator[DeliveryWorker]:
    worker = DeliveryWorker(house.services.delivering, house.index, house.clock)
    worker.start()
    try:
        yield worker
    finally:
        house.transmitter.let_go.set()
        worker.stop()


def test_many_results_for_a_silent_destination_hold_up_no_other(house: Spine) -> None:
    to(house, "SILENT")
    for number in range(1, 13):
        sign(house, number)
    house.clock.forward(1)
    to(house, "SILENT", "EHR")
    with working(house):
        house.transmitter.wait_for(house.transmitter.begun, "SILENT", 1)
        sign(house, 99)
        house.transmitter.wait_for(house.transmitter.taken, "EHR", 1)
        assert house.transmitter.begun.count("SILENT") == 1


def test_what_is_due_when_it_starts_is_taken_up_and_each_sent_once(house: Spine) -> None:
    to(house, "EHR")
    for number in range(1, 6):
        sign(house, number)
    with working(house):
        house.transmitter.wait_for(house.transmitter.taken, "EHR", 5)
        wait_until_none_is_open(house)
    assert house.transmitter.taken == ["EHR"] * 5


def wait_until_none_is_open(house: Spine) -> None:
    until = time.monotonic() + PATIENCE
    while house.services.delivering.open():
        assert time.monotonic() < until
        house.index.wait_for_change(house.index.wait_for_change(0, 0), 0.2)


def test_after_a_silence_it_is_tried_again_when_it_falls_due_although_nothing_else_happens(
    house: Spine,
) -> None:
    """The second silence is no news and makes no journal row: the worker must know by itself."""
    to(house, "SILENT")
    sign(house, 1)
    house.transmitter.let_go.set()
    clock = SystemClock("UTC")
    worker = DeliveryWorker(Delivering(house.index, clock, house.transmitter), house.index, clock)
    worker.start()
    try:
        house.transmitter.wait_for(house.transmitter.begun, "SILENT", 3)
    finally:
        worker.stop()


def test_an_index_that_cannot_be_read_for_a_while_does_not_end_it(
    house: Spine, expect_errors: Expectation, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_errors("the delivery worker goes on after")
    to(house, "EHR")
    failing = threading.Event()
    seen = threading.Event()
    plain = house.services.delivering.due

    def due(*args: object, **more: object) -> object:
        if failing.is_set():
            seen.set()
            raise StorageFailure("the index could not be read") if seen.is_set() else ValueError("anything")
        return plain(*args, **more)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(house.services.delivering, "due", due)
    failing.set()
    with working(house):
        assert seen.wait(PATIENCE)
        failing.clear()
        sign(house, 1)
        house.transmitter.wait_for(house.transmitter.taken, "EHR", 1)


def test_at_the_end_the_attempt_in_flight_is_finished_and_recorded(house: Spine) -> None:
    to(house, "SILENT")
    sign(house, 1)
    with working(house):
        house.transmitter.wait_for(house.transmitter.begun, "SILENT", 1)
    (one,) = house.services.delivering.open()
    assert (one.state, one.attempts) == ("silent", 1)
