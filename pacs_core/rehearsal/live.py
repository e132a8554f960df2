"""A rehearsal on the node that runs: a test order and a test result over its real ports, then all removed.

Everything carries reserved marks (`domain.rehearsal`): the source's name, the patient's issuer, MSH-11 = T.
Its result goes only to destinations reserved for tests, and whatever happens, the node is asked to remove
what was made; where even that fails, its next start does.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pydicom

from pacs_core.archive import models as m
from pacs_core.archive.protocol import Archive
from pacs_core.domain.errors import NotFound, ReadingRoomError
from pacs_core.domain.rehearsal import counted
from pacs_core.domain.report import Section
from pacs_core.rehearsal import play as p
from pacs_core.rehearsal import ris, scanner
from pacs_core.rehearsal.company import Near
from pacs_core.rehearsal.demo import DemoImages
from pacs_core.rehearsal.phantoms import stack
from pacs_core.rehearsal.recipe import DemoExam, DemoPatient, Recipe, Station, load_recipe

NAME = "REHEARSAL^NOT A PATIENT"
MODALITY = "OT"
"""No real scanner asks for it, so that none shows the step on its worklist."""

SLICES = stack((48, 48, 2), (2.0, 2.0, 5.0))
PATIENCE_S = 60.0
NO_TESTS = "signed; no destination is for tests, so no result was sent (destination add … --for-tests)"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listener is, and the address by which it sees us."""

    host: str
    port: int
    ours: str


@dataclass(frozen=True, slots=True)
class Site:
    """The live node: its archive as an admin, a way to sign in, and its doors.

    `heed` is called between two steps and raises KeyboardInterrupt where somebody asked for the end; an
    exception that a signal threw into the middle of a request would leave the client's locks held, and the
    removal would wait for them.
    """

    admin: Archive
    sign_in: Callable[[str, str], Archive]
    hl7: Place
    dicom: Place
    tls: ssl.SSLContext | None = None
    heed: Callable[[], None] = p.on_and_on


def play_live(site: Site, folder: Path, tell: Callable[[p.Evidence], None]) -> list[p.Evidence]:
    """Play on the live node and remove everything again; the last line says what was removed."""
    try:
        with _world(site, folder) as world:
            lines = p.play(world, tell, STAGES)
    except BaseException:
        tell(_removal(site))
        raise
    removal = _removal(site)
    if removal.done:
        removal = _really_gone(site, world.known, removal)
    tell(removal)
    return [*lines, removal]


@contextmanager
def _world(site: Site, folder: Path) -> Iterator[p.World]:
    """What is played with: the players speak over the node's own ports, from this process."""
    begun = site.admin.administration.begin_rehearsal(site.hl7.ours, site.dicom.ours)
    today = date.fromisoformat(site.admin.administration.node().today)
    recipe = live_recipe(begun)
    truth = p.make_images(folder, SLICES)
    node = site.admin.administration.node()
    title = scanner.NodeAddress(site.dicom.host, site.dicom.port, node.ae)
    with ExitStack() as closing:
        sender = ris.Ris((site.hl7.host, site.hl7.port), recipe, processing_id="T", tls=site.tls)
        closing.callback(sender.close)
        machine = scanner.Scanner(title, recipe.stations[0], recipe, lambda: DemoImages(folder, "none"))
        reader = site.sign_in(begun.name, begun.password)
        closing.callback(_leave, reader)
        yield p.World(
            owner=site.admin,
            reader_archive=reader,
            ris=Near("ris", ris.commands(sender)),
            scanner=Near("scanner", scanner.commands(machine)),
            reader=Near("reader", {}),
            recipe=recipe,
            today=today,
            password=begun.password,
            truth=truth,
            images=folder,
            heed=site.heed,
        )


def live_recipe(begun: m.Rehearsal) -> Recipe:
    """One made-up person with one urgent order, under numbers nobody else has."""
    number = secrets.token_hex(5).upper()
    person = DemoPatient("live", f"REHEARSAL-{number}", NAME, "1900-01-01", "O")
    exam = DemoExam(
        key=p.EXAM,
        patient=person.key,
        accession=f"RH{number}",
        placer=f"P{number}",
        procedure="REHEARSAL^Rehearsal: no exam^L",
        modality=MODALITY,
        day=0,
        time="00:00",
        images=p.IMAGES,
        state="waiting",
        indication="Rehearsal of the interfaces",
        priority="S",
    )
    return replace(
        load_recipe(),
        site="Rehearsal",
        issuer=begun.issuer,
        ris=begun.name,
        facility="REHEARSAL",
        accounts=(),
        stations=(Station(begun.name, MODALITY, begun.name, "Rehearsal"),),
        patients=(person,),
        exams=(exam,),
    )


