"""Walk (i) through real sockets: message in, archive changed, acknowledgement out, nothing lost or twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pacs_core.domain.errors import StorageFailure
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import Order, OrderState
from pacs_core.domain.records import Hl7SourceRecord, MessageRecord
from pacs_core.hl7.message import Header
from pacs_core.hl7.receiver import Receiver
from pacs_core.hl7.server import Peer
from pacs_core.hl7.sources import Sources
from pacs_core.services.inbound import Command
from tests.support.hl7_door import Door, Sender, door, fields
from tests.support.spine import Spine, spine

PID = "PID|1||P1^^^ISS||Doe^Jane||19800102|F"


def message(
    kind: str, *segments: str, control: str = "C1", app: str = "RIS", version: str = "2.5.1"
) -> bytes:
    head = f"MSH|^~\\&|{app}|SITE|RR||20260101||{kind}|{control}|P|{version}||||||UNICODE UTF-8"
    return ("\r".join((head, *segments)) + "\r").encode()


def orm(control: str = "C1", orc: str = "ORC|NW|PL1|FI1", accession: str = "ACC1", **more: str) -> bytes:
    obr = f"OBR|1|||71260^CT chest^C4||||||||||||||{accession}|RP1|SPS1||||CT"
    pid = more.pop("pid", PID)
    return message("ORM^O01", pid, f"{orc}||||1^^^20260302110000", obr, control=control, **more)


def sources_of(house: Spine) -> Sources:
    return Sources(house.services.configuring.sources, open_door=True)


def orders(house: Spine) -> Sequence[Order]:
    with house.index.read() as tx:
        return tx.orders.on_day("2026-03-02", "")


def msa(answer: bytes) -> list[str]:
    return fields(answer, "MSA")[1:]


@pytest.fixture
def hl7(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        yield made


def test_an_order_is_there_when_its_acknowledgement_comes(hl7: Door) -> None:
    assert msa(hl7.knock(orm())) == ["AA", "C1"]
    (order,) = orders(hl7.house)
    assert (order.accession.value, order.placer_number, order.source) == ("ACC1", "PL1", "RIS")
    assert not order.accession_is_ours
    _, patient = hl7.house.services.orders.get(order.id)
    assert patient.demographics.name == "Doe^Jane"


def test_register_update_merge_change_and_cancel(hl7: Door) -> None:
    with Sender(hl7.port) as sender:
        steps = (
            message("ADT^A04", "EVN|A04", PID, control="1"),
            orm("2"),
            message("ADT^A08", "EVN|A08", "PID|1||P1^^^ISS||Roe^Jane", control="3"),
            message("ADT^A40^ADT_A39", "EVN|A40", "PID|1||P9^^^ISS||Roe^Jane", "MRG|P1^^^ISS", control="4"),
            orm("5", orc="ORC|XO|PL1|FI1", pid="PID|1||P9^^^ISS").replace(b"CT chest", b"CT thorax"),
        )
        for step in steps:
            assert msa(sender.exchange(step))[0] == "AA"
        (order,) = orders(hl7.house)
        assert order.procedure_description == "CT thorax"
        _, patient = hl7.house.services.orders.get(order.id)
        assert patient.identifier == PatientIdentifier("P9", "ISS")
        assert patient.demographics.name == "Roe^Jane"
        assert msa(sender.exchange(orm("6", orc="ORC|CA|PL1|FI1", pid="PID|1||P9^^^ISS")))[0] == "AA"
    ((order, _),) = [hl7.house.services.orders.get(order.id)]
    assert order.state is OrderState.CANCELLED


def test_an_order_without_a_patient_is_refused_and_kept(hl7: Door) -> None:
    answer = hl7.knock(message("ORM^O01", "ORC|NW|PL1", "OBR|1|||X||||||||||||||A1"))
    assert msa(answer) == ["AE", "C1", "the message has no PID segment"]
    assert fields(answer, "ERR")[2:5] == ["PID^1", "100^Segment sequence error^HL70357", "E"]
    (kept,) = hl7.house.services.inbound.open()
    assert (kept.state, kept.raw[:3]) == ("failed", b"MSH")
    assert "PID" in kept.reason


def test_one_bad_order_of_a_message_takes_none_of_it(hl7: Door) -> None:
    good = "OBR|1|||71260^CT^C4||||||||||||||ACC1"
    raw = message("ORM^O01", PID, "ORC|NW|PL1||||||1^^^20260302", good, "ORC|CA|NEVER-SEEN")
    answer = hl7.knock(raw)
    assert msa(answer)[0] == "AE"
    assert fields(answer, "ERR")[2:4] == ["ORC^1^2", "204^Unknown key identifier^HL70357"]
    assert orders(hl7.house) == []


def test_other_control_codes_are_acknowledged_and_parked(hl7: Door) -> None:
    answer = hl7.knock(orm(orc="ORC|SC|PL1|FI1"))
    assert msa(answer)[0] == "AA"
    assert "SC" in msa(answer)[2]
    (kept,) = hl7.house.services.inbound.open()
    assert kept.state == "parked"
    assert orders(hl7.house) == []


def test_an_accession_number_too_long_is_parked_never_cut(hl7: Door) -> None:
    assert msa(hl7.knock(orm(accession="A" * 17)))[0] == "AA"
    (kept,) = hl7.house.services.inbound.open()
    assert "17 characters" in kept.reason
    assert orders(hl7.house) == []


@pytest.mark.parametrize(
    ("raw", "code", "condition"),
    [
        (message("ADT^A99", PID), "AR", "201"),
        (message("SIU^S12", PID), "AR", "200"),
        (b"MSH|^~\\&|A|B|C|D|2026||ADT^A08|1|P|2.5.1\r".decode().encode("utf-16"), "AR", "100"),
        (b"\xff\x00 no HL7 at all", "AR", "100"),
        (b"FHS|^~\\&|A\rBHS|^~\\&|A\r", "AR", "100"),
    ],
)
def test_what_cannot_be_taken_is_answered_with_its_condition(
    hl7: Door, raw: bytes, code: str, condition: str
) -> None:
    answer = hl7.knock(raw)
    assert msa(answer)[0] == code
    assert fields(answer, "ERR")[3].startswith(condition)


def test_the_same_message_again_gets_the_stored_answer_and_no_second_effect(hl7: Door) -> None:
    first = hl7.knock(orm())
    again = hl7.knock(orm())
    assert again == first
    with hl7.house.index.read() as tx:
        assert len([c for c in tx.journal.since(0, 100) if c.kind == "order.placed"]) == 1
        assert not [c for c in tx.journal.since(0, 100) if c.kind == "order.changed"]


def test_the_same_control_id_with_another_content_is_another_message(hl7: Door) -> None:
    hl7.knock(orm())
    assert msa(hl7.knock(orm(accession="ACC2", orc="ORC|NW|PL2|FI2")))[0] == "AA"
    assert len(orders(hl7.house)) == 2


def test_a_refused_message_sent_again_is_tried_again(hl7: Door) -> None:
    cancel = orm("X", orc="ORC|CA|PL1|FI1")
    assert msa(hl7.knock(cancel))[0] == "AE"
    assert msa(hl7.knock(orm("Y")))[0] == "AA"
    assert msa(hl7.knock(cancel))[0] == "AA"
    assert hl7.house.services.inbound.open() == []


def test_enhanced_mode_asks_and_gets_both(hl7: Door) -> None:
    raw = message("ADT^A04", PID).replace(b"|2.5.1||||||", b"|2.5.1|||AL|AL||")
    with Sender(hl7.port) as sender:
        assert msa(sender.exchange(raw)) == ["CA", "C1"]
        assert msa(sender.answer()) == ["AA", "C1"]
        assert msa(sender.exchange(raw)) == ["CA", "C1"]
        assert msa(sender.answer()) == ["AA", "C1"]


# ── the budget ──


class SlowInbound:
    """The message log, whose commands wait until the test lets them go."""

    def __init__(self, house: Spine) -> None:
        self._inbound = house.services.inbound
        self.let_go = threading.Event()
        self.carried_out: list[int] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._inbound, name)

    def apply(
        self,
        message_id: int,
        commands: Sequence[Command],
        answer: Callable[[str], bytes],
        parked: Sequence[str],
        *,
        by_hand: bool,
    ) -> MessageRecord:
        assert self.let_go.wait(30)
        self.carried_out.append(message_id)
        return self._inbound.apply(message_id, commands, answer, parked, by_hand=by_hand)


def test_over_the_budget_it_is_acknowledged_and_stays_unprocessed(tmp_path: Path) -> None:
    with spine(tmp_path) as house:
        slow = SlowInbound(house)
        receiver = Receiver(slow, sources_of(house), house.clock, budget_s=0.05)
        first = receiver.receive(orm("C1"), Peer("127.0.0.1")).frames[0]
        second = receiver.receive(orm("C2", orc="ORC|XO|PL1|FI1"), Peer("127.0.0.1")).frames[0]
        assert msa(first) == ["AA", "C1", "accepted, not yet carried out"]
        assert msa(second)[0] == "AA"
        assert [m.control_id for m in house.services.inbound.unprocessed()] == ["C1", "C2"]
        assert receiver.receive(orm("C1"), Peer("127.0.0.1")).frames == (first,)
        slow.let_go.set()
        receiver.close()
        assert slow.carried_out == [1, 2]
        assert house.services.inbound.unprocessed() == []
        assert len(orders(house)) == 1


OWN_NUMBERS = "[options]\nmake_accession_number = true\n"


def without_numbers() -> bytes:
    return orm(orc="ORC|NW||", accession="").replace(b"RP1|SPS1", b"|")


def test_a_repeat_that_overtakes_the_first_answer_is_the_same_message(tmp_path: Path) -> None:
    """The sender's connection broke, and it sends again while the first is still being carried out."""
    with spine(tmp_path) as house:
        house.services.configuring.save_source(source("RIS", "127.0.0.1", OWN_NUMBERS), "t")
        slow = SlowInbound(house)
        receiver = Receiver(slow, sources_of(house), house.clock, budget_s=30)
        answers: list[bytes] = []

        def knock() -> None:
            answers.append(receiver.receive(without_numbers(), Peer("127.0.0.1")).frames[0])

        senders = [threading.Thread(target=knock) for _ in range(3)]
        for sender in senders:
            sender.start()
        slow.let_go.set()
        for sender in senders:
            sender.join(30)
        receiver.close()
        assert len(orders(house)) == 1
        assert len(set(answers)) == 1


