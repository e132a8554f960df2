"""An exam's story: each stage done, waiting, missing or failed, and the first that is missing by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from pacs_core.archive.models import ExamTrace, StageView
from pacs_core.domain.access import Actor, Role
from pacs_core.domain.delivery import Outcome, OutcomeKind
from pacs_core.domain.errors import NotFound
from pacs_core.domain.order import CancelOrder, OrderReference
from pacs_core.domain.records import DestinationRecord, WorklistKeys
from pacs_core.domain.report import Section
from pacs_core.runtime.commands.trace import as_text
from pacs_core.services.reporting import Signing
from tests.support.spine import Spine, spine
from tests.support.web_node import quick_passwords

EVA = Actor("eva", Role.READER, "Eva")
REFUSED = Outcome(OutcomeKind.REFUSED, "AE", "unknown order")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Spine]:
    with quick_passwords(), spine(tmp_path) as made:
        made.services.configuring.save_destination(DestinationRecord("RIS", "127.0.0.1", 1, 1, 0, "C"), "t")
        made.services.access.add_account("eva", "reader", "correct horse", "Eva")
        yield made


def sign(house: Spine) -> None:
    signing = Signing("1.2.3", "correct horse", (Section("Findings", "normal"),), "final")
    house.services.reporting.sign(signing, EVA)


def deliver(house: Spine) -> None:
    for one in house.services.delivering.due():
        house.services.delivering.attempt(one.id)


def missing(house: Spine, accession: str = "A1") -> str:
    return house.services.tracing.of(accession).missing


def states(house: Spine, accession: str = "A1") -> str:
    return "".join(stage.state[0] for stage in house.services.tracing.of(accession).stages)


def test_the_story_goes_on_stage_by_stage(house: Spine) -> None:
    steps = {
        "worklist": lambda: (house.patient(), house.order()),
        "acquisition": lambda: house.services.modality_worklist.query(WorklistKeys(asker="CT1")),
        "reading": house.image,
        "report": lambda: house.services.reading_worklist.viewed("1.2.3", EVA),
        "": lambda: (sign(house), deliver(house)),
    }
    for next_one, step in steps.items():
        step()
        assert missing(house) == next_one
    story = house.services.tracing.of("A1")
    assert states(house) == "d" * 7
    assert story.patient is not None
    assert all(stage.at and stage.evidence for stage in story.stages)
    assert [e.sequence for e in story.events] == sorted(e.sequence for e in story.events)


def test_what_waits_and_what_failed_is_told(house: Spine) -> None:
    house.patient()
    house.order()
    house.image()
    sign(house)
    assert house.services.tracing.of("A1").stages[6].state == "waiting"
    house.transmitter.answers = [REFUSED]
    deliver(house)
    report = house.services.tracing.of("A1").stages[6]
    assert report.state == "failed"
    assert "unknown order" in report.evidence


def test_a_cancelled_order_and_a_held_study_have_failed(house: Spine) -> None:
    house.patient()
    house.order()
    house.services.orders.cancel(CancelOrder(OrderReference(accession="A1")), "RIS")
    house.image()
    stages = {s.name: s for s in house.services.tracing.of("A1").stages}
    assert stages["order"].state == "failed"
    assert stages["reconciliation"].state == "failed"
    assert "cancelled order" in stages["reconciliation"].evidence


@pytest.mark.parametrize("gone", ["PL-A1", "PL2"])
def test_of_two_orders_with_one_number_both_are_told_and_the_live_one_counts(house: Spine, gone: str) -> None:
    house.patient()
    house.order(procedure_id="RP1")
    house.order(procedure_id="RP2", placer_number="PL2")
    house.services.modality_worklist.query(WorklistKeys(asker="CT1"))
    house.services.orders.cancel(CancelOrder(OrderReference(placer_number=gone)), "RIS")
    live = {"PL-A1": "PL2", "PL2": "PL-A1"}[gone]
    story = house.services.tracing.of("A1")
    order = story.stages[1]
    assert order.state == "done"
    assert order.evidence == f"{live}: order placed by RIS; {gone}: order cancelled"
    assert story.missing == "acquisition"


def test_a_run_of_images_is_one_line_with_its_count_and_times(house: Spine) -> None:
    house.patient()
    house.order()
    for number in range(1, 6):
        house.image(number=number)
    found = house.services.tracing.of("A1")
    stages = tuple(StageView(**asdict(stage)) for stage in found.stages)
    story = ExamTrace("A1", None, stages, found.missing, found.events)
    stored = [event for event in story.events if event.kind == "images.stored"]
    assert len(stored) == 5
    (line,) = (line for line in as_text(story).splitlines() if "images.stored" in line)
    assert "count 5" in line
    assert stored[0].at[:23] in line
    assert f"until {stored[-1].at[:23]}" in line


def test_images_without_an_order_have_a_story_too(house: Spine) -> None:
    house.image(accession_number="X7")
    assert missing(house, "X7") == "patient"
    house.image("1.9", accession_number="", request_accessions=("X8",))
    assert house.services.tracing.of("X8").stages[3].state == "done"


@pytest.mark.parametrize("accession", ["", "nobody's"])
def test_no_such_exam(house: Spine, accession: str) -> None:
    house.image(accession_number="")
    with pytest.raises(NotFound):
        house.services.tracing.of(accession)
