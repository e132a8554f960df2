"""ORM^O01 to order commands: controls, the field map, groups, lengths, times."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from pacs_core.domain.field_map import FieldMap
from pacs_core.domain.order import CancelOrder, Code, PlaceOrder, Priority
from pacs_core.hl7.interpret import Interpretation, interpret
from pacs_core.hl7.message import Message
from pacs_core.hl7.sources import default_map_text
from pacs_core.hl7.status import MessageRefused

PID = "PID|1||P1^^^ISS||Doe^Jane||19800102|F||||||||||FIN9"
PV1 = "PV1|1|O|CT1|||||7^Ref^Doc^^^Dr|||||||B6||||ADM5"
ORC = "ORC|NW|PL1^RIS|FI1^RIS||SC||1^^^20260102103000^^S"


def obr(**fields: str) -> str:
    values = {
        "f4": "71260^CT chest with contrast^C4",
        "f18": "ACC1",
        "f19": "RP1",
        "f20": "SPS1",
        "f24": "CT",
        **fields,
    }
    numbered = {int(name[1:]): value for name, value in values.items()}
    return "OBR|" + "|".join(numbered.get(n, "") for n in range(1, max(numbered) + 1))


def read(*segments: str, own: str = "", zone: str = "Europe/Berlin", kind: str = "ORM^O01") -> Interpretation:
    message = Message.parse("\r".join((f"MSH|^~\\&|RIS|S|RR||2026||{kind}|C1|P|2.3.1", *segments)).encode())
    return interpret(message, FieldMap.read(default_map_text(), own), ZoneInfo(zone), "RIS")


def order(*segments: str, own: str = "", zone: str = "Europe/Berlin") -> PlaceOrder:
    found = read(*segments, own=own, zone=zone)
    assert found.parked == ()
    (command,) = found.commands
    assert isinstance(command, PlaceOrder)
    return command


def test_a_whole_order() -> None:
    placed = order(
        PID,
        PV1,
        "AL1|1||^Penicillin",
        ORC,
        obr(
            f12="walking",
            f13="pacemaker",
            f15="^^^CHEST^L",
            f16="9^Req^Ann",
            f17="555-1",
            f30="CART",
            f31="R07.4^Chest pain^I10",
            f34="5^Perf^Tom",
            f44="71260^CT thorax^C4",
        ),
        "NTE|1||Embolus? & effusion|",
        "NTE|2||second line",
        "ZDS|1.2.840.1^100^Application^DICOM",
    )
    assert placed.patient.identifier.value == "P1"
    assert (placed.placer_number, placed.filler_number, placed.accession) == ("PL1", "FI1", "ACC1")
    assert (placed.procedure_id, placed.study_uid) == ("RP1", "1.2.840.1")
    assert placed.priority is Priority.STAT
    assert placed.procedure_description == "CT thorax"
    assert placed.procedure_code == Code("71260", "C4", "CT thorax")
    assert placed.indication == "Chest pain"
    assert placed.question == "Embolus? & effusion\nsecond line"
    assert (placed.body_part, placed.laterality) == ("CHEST", "L")
    assert (placed.referring_physician, placed.requesting_physician) == ("Ref^Doc^^Dr", "Req^Ann")
    assert (placed.referring_phone, placed.transport) == ("555-1", "CART")
    assert (placed.alerts, placed.patient_state, placed.patient.pregnancy) == (
        "pacemaker",
        "walking",
        "pregnant",
    )
    assert placed.pregnancy is None  # it is the person who is: an ADT ends it
    assert (placed.admission_id, placed.allergies, placed.source) == ("ADM5", "Penicillin", "RIS")
    (step,) = placed.steps
    assert (step.step_id, step.modality, step.performing_physician) == ("SPS1", "CT", "Perf^Tom")
    assert (step.start_date, step.start_time) == ("2026-01-02", "10:30:00")
    assert step.protocol_code == Code("71260", "C4", "CT chest with contrast")
    assert step.description == "CT chest with contrast"
    assert not placed.allow_own_accession


@pytest.mark.parametrize(
    ("place", "segments"),
    [
        ("OBR-3", (ORC, obr(f3="A7^RIS", f18=""))),
        ("ORC-3", ("ORC|NW|PL1|A7", obr(f18=""))),
        ("OBR-19", (ORC, obr(f18="", f19="A7"))),
        ("OBR-20", (ORC, obr(f18="", f20="A7^SITE"))),
        ("ZPA-2", (ORC, obr(f18=""), "ZPA|x|A7")),
    ],
)
def test_the_accession_number_where_a_source_puts_it(place: str, segments: tuple[str, ...]) -> None:
    assert order(PID, *segments, own=f'[order]\naccession_number = ["{place}"]').accession == "A7"


def test_the_first_place_that_holds_something_wins() -> None:
    own = '[order]\naccession_number = ["OBR-18", "OBR-3"]'
    assert order(PID, ORC, obr(f3="B"), own=own).accession == "ACC1"
    assert order(PID, ORC, obr(f3="B", f18=""), own=own).accession == "B"
    assert order(PID, ORC, obr(f3="B", f18='""'), own=own).accession == "B"


def test_no_accession_number_is_refused_where_the_source_may_not_have_one_made() -> None:
    with pytest.raises(MessageRefused, match="no accession number in OBR-18") as refused:
        read(PID, ORC, obr(f18=""))
    assert (refused.value.code, refused.value.condition, refused.value.where) == ("AE", 101, "OBR^1^18")
    placed = order(PID, ORC, obr(f18=""), own="[options]\nmake_accession_number = true")
    assert placed.accession == ""
    assert placed.allow_own_accession


def test_a_change_needs_no_accession_number() -> None:
    assert order(PID, "ORC|XO|PL1", obr(f18="")).placer_number == "PL1"


@pytest.mark.parametrize("field", ["f18", "f19", "f20"])
def test_what_is_too_long_for_dicom_is_parked_and_never_cut(field: str) -> None:
    found = read(PID, ORC, obr(**{field: "X" * 17}))
    assert found.commands == ()
    assert "17 characters, DICOM takes 16" in found.parked[0]
    assert order(PID, ORC, obr(**{field: "X" * 16}))


def test_a_backslash_in_a_number_is_parked() -> None:
    assert "backslash" in read(PID, ORC, obr(f18=r"A\E\1")).parked[0]


@pytest.mark.parametrize(("control", "discontinue"), [("CA", False), ("DC", True)])
def test_cancelling(control: str, discontinue: bool) -> None:
    segment = f"ORC|{control}|PL1|FI1|||||||||||||NS^No show"
    (command,) = read(PID, segment, obr()).commands
    assert isinstance(command, CancelOrder)
    assert command.discontinue is discontinue
    assert (command.order.placer_number, command.order.filler_number) == ("PL1", "FI1")
    assert (command.order.accession, command.order.source, command.reason) == ("ACC1", "RIS", "No show")
    assert read(PID, f"ORC|{control}|PL1").commands


@pytest.mark.parametrize("control", ["SC", "RE", "OC", "SN", "HD", "RP", "CD:2539", "??"])
def test_any_other_control_code_is_parked(control: str) -> None:
    found = read(PID, f"ORC|{control}|PL1", obr())
    assert found.commands == ()
    assert control in found.parked[0]


def test_one_parked_order_does_not_keep_the_others() -> None:
    found = read(PID, ORC, obr(), "ORC|SC|PL2", obr(f18="ACC2"))
    assert len(found.commands) == 1
    assert len(found.parked) == 1


@pytest.mark.parametrize(
    ("segments", "code", "condition", "where"),
    [
        ((ORC, obr()), "AE", 100, "PID^1"),
        ((PID, obr()), "AE", 100, "ORC^1"),
        ((PID, "ORC|", obr()), "AE", 101, "ORC^1^1"),
        ((PID, ORC), "AE", 100, "OBR^1"),
        ((PID, ORC, obr(), "ORC|NW|PL2"), "AE", 100, "OBR^2"),
        ((PID, "ORC|CA"), "AE", 101, "ORC^1^2"),
        ((PID, ORC, obr(), "ZDS|not a uid"), "AE", 102, "ZDS^1^1"),
        ((PID, "ORC|NW|PL1|||||1^^^soon", obr()), "AE", 102, "ORC^1^7^1^4"),
    ],
)
def test_refusals_name_the_place(segments: tuple[str, ...], code: str, condition: int, where: str) -> None:
    with pytest.raises(MessageRefused) as refused:
        read(*segments)
    assert (refused.value.code, refused.value.condition, refused.value.where) == (code, condition, where)


def test_an_unknown_order_event_is_rejected() -> None:
    with pytest.raises(MessageRefused) as refused:
        read(PID, ORC, obr(), kind="ORM^O99")
    assert (refused.value.code, refused.value.condition) == ("AR", 201)


def test_several_steps_of_one_procedure_are_one_order() -> None:
    found = read(
        PID,
        *(ORC, obr(f20="S1")),
        *("ORC|NW|PL2|FI2||SC||1^^^20260103", obr(f20="S2", f24="XA")),
        *("ORC|NW|PL3|FI3", obr(f19="RP2", f20="S3")),
        "ZDS|1.2.3",
    )
    first, second = found.commands
    assert isinstance(first, PlaceOrder)
    assert isinstance(second, PlaceOrder)
    assert [(s.step_id, s.modality, s.start_date) for s in first.steps] == [
        ("S1", "CT", "2026-01-02"),
        ("S2", "XA", "2026-01-03"),
    ]
    assert [s.step_id for s in second.steps] == ["S3"]
    assert (first.study_uid, second.study_uid) == ("1.2.3", "1.2.3")


def test_each_group_is_read_from_its_own_segments() -> None:
    found = read(
        *(PID, ORC, obr(f31="^one"), "NTE|1||first", "ZDS|1.2.3"),
        *("ORC|NW|PL2", obr(f18="ACC2", f19="RP2"), "ZDS|1.2.4"),
    )
    first, second = found.commands
    assert isinstance(first, PlaceOrder)
    assert isinstance(second, PlaceOrder)
    assert (first.indication, second.indication) == ("one", None)
    assert (first.question, second.question) == ("first", None)
    assert (first.study_uid, second.study_uid) == ("1.2.3", "1.2.4")


@pytest.mark.parametrize(
    ("start", "zone", "own", "expected"),
    [
        ("202601021030", "Europe/Berlin", "", ("2026-01-02", "10:30:00")),
        ("20260102", "Europe/Berlin", "", ("2026-01-02", "")),
        ("20260102103000.123", "Pacific/Auckland", "", ("2026-01-02", "10:30:00")),
        ("20260102233000-0800", "Pacific/Auckland", "", ("2026-01-03", "20:30:00")),
        ("20260329013000+0000", "Europe/Berlin", "", ("2026-03-29", "03:30:00")),
        (
            "20260102003000",
            "America/Los_Angeles",
            '[options]\ntime_zone = "Pacific/Auckland"',
            ("2026-01-01", "03:30:00"),
        ),
    ],
)
def test_the_start_is_civil_at_the_site(start: str, zone: str, own: str, expected: tuple[str, str]) -> None:
    (step,) = order(PID, f"ORC|NW|PL1|||||1^^^{start}", obr(), own=own, zone=zone).steps
    assert (step.start_date, step.start_time) == expected


def test_other_places_for_the_start() -> None:
    bare = "ORC|NW|PL1"
    assert order(PID, bare, obr(f36="202601021100")).steps[0].start_time == "11:00:00"
    assert order(PID, bare, obr(f27="1^^^202601021200")).steps[0].start_time == "12:00:00"
    assert order(PID, bare, "TQ1|1||||||202601021300||A", obr()).steps[0].start_time == "13:00:00"
    assert order(PID, bare, obr()).steps[0].start_date == ""


def test_modality_is_translated_or_told_by_the_procedure() -> None:
    assert order(PID, ORC, obr(f24="NMR")).steps[0].modality == "MR"
    own = '[procedure_modality]\n71260 = "CT"'
    assert order(PID, ORC, obr(f24=""), own=own).steps[0].modality == "CT"


def test_priority_of_the_map_and_unknown_ones_noted() -> None:
    found = read(PID, "ORC|NW|PL1|||||1^^^20260102^^ZZ", obr())
    (command,) = found.commands
    assert isinstance(command, PlaceOrder)
    assert command.priority is None
    assert any("priority" in note for note in found.notes)
    assert order(PID, "ORC|NW|PL1", obr(f5="R")).priority is Priority.ROUTINE


def test_the_alternate_code_is_the_protocol() -> None:
    placed = order(PID, ORC, obr(f4="71260^CT chest^C4^P10^PE protocol^99SITE"))
    assert placed.procedure_code == Code("71260", "C4", "CT chest")
    assert placed.steps[0].protocol_code == Code("P10", "99SITE", "PE protocol")
    assert placed.steps[0].description == "PE protocol"


def test_station_and_location_where_a_source_says_them() -> None:
    own = '[order]\nstation_aet = "ORC-18"\nstation_name = "OBR-21"\nstation_location = "PV1-3"'
    (step,) = order(PID, PV1, "ORC|NW|PL1||||||||||||||||CT_ROOM", obr(f21="CT-A"), own=own).steps
    assert (step.station_aet, step.station_name, step.location) == ("CT_ROOM", "CT-A", "CT1")


def test_who_gave_the_numbers_is_kept_with_them() -> None:
    placed = order(PID, "ORC|NW|PL1^RIS^1.2.3^ISO|FI1^^9.8^ISO", obr(f4="CT^CT", f18="ACC1", f24="CT"))
    assert (placed.placer_number, placed.placer_issuer) == ("PL1", "RIS^1.2.3^ISO")
    assert (placed.filler_number, placed.filler_issuer) == ("FI1", "^9.8^ISO")
    plain = order(PID, "ORC|NW|PL1|FI1", obr(f4="CT^CT", f18="ACC1", f24="CT"))
    assert (plain.placer_issuer, plain.filler_issuer) == ("", "")


@pytest.mark.parametrize("start", ["20261231235960+0000", "20261231235959+9999", "00010101000000+1200"])
def test_a_moment_that_is_hardly_one_is_read_or_refused_by_name(start: str) -> None:
    try:
        placed = order(PID, f"ORC|NW|PL1|FI1||||^^^{start}", obr(f4="CT^CT", f18="ACC1", f24="CT"))
    except MessageRefused as refused:
        assert "scheduled start" in refused.message  # noqa: PT017  # either way is right
    else:
        assert placed.steps[0].start_date == "2027-01-01"