def test_a_repeat_after_a_crash_before_the_answer_is_the_same_message(tmp_path: Path) -> None:
    with spine(tmp_path) as house:
        house.services.configuring.save_source(source("RIS", "127.0.0.1", OWN_NUMBERS), "t")
        receiver = Receiver(house.services.inbound, sources_of(house), house.clock)
        raw = without_numbers()
        receiver._accept(raw, Header.read(raw), sources_of(house).by_name("RIS"), Peer("127.0.0.1"))
        assert msa(receiver.receive(without_numbers(), Peer("127.0.0.1")).frames[0])[0] == "AA"
        receiver.resume()
        receiver.close()
        assert len(orders(house)) == 1


def test_what_wants_no_answer_has_no_second_effect_either(hl7: Door) -> None:
    hl7.house.services.configuring.save_source(source("RIS", "127.0.0.1", OWN_NUMBERS), "t")
    silent = without_numbers().replace(b"|2.5.1||||||", b"|2.5.1|||NE|NE||")
    receiver = hl7.receiver
    for _ in range(2):
        assert receiver.receive(silent, Peer("127.0.0.1")).frames == ()
    assert len(orders(hl7.house)) == 1


def test_what_a_crash_left_over_is_carried_out_at_the_next_start(tmp_path: Path) -> None:
    with spine(tmp_path) as house:
        source = {"source": "RIS", "address": "127.0.0.1", "sender": "RIS|SITE", "digest": "d"}
        house.services.inbound.accept(orm(), control_id="C1", message_type="ORM^O01", **source)
    with spine(tmp_path) as house:
        receiver = Receiver(house.services.inbound, sources_of(house), house.clock)
        assert receiver.resume() == 1
        receiver.close()
        assert len(orders(house)) == 1
        assert house.services.inbound.unprocessed() == []


