"""Whatever arrives first, the outcome is the same: ADT, orders, images of several series, merges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pacs_core.domain.errors import NeedsPerson
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import CancelOrder, OrderReference, StepRequest
from pacs_core.domain.patient import MergePatients, RegisterPatient
from tests.support.spine import Spine, spine

NAME, BIRTH, SEX = "DOE^JANE", "1970-01-02", "F"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spine]:
    with spine(tmp_path_factory.mktemp("archive")) as made:
        yield made


@dataclass(frozen=True)
class Outcome:
    """What a person would see of the study in the end; nothing in it tells what came when."""

    reconciliation: str
    holds: tuple[str, ...]
    main_order: str
    orders: tuple[tuple[str, tuple[str, ...]], ...]
    patient: str
    patient_name: str
    provisional: bool
    images: int
    order_states: tuple[str, ...]


class World:
    """One patient's exam under numbers of its own in a house that many share."""

    numbers = count(1)

    def __init__(self, house: Spine) -> None:
        self.house = house
        self.n = next(self.numbers)
        self.study = f"1.2.{self.n}"
        self.mark = f"~{self.n}~"

    def adt(self, which: str) -> None:
        self.house.patient(f"{which}{self.mark}", NAME, BIRTH, SEX)

    def merge(self) -> None:
        survivor = RegisterPatient(PatientIdentifier(f"P{self.mark}"), name=NAME, birth_date=BIRTH, sex=SEX)
        command = MergePatients(survivor, PatientIdentifier(f"Q{self.mark}"))
        self.house.services.patients.merge(command, "RIS")

    def order(self, which: str) -> None:
        step = StepRequest(
            step_id=f"S{which}{self.mark}", modality="CT", start_date="2026-03-02", start_time="11:00:00"
        )
        uid = self.study if which == "U" else ""
        self.house.order(f"{which}{self.mark}", f"P{self.mark}", steps=(step,), study_uid=uid)

    def cancel(self, which: str) -> None:
        """By a message, which leaves an order alone that has images."""
        with suppress(NeedsPerson):
            self.house.services.orders.cancel(
                CancelOrder(OrderReference(accession=f"{which}{self.mark}")), "RIS"
            )

    def image(self, number: int, picture: Picture) -> None:
        def numbers(names: str, before: str = "") -> tuple[str, ...]:
            return tuple(f"{before}{name}{self.mark}" for name in names)

        self.house.image(
            self.study,
            number,
            sop_instance_uid=f"{self.study}.{picture.series}.{number}",
            series_instance_uid=f"{self.study}.{picture.series}",
            series_number=picture.series,
            patient_id=f"{picture.patient}{self.mark}",
            patient_name=NAME,
            patient_birth_date=BIRTH,
            accession_number=f"{picture.accession}{self.mark}" if picture.accession else "",
            request_accessions=numbers(picture.requests),
            step_ids=numbers(picture.steps, "S"),
        )

    def outcome(self) -> Outcome:
        with self.house.index.read() as tx:
            study = tx.studies.get(self.study)
            main = tx.orders.get(study.order_id).accession.value if study.order_id is not None else ""
            linked = []
            for order in tx.orders.of_patient(study.patient_id):
                series = tx.studies._connection.exec_driver_sql(  # type: ignore[attr-defined]  # below the port
                    "SELECT series_number FROM series_request JOIN series ON series.id = series_id "
                    "WHERE order_id = ? AND study_id = ? ORDER BY 1",
                    (order.id, study.id),
                ).fetchall()
                if series:
                    linked.append((order.accession.value, tuple(str(row[0]) for row in series)))
            known = tx.patients.find(PatientIdentifier(f"P{self.mark}"))
            patient = tx.patients.current(study.patient_id)
            return Outcome(
                reconciliation=study.reconciliation,
                holds=tuple(sorted(h.kind for h in tx.holds.open_for(self.study))),
                main_order=main,
                orders=tuple(sorted(linked)),
                patient=patient.identifier.value,
                patient_name=patient.demographics.name,
                provisional=patient.provisional,
                images=study.instance_count,
                order_states=tuple(
                    sorted(f"{o.accession}: {o.state}" for o in tx.orders.of_patient(known.id))
                    if known
                    else ()
                ),
            )


def told_alike(outcome: Outcome, mark: str) -> Outcome:
    """The outcome without what tells one world from another."""

    def plain(value: object) -> object:
        if isinstance(value, tuple):
            return tuple(plain(one) for one in value)
        return value.replace(mark, "") if isinstance(value, str) else value

    return Outcome(*(plain(getattr(outcome, f.name)) for f in fields(Outcome)))  # type: ignore[arg-type]  # same types


