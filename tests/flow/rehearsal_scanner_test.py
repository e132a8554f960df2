"""The simulated scanner against a real node: worklist, images of the step, mistakes, and as a process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from pacs_core.domain.errors import Busy
from pacs_core.rehearsal.company import Simulator, SimulatorFailed
from pacs_core.rehearsal.demo import MANIFEST, DemoImages
from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.phantoms import Scene, Sphere, classic_series, stack, ultrasound_clip
from pacs_core.rehearsal.phantoms.series import PhantomSeries
from pacs_core.rehearsal.populate import furnish
from pacs_core.rehearsal.recipe import Recipe, load_recipe
from pacs_core.rehearsal.ris import Ris
from pacs_core.rehearsal.scanner import NodeAddress, NoSuchStep, Scanner
from pacs_core.runtime.node import Node
from pacs_core.runtime.settings import Settings

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load_recipe()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> DemoImages:
    folder = tmp_path_factory.mktemp("images")
    scene = Scene((Sphere((0.0, 0.0, 0.0), 6.0, 40.0),))
    for name in ("chest-ct", "phantom-chest"):
        made = classic_series(scene, stack((16, 16, 3), (1.0, 1.0, 4.0)), SeriesHeader(name, "CT"))
        made.save(folder / name / "axial")
    clip, _ = ultrasound_clip(SeriesHeader("phantom-us", "US"), frames=1)
    PhantomSeries((clip,), made.truth).save(folder / "phantom-us" / "loop")
    (folder / MANIFEST).write_text(json.dumps({"chest": "analytic", "notes": []}), "utf-8")
    return DemoImages(folder, "analytic")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, recipe: Recipe) -> Iterator[Node]:
    settings = Settings(
        tmp_path_factory.mktemp("node") / "data", "Europe/Stockholm", dicom_port=0, hl7_port=0, http_port=0
    )
    with Node(settings).start() as made:
        furnish(made.archive(made.owner()).administration, recipe)
        host, _, port = made.hl7.rpartition(":")
        ris = Ris((host, int(port)), recipe)
        answers = ris.admit(TODAY, ("lindstrom-ct", "khoury-us", "kang-ct", "sokolova-ct"))
        ris.close()
        assert {a.code for a in answers} == {"AA"}
        yield made


def address(node: Node) -> NodeAddress:
    host, _, port = node.dicom.rpartition(":")
    return NodeAddress(host, int(port))


def machine(node: Node, recipe: Recipe, images: DemoImages, modality: str) -> Scanner:
    return Scanner(address(node), recipe.station(modality), recipe, lambda: images)


def test_a_step_is_found_done_and_matched(node: Node, recipe: Recipe, images: DemoImages) -> None:
    scanner = machine(node, recipe, images, "CT")
    scanner.echo()
    steps = scanner.worklist("20261122")
    assert {"DH2611870", "DH2611891"} <= {s.identity.accession for s in steps}
    assert scanner.worklist("20261123") == ()
    step = scanner.step("DH2611870")
    assert (step.date, step.time[:4], step.modality) == ("20261122", "0840", "CT")
    done = scanner.acquire(step, images="chest-ct", when=datetime(2026, 11, 22, 8, 41))
    assert (done.stored, done.study_uid) == (3, recipe.exam("lindstrom-ct").study_uid)
    with node.services.index.read() as tx:
        study = tx.studies.get(done.study_uid)
        patient = tx.patients.get(study.patient_id)
        kept = {i.sop_instance_uid: i.digest for i in tx.studies.instances_of(study.id)}
    assert study.order_id is not None
    assert (study.instance_count, study.study_date) == (3, "2026-11-22")
    assert patient.demographics.name == "Lindström^Åke^Sören"
    assert kept == {one.sop_instance_uid: one.digest for one in done.sent}
    with node.services.index.read() as tx:
        (performed,) = tx.performed.of_study(done.study_uid)
    assert (performed.state, set(performed.instance_uids)) == ("COMPLETED", set(kept))
    acquisition = node.services.tracing.of("DH2611870").stages[3]
    assert acquisition.state == "done"
    assert acquisition.evidence.endswith("completed, 3 of 3 here")


def test_a_machine_sees_only_its_own_modality(node: Node, recipe: Recipe, images: DemoImages) -> None:
    scanner = machine(node, recipe, images, "US")
    assert [s.identity.name for s in scanner.worklist("20261122")] == ["خوري^ليلى"]
    with pytest.raises(NoSuchStep, match="DH2611870"):
        scanner.step("DH2611870")


@pytest.mark.parametrize(
    ("mistake", "kind"), [("wrong-patient-id", "wrong patient"), ("wrong-accession", "no order")]
)
def test_a_mistake_is_held(node: Node, recipe: Recipe, images: DemoImages, mistake: str, kind: str) -> None:
    scanner = machine(node, recipe, images, "US")
    done = scanner.acquire(scanner.step("DH2611894"), mistake=mistake)
    assert done.stored == 1
    held = node.archive(node.owner()).inbox.held()
    assert [h.kind for h in held if h.study_uid == done.study_uid] == [kind]


def test_a_scan_can_be_cut_short(node: Node, recipe: Recipe, images: DemoImages) -> None:
    scanner = machine(node, recipe, images, "CT")
    done = scanner.acquire(scanner.step("DH2611891"), limit=2, pause_s=0.01)
    assert len(done.sent) == 2
    acquisition = node.services.tracing.of("DH2611891").stages[3]
    assert "discontinued (Discontinued for unspecified reason), 2 of 2 here" in acquisition.evidence


def test_what_is_typed_from_the_request_waits_for_its_order(
    node: Node, recipe: Recipe, images: DemoImages
) -> None:
    scanner = machine(node, recipe, images, "CT")
    done = scanner.acquire(scanner.typed("DH2611883"), images="phantom-chest")
    assert done.study_uid != recipe.exam("unknown-ct").study_uid
    archive = node.archive(node.owner())
    assert archive.worklist.row(f"study:{done.study_uid}").reconciliation == "held"
    host, _, port = node.hl7.rpartition(":")
    ris = Ris((host, int(port)), recipe)
    ris.admit(TODAY, ("unknown-ct",))
    ris.close()
    assert archive.worklist.row(f"study:{done.study_uid}").reconciliation == "matched"
    with pytest.raises(NoSuchStep, match="NONE"):
        scanner.typed("NONE")


def test_as_a_process(node: Node, images: DemoImages, tmp_path: Path) -> None:
    options = ["--node", node.dicom, "--station", "DEMO_CT1", "--images", str(images.folder)]
    with Simulator("scanner", options, tmp_path / "scanner.log") as scanner:
        assert scanner.facts["station"] == "DEMO_CT1"
        assert scanner.tell("echo") == "answered"
        steps = scanner.tell("worklist", date="20261122")
        assert [step["identity"]["accession"] for step in steps] == ["DH2611882"]  # what was done is gone
        done = scanner.tell("acquire", accession="DH2611882", images="chest-ct", when="2026-11-22T14:41:00")
        assert (done["stored"], done["sent"][0]["status"]) == (3, 0)
        with pytest.raises(SimulatorFailed, match="no step with accession number NONE"):
            scanner.tell("acquire", accession="NONE")


def test_a_node_that_is_not_there(recipe: Recipe, images: DemoImages) -> None:
    scanner = Scanner(NodeAddress("127.0.0.1", 1), recipe.station("CT"), recipe, lambda: images)
    with pytest.raises(Busy):
        scanner.echo()
