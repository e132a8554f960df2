"""Chains of merges: every identifier leads to its survivor, and what was anybody's is the survivor's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacs_core.domain.errors import Conflict
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import PlaceOrder, StepRequest
from pacs_core.domain.patient import MergePatients, RegisterPatient
from pacs_core.domain.records import StudyKeys
from tests.support.spine import Spine, spine

PEOPLE = 5
numbers = count(1)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spine]:
    with spine(tmp_path_factory.mktemp("merges")) as made:
        yield made


pairs = st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1), st.booleans())


@settings(max_examples=12)
@given(st.lists(pairs, min_size=1, max_size=7), st.integers(0, PEOPLE))
def test_every_identifier_leads_to_its_survivor(
    house: Spine, merges: list[tuple[int, int, bool]], with_images: int
) -> None:
    mark = f"~{next(numbers)}"
    ids = [PatientIdentifier(f"M{n}{mark}", "HOSP") for n in range(PEOPLE)]
    for n, identifier in enumerate(ids):
        house.services.patients.register(RegisterPatient(identifier, name=f"DOE^{n}", sex="F"), "RIS")
    for n in range(with_images):
        examined(house, n, mark)
    survivor = list(range(PEOPLE))  # the oracle: whom each identifier means now
    for winner, loser, by_hand in merges:
        merged = merge(house, ids[winner], ids[loser], by_hand)
        if merged:
            kept, gone = survivor[winner], survivor[loser]
            survivor = [kept if one == gone else one for one in survivor]
        check(house, ids, survivor, with_images, mark)


def examined(house: Spine, n: int, mark: str) -> None:
    person = RegisterPatient(PatientIdentifier(f"M{n}{mark}", "HOSP"))
    command = PlaceOrder(person, accession=f"M{n}{mark}", steps=(StepRequest(modality="CT"),), source="RIS")
    house.services.orders.place(command, "RIS")
    house.image(
        f"1.5.{n}.{mark[1:]}", patient_id=f"M{n}{mark}", patient_name=f"DOE^{n}", patient_birth_date="",
        accession_number=f"M{n}{mark}",
    )  # fmt: skip


def merge(house: Spine, winner: PatientIdentifier, loser: PatientIdentifier, by_hand: bool) -> bool:
    """Merge by the RIS or by hand; False where they are one already."""
    with house.index.read() as tx:
        first, second = tx.patients.find(winner), tx.patients.find(loser)
    assert first is not None
    assert second is not None
    patients = house.services.patients
    if first.id != second.id:
        if by_hand:
            patients.merge_rows(first.id, second.id, "tech")
        else:
            patients.merge(MergePatients(RegisterPatient(winner), loser), "RIS")
        return True
    if by_hand:
        with pytest.raises(Conflict):
            patients.merge_rows(first.id, second.id, "tech")
    elif loser in (winner, first.identifier):
        with pytest.raises(Conflict):
            patients.merge(MergePatients(RegisterPatient(winner), loser), "RIS")
    return False


def check(house: Spine, ids: list[PatientIdentifier], survivor: list[int], images: int, mark: str) -> None:
    with house.index.read() as tx:
        for n, identifier in enumerate(ids):
            found = tx.patients.find(identifier)
            assert found is not None
            assert found.merged_into is None
            assert found.identifier == ids[survivor[n]]
            alike = {ids[m] for m in range(PEOPLE) if survivor[m] == survivor[n]}
            assert {found.identifier, *found.other_identifiers} == alike
            own = [m for m in range(images) if survivor[m] == survivor[n]]
            assert sorted(o.accession.value for o in tx.orders.of_patient(found.id)) == [
                f"M{m}{mark}" for m in own
            ]
            assert len(tx.studies.of_patient(found.id)) == len(own)
    for n, identifier in enumerate(ids):
        own = {f"1.5.{m}.{mark[1:]}" for m in range(images) if survivor[m] == survivor[n]}
        answers = house.services.querying.studies(StudyKeys(patient_id=identifier.value))
        assert {a.study.study_uid for a in answers} == own
