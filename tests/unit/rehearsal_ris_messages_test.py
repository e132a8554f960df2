"""What the simulated RIS writes is what the HL7 door reads out of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pacs_core.domain.field_map import FieldMap
from pacs_core.domain.order import CancelOrder, PlaceOrder, Priority
from pacs_core.domain.patient import MergePatients, RegisterPatient
from pacs_core.hl7.interpret import interpret
from pacs_core.hl7.message import Message
from pacs_core.rehearsal.recipe import load_recipe
from pacs_core.rehearsal.ris_messages import Messages, Outgoing, person_name
from pacs_core.rehearsal.sources import demo_resources

RECIPE = load_recipe()
MESSAGES = Messages(RECIPE)
TODAY = date(2026, 11, 22)


def read(message: Outgoing) -> object:
    shipped = Path(__file__).parents[2] / "resources" / "hl7_maps" / "default.toml"
    own = demo_resources() / "field_map.toml"
    field_map = FieldMap.read(shipped.read_text("utf-8"), own.read_text("utf-8"))
    found = interpret(Message.parse(message.content), field_map, ZoneInfo("Europe/Stockholm"))
    assert found.parked == ()
    assert len(found.commands) == 1
    return found.commands[0]


@pytest.mark.parametrize("key", [p.key for p in RECIPE.patients])
def test_an_a04_brings_the_person_in_every_script(key: str) -> None:
    patient = RECIPE.patient(key)
    command = read(MESSAGES.register(patient))
    assert isinstance(command, RegisterPatient)
    assert command.name == patient.name
    assert (command.identifier.value, command.identifier.issuer) == (patient.id, "DEMO")
    assert (command.birth_date or "", command.sex or "") == (patient.birth_date, patient.sex)
    assert command.weight_kg == patient.weight_kg
    assert command.height_m == patient.height_m
    assert (command.allergies or "") == "; ".join(patient.allergies)
    assert bool(command.pregnancy) == bool(patient.pregnancy)


@pytest.mark.parametrize("key", [e.key for e in RECIPE.exams])
def test_an_order_says_all_the_recipe_says(key: str) -> None:
    exam = RECIPE.exam(key)
    command = read(MESSAGES.order(exam, TODAY))
    assert isinstance(command, PlaceOrder)
    step = command.steps[0]
    assert (command.accession, command.placer_number, command.filler_number) == (
        exam.accession,
        exam.placer,
        exam.filler,
    )
    assert (command.procedure_id, step.step_id) == (exam.procedure_id, exam.step_id)
    assert (command.study_uid, step.modality) == (exam.study_uid, exam.modality)
    assert f"{step.start_date}T{step.start_time}" == exam.when(TODAY).isoformat()
    assert (command.indication or "", command.question or "") == (exam.indication, exam.question)
    assert command.procedure_description == exam.description
    assert (command.contrast or "", command.alerts or "") == (exam.contrast, exam.alerts)
    assert command.referring_physician == "^".join(exam.referrer.split("^")[1:3]) + (
        "^^Dr." if "Dr." in exam.referrer else ""
    )
    assert (command.referring_phone or "") == exam.referrer_phone
    assert command.priority is {"S": Priority.STAT, "A": Priority.HIGH, "R": Priority.ROUTINE}[exam.priority]


def test_a_cancellation_names_its_order_and_reason() -> None:
    command = read(MESSAGES.order(RECIPE.exam("chen-mr"), TODAY, "CA", "patient | cancelled"))
    assert isinstance(command, CancelOrder)
    assert command.order.accession == "DH2611890"
    assert command.reason == "patient | cancelled"


def test_a_merge_names_both() -> None:
    command = read(MESSAGES.merge(RECIPE.patient("oconnor"), "DHX00931"))
    assert isinstance(command, MergePatients)
    assert command.subsumed.value == "DHX00931"
    assert command.survivor.identifier.value == "DH100533"


def test_delimiters_in_a_name_do_not_become_structure() -> None:
    assert person_name("A|B&C^D~E") == "A\\F\\B\\T\\C^D\\R\\E^^^^^L^A"


def test_every_message_has_its_own_number_and_the_asked_processing_id() -> None:
    messages = [Messages(RECIPE, processing_id="T").register(RECIPE.patients[0]) for _ in range(3)]
    assert len({m.control_id for m in messages}) == 3
    for message in messages:
        read_back = Message.parse(message.content)
        assert read_back.text("MSH-10") == message.control_id
        assert read_back.text("MSH-11") == "T"
