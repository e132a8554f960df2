"""Worklist queries against a naive oracle over every scheduled step (PS3.4 K.4.1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import PlaceOrder, StepRequest
from pacs_core.domain.patient import RegisterPatient
from pacs_core.domain.records import WorklistKeys
from pacs_core.services.modality_worklist import WorklistItem
from tests.support import oracle
from tests.support.spine import Spine, spine

PEOPLE = (
    ("P1", "Yamada^Tarou=山田^太郎=やまだ^たろう", "1970-01-02", "M"),
    ("P%2", "Müller^Jörg", "1980-03-04", "M"),
    ("P_3", "Doe^Jane", "", "F"),
)
STEPS = (
    ("A1", 0, "CT", "2026-03-02", "09:00:00", "CT1"),
    ("A%1", 0, "MR", "2026-03-02", "10:30:00", ""),
    ("A_2", 1, "C_T", "2026-03-03", "00:00:00", "MR_1"),
    ("B1", 1, "US", "2026-03-04", "23:59:59", "MR%1"),
    ("B2", 2, "M%", "2026-02-28", "08:00:00", "XA/1"),
    ("B3", 2, "", "2026-03-02", "08:00:00", ""),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spine]:
    with spine(tmp_path_factory.mktemp("worklist")) as made:
        for accession, person, modality, date, time, station in STEPS:
            value, name, birth, sex = PEOPLE[person]
            step = StepRequest(modality=modality, start_date=date, start_time=time, station_aet=station)
            patient = RegisterPatient(PatientIdentifier(value), name=name, birth_date=birth, sex=sex)
            command = PlaceOrder(
                patient, accession=accession, placer_number=f"PL-{accession}", steps=(step,), source="RIS"
            )
            made.services.orders.place(command, "RIS")
        yield made


def text_of(values: tuple[str, ...]) -> st.SearchStrategy[str]:
    """A value, a piece of one with wildcards, or nothing."""
    whole = st.sampled_from(("", "", *values))
    return st.one_of(
        whole,
        whole.map(lambda v: f"{v[:2]}*"),
        whole.map(lambda v: f"*{v[-1:]}"),
        whole.map(lambda v: "?" + v[1:] if v else ""),
    )


days = st.sampled_from(("", "2026-02-28", "2026-03-02", "2026-03-03"))
births = st.sampled_from(("", "1970-01-02", "1975-01-01", "1999-01-01"))
wishes = st.fixed_dictionaries({
    "modalities": st.lists(text_of(tuple(s[2] for s in STEPS)).filter(bool), max_size=2).map(tuple),
    "accession": text_of(tuple(s[0] for s in STEPS)),
    "patient_id": text_of(tuple(p[0] for p in PEOPLE)),
    "patient_name": text_of(("Yamada^Tarou", "=山田^太郎", "やまだ", "muller", "DOE^JANE")),
    "birth_date": st.tuples(births, births),
    "start_date": st.tuples(days, days),
    "sex": st.sampled_from(("", "", "M", "F")),
})  # fmt: skip


def fits(wish: dict[str, Any], item: WorklistItem) -> bool:
    person, step = item.patient.demographics, item.step
    return (
        (not wish["modalities"] or any(oracle.text(w, step.modality) for w in wish["modalities"]))
        and oracle.text(wish["accession"], item.order.accession.value)
        and (
            not wish["patient_id"].strip("*")
            or oracle.text(wish["patient_id"], item.patient.identifier.value)
        )
        and oracle.name(wish["patient_name"], person.name)
        and oracle.between(wish["birth_date"], person.birth_date)
        and oracle.between(wish["start_date"], step.start_date)
        and oracle.text(wish["sex"], person.sex)
    )


@settings(max_examples=150)
@given(wishes)
def test_the_index_leaves_out_nothing_that_fits_and_the_rules_take_out_the_rest(
    house: Spine, wish: dict[str, Any]
) -> None:
    worklist = house.services.modality_worklist
    everything = worklist.query(WorklistKeys(asker="ORACLE"))
    assert len(everything) == len(STEPS)
    found = [i.step.id for i in worklist.query(WorklistKeys(asker="ORACLE", **wish))]
    assert found == [i.step.id for i in everything if fits(wish, i)]


@settings(max_examples=60)
@given(text_of(tuple(s[5] for s in STEPS if s[5])))
def test_a_station_gets_its_own_steps_and_those_of_nobody(house: Spine, station: str) -> None:
    worklist = house.services.modality_worklist
    everything = worklist.query(WorklistKeys(asker="ORACLE"))
    found = {
        i.order.accession.value for i in worklist.query(WorklistKeys(asker="ORACLE", station_aet=station))
    }
    own = {
        i.order.accession.value
        for i in everything
        if i.step.station_aet and oracle.text(station, i.step.station_aet)
    }
    assert own == {one for one in found if one not in ("A%1", "B3")}
