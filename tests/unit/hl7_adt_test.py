"""ADT to patient commands: events, identity, demographics, merges."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from pacs_core.domain.field_map import FieldMap
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.patient import MergePatients, RegisterPatient
from pacs_core.hl7 import adt
from pacs_core.hl7.interpret import Interpretation, interpret
from pacs_core.hl7.message import Message
from pacs_core.hl7.sources import default_map_text
from pacs_core.hl7.status import MessageRefused

PID = "PID|1||P1^^^ISS^MR||Doe^Jane^M^Jr^Dr^PhD||19800102|F|||1 Road^Flat 2^Town^ST^123^UK||^^^^44^20^7946"


def read(event: str, *segments: str, own: str = "", head: str = "") -> Interpretation:
    header = head or f"MSH|^~\\&|ADT1|HOSP|RR||20260101||ADT^{event}|C1|P|2.5.1"
    message = Message.parse("\r".join((header, f"EVN|{event}", *segments)).encode())
    field_map = FieldMap.read(default_map_text(), own)
    return interpret(message, field_map, ZoneInfo("Europe/Berlin"), "ADT1", "2026-03-02")


def patient(event: str, *segments: str, own: str = "") -> RegisterPatient:
    (command,) = read(event, *segments, own=own).commands
    assert isinstance(command, RegisterPatient)
    return command


@pytest.mark.parametrize("event", sorted(adt.UPDATES | adt.VISITS))
def test_updates_and_visits_register_the_patient(event: str) -> None:
    command = patient(event, PID, "PV1|1|I|WARD^7^B||||||||||||||||V-77")
    assert command.identifier == PatientIdentifier("P1", "ISS")
    assert command.name == "Doe^Jane^M^Dr^Jr PhD"
    assert (command.birth_date, command.sex) == ("1980-01-02", "F")
    assert (command.patient_class, command.location, command.visit_number) == ("I", "WARD 7 B", "V-77")
    assert command.address == "1 Road, Flat 2, Town, ST 123, UK"
    assert command.phone == "+44 20 7946"
    assert command.event == f"ADT^{event}"


def test_empty_leaves_and_quotes_delete() -> None:
    command = patient("A08", 'PID|1||P1^^^ISS||||""|""|||""')
    assert (command.name, command.birth_date, command.sex, command.address) == (None, "", "", "")
    assert command.phone is None


@pytest.mark.parametrize("name", ['""', '""^Jane'])
def test_a_name_is_never_deleted(name: str) -> None:
    found = read("A08", f"PID|1||P1^^^ISS||{name}||19800102")
    (command,) = found.commands
    assert isinstance(command, RegisterPatient)
    assert command.name in (None, "^Jane")
    assert (command.name is None) == ("PID-5 ignored: a name is not deleted by a message" in found.notes)


@pytest.mark.parametrize(
    ("value", "taken"), [("20260302", "2026-03-02"), ("20260303", None), ("30000101", None)]
)
def test_nobody_is_born_after_today(value: str, taken: str | None) -> None:
    found = read("A08", f"PID|1||P1^^^ISS||Doe||{value}")
    (command,) = found.commands
    assert isinstance(command, RegisterPatient)
    assert command.birth_date == taken
    assert ("PID-7 ignored: a day that is still to come" in found.notes) == (taken is None)


@pytest.mark.parametrize("value", ["DOB", "19801345", "1980-99-01"])
def test_a_birth_date_that_is_none_is_left_and_noted(value: str) -> None:
    found = read("A08", f"PID|1||P1^^^ISS||Doe||{value}|?")
    (command,) = found.commands
    assert isinstance(command, RegisterPatient)
    assert (command.birth_date, command.sex) == (None, None)
    assert [note for note in found.notes if "ignored" in note] == [
        "PID-7 ignored: no date of the form YYYYMMDD",
        "PID-8 ignored: no value of table 0001",
    ]
    assert all(value not in note for note in found.notes)


def test_a_birth_date_is_never_an_instant() -> None:
    assert patient("A08", "PID|1||P1^^^ISS||Doe||19880818002600-1100").birth_date == "1988-08-18"
    assert patient("A08", "PID|1||P1^^^ISS||Doe||1988").birth_date is None


def test_names_in_three_scripts_become_one_pn() -> None:
    name = "Yamada^Tarou^^^^^L^A~山田^太郎^^^^^L^I~やまだ^たろう^^^^^L^P~Nick^^^^^^N"
    assert patient("A08", f"PID|1||P1^^^ISS||{name}").name == "Yamada^Tarou=山田^太郎=やまだ^たろう"


def test_a_name_cannot_smuggle_pn_delimiters() -> None:
    assert patient("A08", r"PID|1||P1^^^ISS||D\S\o=e&own^Ja\E\ne").name == "D o e^Ja ne"


def test_which_identifier_is_the_patient_id() -> None:
    pid = "PID|1|OLD|77^^^SSA^SS~M1^^^HOSP^MR~ACC^^^HOSP^AN~X^^^^PI"
    first = patient("A08", pid)
    assert first.identifier == PatientIdentifier("77", "SSA")
    assert first.other_identifiers == (PatientIdentifier("M1", "HOSP"),)
    chosen = patient("A08", pid, own='[options]\nidentifier_types = ["MR"]')
    assert chosen.identifier == PatientIdentifier("M1", "HOSP")
    assert chosen.other_identifiers == (PatientIdentifier("77", "SSA"),)


def test_pid_2_stands_in_and_a_source_may_have_an_issuer() -> None:
    own = '[options]\ndefault_issuer = "EPI"'
    assert patient("A08", "PID|1|E7^^^^EPI||E7", own=own).identifier == PatientIdentifier("E7", "EPI")
    assert patient("A08", "PID|1||7^^^&1.2.3&ISO").identifier == PatientIdentifier("7", "1.2.3")


def test_weight_height_allergies_and_pregnancy() -> None:
    command = patient(
        "A08",
        PID,
        "PV1|1|O|||||||||||||B6",
        "OBX|1|NM|29463-7^Body weight^LN||150|[lb_av]",
        "OBX|2|NM|^Body Height||165|cm",
        "AL1|1|DA|P^PENICILLIN^L",
        "AL1|2|DA|^Latex & rubber",
    )
    assert command.weight_kg == pytest.approx(68.0389, abs=1e-4)
    assert command.height_m == pytest.approx(1.65)
    assert command.allergies == "PENICILLIN; Latex & rubber"
    assert command.pregnancy == "pregnant"


@pytest.mark.parametrize(
    ("status", "told"),
    [("B6", "pregnant"), ("A1~B6", "pregnant"), ("A1", ""), ('""', ""), ("", None), ("A0~B3", "")],
)
def test_a_pregnancy_that_is_said_no_more_is_over(status: str, told: str | None) -> None:
    assert patient("A08", PID, f"PV1|1|O|||||||||||||{status}").pregnancy == told


@pytest.mark.parametrize("event", sorted(adt.MERGES))
def test_merges_keep_pid_and_subsume_mrg(event: str) -> None:
    found = read(event, PID, "MRG|P0^^^ISS").commands
    assert [(c.survivor.identifier.value, c.subsumed) for c in found if isinstance(c, MergePatients)] == [
        ("P1", PatientIdentifier("P0", "ISS"))
    ]


def test_repeated_pairs_of_pid_and_mrg() -> None:
    found = read("A40", "PID|1||A^^^I", "PD1|", "MRG|B^^^I", "PID|2||C^^^I", "MRG|X^^^J~D^^^I").commands
    pairs = [(c.survivor.identifier.value, c.subsumed.value) for c in found if isinstance(c, MergePatients)]
    assert pairs == [("A", "B"), ("C", "D")]


@pytest.mark.parametrize("event", sorted(adt.FOR_A_PERSON))
def test_what_nobody_may_decide_alone_is_parked(event: str) -> None:
    found = read(event, PID)
    assert found.commands == ()
    assert event in found.parked[0]


@pytest.mark.parametrize(
    ("event", "segments", "code", "condition", "where"),
    [
        ("A99", (PID,), "AR", 201, "MSH^1^9^1^2"),
        ("A08", (), "AE", 100, "PID^1"),
        ("A08", ("PID|1||||Doe",), "AE", 101, "PID^1^3"),
        ("A40", (PID,), "AE", 100, "MRG^1"),
        ("A40", (PID, "MRG|P0^^^I", "PID|2||P3"), "AE", 100, "MRG^2"),
        ("A40", (PID, "MRG|"), "AE", 101, "MRG^1^1"),
        ("A40", (PID, "MRG|P1^^^ISS"), "AE", 205, "MRG^1^1"),
    ],
)
def test_refusals_name_the_place(
    event: str, segments: tuple[str, ...], code: str, condition: int, where: str
) -> None:
    with pytest.raises(MessageRefused) as refused:
        read(event, *segments)
    assert (refused.value.code, refused.value.condition, refused.value.where) == (code, condition, where)


@pytest.mark.parametrize(
    ("head", "code", "condition", "where"),
    [
        ("MSH|^~\\&|A|B|C|D|2026||QBP^Q22|1|P|2.5", "AR", 200, "MSH^1^9^1^1"),
        ("MSH|^~\\&|A|B|C|D|2026|||1|P|2.5", "AR", 200, "MSH^1^9"),
        ("MSH|^~\\&|A|B|C|D|2026||ADT^A08||P|2.5", "AE", 101, "MSH^1^10"),
        ("MSH|^~\\&|A|B|C|D|2026||ADT^A08|1|P|3.0", "AR", 203, "MSH^1^12"),
    ],
)
def test_headers_that_are_refused(head: str, code: str, condition: int, where: str) -> None:
    with pytest.raises(MessageRefused) as refused:
        read("A08", PID, head=head)
    assert (refused.value.code, refused.value.condition, refused.value.where) == (code, condition, where)


def test_an_identifier_too_long_for_dicom_is_parked_not_cut() -> None:
    found = read("A08", f"PID|1||{'9' * 65}^^^ISS||Doe")
    assert found.commands == ()
    assert "64" in found.parked[0]
    assert "9999" not in found.parked[0]


def test_bytes_that_do_not_decode_are_parked() -> None:
    raw = b"MSH|^~\\&|A|B|C|D|2026||ADT^A08|1|P|2.5||||||UNICODE UTF-8\rPID|1||P1||M\xfcller\r"
    found = interpret(Message.parse(raw), FieldMap.read(default_map_text()), ZoneInfo("UTC"))
    assert found.commands == ()
    assert "PID-5" in found.parked[0]


def test_the_event_may_stand_in_evn_alone() -> None:
    found = read("A08", PID, head="MSH|^~\\&|A|B|C|D|2026||ADT|1|P|2.2")
    assert found.kind == "ADT^A08"
    assert len(found.commands) == 1
