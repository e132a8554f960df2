"""The demo's history: an order, its images and its signed report, at the time when they were made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pacs_core.database.opening import open_index
from pacs_core.domain.delivery import Outcome, OutcomeKind
from pacs_core.domain.records import DeliveryRecord, DestinationRecord
from pacs_core.ports import Transaction
from pacs_core.rehearsal.demo import DemoImages
from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.history import MovableClock, NotTaken, put_in_place
from pacs_core.rehearsal.phantoms import Scene, classic_series, stack
from pacs_core.rehearsal.recipe import Recipe, load_recipe
from pacs_core.services.bundle import Services
from pacs_core.storage.folder import FolderStore, sync_directory

TODAY = date(2026, 11, 22)


class Nowhere:
    """A transmitter that nothing may reach."""

    def render(self, tx: Transaction, delivery: DeliveryRecord, destination: DestinationRecord) -> bytes:
        raise AssertionError("an old result was rendered")

    def send(self, destination: DestinationRecord, payload: bytes, control_id: str) -> Outcome:
        return Outcome(OutcomeKind.SILENT, "", "")


@pytest.fixture
def images(tmp_path: Path) -> DemoImages:
    made = classic_series(Scene((), 0.0), stack((8, 8, 3), (1.0, 1.0, 5.0)), SeriesHeader("p", "CT"))
    made.save(tmp_path / "demo" / "chest-ct-prior" / "axial")
    return DemoImages(tmp_path / "demo", "analytic")


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock("Europe/Stockholm")


@pytest.fixture
def services(tmp_path: Path, clock: MovableClock) -> Iterator[Services]:
    index = open_index(tmp_path / "index.sqlite", clock, sync_directory)
    made = Services(index, FolderStore(tmp_path / "store", 0), clock, Nowhere())
    yield made
    index.close()


def add_reader(services: Services, recipe: Recipe) -> None:
    reader = recipe.reader
    services.access.add_account(reader.name, reader.role, reader.password, reader.full_name)


def test_the_prior_is_there_with_its_report_of_then(
    services: Services, clock: MovableClock, images: DemoImages
) -> None:
    recipe = load_recipe()
    add_reader(services, recipe)
    assert put_in_place(services, clock, recipe, images, TODAY) == ("DH2604411",)
    exam = recipe.exam("lindstrom-ct-prior")
    with services.index.read() as tx:
        study = tx.studies.get(exam.study_uid)
        patient = tx.patients.get(study.patient_id)
        report = tx.reports.of_study(exam.study_uid)[0]
        version = tx.reports.versions(report.id)[0]
        assert not tx.deliveries.of_report(report.id)
        assert not tx.holds.all_open()
    assert study.instance_count == 3
    assert study.order_id is not None
    assert (study.study_date, patient.identifier.value) == ("2026-05-22", "DH100217")
    assert patient.demographics.name == "Lindström^Åke^Sören"
    assert report.state == "final"
    assert version.signed_at.startswith("2026-05-22T10:20:00")  # two hours after 10:20 in Stockholm, in UTC
    assert "8 mm" in version.content


def test_what_is_refused_is_named(services: Services, clock: MovableClock, images: DemoImages) -> None:
    recipe = load_recipe()
    with pytest.raises(NotTaken, match="lindstrom-ct-prior"):
        put_in_place(services, clock, recipe, images, TODAY)  # there is no such reader
    bad = replace(recipe.exam("lindstrom-ct-prior"), accession="A" * 20, key="bad")
    with pytest.raises((NotTaken, KeyError)):
        put_in_place(services, clock, replace(recipe, exams=(replace(bad, images="none"),)), images, TODAY)
