"""A study meets its order, whichever comes first; a person's link can be undone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacs_core.domain.access import Actor, Role
from pacs_core.domain.errors import Conflict
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import CancelOrder, OrderReference, OrderState
from pacs_core.domain.patient import MergePatients, RegisterPatient
from pacs_core.domain.records import DestinationRecord, StudyKeys
from pacs_core.domain.report import Section
from pacs_core.services.reporting import Signing
from pacs_core.services.retrieving import corrections_of
from pacs_core.services.storing import Kept
from tests.support.spine import Spine, spine


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Spine]:
    with spine(tmp_path) as made:
        yield made


def test_order_first_then_images_is_matched(house: Spine) -> None:
    house.patient()
    order = house.order()
    assert house.image() is Kept.STORED
    study = house.study()
    assert (study.reconciliation, study.order_id, study.patient_id) == ("matched", order.id, order.patient_id)
    with house.index.read() as tx:
        assert tx.orders.get(order.id).state is OrderState.IN_PROGRESS


@pytest.mark.parametrize("order_of_arrival", list(itertools.permutations(("adt", "orm", "images"))))
def test_the_order_of_arrival_never_changes_the_outcome(
    house: Spine, order_of_arrival: tuple[str, ...]
) -> None:
    steps = {"adt": house.patient, "orm": house.order, "images": house.image}
    for step in order_of_arrival:
        steps[step]()
    study = house.study()
    assert study.reconciliation == "matched"
    with house.index.read() as tx:
        assert tx.patients.current(study.patient_id).demographics.name == "DOE^JANE"
        assert not tx.holds.all_open()


def test_wrong_patient_is_held_with_reason_then_linked_then_undone(house: Spine) -> None:
    house.patient()
    order = house.order()
    house.image(patient_id="P9", patient_name="ROE^RICHARD")
    before = house.study()
    assert before.reconciliation == "held"
    ((hold, _, suggestions),) = house.services.reconciling.held()
    assert "P9" in hold.reason
    assert "P1" in hold.reason
    assert suggestions[0][0].order.id == order.id
    linked = house.services.reconciling.link("1.2.3", order.id, "tech")
    assert (linked.reconciliation, linked.patient_id) == ("linked", order.patient_id)
    back = house.services.reconciling.undo(hold.id, "tech")
    assert (back.reconciliation, back.patient_id, back.order_id) == ("held", before.patient_id, None)
    with pytest.raises(Conflict):
        house.services.reconciling.undo(hold.id, "tech")


def test_same_id_with_another_name_and_birth_date_is_held(house: Spine) -> None:
    house.patient()
    house.order()
    house.image(patient_name="SMITH^ADAM", patient_birth_date="1999-09-09")
    ((hold, _, _),) = house.services.reconciling.held()
    assert hold.kind == "identity contradicts"


def test_images_of_a_cancelled_order_are_held(house: Spine) -> None:
    house.patient()
    house.order()
    house.services.orders.cancel(CancelOrder(OrderReference(placer_number="PL-A1")), "RIS")
    house.image()
    assert house.study().reconciliation == "held"


def test_same_bytes_twice_are_one_copy_other_bytes_are_both_kept_and_held(house: Spine) -> None:
    house.patient()
    house.order()
    assert house.image(content=b"one") is Kept.STORED
    assert house.image(content=b"one") is Kept.ALREADY_THERE
    assert house.image(content=b"two") is Kept.OTHER_BYTES
    assert len(list(house.store.keys())) == 2
    study = house.study()
    assert (study.instance_count, study.reconciliation) == (1, "held")


def test_merge_moves_orders_studies_and_later_images_of_the_old_id(house: Spine) -> None:
    house.patient("P1")
    house.order()
    house.image()
    survivor = house.patient("P2", "DOE^JANE^NEW")
    command = MergePatients(RegisterPatient(PatientIdentifier("P2")), PatientIdentifier("P1"))
    house.services.patients.merge(command, "RIS")
    study = house.study()
    assert study.patient_id == survivor
    answer = house.services.querying.study("1.2.3")
    assert corrections_of(answer) == {"PatientName": "DOE^JANE^NEW", "PatientID": "P2"}
    house.image(number=2)
    assert house.study().reconciliation == "matched"
    for wanted in ("P1", "P2"):
        assert [a.study.study_uid for a in house.services.querying.studies(StudyKeys(patient_id=wanted))] == [
            "1.2.3"
        ]


def test_report_signed_before_the_order_leaves_when_the_order_comes(house: Spine) -> None:
    house.services.configuring.save_destination(DestinationRecord("RIS", "127.0.0.1", 1, 3, 0, "C"), "t")
    house.services.access.add_account("eva", "reader", "correct horse", "Eva")
    house.image()
    signing = Signing("1.2.3", "correct horse", (Section("Findings", "normal"),), "final")
    house.services.reporting.sign(signing, Actor("eva", Role.READER, "Eva"))
    assert not house.services.delivering.open()
    house.patient()
    house.order()
    assert [d.destination for d in house.services.delivering.open()] == ["RIS"]
