"""What is asked of many rows at once is what is asked of each, in no more questions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event

from pacs_core.archive import models as m
from pacs_core.archive import views
from pacs_core.archive.local import LocalArchive
from pacs_core.domain.access import Actor, Role
from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import Priority
from pacs_core.domain.patient import MergePatients, RegisterPatient
from tests.support.spine import Spine, spine

READER = Actor("reader", Role.READER, "Dr. Reader", "s", "")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spine]:
    """Twelve people with a study each, half of them ordered, some held, merged and reported."""
    with spine(tmp_path_factory.mktemp("many")) as made:
        for n in range(12):
            made.patient(f"P{n}", f"NAME{n}^X")
            if n % 2:
                made.order(f"A{n}", f"P{n}", priority=list(Priority)[n % 3])
            who = "P0" if n == 11 else f"P{n}"
            made.image(
                f"1.2.{n}", patient_id=who, patient_name=f"NAME{n}^X", accession_number=f"A{n}",
                study_date=f"2026-03-{28 - n:02d}",
            )  # fmt: skip
            made.clock.forward(60)
        made.order("WAITS", "P3")
        for subsumed, survivor in (("P2", "P4"), ("P4", "P6"), ("P8", "P6")):
            command = MergePatients(RegisterPatient(PatientIdentifier(survivor)), PatientIdentifier(subsumed))
            made.services.patients.merge(command, "RIS")
        yield made


def archive(house: Spine) -> LocalArchive:
    return LocalArchive(house.services, READER, None)  # type: ignore[arg-type]  # no node around it


def test_many_patients_are_each_one(house: Spine) -> None:
    with house.index.read() as tx:
        rows = [s.patient_id for s in tx.studies.of_rows(range(1, 13)).values()]
        assert len(set(rows)) > 6
        for row, found in tx.patients.current_of([*rows, *range(1, 10)]).items():
            assert found == tx.patients.current(row)


def test_many_orders_holds_reports_and_drafts_are_each_one(house: Spine) -> None:
    house.services.access.add_account("reader", "reader", "a long password")
    for uid in ("1.2.1", "1.2.3"):
        archive(house).reports.save_draft(uid, "plain", "words")
    with house.index.read() as tx:
        studies = tx.studies.of_rows(range(1, 13)).values()
        uids = [s.study_uid for s in studies]
        orders = [s.order_id for s in studies if s.order_id is not None]
        assert len(orders) >= 4
        assert tx.orders.of_rows(orders) == {row: tx.orders.get(row) for row in orders}
        held = tx.holds.open_of(uids)
        assert held
        assert held == {uid: tx.holds.open_for(uid) for uid in held}
        assert all(not tx.holds.open_for(uid) for uid in uids if uid not in held)
        assert tx.reports.drafting(uids) == {"1.2.1", "1.2.3"}
        reports = tx.reports.of_studies(uids)
        assert reports == {uid: tx.reports.of_study(uid) for uid in ("1.2.1", "1.2.3")}


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", sorted(m.ExamRow.__dataclass_fields__))
def test_a_page_is_a_slice_of_the_whole_list_in_order(house: Spine, sort: str, descending: bool) -> None:
    worklist = archive(house).worklist
    whole = worklist.rows(m.WorklistQuery(sort=sort, descending=descending))
    assert whole.total == len(whole.rows) >= 12
    parts = [
        worklist.rows(m.WorklistQuery(sort=sort, descending=descending), start, 5).rows
        for start in range(0, whole.total, 5)
    ]
    assert [row for part in parts for row in part] == list(whole.rows)
    keys = [views.urgency(row) if sort == "priority" else getattr(row, sort) or "" for row in whole.rows]
    if sort in ("priority", "status", "study_date", "last_image_at", "key", "patient_name"):
        assert keys == sorted(keys, reverse=descending)


def test_a_status_is_asked_for_before_the_page_is_cut(house: Spine) -> None:
    worklist = archive(house).worklist
    worklist.claim("1.2.5")
    page = worklist.rows(m.WorklistQuery(status=("reading",)), 0, 5)
    assert (page.total, [row.study_uid for row in page.rows]) == (1, ["1.2.5"])
    page = worklist.rows(m.WorklistQuery(status=("scheduled",)), 0, 5)
    assert {row.status for row in page.rows} == {"scheduled"}
    assert page.total >= 1
    with pytest.raises(InvalidValue):
        worklist.rows(m.WorklistQuery(sort="study_id"))


def asked(house: Spine, upto: int, sort: str) -> int:
    """How many statements a page of so many rows takes."""
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    event.listen(Engine, "before_cursor_execute", note)
    try:
        page = archive(house).worklist.rows(m.WorklistQuery(sort=sort, with_orders=False), 0, upto)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(page.rows) == upto
    return count


@pytest.mark.parametrize("sort", ["priority", "patient_name"])
def test_a_longer_page_takes_no_more_questions(house: Spine, sort: str) -> None:
    assert 0 < asked(house, 10, sort) <= asked(house, 4, sort) + 1
