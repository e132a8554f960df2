"""The site's day and clock, east and west of Greenwich, at midnight and where clocks change (promise 6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pacs_core.archive import models as m
from pacs_core.archive.local import LocalArchive
from pacs_core.domain.access import Actor, Role
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import PlaceOrder, StepRequest
from pacs_core.domain.patient import RegisterPatient
from pacs_core.domain.records import WorklistKeys
from pacs_core.domain.report import VersionKind
from pacs_core.hl7.fields import birth_date, civil_start
from pacs_core.hl7.message import Message
from pacs_core.hl7.oru import render
from tests.support.spine import Spine, spine
from tests.unit.hl7_oru_test import result

EAST, WEST, BERLIN = "Pacific/Tongatapu", "America/Los_Angeles", "Europe/Berlin"
ZONES = (EAST, "Pacific/Auckland", WEST, BERLIN, "Asia/Kathmandu", "UTC")
HERE = st.sampled_from(ZONES)
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))

MIDNIGHT_EAST = datetime(2026, 3, 1, 11, 0, tzinfo=UTC)
MIDNIGHT_WEST = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
FORWARD = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
BACK = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)

numbers = count(1)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spine]:
    with spine(tmp_path_factory.mktemp("civil")) as made:
        yield made


def placed(house: Spine, step: StepRequest) -> str:
    """An order for a patient born on a day that a zone could move; its accession number."""
    number = f"C{next(numbers)}"
    patient = RegisterPatient(PatientIdentifier("P1"), name="DOE^JANE", birth_date="1970-01-01")
    house.services.orders.place(PlaceOrder(patient, accession=number, steps=(step,), source="RIS"), "RIS")
    return number


def on_worklist(house: Spine, day: str, number: str) -> bool:
    keys = WorklistKeys(asker="CT1", start_date=(day, day), accession=number)
    return bool(house.services.modality_worklist.query(keys))


@settings(max_examples=15)
@given(INSTANTS, HERE)
@example(MIDNIGHT_EAST - timedelta(seconds=1), EAST)
@example(MIDNIGHT_EAST, EAST)
@example(MIDNIGHT_WEST - timedelta(seconds=1), WEST)
@example(MIDNIGHT_WEST, WEST)
@example(FORWARD, BERLIN)
@example(BACK, BERLIN)
def test_today_is_the_site_s_civil_day(house: Spine, at: datetime, zone: str) -> None:
    house.clock.stand(at, zone)
    there = at.astimezone(ZoneInfo(zone))
    day, before = there.date().isoformat(), (there.date() - timedelta(days=1)).isoformat()
    number = placed(house, StepRequest(modality="CT"))
    assert house.services.modality_worklist.today() == day
    assert on_worklist(house, day, number)
    assert not on_worklist(house, before, number)
    (item,) = house.services.modality_worklist.query(WorklistKeys(asker="CT1", accession=number))
    assert (item.step.start_date, item.step.start_time) == (day, there.strftime("%H:%M:%S"))
    assert item.patient.demographics.birth_date == "1970-01-01"
    schedule = archive(house).schedule.day()
    assert (schedule.date, schedule.today, schedule.zone) == (day, day, zone)
    assert number in {order.accession for order in schedule.orders}


@settings(max_examples=10)
@given(INSTANTS, HERE, st.sampled_from(("00:00:00", "02:30:00", "23:59:59")))
@example(FORWARD, BERLIN, "02:30:00")
@example(BACK, BERLIN, "02:30:00")
def test_a_civil_start_stays_as_it_was_said(house: Spine, at: datetime, zone: str, time: str) -> None:
    house.clock.stand(at, zone)
    day = at.date().isoformat()
    number = placed(house, StepRequest(modality="CT", start_date=day, start_time=time))
    house.clock.stand(at + timedelta(days=200), EAST if zone == WEST else WEST)
    (item,) = house.services.modality_worklist.query(WorklistKeys(asker="CT1", accession=number))
    assert (item.step.start_date, item.step.start_time) == (day, time)
    assert on_worklist(house, day, number)


def archive(house: Spine) -> LocalArchive:
    class Facts:
        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"the schedule asks nothing of the node, but {name}")

    return LocalArchive(house.services, Actor("front", Role.FRONT_DESK, "Front"), Facts(), local_files=False)  # type: ignore[arg-type]  # none is asked


@given(INSTANTS, HERE, HERE)
@example(FORWARD, BERLIN, WEST)
@example(BACK, BERLIN, EAST)
def test_a_start_with_an_offset_is_the_same_moment_at_the_site(at: datetime, sender: str, site: str) -> None:
    said = at.astimezone(ZoneInfo(sender)).strftime("%Y%m%d%H%M%S%z")[:19]
    there = at.replace(microsecond=0).astimezone(ZoneInfo(site))
    assert civil_start(said, ZoneInfo(site), None) == (there.date().isoformat(), there.strftime("%H:%M:%S"))


@given(INSTANTS, HERE, HERE)
def test_a_start_without_offset_is_of_the_sender_s_zone_where_one_is_known(
    at: datetime, sender: str, site: str
) -> None:
    civil = at.astimezone(ZoneInfo(sender))
    said = civil.strftime("%Y%m%d%H%M%S")
    plain = (civil.date().isoformat(), civil.strftime("%H:%M:%S"))
    assert civil_start(said, ZoneInfo(site), None) == plain
    moved = civil_start(said, ZoneInfo(site), ZoneInfo(sender))
    meant = civil.replace(fold=0, microsecond=0).astimezone(ZoneInfo(site))
    assert moved == (meant.date().isoformat(), meant.strftime("%H:%M:%S"))


@given(st.dates(), st.sampled_from(("", "000000", "235959", "000000+1300", "235959-0800", "0000.0+0000")))
def test_a_birth_date_is_never_an_instant(born: object, tail: str) -> None:
    day = str(born)
    assert birth_date(day.replace("-", "") + tail) == day


@settings(max_examples=15)
@given(INSTANTS, HERE)
@example(MIDNIGHT_EAST, EAST)
@example(MIDNIGHT_WEST - timedelta(seconds=1), WEST)
@example(FORWARD, BERLIN)
@example(BACK, BERLIN)
def test_a_result_s_times_are_the_instant_of_the_signature(at: datetime, zone: str) -> None:
    at = at.replace(microsecond=0)
    there = at.astimezone(ZoneInfo(zone))
    message = Message.parse(render(result(VersionKind.FINAL, signed_at=there, rendered_at=there)))
    for place in ("MSH-7", "OBR-22", "OBX-14"):
        told = message.text(place) or ""
        assert datetime.strptime(told, "%Y%m%d%H%M%S%z") == at
        assert told.startswith(there.strftime("%Y%m%d%H%M%S"))
    assert message.text("PID-7") == "19700102"
    assert message.text("OBR-7") == "20261122081500"


def test_a_day_that_is_asked_for_is_that_day_wherever_the_clock_stands(house: Spine) -> None:
    number = placed(house, StepRequest(modality="CT", start_date="2026-03-29", start_time="02:30:00"))
    for at, zone in ((FORWARD, BERLIN), (MIDNIGHT_EAST, EAST), (MIDNIGHT_WEST, WEST)):
        house.clock.stand(at, zone)
        day: m.DayView = archive(house).schedule.day("2026-03-29")
        assert number in {order.accession for order in day.orders}