def _reconciliation(world: p.World) -> p.Told:
    row = world.owner.worklist.row(f"study:{world.known['study']}")
    if row.reconciliation != "matched":
        raise p.NotAsPlanned(f"the study is {row.reconciliation or 'not reconciled'}: {row.hold_reason}")
    return f"matched to {row.accession}", {"study": row.study_uid, "reconciliation": row.reconciliation}


def _reading(world: p.World) -> p.Told:
    """Opened by the reader: the pixels of the first image are the phantom's, bit for bit."""
    study = str(world.known["study"])
    shown = world.reader_archive.studies.open(study)
    first = shown.manifest.series[0].instances[0]
    pixels = b"".join(world.reader_archive.studies.frame(first.sop_instance_uid, 1).fragments)
    wanted = [pydicom.dcmread(path).PixelData for path in (world.images / p.IMAGES / "balls").glob("*.dcm")]
    if pixels not in wanted:
        raise p.NotAsPlanned(f"the {len(pixels)} bytes of the first image are not the phantom's")
    facts: dict[str, object] = {"bytes": len(pixels), "images": shown.exam.images}
    return f"{shown.exam.images} images opened, {len(pixels)} bytes of pixels as they were taken", facts


def _report(world: p.World) -> p.Told:
    study = str(world.known["study"])
    sections = (Section("Findings", "Rehearsal of the interfaces. No patient, no finding.", "59776-5"),)
    report = world.reader_archive.reports.sign(m.SignRequest(study, world.password, sections))
    went = {d.destination: d for d in report.deliveries}
    wanted = {d.name for d in world.owner.administration.destinations() if d.reserved_for_tests}
    if set(went) - wanted:
        raise p.NotAsPlanned(f"the result goes to {', '.join(sorted(set(went) - wanted))}, not for tests")
    if not wanted:
        return NO_TESTS, {"destinations": []}
    delivered = [_delivered(world, study, name) for name in sorted(wanted)]
    words = ", ".join(f"{d.control_id} to {d.destination} {d.answer_code}" for d in delivered)
    facts: dict[str, object] = {
        "destinations": sorted(wanted),
        "control_ids": [d.control_id for d in delivered],
    }
    return f"signed, ORU^R01 {words}", facts


def _delivered(world: p.World, study: str, destination: str) -> m.DeliveryView:
    """The delivery once it is acknowledged; raises NotAsPlanned where it is refused, or nothing comes."""
    sequence, waited = 0, 0.0
    while True:
        world.heed()
        report = world.reader_archive.reports.of(study)[-1]
        found = next((d for d in report.deliveries if d.destination == destination), None)
        if found is None:
            raise p.NotAsPlanned(f"no result is on its way to {destination}")
        if found.state == "delivered":
            return found
        if found.state in ("refused", "needs a person") or waited >= PATIENCE_S:
            answer = f"{found.answer_code} {found.answer}".strip() or "nothing"
            raise p.NotAsPlanned(f"{destination} answered {answer} ({found.attempts} attempts)")
        sequence = world.owner.changes.since(sequence, 0.5).sequence
        waited += 0.5


STAGES: tuple[tuple[str, Callable[[p.World], p.Told]], ...] = (
    *p.STAGES[:4],
    ("reconciliation", _reconciliation),
    ("reading", _reading),
    ("report", _report),
)


def _removal(site: Site) -> p.Evidence:
    number = len(STAGES) + 1
    try:
        rows = dict(site.admin.administration.end_rehearsal().rows)
    except ReadingRoomError as failure:
        words = f"{failure.message}; the node's next start, or the next rehearsal, removes it"
        return p.Evidence(number, "removal", False, words)
    words = counted(rows) or "nothing was left"
    return p.Evidence(number, "removal", True, f"{words} removed; journal and audit keep their lines", rows)


def _really_gone(site: Site, known: dict[str, object], removal: p.Evidence) -> p.Evidence:
    """Ask the node once more: neither study nor patient is there."""
    left = [patient.patient_id for patient in site.admin.schedule.patients(NAME.replace("^", " "))]
    with suppress(NotFound):
        if "study" in known:
            left.append(site.admin.worklist.row(f"study:{known['study']}").key)
    return replace(removal, done=False, words=f"still there: {', '.join(left)}") if left else removal


def _leave(archive: Archive) -> None:
    """Sign out; a session that is gone already is as good."""
    with suppress(ReadingRoomError):
        archive.sign_out()
