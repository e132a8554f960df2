"""The simulated scanner: asks the modality worklist, makes its images ones of the step's, and sends them.

As a process of its own (``python -m pacs_core.rehearsal.scanner``) it prints one line ``READY {json}`` and
then takes commands, one JSON object a line, on standard input; see `commands`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pydicom

from pacs_core.dicom.intake import intake_file
from pacs_core.dicom.quiet import quiet_pydicom
from pacs_core.dimse import scu
from pacs_core.dimse.client import connect, storage_proposals
from pacs_core.dimse.requesting import Answer, Client
from pacs_core.dimse.sending import Outgoing
from pacs_core.rehearsal.commands import Command, serve
from pacs_core.rehearsal.demo import DemoImages, demo_images
from pacs_core.rehearsal.identity import Identity, stamp
from pacs_core.rehearsal.mistakes import typed_by_hand
from pacs_core.rehearsal.performed import INTERRUPTED, Made, PerformedStep
from pacs_core.rehearsal.recipe import Recipe, Station, load_recipe
from pacs_core.rehearsal.sources import demo_resources

IMAGES_BY_MODALITY = {
    "CT": "phantom-chest",
    "MR": "brain-mr",
    "PT": "pet-ct",
    "CR": "chest-cr",
    "US": "phantom-us",
}


class NoSuchStep(LookupError):
    """The worklist has no step with that accession number."""


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """Where the node hears DICOM, and its AE title."""

    host: str
    port: int
    title: str = scu.OUR_TITLE


@dataclass(frozen=True, slots=True)
class Step:
    """A worklist entry: when (DA and TM, civil), what and where it is to be done, and whose it is."""

    date: str
    time: str
    modality: str
    station_aet: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class SentImage:
    """One image: its UID, the DIMSE status and words of the answer, SHA-256 of its data set as sent."""

    sop_instance_uid: str
    status: int
    words: str
    digest: str


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What was done: the study as the scanner knows it, the images sent, the mistake made if any."""

    study_uid: str
    accession: str
    mistake: str
    sent: tuple[SentImage, ...]

    @property
    def stored(self) -> int:
        """How many images were answered with success."""
        return sum(one.status == 0 for one in self.sent)


class Scanner:
    """One machine; `images` gives the sets it pretends to take (asked for when first needed)."""

    def __init__(
        self, node: NodeAddress, station: Station, recipe: Recipe, images: Callable[[], DemoImages]
    ) -> None:
        self._node = node
        self._station = station
        self._recipe = recipe
        self._images = images

    def echo(self) -> None:
        """C-ECHO the node; raises Busy or Refused."""
        scu.echo(self._node.host, self._node.port, self._node.title, self._station.aet)

    def worklist(self, date: str = "", accession: str = "") -> tuple[Step, ...]:
        """This machine's steps on a civil day (``YYYYMMDD``, a range, or empty for any); as RAD-5 asks.

        Raises Busy or Refused.
        """
        answers = scu.worklist(
            self._node.host,
            self._node.port,
            self._node.title,
            self._station.aet,
            keys={"AccessionNumber": accession},
            step={"Modality": self._station.modality, "ScheduledProcedureStepStartDate": date},
        )
        return tuple(_step(answer) for answer in answers)

    def step(self, accession: str) -> Step:
        """The step with that accession number; raises NoSuchStep, Busy or Refused."""
        for step in self.worklist(accession=accession):
            if step.identity.accession == accession:
                return step
        raise NoSuchStep(
            f"{self._station.aet} finds no step with accession number {accession} on the worklist"
        )

    def typed(self, accession: str) -> Step:
        """What a technologist types from the paper request where the worklist does not help.

        Raises NoSuchStep where the recipe has no order of that accession number.
        """
        exam = next((e for e in self._recipe.exams if e.accession == accession), None)
        if exam is None:
            raise NoSuchStep(f"no order of the recipe has the accession number {accession}")
        return Step("", "", exam.modality, self._station.aet, typed_by_hand(self._recipe.identity(exam)))

    def acquire(
        self,
        step: Step,
        *,
        images: str = "",
        when: datetime | None = None,
        mistake: str = "",
        pause_s: float = 0.0,
        limit: int = 0,
    ) -> Acquisition:
        """Take the images for a step and send them one by one, `pause_s` seconds apart; an MPPS says so.

        `when` is the civil moment written into them (now by default), `mistake` one of `mistakes.MISTAKES`,
        `limit` the most images to send (0: all). Raises ValueError for an unknown mistake, KeyError for an
        unknown image set, Busy or Refused.
        """
        identity = self._in_its_script(step.identity)
        if mistake:
            identity = typed_by_hand(identity, mistake)
        files = self._images().files(images or IMAGES_BY_MODALITY[step.modality])[: limit or None]
        moment = when or datetime.now().astimezone()
        node = (self._node.host, self._node.port, self._node.title)
        performed = PerformedStep(node, self._station, identity, moment, step.modality)
        performed.begin()
        with tempfile.TemporaryDirectory(prefix="scanner-") as folder:
            room = _Room(Path(folder), identity, moment, self._station)
            sent = tuple(self._send([scu.outgoing_of(path) for path in files], room, pause_s))
        if limit:
            performed.discontinue(room.made, INTERRUPTED)
        else:
            performed.complete(room.made)
        return Acquisition(identity.study_uid, identity.accession, mistake, sent)

    def _in_its_script(self, identity: Identity) -> Identity:
        """A demo patient's images are written in the character set the recipe gives them."""
        known = next((p for p in self._recipe.patients if p.id == identity.patient_id), None)
        return replace(identity, charset=known.charset) if known else identity

    def _send(self, templates: list[Outgoing], room: _Room, pause_s: float) -> Iterator[SentImage]:
        first = True
        for group in storage_proposals(templates):
            classes = {abstract for abstract, _ in group}
            with Client(
                connect(self._node.host, self._node.port, self._node.title, self._station.aet, group)
            ) as client:
                for template in (t for t in templates if t.sop_class_uid in classes):
                    if pause_s and not first:
                        time.sleep(pause_s)
                    first = False
                    yield room.sent(client, template)


