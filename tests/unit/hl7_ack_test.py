"""Acknowledgements in every mode and version, and domain errors in HL7's words."""

from __future__ import annotations

import pytest

from pacs_core.domain import errors
from pacs_core.hl7 import ack
from pacs_core.hl7.message import Header, Message
from pacs_core.hl7.status import AckCode, Condition, MessageRefused, Problem, problem_of

PROBLEM = Problem(AckCode.AE, Condition.REQUIRED_FIELD_MISSING, "no patient | identifier", "PID^1^3")


def header(version: str = "2.5.1", accept: str = "", application: str = "", control: str = "C1") -> Header:
    first = f"MSH|^~\\&|RIS|SITE|RR|HERE|20260101||ORM^O01^ORM_O01|{control}|T|{version}"
    return Header.read(f"{first}|||{accept}|{application}\r".encode())


def codes(answers: tuple[bytes, ...]) -> list[str | None]:
    return [Message.parse(answer).text("MSA-1") for answer in answers]


def test_an_acknowledgement_goes_back_the_way_it_came() -> None:
    message = Message.parse(ack.build(header(), "AA", ""))
    sent = [
        message.text(place) for place in ("MSH-3", "MSH-4", "MSH-5", "MSH-6", "MSH-11", "MSH-12", "MSA-2")
    ]
    assert sent == ["RR", "HERE", "RIS", "SITE", "T", "2.5.1", "C1"]
    assert message.kind == ("ACK", "O01")
    assert message.text("MSH-10")
    assert message.first("ERR") is None


def test_err_of_2_5_and_later() -> None:
    err = Message.parse(ack.build(header("2.6"), "AE", "no", PROBLEM)).first("ERR")
    assert err is not None
    assert err.raw(1) == ""
    assert err.raw(2) == "PID^1^3"
    assert err.raw(3) == "101^Required field missing^HL70357"
    assert err.raw(4) == "E"
    assert err.text(8) == "no patient | identifier"


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4"])
def test_err_before_2_5(version: str) -> None:
    message = Message.parse(ack.build(header(version), "AE", "no", PROBLEM))
    err = message.first("ERR")
    assert err is not None
    assert err.raw(1) == "PID^1^3^101&Required field missing&HL70357"
    assert message.text("MSA-6") == "101"
    assert message.text("MSA-3") == "no"


@pytest.mark.parametrize(
    ("accept", "application", "good", "bad"),
    [
        ("", "", ["AA"], ["AE"]),
        ("AL", "NE", ["CA"], ["CE"]),
        ("AL", "", ["CA"], ["CE"]),
        ("NE", "AL", ["AA"], ["AE"]),
        ("AL", "AL", ["CA", "AA"], ["CE", "AE"]),
        ("NE", "NE", [], []),
        ("ER", "NE", [], ["CE"]),
        ("SU", "NE", ["CA"], []),
        ("NE", "ER", [], ["AE"]),
    ],
)
def test_original_and_enhanced_mode(accept: str, application: str, good: list[str], bad: list[str]) -> None:
    asked = header(accept=accept, application=application)
    assert codes(ack.answers(asked, "")) == good
    assert codes(ack.answers(asked, "", PROBLEM)) == bad
    assert codes(ack.answers(asked, "", None, always=True)) == ["AA"]


def test_a_refusal_can_be_written_for_any_bytes() -> None:
    for head in (
        b"",
        b"garbage",
        b"MSH",
        b"MSH|",
        b"MSH|||||",
        b"MSH|^~\\&|A\x0bB|C\x1cD|||||ADT^A01|ID\x0b7|P|9.9",
    ):
        answer = Message.parse(ack.refusal(head, "frame without end"))
        assert answer.text("MSA-1") == "AR"
        assert answer.text("MSA-3") == "frame without end"
        assert answer.text("MSH-12") == "2.5.1"
    assert Message.parse(ack.refusal(b"MSH|^~\\&|A|||||||ID\x0b7|P", "x")).text("MSA-2") == "ID7"


def test_the_control_id_comes_back_in_the_senders_bytes_and_delimiters() -> None:
    raw = "MSH#*!?@#APP#FAC#RR##2026##ADT*A08#ID-é#P#2.5####8859/1\r".encode("latin-1")
    answer = ack.build(Header.read(raw), "AA", "a # b")
    assert answer.startswith(b"MSH#*!?@#RR#")
    assert b"\rMSA#AA#ID-\xe9#a ?F? b\r" in answer


@pytest.mark.parametrize(
    ("failure", "code", "condition", "location"),
    [
        (errors.MissingValue("x", "PID-3"), AckCode.AE, 101, "PID^1^3"),
        (errors.InvalidValue("x", "OBR^2^18"), AckCode.AE, 102, "OBR^2^18"),
        (errors.InvalidValue("x", "accession number"), AckCode.AE, 102, ""),
        (errors.NotFound("x", "ORC-2"), AckCode.AE, 204, "ORC^1^2"),
        (errors.Conflict("x"), AckCode.AE, 205, ""),
        (errors.Denied("x"), AckCode.AR, 207, ""),
        (errors.Refused("x"), AckCode.AR, 207, ""),
        (errors.Busy("x"), AckCode.AR, 206, ""),
        (errors.OutOfSpace("x"), AckCode.AR, 207, ""),
        (errors.StorageFailure("x"), AckCode.AR, 207, ""),
        (errors.ReadingRoomError("x"), AckCode.AE, 207, ""),
        (MessageRefused(AckCode.AR, Condition.UNSUPPORTED_EVENT, "x", "MSH^1^9"), AckCode.AR, 201, "MSH^1^9"),
    ],
)
def test_every_failure_has_its_answer(
    failure: errors.ReadingRoomError, code: AckCode, condition: int, location: str
) -> None:
    problem = problem_of(failure)
    assert (problem.code, int(problem.condition), problem.location) == (code, condition, location)
    assert problem.text.startswith("x")
    assert failure.where in problem.text or location


def test_every_domain_error_is_in_the_table() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.ReadingRoomError)
    ]
    for kind in kinds:
        failure = kind("words", 1.0) if kind is errors.LockedOut else kind("words")
        assert problem_of(failure).text == "words"