@dataclass(frozen=True)
class Picture:
    """What one image says of its order."""

    series: int
    patient: str = "P"
    accession: str = "A"
    requests: str = ""
    steps: str = ""


@dataclass(frozen=True)
class Play:
    """The facts of an exam, each to arrive once."""

    adts: str
    orders: str
    merged: bool
    pictures: tuple[Picture, ...]

    def events(self, world: World) -> list[Callable[[], None]]:
        """Every arrival, in the order a good day has."""
        found: list[Callable[[], None]] = [lambda w=which: world.adt(w) for which in self.adts]
        if self.merged:
            found.append(world.merge)
        found += [lambda w=which: world.order(w) for which in self.orders]
        found += [lambda n=n, p=p: world.image(n, p) for n, p in enumerate(self.pictures, 1)]
        return found


def played(house: Spine, play: Play, order: Sequence[int]) -> Outcome:
    """The outcome when the events come in that order."""
    world = World(house)
    events = play.events(world)
    for place in order:
        events[place]()
    return told_alike(world.outcome(), world.mark)


pictures = st.builds(
    Picture,
    series=st.integers(1, 3),
    accession=st.sampled_from(["A", "A", "B", "X", ""]),
    requests=st.sampled_from(["", "", "A", "AB", "B"]),
    steps=st.sampled_from(["", "", "A", "B", "U"]),
)


@st.composite
def plays(draw: st.DrawFn) -> Play:
    merged = draw(st.booleans())
    patient = draw(st.sampled_from("PQ")) if merged else draw(st.sampled_from("PPPR"))
    shown = draw(st.lists(pictures, min_size=1, max_size=3))
    return Play(
        adts=draw(st.sampled_from(["", "P", "PQ" if merged else "P"])),
        orders=draw(st.sampled_from(["A", "A", "AB", "AU", "U", "ABU", ""])),
        merged=merged,
        pictures=tuple(Picture(p.series, patient, p.accession, p.requests, p.steps) for p in shown),
    )


@st.composite
def plays_in_two_orders(draw: st.DrawFn) -> tuple[Play, tuple[int, ...]]:
    play = draw(plays())
    events = len(play.adts) + len(play.orders) + play.merged + len(play.pictures)
    return play, tuple(draw(st.permutations(range(events))))


LATE_STEP = Play("P", "A", False, (Picture(1, accession="", steps="A"),))
SECOND_SERIES_NAMES_ANOTHER = Play("P", "AB", False, (Picture(1), Picture(2, accession="B")))


@settings(max_examples=40)
@given(plays_in_two_orders())
@example((LATE_STEP, (2, 0, 1)))
@example((SECOND_SERIES_NAMES_ANOTHER, (0, 1, 4, 3, 2)))
@example((SECOND_SERIES_NAMES_ANOTHER, (0, 2, 3, 4, 1)))
def test_the_order_of_arrival_never_changes_the_outcome(
    house: Spine, both: tuple[Play, tuple[int, ...]]
) -> None:
    play, order = both
    assert played(house, play, order) == played(house, play, range(len(order)))


@settings(max_examples=15)
@given(st.lists(st.integers(1, 2), min_size=1, max_size=3), st.integers(0, 3), st.booleans())
def test_a_cancel_holds_what_comes_after_it_and_leaves_what_was_there(
    house: Spine, series: list[int], before: int, order_last: bool
) -> None:
    world = World(house)
    arrivals: list[Callable[[], None]] = [
        lambda n=number, s=one: world.image(n, Picture(s)) for number, one in enumerate(series, 1)
    ]
    early, late = arrivals[:before], arrivals[before:]
    order = [lambda: world.order("A")]
    world.adt("P")
    for arrive in [*early, *order] if order_last else [*order, *early]:
        arrive()
    world.cancel("A")
    for arrive in late:
        arrive()
    outcome = told_alike(world.outcome(), world.mark)
    if early:
        assert (outcome.reconciliation, outcome.main_order, outcome.holds) == ("matched", "A", ())
    else:
        assert (outcome.reconciliation, outcome.main_order) == ("held", "")
        assert outcome.holds == ("cancelled order",)
    assert outcome.images == len(series)
    assert outcome.order_states == ("A: in progress" if early else "A: cancelled",)


def test_an_order_placed_again_after_its_cancel_takes_what_was_held(house: Spine) -> None:
    world = World(house)
    world.adt("P")
    world.order("A")
    world.cancel("A")
    world.image(1, Picture(1))
    world.order("A")
    outcome = told_alike(world.outcome(), world.mark)
    assert (outcome.reconciliation, outcome.main_order, outcome.holds) == ("matched", "A", ())
