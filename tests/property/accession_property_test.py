"""Accession numbers we make: each once, short enough for DICOM, never one that somebody else gave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacs_core.domain.errors import Conflict, InvalidValue, MissingValue
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import PlaceOrder, StepRequest
from pacs_core.domain.patient import RegisterPatient
from tests.support.spine import Spine, spine

numbers = count(1)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spine]:
    with spine(tmp_path_factory.mktemp("accessions"), zone="Pacific/Auckland") as made:
        yield made


def command(accession: str = "", source: str = "RIS") -> PlaceOrder:
    return PlaceOrder(
        patient=RegisterPatient(PatientIdentifier("P1"), name="DOE^JANE"),
        placer_number=f"PL{next(numbers)}",
        accession=accession,
        steps=(StepRequest(modality="CT"),),
        source=source,
    )


def all_numbers(house: Spine) -> list[str]:
    with house.index.read() as tx:
        (person,) = tx.patients.search("P1", 10)
        return [order.accession.value for order in tx.orders.of_patient(person.id)]


@settings(max_examples=12)
@given(st.lists(st.one_of(st.just("make"), st.integers(1, 3), st.just("next day")), min_size=1, max_size=12))
def test_a_number_we_make_is_nobody_else_s(house: Spine, steps: list[str | int]) -> None:
    for step in steps:
        if step == "next day":
            house.clock.forward(24 * 3600)
        elif step == "make":
            before = all_numbers(house) if house.services.orders.on_day("", "") else []
            made = house.services.orders.place(command(), "RIS")
            assert made.accession_is_ours
            assert made.accession.value not in before
            assert made.accession.value.startswith(f"RR{house.clock.civil_now():%y%m%d}")
            assert len(made.accession.value) <= 16
        else:  # a RIS happens to give a number that we would make next
            taken = f"RR{house.clock.civil_now():%y%m%d}{newest(house) + int(step):04d}"
            if taken not in all_numbers(house):
                given_one = house.services.orders.place(command(taken), "RIS")
                assert (given_one.accession.value, given_one.accession_is_ours) == (taken, False)
    known = all_numbers(house) if steps != ["next day"] * len(steps) else []
    assert len(known) == len(set(known))


def newest(house: Spine) -> int:
    """The highest number of today."""
    today = f"RR{house.clock.civil_now():%y%m%d}"
    known = all_numbers(house) if house.services.orders.on_day("", "") else []
    return max((int(one.removeprefix(today)) for one in known if one.startswith(today)), default=0)


@given(st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=20))
@settings(max_examples=20)
def test_a_number_that_is_given_is_kept_whole_or_refused(house: Spine, number: str) -> None:
    if len(number) > 16:
        with pytest.raises(InvalidValue):
            house.services.orders.place(command(number), "RIS")
        return
    try:
        placed = house.services.orders.place(command(number), "RIS")
    except Conflict:
        return  # the example was drawn before: another placer number has it
    assert placed.accession.value == number


def test_none_is_made_for_a_source_that_does_not_allow_it(house: Spine) -> None:
    before = house.services.orders.on_day("", "")
    with pytest.raises(MissingValue):
        house.services.orders.place(replace(command(), allow_own_accession=False), "RIS")
    assert house.services.orders.on_day("", "") == before