def test_a_source_whose_map_nobody_can_read_does_not_keep_the_node_from_starting(tmp_path: Path) -> None:
    with spine(tmp_path) as house:
        told = {"source": "RIS", "address": "127.0.0.1", "sender": "RIS|SITE", "digest": "d"}
        house.services.inbound.accept(orm(), control_id="C1", message_type="ORM^O01", **told)
        house.services.configuring.save_source(source("RIS", "127.0.0.1", "[order"), "t")
        receiver = Receiver(house.services.inbound, sources_of(house), house.clock)
        assert receiver.resume() == 1
        receiver.close()
        (waiting,) = house.services.inbound.open()
        assert (waiting.state, "this source's settings" in waiting.reason) == ("failed", True)


class BrokenLog:
    """A message log that cannot write."""

    def __init__(self, house: Spine) -> None:
        self._inbound = house.services.inbound

    def __getattr__(self, name: str) -> object:
        return getattr(self._inbound, name)

    def accept(self, *_args: object, **_named: object) -> tuple[MessageRecord, bool]:
        raise StorageFailure("the disk is full")


def test_without_a_synced_journal_there_is_no_acceptance(tmp_path: Path, expect_errors) -> None:
    expect_errors("not accepted")
    with spine(tmp_path) as house:
        receiver = Receiver(BrokenLog(house), sources_of(house), house.clock)
        answer = receiver.receive(orm(), Peer("127.0.0.1")).frames[0]
        receiver.close()
        assert msa(answer)[0] == "AR"
        assert orders(house) == []


