"""Late, replayed and contradicting order messages: nothing that was ended comes back by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pacs_core.domain.order import Order, OrderState
from pacs_core.domain.records import MessageRecord
from tests.support.hl7_door import JANE as PID
from tests.support.hl7_door import Door, door, order_message, said


def orm(
    control: str, code: str, at: str, *, number: str = "1", text: str = "CT chest", pid: str = PID
) -> bytes:
    numbers = {"accession": f"A{number}", "procedure": f"RP{number}", "step": f"SPS{number}"}
    return order_message(control, code, f"PL{number}", **numbers, text=text, pid=pid, at=at)


@pytest.fixture
def hl7(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        yield made


def order_of(hl7: Door, accession: str = "A1") -> Order:
    with hl7.house.index.read() as tx:
        (order,) = tx.orders.by_accession(accession)
    return order


def waiting(hl7: Door) -> MessageRecord:
    (message,) = hl7.house.services.inbound.open()
    return message


def name_of(hl7: Door) -> str:
    return hl7.house.services.orders.get(order_of(hl7).id)[1].demographics.name


@pytest.mark.parametrize("code", ["NW", "XO"])
def test_a_late_message_leaves_a_cancelled_order_cancelled(hl7: Door, code: str) -> None:
    hl7.knock(orm("1", "NW", "20260302100000"))
    hl7.knock(orm("2", "CA", "20260302100500"))
    late = orm("3", code, "20260302100100", pid=PID.replace("JANE", "JOAN"))
    code_said, words = said(hl7.knock(late))
    assert code_said == "AA"
    assert "kept for a person" in words
    assert "A1" in words
    assert "cancelled" in words
    assert order_of(hl7).state is OrderState.CANCELLED
    assert waiting(hl7).state == "parked"
    assert name_of(hl7) == "DOE^JANE"


def test_the_same_answer_again_for_what_was_kept_for_a_person(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "20260302100000"))
    hl7.knock(orm("2", "CA", "20260302100500"))
    late = orm("3", "NW", "20260302100100")
    assert hl7.knock(late) == hl7.knock(late)


def test_a_change_never_reopens_a_cancelled_order(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "20260302100000"))
    hl7.knock(orm("2", "CA", "20260302100500"))
    assert "kept for a person" in said(hl7.knock(orm("3", "XO", "20260302101000", text="CT thorax")))[1]
    assert order_of(hl7).state is OrderState.CANCELLED
    assert order_of(hl7).procedure_description == "CT chest"


@pytest.mark.parametrize("at", ["20260302101000", "20260302100500", "20260302", "", "20260302091000+0000"])
def test_a_newer_order_reopens_a_cancelled_one(hl7: Door, at: str) -> None:
    """By message time; where that says nothing or is the same, by what came later."""
    hl7.knock(orm("1", "NW", "20260302100000"))
    hl7.knock(orm("2", "CA", "20260302100500"))
    hl7.house.clock.forward(1)
    assert said(hl7.knock(orm("3", "NW", at))) == ("AA", "")
    assert order_of(hl7).state is OrderState.SCHEDULED


def test_what_a_person_cancelled_is_not_reopened_by_what_was_sent_before(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "20260302100000"))
    hl7.house.services.orders.cancel_row(order_of(hl7).id, "did not come", "desk")
    assert (
        "kept for a person" in said(hl7.knock(orm("2", "NW", "20260302100500")))[1]
    )  # 09:05 UTC, it is 10:00
    hl7.house.clock.forward(3600)
    assert said(hl7.knock(orm("3", "NW", "20260302115900"))) == ("AA", "")
    assert order_of(hl7).state is OrderState.SCHEDULED


def test_processed_again_it_leaves_what_was_changed_since_and_says_so(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "20260302100000"))
    hl7.knock(orm("2", "CA", "20260302100500"))
    hl7.knock(orm("3", "XO", "20260302101000", text="CT thorax", pid=PID.replace("JANE", "JOAN")))
    parked = waiting(hl7)
    hl7.house.clock.forward(60)
    hl7.knock(orm("4", "NW", "20260302102000", text="CT abdomen"))
    hl7.receiver.process(hl7.house.services.inbound.again(parked.id, "owner"))
    after = hl7.house.services.inbound.get(parked.id)
    assert after.state == "processed"
    assert "A1" in after.reason
    assert "changed since" in after.reason
    assert order_of(hl7).procedure_description == "CT abdomen"
    assert name_of(hl7) == "DOE^JANE"


def test_processed_again_an_old_cancellation_leaves_what_was_changed_since(hl7: Door) -> None:
    hl7.knock(orm("1", "CA", "20260302100500"))  # of nothing known: refused, kept
    failed = waiting(hl7)
    hl7.house.clock.forward(60)
    hl7.knock(orm("2", "NW", "20260302101000"))
    hl7.receiver.process(hl7.house.services.inbound.again(failed.id, "owner"))
    assert order_of(hl7).state is OrderState.SCHEDULED


# ── cancelled from afar, when there is something to lose ──


def test_a_cancellation_of_an_order_with_images_waits_for_a_person(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "20260302100000"))
    hl7.house.image(patient_name="DOE^JANE")
    before = order_of(hl7)
    code, words = said(hl7.knock(orm("2", "CA", "20260302100500")))
    assert code == "AA"
    assert "kept for a person" in words
    assert "images" in words
    assert order_of(hl7) == before
    assert waiting(hl7).state == "parked"


@pytest.mark.parametrize("code", ["CA", "DC"])
def test_neither_ends_an_order_that_was_completed(hl7: Door, code: str) -> None:
    hl7.knock(orm("1", "NW", "20260302100000"))
    complete(hl7)
    assert "kept for a person" in said(hl7.knock(orm("2", code, "20260302100500")))[1]
    assert order_of(hl7).state is OrderState.COMPLETED


def test_an_exam_broken_off_is_discontinued_with_its_images(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "20260302100000"))
    hl7.house.image(patient_name="DOE^JANE")
    assert said(hl7.knock(orm("2", "DC", "20260302100500"))) == ("AA", "")
    assert order_of(hl7).state is OrderState.DISCONTINUED


def test_one_order_that_waits_does_not_keep_the_others_of_its_message(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "20260302100000"))
    hl7.knock(orm("2", "NW", "20260302100000", number="2"))
    hl7.house.image(patient_name="DOE^JANE")
    both = orm("3", "CA", "20260302100500") + b"ORC|CA|PL2\r"
    assert "kept for a person" in said(hl7.knock(both))[1]
    assert order_of(hl7).state is OrderState.IN_PROGRESS
    assert order_of(hl7, "A2").state is OrderState.CANCELLED


def complete(hl7: Door) -> None:
    """As a signature does it."""
    with hl7.house.index.read() as tx:
        (order,) = tx.orders.by_accession("A1")
    done = replace(order, state=OrderState.COMPLETED)
    hl7.house.index.write(lambda tx: tx.orders.save(done, "2026-03-02T10:00:00.000000Z"))


def test_an_order_under_a_number_that_was_merged_away_changes_no_name(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "20260302100000", pid=PID.replace("P1", "OLD").replace("19700102", "")))
    adt = "MSH|^~\\&|RIS|SITE|RR||20260302100100||ADT^A40|2|P|2.5.1\rEVN|A40\r"
    adt += PID.replace("19700102", "").replace("DOE^JANE", "ROE^JANE") + "\rMRG|OLD^^^ISS\r"
    assert said(hl7.knock(adt.encode()))[0] == "AA"
    assert name_of(hl7) == "ROE^JANE"
    hl7.knock(orm("3", "XO", "20260302100200", pid=PID.replace("P1", "OLD")))
    patient = hl7.house.services.orders.get(order_of(hl7).id)[1]
    assert (patient.demographics.name, patient.demographics.birth_date) == ("ROE^JANE", "1970-01-02")
