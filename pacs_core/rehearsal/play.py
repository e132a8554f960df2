"""The whole loop played: RIS, scanner and reader as processes of their own, a line of evidence a stage.

A stage that fails is red and the next one goes on by the way a person would take (an order typed by hand, an
identity typed at the scanner, a study linked in the Inbox), so that a line tells of its own stage alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom

from pacs_core.archive import models as m
from pacs_core.archive.protocol import Archive
from pacs_core.dicom.intake import intake_bytes
from pacs_core.dicom.quiet import quiet_pydicom
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.report import Section
from pacs_core.rehearsal.company import Player, SimulatorFailed
from pacs_core.rehearsal.demo import MANIFEST
from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.identity import stamp
from pacs_core.rehearsal.mistakes import typed_by_hand
from pacs_core.rehearsal.phantoms import ball_scene, classic_series, stack
from pacs_core.rehearsal.phantoms.geometry import SliceStack
from pacs_core.rehearsal.recipe import Recipe

EXAM = "phantom-ct"
HELD_EXAM = "kang-ct"
IMAGES = "rehearsal"
BALLS = (8.0, 12.0, 20.0)
MEASURED = "ball-20"
SLICES = stack((160, 256, 21), (0.8, 0.8, 2.0))


class NotAsPlanned(Exception):
    """A stage did not come out as it should; the message has what came instead."""


@dataclass(frozen=True)
class Evidence:
    """One line: the stage, whether it came out as it should, in words and as facts."""

    number: int
    name: str
    done: bool
    words: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def as_text(self) -> str:
        """The line for people."""
        return f"{'✓' if self.done else '✗'} {self.number} {self.name:<15}{self.words}"


def on_and_on() -> None:
    """Nobody asks for the end."""


@dataclass
class World:
    """What is played with: the node's archive as owner and as reader, and the three players."""

    owner: Archive
    reader_archive: Archive
    ris: Player
    scanner: Player
    reader: Player
    recipe: Recipe
    today: date
    password: str
    truth: tuple[tuple[float, float, float], tuple[float, float, float], float]
    images: Path
    known: dict[str, Any] = field(default_factory=dict)
    heed: Callable[[], None] = on_and_on
    """Called between steps: may raise KeyboardInterrupt where the end was asked for."""


def make_images(
    folder: Path, slices: SliceStack = SLICES
) -> tuple[tuple[float, float, float], tuple[float, float, float], float]:
    """The rehearsal's own phantom, and two points (mm, LPS) on either side of a ball with their distance."""
    series = SeriesHeader("rehearsal-balls", "CT", 1, "REHEARSAL BALLS", "PHANTOM")
    made = classic_series(ball_scene(BALLS, 40.0), slices, series)
    made.save(folder / IMAGES / "balls")
    told = {"chest": "none", "notes": [], "generation": 0}
    (folder / MANIFEST).write_text(json.dumps(told), encoding="utf-8")
    ball = made.truth.sphere(MEASURED)
    x, y, z = ball.centre
    half = ball.diameter / 2
    return (x - half, y, z), (x + half, y, z), ball.diameter


def play(
    world: World, tell: Callable[[Evidence], None], stages: Sequence[Stage] | None = None
) -> list[Evidence]:
    """Play the stages, the seven of the loop unless others are said; each line is told when it is known."""
    lines = []
    for number, (name, stage) in enumerate(STAGES if stages is None else stages, 1):
        world.heed()
        try:
            words, facts = stage(world)
            line = Evidence(number, name, True, words, facts)
        except (NotAsPlanned, SimulatorFailed, ReadingRoomError, KeyError, OSError) as failure:
            line = Evidence(number, name, False, f"{type(failure).__name__}: {failure}")
        tell(line)
        lines.append(line)
    return lines


Told = tuple[str, dict[str, object]]
Stage = tuple[str, Callable[[World], Told]]


def _patient(world: World) -> Told:
    exam = world.recipe.exam(EXAM)
    person = world.recipe.patient(exam.patient)
    answer = world.ris.tell("register", patient=exam.patient)
    _expect(answer["code"] == "AA", f"the ADT was answered {answer['code'] or 'nothing'} {answer['text']}")
    found = world.owner.schedule.patients(person.id)
    _expect([p.name for p in found] == [person.name], f"the archive knows {len(found)} patients {person.id}")
    facts = {"control_id": answer["control_id"], "patient_id": person.id}
    return f"ADT^A04 {answer['control_id']} acknowledged AA, {person.id} registered", facts


