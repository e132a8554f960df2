"""Several requested procedures on one accession number, and numbers that contradict what is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import BY_HAND, Order, OrderState, PlaceOrder
from pacs_core.domain.patient import RegisterPatient
from tests.support.hl7_door import JANE as PID
from tests.support.hl7_door import Door, door, said
from tests.support.hl7_door import order_message as orm


@pytest.fixture
def hl7(tmp_path: Path) -> Iterator[Door]:
    with door(tmp_path) as made:
        yield made


def orders(hl7: Door) -> Sequence[Order]:
    with hl7.house.index.read() as tx:
        return tx.orders.by_accession("A1")


def test_another_placer_number_on_the_accession_is_an_order_of_its_own(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "PL1", text="CT chest"))
    assert said(hl7.knock(orm("2", "NW", "PL2", text="CT head"))) == ("AA", "")
    assert [(o.placer_number, o.procedure_description) for o in orders(hl7)] == [
        ("PL1", "CT chest"),
        ("PL2", "CT head"),
    ]


def test_the_accession_of_another_patient_is_refused(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "PL1", procedure="RP1"))
    answer = hl7.knock(orm("2", "NW", "PL2", procedure="RP2", pid=PID.replace("P1", "P2")))
    assert said(answer)[0] == "AE"
    assert len(orders(hl7)) == 1


def test_one_step_more_of_the_same_procedure_may_have_a_placer_number_of_its_own(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "PL1", procedure="RP1", step="S1"))
    assert said(hl7.knock(orm("2", "NW", "PL2", procedure="RP1", step="S2")))[0] == "AA"
    (order,) = orders(hl7)
    assert order.placer_number == "PL1"
    assert [step.step_id for step in order.steps] == ["S1", "S2"]


@pytest.mark.parametrize("placer", ["PL1", "PL2"])
def test_another_procedure_on_the_accession_is_an_order_of_its_own(hl7: Door, placer: str) -> None:
    hl7.knock(orm("1", "NW", "PL1", procedure="RP1", step="S1", text="CT chest"))
    assert said(hl7.knock(orm("2", "NW", placer, procedure="RP2", step="S2", text="CT head"))) == ("AA", "")
    assert [(o.placer_number, o.procedure_id, o.procedure_description) for o in orders(hl7)] == [
        ("PL1", "RP1", "CT chest"),
        (placer, "RP2", "CT head"),
    ]
    assert len({o.study_uid for o in orders(hl7)}) == 2
    said(hl7.knock(orm("3", "XO", placer, procedure="RP2", step="S2", text="CT skull")))
    said(hl7.knock(orm("4", "XO", "PL1", procedure="RP1", step="S1", text="CT thorax")))
    assert [o.procedure_description for o in orders(hl7)] == ["CT thorax", "CT skull"]


def test_a_procedure_named_later_is_the_one_that_had_no_name(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "PL1"))
    hl7.knock(orm("2", "NW", "PL1", procedure="RP7"))
    hl7.knock(orm("3", "NW", "PL1", procedure="RP8"))
    assert [o.procedure_id for o in orders(hl7)] == ["RP7", "RP8"]


def test_a_cancellation_of_another_patient_is_refused(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "PL1", procedure="RP1"))
    for number, placer in (("2", "PL1"), ("3", "")):
        assert said(hl7.knock(orm(number, "CA", placer, pid=PID.replace("P1", "P2"))))[0] == "AE"
    assert [o.state for o in orders(hl7)] == [OrderState.SCHEDULED]


@pytest.mark.parametrize(
    ("code", "placer", "procedure"),
    [
        ("XO", "PL1", "RP9"),
        ("XO", "", ""),
        ("NW", "", ""),
        ("CA", "PL1", "RP9"),
        ("CA", "", "RP9"),
        ("CA", "PL2", "RP1"),
    ],
)
def test_numbers_that_contradict_or_fit_several_orders_wait_for_a_person(
    hl7: Door, code: str, placer: str, procedure: str
) -> None:
    hl7.knock(orm("1", "NW", "PL1", procedure="RP1", step="S1"))
    hl7.knock(orm("2", "NW", "PL2", procedure="RP2", step="S2"))
    before = orders(hl7)
    answer, words = said(hl7.knock(orm("3", code, placer, procedure=procedure, step="S3", text="MR knee")))
    assert answer == "AA"
    assert "kept for a person" in words
    assert orders(hl7) == before


def test_a_placer_number_of_two_procedures_does_not_say_which_is_cancelled(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "PL1", procedure="RP1"))
    hl7.knock(orm("2", "NW", "PL1", procedure="RP2"))
    assert "kept for a person" in said(hl7.knock(orm("3", "CA", "PL1")))[1]
    assert said(hl7.knock(orm("4", "CA", "PL1", procedure="RP2"))) == ("AA", "")
    assert [o.state for o in orders(hl7)] == [OrderState.SCHEDULED, OrderState.CANCELLED]


def test_a_cancellation_ends_its_own_procedure(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "PL1", procedure="RP1", step="S1"))
    hl7.knock(orm("2", "NW", "PL2", procedure="RP2", step="S2"))
    assert said(hl7.knock(orm("3", "CA", "", procedure="RP1")))[0] == "AA"
    assert [o.state for o in orders(hl7)] == [OrderState.CANCELLED, OrderState.SCHEDULED]


def test_a_cancellation_that_fits_two_orders_waits_for_a_person(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "PL1", procedure="RP1", step="S1"))
    hl7.knock(orm("2", "NW", "PL2", procedure="RP2", step="S2"))
    answer, words = said(hl7.knock(orm("3", "CA", "")))
    assert answer == "AA"
    assert "kept for a person" in words
    assert "2 orders" in words
    assert [o.state for o in orders(hl7)] == [OrderState.SCHEDULED] * 2


def test_images_of_a_shared_accession_belong_to_all_of_its_procedures(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "PL1", procedure="RP1", step="S1"))
    hl7.knock(orm("2", "NW", "PL2", procedure="RP2", step="S2"))
    second = orders(hl7)[1]
    hl7.house.image(second.study_uid, issuer_of_patient_id="ISS")
    assert hl7.house.study(second.study_uid).order_id == second.id
    assert [o.state for o in orders(hl7)] == [OrderState.IN_PROGRESS] * 2


@pytest.mark.parametrize("procedure", ["RP1", "RP9", ""])
def test_what_another_source_says_under_the_same_accession_waits_for_a_person(
    hl7: Door, procedure: str
) -> None:
    hl7.knock(orm("1", "NW", "PL1", procedure="RP1", step="S1", text="CT chest"))
    before = orders(hl7)
    other = orm("2", "NW", "PL9", procedure=procedure, step="S1", text="Knee MR")
    code, words = said(hl7.knock(other.replace(b"|RIS|", b"|OTHER|")))
    assert code == "AA"
    assert "already RIS's, for CT chest" in words
    assert orders(hl7) == before


def test_images_go_to_the_procedures_of_their_modality(hl7: Door) -> None:
    hl7.knock(orm("1", "NW", "PL1", procedure="RP1", step="S1"))
    hl7.house.image("1.2.3", issuer_of_patient_id="ISS")
    foot = orm("2", "NW", "PL2", procedure="RP2", step="S2", text="Foot MR").replace(b"||||CT", b"||||MR")
    hl7.knock(foot)
    chest, other = orders(hl7)
    assert hl7.house.study("1.2.3").order_id == chest.id
    assert [o.state for o in (chest, other)] == [OrderState.IN_PROGRESS, OrderState.SCHEDULED]
    with hl7.house.index.read() as tx:
        assert not tx.studies.of_order(other.id)


@pytest.mark.parametrize("code", ["NW", "XO", "CA", "DC"])
def test_another_source_neither_changes_nor_ends_an_order_by_its_accession_alone(
    hl7: Door, code: str
) -> None:
    hl7.knock(orm("1", "NW", "PL1", procedure="RP1", step="S1", text="CT chest"))
    before = orders(hl7)
    other = orm("2", code, "", procedure="RP1", text="Knee MR").replace(b"|RIS|", b"|OTHER|")
    answer, words = said(hl7.knock(other))
    assert answer == "AA"
    assert "kept for a person" in words
    assert orders(hl7) == before


def test_an_order_made_by_hand_takes_what_the_ris_says_of_it(hl7: Door) -> None:
    who = RegisterPatient(PatientIdentifier("P1", "ISS"))
    hl7.house.services.orders.place(PlaceOrder(who, accession="A1", source=BY_HAND), "desk")
    hl7.knock(orm("1", "NW", "PL1", text="CT of the chest"))
    assert [(o.placer_number, o.procedure_description) for o in orders(hl7)] == [("PL1", "CT of the chest")]