@dataclass(frozen=True, slots=True)
class _Room:
    """One examination under way: where its images lie for a moment, whose they are, when they were taken."""

    folder: Path
    identity: Identity
    when: datetime
    station: Station
    made: list[Made] = field(default_factory=list)

    def sent(self, client: Client, template: Outgoing) -> SentImage:
        """Stamp one image, send it, and forget it."""
        quiet_pydicom()
        image = pydicom.dcmread(template.path)
        date, clock = self.when.strftime("%Y%m%d"), self.when.strftime("%H%M%S")
        stamp(image, self.identity, date, clock, (self.station.aet, self.station.name))
        path = self.folder / f"{image.SOPInstanceUID}.dcm"
        image.save_as(path, enforce_file_format=True)
        digest = intake_file(path).digest
        answer = client.store(scu.outgoing_of(path))
        path.unlink()
        self.made.append((str(image.SeriesInstanceUID), str(image.SOPClassUID), str(image.SOPInstanceUID)))
        return SentImage(answer.sop_instance_uid, answer.status, answer.words, digest)


def _step(answer: Answer) -> Step:
    items = answer.get("ScheduledProcedureStepSequence")
    first = items[0] if isinstance(items, list) and items else {}
    date, clock, modality, aet = (
        str(first.get(keyword, ""))
        for keyword in (
            "ScheduledProcedureStepStartDate",
            "ScheduledProcedureStepStartTime",
            "Modality",
            "ScheduledStationAETitle",
        )
    )
    return Step(date, clock, modality, aet, Identity.from_worklist(answer))


def commands(scanner: Scanner) -> dict[str, Command]:
    """What the process can be told on its standard input, ``{"do": name, …}``."""

    def echo() -> object:
        scanner.echo()
        return "answered"

    def worklist(date: str = "") -> object:
        return [asdict(step) for step in scanner.worklist(date)]

    def acquire(
        accession: str,
        images: str = "",
        when: str = "",
        mistake: str = "",
        pause_s: float = 0.0,
        limit: int = 0,
        by_hand: bool = False,
    ) -> object:
        moment = datetime.fromisoformat(when) if when else None
        step = scanner.typed(accession) if by_hand else scanner.step(accession)
        done = scanner.acquire(
            step, images=images, when=moment, mistake=mistake, pause_s=pause_s, limit=limit
        )
        return {**asdict(done), "stored": done.stored}

    return {"echo": echo, "worklist": worklist, "acquire": acquire}


def main(arguments: list[str] | None = None) -> int:
    """The process: say READY, obey until standard input ends."""
    parser = argparse.ArgumentParser(prog="scanner", description="The simulated scanner.")
    parser.add_argument("--node", required=True, metavar="HOST:PORT", help="the node's DICOM port")
    parser.add_argument("--ae", default=scu.OUR_TITLE, metavar="TITLE", help="the node's AE title")
    parser.add_argument("--station", default="DEMO_CT1", metavar="TITLE", help="the machine's own AE title")
    parser.add_argument(
        "--modality", default="", help="its modality, where the recipe does not know the title"
    )
    parser.add_argument("--images", type=Path, metavar="DIR", help="image sets made beforehand")
    parser.add_argument("--recipe", type=Path, metavar="DIR", help="another recipe than the shipped one")
    chosen = parser.parse_args(arguments)
    recipe = load_recipe(chosen.recipe)
    host, port = chosen.node.rsplit(":", 1)
    offline = chosen.images or demo_resources() / "images"
    scanner = Scanner(
        NodeAddress(host, int(port), chosen.ae),
        _station(recipe, chosen.station, chosen.modality),
        recipe,
        lambda: demo_images(offline=offline),
    )
    serve({"station": chosen.station, "node": chosen.node}, commands(scanner))
    return 0


def _station(recipe: Recipe, title: str, modality: str) -> Station:
    known = next((s for s in recipe.stations if s.aet == title), None)
    station = known or Station(title, modality or "CT", title, "Simulated scanner")
    return replace(station, modality=modality) if modality else station


if __name__ == "__main__":
    raise SystemExit(main())