def _order(world: World) -> Told:
    exam = world.recipe.exam(EXAM)
    try:
        answer = world.ris.tell("order", exam=EXAM, today=world.today.isoformat())
        _expect(
            answer["code"] == "AA", f"the ORM was answered {answer['code'] or 'nothing'} {answer['text']}"
        )
        order = _find_order(world)
        _expect(order is not None, f"no order has the accession number {exam.accession}")
    except (NotAsPlanned, SimulatorFailed, ReadingRoomError):
        _order_by_hand(world)
        raise
    facts = {"control_id": answer["control_id"], "accession": exam.accession, "study_uid": exam.study_uid}
    return f"ORM^O01 NW {answer['control_id']} acknowledged AA, accession {exam.accession}", facts


def _worklist(world: World) -> Told:
    exam = world.recipe.exam(EXAM)
    steps = world.scanner.tell("worklist", date=world.today.strftime("%Y%m%d"))
    mine = [s for s in steps if s["identity"]["accession"] == exam.accession]
    _expect(len(mine) == 1, f"the scanner found {len(mine)} steps with accession {exam.accession}")
    world.known["from worklist"] = True
    uid = mine[0]["identity"]["study_uid"]
    facts = {"steps": len(steps), "step_id": mine[0]["identity"]["step_id"], "study_uid": uid}
    return f"C-FIND gave {len(steps)} steps, ours with Study Instance UID {uid}", facts


def _acquisition(world: World) -> Told:
    exam = world.recipe.exam(EXAM)
    by_hand = not world.known.get("from worklist")
    try:
        done = world.scanner.tell("acquire", accession=exam.accession, images=IMAGES, by_hand=by_hand)
        world.known["study"] = done["study_uid"]
        _expect(done["stored"] == len(done["sent"]), f"{done['stored']} of {len(done['sent'])} images stored")
    except (NotAsPlanned, SimulatorFailed):
        _from_a_disc(world)
        raise
    first = done["sent"][0]
    kept = world.owner.studies.file(first["sop_instance_uid"], original=True)
    digest = intake_bytes(kept).digest
    _expect(digest == first["digest"], "the stored bytes are not those that were sent")
    facts = {"images": done["stored"], "sop_instance_uid": first["sop_instance_uid"], "sha256": digest}
    return f"{done['stored']} images, {first['sop_instance_uid']} kept as sent, SHA-256 {digest[:16]}…", facts


def _reconciliation(world: World) -> Told:
    row = world.owner.worklist.row(f"study:{world.known['study']}")
    if row.reconciliation != "matched":
        order = _find_order(world)
        if order is not None:
            world.owner.inbox.link(row.study_uid, order.id)
        raise NotAsPlanned(f"the study is {row.reconciliation or 'not reconciled'}: {row.hold_reason}")
    held = _held_and_released(world)
    facts = {"study": row.study_uid, "reconciliation": row.reconciliation, **held}
    return f"matched to {row.accession}; a wrong patient ID was held, linked, undone, linked", facts


def _reading(world: World) -> Told:
    exam = world.recipe.exam(EXAM)
    account = world.recipe.reader
    world.reader.tell("sign_in", user=account.name, password=world.password)
    row = world.reader.tell("row", accession=exam.accession)
    shown = world.reader.tell("open", accession=exam.accession)
    _expect(len(shown["picture"]) == 64, "the cell painted no picture")
    start, end, truth = world.truth
    made = world.reader.tell("measure", start=list(start), end=list(end))
    world.known["length"] = made["length_mm"]
    world.known["opened"] = True
    error = abs(made["length_mm"] - truth)
    _expect(
        error <= made["pixel_mm"] * 1.5, f"measured {made['length_mm']:.2f} mm, the truth is {truth:.2f} mm"
    )
    facts = {**shown, **made, "truth_mm": truth, "images": row["images"]}
    words = f"painted {shown['picture'][:16]}…, measured {made['length_mm']:.2f} mm of {truth:.2f} mm"
    return words, facts