# ── sources ──


def source(name: str, host: str, field_map: str = "", **more: str) -> Hl7SourceRecord:
    return Hl7SourceRecord(name, host, more.get("facility", ""), more.get("character_set", ""), field_map)


def test_only_configured_sources_are_heard_behind_a_closed_door(tmp_path: Path) -> None:
    with door(tmp_path, open_door=False) as hl7:
        with Sender(hl7.port) as stranger:
            answer = stranger.exchange(orm())
            assert msa(answer)[0] == "AR"
            assert "not configured" in msa(answer)[2]
            assert stranger.closed()
        assert hl7.house.services.inbound.unprocessed() == []
        hl7.house.services.configuring.save_source(source("RIS", "127.0.0.1"), "t")
        assert msa(hl7.knock(orm()))[0] == "AA"
        hl7.house.services.configuring.save_source(source("RIS", "10.1.2.3"), "t")
        assert msa(hl7.knock(orm("C9")))[0] == "AR"


def test_a_sources_own_map_says_where_the_accession_number_is(hl7: Door) -> None:
    own = '[order]\naccession_number = ["OBR-3"]\n'
    hl7.house.services.configuring.save_source(source("RIS", "localhost", own), "t")
    hl7.house.services.configuring.save_source(source("OTHER", "127.0.0.0/8"), "t")
    raw = orm(orc="ORC|NW|PL1|").replace(b"OBR|1|||", b"OBR|1||FILL7|")
    assert msa(hl7.knock(raw))[0] == "AA"
    assert [order.accession.value for order in orders(hl7.house)] == ["FILL7"]


