"""The sender against a receiver that refuses, delays, resets and doubles its acknowledgements."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pacs_core.domain.delivery import Outcome, OutcomeKind
from pacs_core.domain.records import DestinationRecord
from pacs_core.hl7.sender import MLLPTransmitter
from tests.support import mllp_receiver as ris
from tests.support.mllp_receiver import MLLPReceiver
from tests.support.spine import TestClock


def payload(control: str) -> bytes:
    return f"MSH|^~\\&|READINGROOM||RIS||2026||ORU^R01^ORU_R01|{control}|P|2.5.1\rPID|1||P1\r".encode()


@pytest.fixture
def transmitter() -> Iterator[MLLPTransmitter]:
    made = MLLPTransmitter(TestClock(), connect_s=5, answer_s=0.5)
    yield made
    made.close()


def to(receiver: MLLPReceiver) -> DestinationRecord:
    return DestinationRecord("RIS", "127.0.0.1", receiver.port, 3, 0, "C")


def send(transmitter: MLLPTransmitter, receiver: MLLPReceiver, control: str = "M1") -> Outcome:
    return transmitter.send(to(receiver), payload(control), control)


def test_an_acknowledgement_is_read_and_the_connection_kept(transmitter: MLLPTransmitter) -> None:
    with MLLPReceiver(ris.answer("AA", "filed"), ris.answer("CA")) as receiver:
        assert send(transmitter, receiver, "M1") == Outcome(OutcomeKind.ACKNOWLEDGED, "AA", "filed")
        assert send(transmitter, receiver, "M2") == Outcome(OutcomeKind.ACKNOWLEDGED, "CA", "")
        assert receiver.received == [payload("M1"), payload("M2")]
        assert receiver.connections == 1


@pytest.mark.parametrize("code", ["AE", "AR", "CE", "CR"])
def test_a_refusal_comes_with_its_words(transmitter: MLLPTransmitter, code: str) -> None:
    extra = "ERR||OBR^1^18|204^Unknown key identifier^HL70357|E||||no such accession\r"
    with MLLPReceiver(ris.answer(code, "refused", extra)) as receiver:
        outcome = send(transmitter, receiver)
        assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, code)
        assert outcome.text == "refused; OBR 1 18 204 no such accession"


def cut_off(wire: ris.Wire) -> None:
    ris.without_final_cr(wire)
    ris.hang_up(wire)


@pytest.mark.parametrize(
    "behaviour", [cut_off, ris.byte_by_byte, ris.without_final_cr, ris.another_then_ours]
)
def test_odd_but_readable_answers(transmitter: MLLPTransmitter, behaviour: ris.Behaviour) -> None:
    patient = MLLPTransmitter(TestClock(), answer_s=10)
    with MLLPReceiver(behaviour) as receiver:
        assert send(patient, receiver).kind is OutcomeKind.ACKNOWLEDGED
    patient.close()


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (ris.silence, "no answer within 0.5 s"),
        (ris.reset, "reset"),
        (ris.hang_up, "closed before the answer"),
        (ris.about_another, "for other messages"),
        (lambda wire: wire.say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "no answer"),
        (lambda wire: wire.say(b"\x0b\x15\x1c\r"), "NAK"),
        (lambda wire: wire.say(b"\x0bhalf an ans"), "no answer"),
    ],
)
def test_silence_in_all_its_forms(transmitter: MLLPTransmitter, behaviour: ris.Behaviour, words: str) -> None:
    with MLLPReceiver(behaviour, ris.answer()) as receiver:
        outcome = send(transmitter, receiver)
        assert (outcome.kind, outcome.code) == (OutcomeKind.SILENT, "")
        assert words in outcome.text
        assert send(transmitter, receiver).kind is OutcomeKind.ACKNOWLEDGED
        assert receiver.connections == 2


def test_a_commit_acknowledgement_is_not_the_answer(transmitter: MLLPTransmitter) -> None:
    def both(wire: ris.Wire) -> None:
        wire.say(b"\x0b\x06\x1c\r" + ris.framed(ris.ack("AA", wire.control_id, "real")))

    with MLLPReceiver(both) as receiver:
        assert send(transmitter, receiver).text == "real"


def test_nobody_there_is_silence(transmitter: MLLPTransmitter) -> None:
    receiver = MLLPReceiver()
    receiver.close()
    outcome = send(transmitter, receiver)
    assert outcome.kind is OutcomeKind.SILENT
    assert "no connection" in outcome.text


def test_a_second_acknowledgement_is_never_taken_for_the_next_one(transmitter: MLLPTransmitter) -> None:
    with MLLPReceiver(ris.doubled, ris.answer("AE", "ours")) as receiver:
        assert send(transmitter, receiver, "M1").text == "first"
        assert send(transmitter, receiver, "M2") == Outcome(OutcomeKind.REFUSED, "AE", "ours")
        assert receiver.connections == 1


def test_a_late_acknowledgement_is_never_taken_for_the_next_one(transmitter: MLLPTransmitter) -> None:
    now = threading.Event()
    with MLLPReceiver(ris.after(now, ris.answer("AA", "late")), ris.answer("AE", "ours")) as receiver:
        assert send(transmitter, receiver, "M1").kind is OutcomeKind.SILENT
        now.set()
        assert send(transmitter, receiver, "M2") == Outcome(OutcomeKind.REFUSED, "AE", "ours")


def test_a_connection_the_other_side_closed_is_opened_anew(transmitter: MLLPTransmitter) -> None:
    def answer_and_close(wire: ris.Wire) -> None:
        ris.answer()(wire)
        ris.hang_up(wire)

    with MLLPReceiver(answer_and_close) as receiver:
        for control in ("M1", "M2", "M3"):
            assert send(transmitter, receiver, control).kind is OutcomeKind.ACKNOWLEDGED
        assert receiver.connections == 3


def test_a_moved_destination_gets_a_new_connection(transmitter: MLLPTransmitter) -> None:
    with MLLPReceiver() as first, MLLPReceiver() as second:
        assert send(transmitter, first, "M1").kind is OutcomeKind.ACKNOWLEDGED
        moved = replace(to(first), port=second.port)
        assert transmitter.send(moved, payload("M2"), "M2").kind is OutcomeKind.ACKNOWLEDGED
        assert (len(first.received), len(second.received)) == (1, 1)
