"""The demo's recipe fits together, and its images are stamped with who they are."""

from __future__ import annotations

import shutil
import unicodedata
from datetime import date
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from pacs_core.domain.identifiers import is_uid
from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.identity import Identity, stamp
from pacs_core.rehearsal.images import BUILDERS
from pacs_core.rehearsal.phantoms import Scene, classic_series, stack
from pacs_core.rehearsal.phantoms.pet import reference_object
from pacs_core.rehearsal.recipe import load_recipe
from pacs_core.rehearsal.sources import demo_resources


def one_image() -> Dataset:
    return classic_series(
        Scene((), 0.0), stack((4, 4, 1), (1.0, 1.0, 1.0)), SeriesHeader("one", "CT")
    ).images[0]


def test_every_exam_has_its_people_machines_and_images() -> None:
    recipe = load_recipe()
    assert len(recipe.patients) >= 12
    for exam in recipe.exams:
        assert recipe.patient(exam.patient).id
        assert recipe.station(exam.modality).aet
        assert exam.images in BUILDERS
        assert is_uid(exam.study_uid)
        assert max(len(exam.accession), len(exam.procedure_id), len(exam.step_id)) <= 16
    assert {exam.state for exam in recipe.exams} == {"read", "acquired", "arriving", "waiting", "held"}


def test_many_scripts_come() -> None:
    scripts = {
        unicodedata.name(letter).split()[0]
        for patient in load_recipe().patients
        for letter in patient.name
        if letter.isalpha()
    }
    assert {"LATIN", "CJK", "HIRAGANA", "HANGUL", "CYRILLIC", "GREEK", "ARABIC", "HEBREW"} <= scripts


def test_times_count_from_the_sites_day() -> None:
    exam = load_recipe().exam("lindstrom-ct-prior")
    assert exam.when(date(2026, 11, 22)).isoformat() == "2026-05-22T10:20:00"


def test_a_recipe_that_does_not_fit_is_named(tmp_path: Path) -> None:
    shutil.copytree(demo_resources(), tmp_path / "demo")
    recipe = tmp_path / "demo" / "recipe.toml"
    recipe.write_text(recipe.read_text("utf-8").replace('patient = "chen"', 'patient = "nobody"'), "utf-8")
    with pytest.raises(ValueError, match=r"chen-mr is of an unknown patient nobody"):
        load_recipe(tmp_path / "demo")


@pytest.mark.parametrize("key", [exam.key for exam in load_recipe().exams])
def test_a_stamped_image_says_whose_it_is_in_its_own_script(key: str) -> None:
    recipe = load_recipe()
    exam = recipe.exam(key)
    image = one_image()
    stamp(image, recipe.identity(exam), "20261122", "084000", ("DEMO_CT1", "CT 1"))
    buffer = BytesIO()
    image.save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    read = pydicom.dcmread(buffer)
    person = recipe.patient(exam.patient)
    assert str(read.PatientName) == person.name
    assert (read.PatientID, read.AccessionNumber, read.StudyInstanceUID) == (
        person.id,
        exam.accession,
        exam.study_uid,
    )
    assert read.RequestAttributesSequence[0].ScheduledProcedureStepID == exam.step_id
    assert read.SOPInstanceUID == read.file_meta.MediaStorageSOPInstanceUID


def test_the_same_image_under_the_same_study_keeps_its_uids() -> None:
    first, again, other = one_image(), one_image(), one_image()
    for image, study in ((first, "2.25.1"), (again, "2.25.1"), (other, "2.25.2")):
        stamp(image, Identity(study), "20261122", "084000")
    assert first.SOPInstanceUID == again.SOPInstanceUID != other.SOPInstanceUID
    assert first.FrameOfReferenceUID == again.FrameOfReferenceUID != other.FrameOfReferenceUID


def test_a_stamped_pet_keeps_its_uptake() -> None:
    image = reference_object(SeriesHeader("dro", "PT")).images[0]
    stamp(image, Identity("2.25.1"), "20261122", "133000")
    tracer = image.RadiopharmaceuticalInformationSequence[0]
    assert tracer.RadiopharmaceuticalStartDateTime == "20261122123000"


def test_the_identity_comes_from_the_worklist() -> None:
    step = {"ScheduledProcedureStepID": "SP1", "ScheduledProcedureStepDescription": "CT chest"}
    identity = Identity.from_worklist(
        {
            "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
            "StudyInstanceUID": "2.25.7",
            "PatientName": "Yamada^Tarou=山田^太郎",
            "PatientID": "P1",
            "AccessionNumber": "A1",
            "RequestedProcedureID": "RP1",
            "ScheduledProcedureStepSequence": [step],
        }
    )
    assert identity.charset == "\\ISO 2022 IR 87"
    assert (identity.study_uid, identity.step_id, identity.accession) == ("2.25.7", "SP1", "A1")
    assert identity.name == "Yamada^Tarou=山田^太郎"