def test_an_accession_number_of_ours_is_marked_as_ours(hl7: Door) -> None:
    assert msa(hl7.knock(orm("C0", accession="")))[0] == "AE"
    own = "[options]\nmake_accession_number = true\n"
    hl7.house.services.configuring.save_source(source("RIS", "127.0.0.1", own), "t")
    assert msa(hl7.knock(orm(accession="")))[0] == "AA"
    (order,) = orders(hl7.house)
    assert order.accession_is_ours
    assert order.accession.value


def test_a_sources_character_set_is_used_without_msh_18(hl7: Door) -> None:
    record = source("RIS", "127.0.0.1", character_set="8859/2")
    hl7.house.services.configuring.save_source(record, "t")
    raw = message("ADT^A04", "PID|1||P1^^^ISS||Dvořák").replace(b"||||||UNICODE UTF-8", b"")
    assert msa(hl7.knock(raw.decode().encode("iso8859-2")))[0] == "AA"
    with hl7.house.index.read() as tx:
        patient = tx.patients.find(PatientIdentifier("P1", "ISS"))
    assert patient is not None
    assert patient.demographics.name == "Dvořák"


def test_a_source_with_unreadable_settings_is_told_so(hl7: Door, expect_errors) -> None:
    expect_errors("not accepted")
    for wrong in (source("RIS", "127.0.0.1", "[order"), source("RIS", "127.0.0.1", character_set="KLINGON")):
        hl7.house.services.configuring.save_source(wrong, "t")
        answer = hl7.knock(orm())
        assert msa(answer)[0] == "AR"
        assert "this source's settings" in msa(answer)[2]


def test_a_configured_name_is_not_heard_from_another_address(hl7: Door) -> None:
    hl7.house.services.configuring.save_source(source("RIS", "192.0.2.9"), "t")
    assert msa(hl7.knock(orm()))[0] == "AR"
    assert not orders(hl7.house)


def test_of_several_sources_at_one_address_msh_3_and_msh_4_choose(hl7: Door) -> None:
    found = Sources(
        lambda: [
            source("A", "127.0.0.1"),
            source("B", "127.0.0.1", facility="SITE"),
            source("B", "127.0.0.1", facility="ELSEWHERE"),
            source("C", "10.0.0.0/8"),
        ],
        open_door=False,
    )

    def name(address: str, app: str, facility: str = "SITE") -> str | None:
        header = Header.read(f"MSH|^~\\&|{app}|{facility}|\r".encode())
        identified = found.identify(address, header)
        return identified.name if identified else None

    assert name("127.0.0.1", "a") == "A"
    assert name("::ffff:127.0.0.1", "B") == "B"
    assert name("127.0.0.1", "Z") is None
    assert name("127.0.0.1", "B", "NOWHERE") is None
    assert name("10.9.9.9", "ANYTHING") == "C"
    assert name("10.9.9.9", "REHEARSAL-RIS") is None
    assert name("192.168.1.1", "C") is None


def test_behind_an_open_door_a_stranger_is_not_read_by_anothers_map(hl7: Door) -> None:
    own = '[order]\naccession_number = ["OBR-3"]\n'
    hl7.house.services.configuring.save_source(source("OTHER", "127.0.0.1", own), "t")
    assert msa(hl7.knock(orm()))[0] == "AA"
    (order,) = orders(hl7.house)
    assert (order.accession.value, order.source) == ("ACC1", "RIS")


# ── every real message ──

