"""ORU^R01: what a signed version says, by the state table, and that typed delimiters survive."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hl7apy.parser import parse_message

from pacs_core.domain.delivery import OutcomeKind
from pacs_core.domain.identifiers import AccessionNumber, PatientIdentifier
from pacs_core.domain.order import Code, Order, OrderState, Priority, ScheduledProcedureStep
from pacs_core.domain.patient import Demographics, Patient
from pacs_core.domain.records import VersionRecord
from pacs_core.domain.report import Section, VersionKind
from pacs_core.hl7.message import Message
from pacs_core.hl7.oru import TAKEN_BACK, ReportedStudy, Result, render
from pacs_core.hl7.sender import read_acknowledgement, whole_text
from pacs_core.services.reporting import canonical

SIGNED = datetime(2026, 11, 22, 9, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
PATIENT = Patient(
    1,
    PatientIdentifier("P|1", "ISS"),
    Demographics(name="Yamada^Tarou^^Dr^Jr=山田^太郎", birth_date="1970-01-02", sex="M"),
    (PatientIdentifier("X2", "B&C"),),
)
ORDER = Order(
    id=1,
    patient_id=1,
    placer_number="PL1",
    filler_number="FI1",
    accession=AccessionNumber("ACC1"),
    accession_is_ours=False,
    state=OrderState.COMPLETED,
    priority=Priority.STAT,
    procedure_id="RP1",
    study_uid="1.2.3",
    procedure_description="CT chest",
    procedure_code=Code("71260", "C4", "CT chest"),
    referring_physician="Ref^Doc^^Dr",
    requesting_physician="Req^Ann",
    admission_id="ADM5",
    steps=(ScheduledProcedureStep(1, "S1", "CT", "2026-11-22", "08:00:00"),),
)
TYPED = (
    "pipe | caret ^ tilde ~ backslash \\ ampersand & C:\\x\\.br\\\nsecond line\r\nthird “ü” 漢 \x0b\x1c end"
)
SECTIONS = (Section("Findings", TYPED, ""), Section("Impression", "12 mm", "19005-8"), Section("Empty", " "))


def result(kind: VersionKind = VersionKind.FINAL, order: Order | None = ORDER, **changes: object) -> Result:
    values: dict[str, object] = {
        "control_id": "RR1",
        "destination": "RIS",
        "rendered_at": SIGNED,
        "patient": PATIENT,
        "order": order,
        "study": ReportedStudy("1.2.3", "ACC1", "Thorax", "CT", "2026-11-22", "08:15:00"),
        "kind": kind,
        "sections": SECTIONS,
        "signer": "drx",
        "signer_name": "Dr X & Co",
        "signed_at": SIGNED,
        **changes,
    }
    return Result(**values)


def test_who_what_and_when() -> None:
    message = Message.parse(render(result()))
    places = {
        "MSH-3": "READINGROOM",
        "MSH-5": "RIS",
        "MSH-9.3": "ORU_R01",
        "MSH-10": "RR1",
        "MSH-11": "P",
        "MSH-12": "2.5.1",
        "MSH-18": "UNICODE UTF-8",
        "PID-3.1": "P|1",
        "PID-3.4": "ISS",
        "PID-5.1": "Yamada",
        "PID-5.4": "Jr",
        "PID-5.5": "Dr",
        "PID-7": "19700102",
        "PID-8": "M",
        "PV1-8.2": "Ref",
        "PV1-19": "ADM5",
        "ORC-1": "RE",
        "ORC-2": "PL1",
        "OBR-2": "PL1",
        "OBR-3": "FI1",
        "OBR-4.1": "71260",
        "OBR-7": "20261122081500",
        "OBR-16.2": "Req",
        "OBR-18": "ACC1",
        "OBR-19": "RP1",
        "OBR-20": "S1",
        "OBR-22": "20261122103000+0100",
        "OBR-24": "CT",
        "OBR-25": "F",
        "OBR-32.1.1": "drx",
        "OBR-32.1.2": "Dr X & Co",
    }
    assert {place: message.text(place) for place in places} == places
    pid = message.first("PID")
    assert pid is not None
    assert [one.text(1) for one in pid.repetitions(3)] == ["P|1", "X2"]
    assert [(one.text(1), one.text(8)) for one in pid.repetitions(5)] == [("Yamada", "A"), ("山田", "I")]


def test_what_was_typed_comes_back_as_typed() -> None:
    observations = Message.parse(render(result())).all("OBX")
    said = [(one.text(2), one.text(3, 1), one.text(3, 2), one.text(5, 0)) for one in observations]
    assert said == [
        ("ST", "113014", "DICOM Study", "1.2.3"),
        ("FT", "FINDINGS", "Findings", TYPED.replace("\r\n", "\n")),
        ("FT", "19005-8", "Impression", "12 mm"),
        ("FT", "SIGNATURE", "Signature", "Electronically signed by Dr X & Co, 2026-11-22 10:30:00 +0100"),
    ]
    assert [one.text(1) for one in observations] == ["1", "2", "3", "4"]


def test_another_reader_finds_the_same_structure() -> None:
    read = parse_message(render(result()).decode(), find_groups=True)
    assert read.validate()
    group = read.oru_r01_patient_result.oru_r01_order_observation
    assert group.obr.obr_18.value == "ACC1"
    assert [o.obx.obx_1.value for o in group.oru_r01_observation] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("kind", "addendum_status", "status"),
    [
        (VersionKind.PRELIMINARY, "C", "P"),
        (VersionKind.FINAL, "C", "F"),
        (VersionKind.CORRECTION, "F", "C"),
        (VersionKind.ADDENDUM, "C", "C"),
        (VersionKind.ADDENDUM, "F", "F"),
    ],
)
def test_states(kind: VersionKind, addendum_status: str, status: str) -> None:
    message = Message.parse(render(result(kind, addendum_status=addendum_status)))
    assert message.text("OBR-25") == status
    assert {one.text(11) for one in message.all("OBX")} == {status}
    preliminary = any((one.text(5, 0) or "").startswith("PRELIMINARY") for one in message.all("OBX"))
    assert preliminary is (kind is VersionKind.PRELIMINARY)


def test_a_result_taken_back_says_so_and_repeats_nothing_of_it() -> None:
    message = Message.parse(render(result(taken_back=True)))
    assert message.text("OBR-25") == "X"
    first, *texts = message.all("OBX")
    assert {one.text(11) for one in (first, *texts)} == {"W"}
    assert first.text(5) == "1.2.3"
    assert {one.text(5) for one in texts} == {TAKEN_BACK}
    as_sent = Message.parse(render(result()))
    assert [one.text(3) for one in message.all("OBX")] == [one.text(3) for one in as_sent.all("OBX")]
    assert message.text("OBR-2") == as_sent.text("OBR-2")


def test_a_test_result_says_so() -> None:
    assert Message.parse(render(result(for_tests=True))).text("MSH-11") == "T"


def test_without_an_order_the_study_speaks() -> None:
    message = Message.parse(render(result(order=None)))
    assert message.text("OBR-4.2") == "Thorax"
    assert message.text("OBR-3") == "ACC1"
    assert message.text("OBR-18") == "ACC1"


def test_the_same_result_is_the_same_bytes() -> None:
    assert render(result()) == render(result())


def version(number: int, kind: VersionKind, *sections: Section) -> VersionRecord:
    at = "2026-11-22T09:30:00.000000Z"
    return VersionRecord(number, 1, number, kind.value, canonical(sections), "drx", "Dr X", at, "d")


def test_an_addendum_goes_out_with_the_text_it_is_added_to() -> None:
    findings = Section("Findings", "normal")
    versions = (
        version(1, VersionKind.FINAL, Section("Findings", "wrong")),
        version(2, VersionKind.CORRECTION, findings),
        version(3, VersionKind.ADDENDUM, Section("Addendum", "first")),
        version(4, VersionKind.ADDENDUM, findings, Section("", "second")),
    )
    assert whole_text(versions[1], versions) == (findings,)
    assert [s.text for s in whole_text(versions[2], versions)] == ["normal", "first"]
    last = whole_text(versions[3], versions)
    assert [(s.heading, s.text) for s in last] == [
        ("Findings", "normal"),
        ("ADDENDUM 1: Addendum", "first"),
        ("ADDENDUM 2", "second"),
    ]


@pytest.mark.parametrize(
    ("answer", "kind", "code", "text"),
    [
        ("MSA|AA|1|stored", OutcomeKind.ACKNOWLEDGED, "AA", "stored"),
        ("MSA|CA|1", OutcomeKind.ACKNOWLEDGED, "CA", ""),
        ("MSA|AE|1|no", OutcomeKind.REFUSED, "AE", "no"),
        (
            "MSA|AR|1|no\rERR||OBR^1^18|204^Unknown key^HL70357|E||||no such order",
            OutcomeKind.REFUSED,
            "AR",
            "no; OBR 1 18 204 no such order",
        ),
        (
            "MSA|CE|1\rERR|PID^1^3^101&Required field missing",
            OutcomeKind.REFUSED,
            "CE",
            "PID 101 Required field missing",
        ),
        ("MSA|CR|1", OutcomeKind.REFUSED, "CR", ""),
        ("MSA|ZZ|1", OutcomeKind.SILENT, "ZZ", "unknown acknowledgement code ZZ"),
        ("NTE|1", OutcomeKind.SILENT, "", "unknown acknowledgement code (empty)"),
    ],
)
def test_acknowledgements_are_read(answer: str, kind: OutcomeKind, code: str, text: str) -> None:
    outcome = read_acknowledgement(f"MSH|^~\\&|RIS||RR||2026||ACK|9|P|2.5.1\r{answer}\r".encode())
    assert (outcome.kind, outcome.code, outcome.text) == (kind, code, text)


def test_an_answer_nobody_can_read_is_silence() -> None:
    assert read_acknowledgement(b"OK").kind is OutcomeKind.SILENT


def test_the_order_s_numbers_go_back_with_who_gave_them() -> None:
    order = replace(ORDER, placer_issuer="RIS&X^1.2.3^ISO", filler_issuer="^9.8^ISO")
    message = Message.parse(render(result(order=order)))
    for segment, first in (("ORC", 2), ("OBR", 2)):
        numbers = [[message.text(f"{segment}-{n}.{part}") or "" for part in range(1, 5)] for n in (first, 3)]
        assert numbers == [["PL1", "RIS&X", "1.2.3", "ISO"], ["FI1", "", "9.8", "ISO"]]
    ours = Message.parse(render(result(order=replace(order, filler_number=""))))
    assert ours.text("ORC-3") == "ACC1"
    assert not ours.text("ORC-3.3")
