"""Walk (iii) c: a signed report over real sockets to a receiver that misbehaves; one result in effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pacs_core.domain.access import Actor, Role
from pacs_core.domain.delivery import DeliveryState
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.patient import MergePatients, RegisterPatient
from pacs_core.domain.records import DestinationRecord
from pacs_core.domain.report import Section
from pacs_core.hl7.message import Message
from pacs_core.hl7.sender import MLLPTransmitter
from pacs_core.services.bundle import Services
from pacs_core.services.reporting import Signing
from tests.support import mllp_receiver as ris
from tests.support.mllp_receiver import MLLPReceiver
from tests.support.spine import Spine, spine

EVA = Actor("eva", Role.READER, "Eva Reader")
TYPED = "12 mm | was 9 mm ^ left & right ~ C:\\x\\\nsecond line"


class Node:
    """Services with the real sender, one signed-in reader, one order with one image."""

    def __init__(self, house: Spine) -> None:
        self.house = house
        self.transmitter = MLLPTransmitter(house.clock, connect_s=5, answer_s=0.4)
        self.services = Services(house.index, house.store, house.clock, self.transmitter)
        self.services.access.add_account("eva", "reader", "correct horse", "Eva Reader")
        house.patient()
        house.order()
        house.image()

    def sends_to(self, receiver: MLLPReceiver, **more: object) -> None:
        values = {"refused_tries": 3, "hold_seconds": 0, "addendum_status": "C", **more}
        self.services.configuring.save_destination(
            DestinationRecord("RIS", "127.0.0.1", receiver.port, **values), "test"
        )

    def sign(self, kind: str = "final", text: str = TYPED, reason: str = "") -> None:
        sections = (Section("Findings", text, ""),)
        self.services.reporting.sign(Signing("1.2.3", "correct horse", sections, kind, reason), EVA)

    def attempt(self) -> list[str]:
        """One try of everything that is due; the clock then moves past the next delay."""
        states = [self.services.delivering.attempt(one.id).state for one in self.services.delivering.due()]
        self.house.clock.forward(601)
        return states


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with spine(tmp_path, "Europe/Berlin") as house:
        made = Node(house)
        yield made
        made.transmitter.close()


def observed(raw: bytes) -> list[str | None]:
    return [one.text(5, 0) for one in Message.parse(raw).all("OBX")]


def test_the_report_arrives_as_it_was_typed(node: Node) -> None:
    with MLLPReceiver(ris.answer("AA", "filed under 7")) as receiver:
        node.sends_to(receiver)
        node.sign()
        assert node.attempt() == [DeliveryState.DELIVERED]
        (raw,) = receiver.received
        assert observed(raw)[:2] == ["1.2.3", TYPED]
        assert Message.parse(raw).text("OBR-18") == "A1"
        assert Message.parse(raw).text("PID-3.1") == "P1"
        with node.house.index.read() as tx:
            assert tx.deliveries.get(1).answer == "filed under 7"
            assert tx.deliveries.get(1).payload == raw


@pytest.mark.parametrize(
    "first",
    [ris.silence, ris.reset, ris.hang_up, ris.about_another],
    ids=lambda behaviour: behaviour.__name__,
)
def test_silence_brings_the_same_bytes_again(node: Node, first: Callable[[ris.Wire], None]) -> None:
    with MLLPReceiver(first, first, first, first, ris.answer()) as receiver:
        node.sends_to(receiver)
        node.sign()
        assert [node.attempt() for _ in range(4)] == [[DeliveryState.SILENT]] * 4
        assert node.attempt() == [DeliveryState.DELIVERED]
        assert node.attempt() == []
        assert len(receiver.received) == 5
        assert len(set(receiver.received)) == 1
        assert len(receiver.in_effect) == 1


def test_the_bytes_stay_the_same_although_the_patient_was_renamed_meanwhile(node: Node) -> None:
    with MLLPReceiver(ris.silence, ris.answer()) as receiver:
        node.sends_to(receiver)
        node.sign()
        node.attempt()
        node.services.patients.register(RegisterPatient(PatientIdentifier("P1"), name="ROE^JANE"), "RIS")
        node.attempt()
        assert len(set(receiver.received)) == 1


def test_the_next_result_carries_the_new_identity(node: Node) -> None:
    with MLLPReceiver() as receiver:
        node.sends_to(receiver)
        survivor = RegisterPatient(PatientIdentifier("P9"), name="ROE^JANE")
        node.services.patients.merge(MergePatients(survivor, PatientIdentifier("P1")), "RIS")
        node.sign()
        node.attempt()
        pid = Message.parse(receiver.received[0]).first("PID")
        assert pid is not None
        assert (pid.text(3), pid.text(5)) == ("P9", "ROE")
        assert "P1" in [one.text(1) for one in pid.repetitions(3)]


def test_three_refusals_then_a_person(node: Node) -> None:
    with MLLPReceiver(ris.answer("AE", "no such order")) as receiver:
        node.sends_to(receiver)
        node.sign()
        states = [node.attempt() for _ in range(4)]
        assert states == [["refused"], ["refused"], ["needs a person"], []]
        assert len(set(receiver.received)) == 1
        (dead,) = node.services.delivering.open()
        assert (dead.answer_code, dead.answer) == ("AE", "no such order")


def test_an_addendum_waits_for_the_final_and_comes_with_the_whole_text(node: Node) -> None:
    with MLLPReceiver(ris.silence, ris.answer()) as receiver:
        node.sends_to(receiver, addendum_status="F")
        node.sign()
        node.sign("addendum", "a second look")
        assert [node.attempt() for _ in range(3)] == [["silent"], ["delivered"], ["delivered"]]
        first, again, addendum = receiver.received
        assert first == again
        assert Message.parse(first).text("OBR-25") == "F"
        assert Message.parse(addendum).text("OBR-25") == "F"
        assert observed(addendum)[1:3] == [TYPED, "a second look"]
        assert Message.parse(addendum).text("OBR-2") == "PL-A1"


def test_a_doubled_and_a_missing_acknowledgement_leave_one_result_each(node: Node) -> None:
    with MLLPReceiver(ris.doubled, ris.reset, ris.answer()) as receiver:
        node.sends_to(receiver)
        node.sign()
        node.sign("correction", "wrong side", reason="left and right swapped")
        for _ in range(3):
            node.attempt()
        texts = [observed(raw)[1] for raw in receiver.in_effect.values()]
        assert texts == [TYPED, "wrong side"]
        assert len(receiver.received) == 3
        assert [Message.parse(raw).text("OBR-25") for raw in receiver.in_effect.values()] == ["F", "C"]