def _report(world: World) -> Told:
    exam = world.recipe.exam(EXAM)
    text = f"Sphere of {world.known.get('length', 0.0):.1f} mm. No other finding | & ^ ~ \\ here."
    if world.known.get("opened"):
        world.reader.tell("report", text=text)
        refused = world.reader.tell("sign", password=world.password + "x")
        _expect(not refused["signed"], "a wrong password signed the report")
        signed = world.reader.tell("sign", password=world.password)
        _expect(signed["signed"], f"the report was not signed: {signed['words']}")
        shown = world.reader.tell("delivered", accession=exam.accession)["acknowledgement"]
    else:
        shown = _sign_without_window(world, text)
    results = world.ris.tell("received", accession=exam.accession)
    _expect(len(results) == 1, f"the RIS holds {len(results)} results of {exam.accession}")
    number = f"{world.known.get('length', 0.0):.1f}"
    _expect(number in results[0]["content"], f"the result does not carry the number {number}")
    facts = {"control_id": results[0]["control_id"], "acknowledgement": shown}
    return f"signed, ORU^R01 {results[0]['control_id']} acknowledged {shown}", facts


STAGES: tuple[Stage, ...] = (
    ("patient", _patient),
    ("order", _order),
    ("worklist", _worklist),
    ("acquisition", _acquisition),
    ("reconciliation", _reconciliation),
    ("reading", _reading),
    ("report", _report),
)


def _held_and_released(world: World) -> dict[str, object]:
    """A scan with a mistyped patient ID: held with its reason, linked by a person, undone, linked again."""
    exam = world.recipe.exam(HELD_EXAM)
    _order_by_hand(world, HELD_EXAM)
    mistaken = {"images": IMAGES, "mistake": "wrong-patient-id", "by_hand": True, "limit": 1}
    try:
        done = world.scanner.tell("acquire", accession=exam.accession, **mistaken)
        uid, stored = str(done["study_uid"]), int(done["stored"])
    except SimulatorFailed:
        uid, stored = "", 0
    if not stored:
        uid = _from_a_disc(world, HELD_EXAM, str(mistaken["mistake"]))
    inbox = world.owner.inbox
    held = next((h for h in inbox.held() if h.study_uid == uid), None)
    if held is None:
        raise NotAsPlanned("a study with a wrong patient ID was not held")
    _expect(bool(held.suggestions), "the held study has no suggestion")
    order_id = held.suggestions[0].order.id
    linked = inbox.link(held.study_uid, order_id)
    _expect(linked.reconciliation == "linked", "linking it did not take")
    undone = inbox.undo(held.hold_id)
    _expect(undone.reconciliation == "held", "the link could not be undone")
    inbox.link(held.study_uid, order_id)
    return {"held": held.reason}


def _sign_without_window(world: World, text: str) -> str:
    """Sign through the archive alone, where the window did not come to it; the acknowledgement's words."""
    study = str(world.known["study"])
    request = m.SignRequest(study, world.password, (Section("Findings", text, "59776-5"),))
    world.reader_archive.reports.sign(request)
    sequence = 0
    for _ in range(60):
        row = world.owner.worklist.row(f"study:{study}")
        if row.delivery == "delivered":
            return row.acknowledgement
        sequence = world.owner.changes.since(sequence, 0.5).sequence
    raise NotAsPlanned("the result was not acknowledged")


def _order_by_hand(world: World, key: str = EXAM) -> None:
    exam = world.recipe.exam(key)
    person = world.recipe.patient(exam.patient)
    if _find_order(world, key) is not None:
        return
    form = m.PatientForm(person.id, world.recipe.issuer, person.name, person.birth_date, person.sex)
    world.owner.schedule.save_patient(form)
    world.owner.schedule.place_order(
        m.OrderForm(person.id, world.recipe.issuer, exam.accession, exam.description, exam.modality)
    )


def _from_a_disc(world: World, key: str = EXAM, mistake: str = "") -> str:
    """The images imported from files, where they did not come over the wire; their Study Instance UID."""
    identity = world.recipe.identity(world.recipe.exam(key))
    if mistake:
        identity = typed_by_hand(identity, mistake)
    else:
        world.known["study"] = identity.study_uid
    for path in sorted((world.images / IMAGES / "balls").glob("*.dcm")):
        quiet_pydicom()
        image = pydicom.dcmread(path)
        stamp(image, identity, world.today.strftime("%Y%m%d"), "120000")
        content = BytesIO()
        image.save_as(content, enforce_file_format=True)
        world.owner.studies.store(path.name, content.getvalue())
    return identity.study_uid


def _find_order(world: World, key: str = EXAM) -> m.OrderView | None:
    exam = world.recipe.exam(key)
    orders = world.owner.schedule.day(world.today.isoformat()).orders
    return next((o for o in orders if o.accession == exam.accession), None)


def _expect(good: bool, otherwise: str) -> None:
    if not good:
        raise NotAsPlanned(otherwise)
