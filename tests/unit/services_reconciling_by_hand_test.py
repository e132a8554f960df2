"""What a person decides about a study stays decided, and can be undone whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pacs_core.domain.errors import Conflict
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import OrderState
from pacs_core.domain.patient import MergePatients, RegisterPatient
from tests.support.spine import Spine, spine


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Spine]:
    with spine(tmp_path) as made:
        yield made


def held_wrong_patient(house: Spine) -> int:
    """A study of P9 under the accession number of P1's order A1; the order's row."""
    house.patient()
    order = house.order()
    house.image(patient_id="P9", patient_name="ROE^RICHARD")
    return order.id


def kinds(house: Spine) -> list[str]:
    with house.index.read() as tx:
        return sorted(h.kind for h in tx.holds.open_for("1.2.3"))


def state_of(house: Spine, order_id: int) -> OrderState:
    return house.services.orders.get(order_id)[0].state


def test_a_link_stays_although_the_order_that_the_images_name_comes_later(house: Spine) -> None:
    house.patient()
    right = house.order("A1")
    house.image(accession_number="WRONG")
    house.services.reconciling.link("1.2.3", right.id, "tech")
    house.order("WRONG", placer_number="PL-W")
    house.image(number=2, accession_number="WRONG")
    house.patient(name="DOE^JANE^MARY")
    study = house.study()
    assert (study.reconciliation, study.order_id) == ("linked", right.id)


def test_a_link_stays_although_other_bytes_hold_the_study_again(house: Spine) -> None:
    house.patient()
    right = house.order("A1")
    house.image(accession_number="WRONG", content=b"one")
    house.services.reconciling.link("1.2.3", right.id, "tech")
    house.image(accession_number="WRONG", content=b"two")
    assert kinds(house) == ["other bytes"]
    house.order("WRONG", placer_number="PL-W")
    assert (house.study().reconciliation, house.study().order_id) == ("held", right.id)
    house.services.reconciling.accept("1.2.3", "tech")
    assert (house.study().reconciliation, house.study().order_id) == ("accepted", right.id)


def test_what_was_accepted_is_not_held_again_by_the_next_image_or_a_late_order(house: Spine) -> None:
    house.image()
    house.services.reconciling.accept("1.2.3", "tech")
    house.image(number=2)
    house.patient()
    house.order()
    assert (house.study().reconciliation, house.study().order_id) == ("accepted", None)


def test_undo_brings_back_every_hold_and_the_order_is_scheduled_again(house: Spine) -> None:
    order_id = held_wrong_patient(house)
    house.image(patient_id="P9", patient_name="ROE^RICHARD", content=b"other bytes")
    assert kinds(house) == ["other bytes", "wrong patient"]
    house.services.reconciling.link("1.2.3", order_id, "tech")
    assert (kinds(house), state_of(house, order_id)) == ([], OrderState.IN_PROGRESS)
    first = house.services.reconciling.resolved(10)[0][0]
    since = {hold.kind: hold.since for hold, _study in house.services.reconciling.resolved(10)}
    house.clock.forward(3600)
    house.services.reconciling.undo(first.id, "tech")
    assert kinds(house) == ["other bytes", "wrong patient"]
    now = {hold.kind: hold.since for hold, _study, _found in house.services.reconciling.held()}
    assert set(now.values()) == {min(since.values())}, "it waits since it was first held"
    assert (house.study().reconciliation, house.study().order_id) == ("held", None)
    assert state_of(house, order_id) is OrderState.SCHEDULED
    assert not house.services.reconciling.resolved(10)


def test_an_old_decision_cannot_be_undone_under_a_newer_one(house: Spine) -> None:
    first_order = held_wrong_patient(house)
    house.patient("P9", "ROE^RICHARD")
    second_order = house.order("A9", "P9").id
    house.services.reconciling.link("1.2.3", first_order, "tech")
    old = house.services.reconciling.resolved(10)[0][0]
    house.clock.forward(60)
    house.services.reconciling.link("1.2.3", second_order, "tech")
    with pytest.raises(Conflict):
        house.services.reconciling.undo(old.id, "tech")
    assert house.study().order_id == second_order
    newer = house.services.reconciling.resolved(10)[0][0]
    back = house.services.reconciling.undo(newer.id, "tech")
    assert (back.reconciliation, back.order_id) == ("linked", first_order)
    again = house.services.reconciling.undo(old.id, "tech")
    assert (again.reconciliation, again.order_id, kinds(house)) == ("held", None, ["wrong patient"])


def test_undo_after_a_merge_files_the_study_under_the_survivor(house: Spine) -> None:
    order_id = held_wrong_patient(house)
    house.patient("P9", "ROE^RICHARD", "1950-05-05", "M")
    filed = house.study().patient_id
    house.services.reconciling.link("1.2.3", order_id, "tech")
    survivor = house.patient("P10", "ROE^RICHARD", "1950-05-05", "M")
    command = MergePatients(RegisterPatient(PatientIdentifier("P10")), PatientIdentifier("P9"))
    house.services.patients.merge(command, "RIS")
    hold = house.services.reconciling.resolved(10)[0][0]
    house.services.reconciling.undo(hold.id, "tech")
    assert filed != survivor
    assert house.study().patient_id == survivor
    with house.index.read() as tx:
        assert [s.study_uid for s in tx.studies.of_patient(survivor)] == ["1.2.3"]


def test_an_automatic_match_cannot_be_undone_as_if_a_person_had_made_it(house: Spine) -> None:
    house.image()
    with house.index.read() as tx:
        hold = tx.holds.open_for("1.2.3")[0]
    house.patient()
    house.order()
    assert house.study().reconciliation == "matched"
    with pytest.raises(Conflict):
        house.services.reconciling.undo(hold.id, "tech")


def test_what_is_not_held_cannot_be_accepted_nor_linked_twice_to_one_order(house: Spine) -> None:
    house.patient()
    order = house.order()
    house.image()
    with pytest.raises(Conflict):
        house.services.reconciling.accept("1.2.3", "tech")
    with pytest.raises(Conflict):
        house.services.reconciling.link("1.2.3", order.id, "tech")


def test_a_matched_study_moved_by_a_person_comes_back_to_where_it_was(house: Spine) -> None:
    house.patient()
    first = house.order("A1")
    other = house.order("A2")
    house.image()
    assert house.study().order_id == first.id
    house.services.reconciling.link("1.2.3", other.id, "tech")
    assert state_of(house, first.id) is OrderState.SCHEDULED
    hold = house.services.reconciling.resolved(10)[0][0]
    house.services.reconciling.undo(hold.id, "tech")
    study = house.study()
    assert (study.reconciliation, study.order_id) == ("matched", first.id)
    assert kinds(house) == []


def test_suggestions_name_the_likely_order_first_with_their_evidence(house: Spine) -> None:
    house.patient()
    likely = house.order("A12345")
    house.patient("P2", "ROE^RICHARD", "1950-05-05", "M")
    house.order("B99999", "P2", "MR")
    house.image(accession_number="A12354")
    ((_, _, suggestions),) = house.services.reconciling.held()
    best, score, words = suggestions[0]
    assert best.order.id == likely.id
    assert score > 0.8
    assert any("two characters swapped" in word for word in words)
    assert all(s[1] < score for s in suggestions[1:])


def test_the_inbox_lists_a_held_study_once_per_reason_and_only_while_it_is_held(house: Spine) -> None:
    order_id = held_wrong_patient(house)
    assert [(h.kind, s.study_uid) for h, s, _ in house.services.reconciling.held()] == [
        ("wrong patient", "1.2.3")
    ]
    house.services.reconciling.link("1.2.3", order_id, "tech")
    assert house.services.reconciling.held() == []
