"""Drills: what breaks between systems, played on purpose on a node of its own, and how the house answers."""

from __future__ import annotations

from collections.abc import Callable

from pacs_core.archive import models as m
from pacs_core.domain.report import Section
from pacs_core.rehearsal.play import EXAM, IMAGES, Evidence, NotAsPlanned, World

Tell = Callable[[Evidence], None]


def silent_ris(world: World, tell: Tell) -> list[Evidence]:
    """The RIS hears results and says nothing: the report waits, is seen waiting, then delivered once."""
    study = _signed(world, before=lambda: world.ris.tell("default", name="silent"))
    waiting = _until(world, study, lambda row: row.delivery == "silent")
    lines = [Evidence(7, "silent RIS", True, f"the report waits: {waiting.acknowledgement or 'no answer'}")]
    tell(lines[0])
    world.ris.tell("default", name="AA")
    delivered = _until(world, study, lambda row: row.delivery == "delivered")
    controls = {r["control_id"] for r in world.ris.tell("received", accession=delivered.accession)}
    once = len(controls) == 1
    words = f"then delivered, {delivered.acknowledgement}, under {len(controls)} control id"
    lines.append(Evidence(7, "delivered once", once, words, {"control_ids": sorted(controls)}))
    tell(lines[1])
    return lines


def refusing_ris(world: World, tell: Tell) -> list[Evidence]:
    """The RIS refuses with AE: three tries, then a person is asked; tried again by hand it is delivered."""
    study = _signed(world, before=lambda: world.ris.tell("default", name="AE"))
    dead = _until(world, study, lambda row: row.delivery == "needs a person")
    lines = [Evidence(7, "refusing RIS", True, f"a person is asked: {dead.acknowledgement}")]
    tell(lines[0])
    world.ris.tell("default", name="AA")
    waiting = world.owner.inbox.deliveries()
    world.owner.inbox.retry(waiting[0].id)
    delivered = _until(world, study, lambda row: row.delivery == "delivered")
    lines.append(Evidence(7, "tried again", True, f"delivered, {delivered.acknowledgement}"))
    tell(lines[1])
    return lines


def late_order(world: World, tell: Tell) -> list[Evidence]:
    """The images come before their order: held, then released by the order itself."""
    exam = world.recipe.exam(EXAM)
    done = world.scanner.tell("acquire", accession=exam.accession, images=IMAGES, by_hand=True)
    held = world.owner.worklist.row(f"study:{done['study_uid']}")
    lines = [Evidence(5, "held", held.reconciliation == "held", held.hold_reason)]
    tell(lines[0])
    world.ris.tell("register", patient=exam.patient)
    world.ris.tell("order", exam=EXAM, today=world.today.isoformat())
    row = world.owner.worklist.row(f"study:{done['study_uid']}")
    lines.append(Evidence(5, "released", row.reconciliation == "matched", f"matched to {row.accession}"))
    tell(lines[1])
    return lines


DRILLS: dict[str, Callable[[World, Tell], list[Evidence]]] = {
    "silent-ris": silent_ris,
    "refusing-ris": refusing_ris,
    "late-order": late_order,
}
"""Drills by the name that `rehearse --drill` takes."""


def _signed(world: World, before: Callable[[], object]) -> str:
    """An exam brought as far as its signature; its Study Instance UID."""
    exam = world.recipe.exam(EXAM)
    world.ris.tell("register", patient=exam.patient)
    world.ris.tell("order", exam=EXAM, today=world.today.isoformat())
    done = world.scanner.tell("acquire", accession=exam.accession, images=IMAGES)
    before()
    study = str(done["study_uid"])
    sections = (Section("Findings", "Spheres as they should be.", "59776-5"),)
    world.reader_archive.reports.sign(m.SignRequest(study, world.password, sections))
    return study


def _until(world: World, study: str, good: Callable[[m.ExamRow], bool], seconds: float = 90.0) -> m.ExamRow:
    """The exam's row once it is as wished; woken by the change feed. Raises NotAsPlanned."""
    sequence, waited = 0, 0.0
    row = world.owner.worklist.row(f"study:{study}")
    while waited < seconds:
        if good(row):
            return row
        sequence = world.owner.changes.since(sequence, 0.5).sequence
        waited += 0.5
        row = world.owner.worklist.row(f"study:{study}")
    raise NotAsPlanned(f"the row still says {row.delivery or 'nothing'}: {row.acknowledgement}")