NOT_AS_ITS_TYPE_SAYS = {
    "broken/trusted-intermediary/msh-12_has_value_2_3.hl7": "AE 100 PID^1",
    "broken/trusted-intermediary/msh_present_but_missing_msh-10.hl7": "AE 101 MSH^1^10",
    "broken/trusted-intermediary/msh_present_but_missing_msh-2.hl7": "AE 101 MSH^1^2",
    "broken/trusted-intermediary/msh_present_but_missing_msh-6.hl7": "AE 100 PID^1",
    "broken/trusted-intermediary/orm_obx-5_is_not_a_numeric_value.hl7": "AE 100 PID^1",
    "fhir-converter/ORM-O01-04.hl7": "AE 100 OBR^1",
    "fhir-converter/ORM-O01-05.hl7": "AE 100 OBR^1",
    "fhir-converter/ORM-O01-06.hl7": "AE 100 OBR^1",
    "trusted-intermediary/001_Epic_ORM_O01.hl7": "AE 204 ORC^1^2",
}
"""ORM without patient or OBR (a diet, a pharmacy order), a cancellation of nothing known, cut headers."""

PARKED = {
    "cdc-prime/orm_o01-full.hl7": "control code RE",
    "trusted-intermediary/001_Oracle_ORM_O01.hl7": "control code CD:2539",
    "trusted-intermediary/002_Oracle_ORM_O01.hl7": "control code CD:2539",
    "trusted-intermediary/003_Oracle_ORM_O01.hl7": "procedure id in OBR-19 has 18 characters",
    "trusted-intermediary/005_Oracle_ORM_O01_2_3_non_NBS.hl7": "step id in OBR-20 has 18 characters",
    "trusted-intermediary/006_Oracle_ORM_O01_2_3_non_NBS.hl7": "step id in OBR-20 has 18 characters",
    "fhir-converter/ADT-A29-01.hl7": "ADT^A29",
    "fhir-converter/ADT-A29-02.hl7": "ADT^A29",
    "fhir-converter/ADT-A41-01.hl7": "ADT^A41",
    "fhir-converter/ADT-A41-02.hl7": "ADT^A41",
    "fhir-converter/ADT-A45-01.hl7": "ADT^A45",
    "fhir-converter/ADT-A45-02.hl7": "ADT^A45",
}


def by_its_type(raw: bytes) -> str:
    kind = raw.lstrip(b"\xef\xbb\xbf").split(b"|")[8][:3]
    return "AA" if kind in (b"ADT", b"ORM") else "AR 200 MSH^1^9"


def verdict(answer: bytes) -> str:
    """MSA-1, condition and place; ERR as of 2.5 or as before."""
    err = fields(answer, "ERR")
    if not err:
        return msa(answer)[0]
    if len(err) > 2:
        place, condition = err[2].removesuffix("^1^1"), err[3].split("^")[0]
    else:
        *parts, coded = err[1].split("^")
        place, condition = "^".join(part for part in parts if part), coded.split("&")[0]
    return f"{msa(answer)[0]} {condition} {place}"


def test_every_real_message_is_taken_or_refused_with_words(tmp_path: Path, shared_data: Path) -> None:
    with door(tmp_path, open_door=False) as hl7:
        _every_real_message(hl7, shared_data / "hl7")


def _every_real_message(hl7: Door, folder: Path) -> None:
    own = '[options]\nmake_accession_number = true\nacknowledge = "always"\n'
    hl7.house.services.configuring.save_source(source("ANY", "127.0.0.1", own), "t")
    sent: dict[str, str] = {}
    said: dict[str, str] = {}
    with Sender(hl7.port) as sender:
        for path in sorted(folder.rglob("*.hl7")):
            name = path.relative_to(folder).as_posix()
            raw = path.read_bytes()
            answer = sender.exchange(raw)
            said[name] = verdict(answer)
            sent[name] = NOT_AS_ITS_TYPE_SAYS.get(name, by_its_type(raw))
            assert said[name] == "AA" or msa(answer)[2], name
    assert said == sent
    assert len(said) > 140
    parked = [kept for kept in hl7.house.services.inbound.open() if kept.state == "parked"]
    assert len(parked) == len(PARKED)
    assert all(any(why in kept.reason for why in PARKED.values()) for kept in parked)
