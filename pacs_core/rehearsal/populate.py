"""Filling a demo node: accounts and peers by its front door, orders by HL7, images by C-STORE."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pacs_core.archive import models as m
from pacs_core.archive.protocol import Administration
from pacs_core.rehearsal.company import Simulator, SimulatorFailed
from pacs_core.rehearsal.recipe import DemoExam, Recipe
from pacs_core.rehearsal.sources import demo_resources

LOOPBACK = "127.0.0.1"
SCANNER_PORT = 104
"""What a simulated machine gives as its own port; it only ever calls."""
ARRIVING_PAUSE_S = 1.5
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Company:
    """The simulators round a node: one RIS, and a scanner by modality."""

    ris: Simulator
    scanners: Mapping[str, Simulator]

    def stop(self) -> None:
        """End them all."""
        for one in (self.ris, *self.scanners.values()):
            one.stop()


def furnish(administration: Administration, recipe: Recipe) -> None:
    """Accounts, machines and HL7 source of the recipe; what is there already stays."""
    there = {account.name for account in administration.users()}
    for account in recipe.accounts:
        if account.name not in there:
            administration.add_user(account.name, account.role, account.password, account.full_name)
    for station in recipe.stations:
        administration.save_peer(m.Peer(station.aet, LOOPBACK, SCANNER_PORT, station.modality, station.name))
    own_map = (demo_resources() / "field_map.toml").read_text(encoding="utf-8")
    administration.save_hl7_source(
        m.Hl7Source(recipe.ris, LOOPBACK, own_map, recipe.facility, "UNICODE UTF-8")
    )


def connect_results(administration: Administration, recipe: Recipe, company: Company) -> None:
    """Send results to the simulated RIS from now on."""
    host, _, port = str(company.ris.facts["hl7"]).rpartition(":")
    administration.save_destination(m.Destination(recipe.ris, host, int(port)))


def begin_day(company: Company, recipe: Recipe, today: date, progress: Progress) -> None:
    """Patients and orders of today and later, then the images of what was done already, in time order.

    What the recipe calls ``arriving`` comes last and slowly. A part that fails is told and the rest goes on.
    """
    exams = [exam for exam in recipe.exams if exam.state != "read"]
    progress("orders")
    answers = company.ris.tell("admit", today=today.isoformat(), exams=[exam.key for exam in exams])
    refused = [a for a in answers if a["code"] not in ("AA", "CA")]
    for answer in refused:
        progress(f"the node answered {answer['code'] or 'nothing'}: {answer['text']}")
    for exam in _in_order(exams):
        progress(f"images of {exam.description}")
        _acquire(company, exam, today, progress)


def _in_order(exams: Iterable[DemoExam]) -> list[DemoExam]:
    done = [exam for exam in exams if exam.state in ("acquired", "held")]
    slow = [exam for exam in exams if exam.state == "arriving"]
    return [*sorted(done, key=lambda e: e.time), *sorted(slow, key=lambda e: e.time)]


def _acquire(company: Company, exam: DemoExam, today: date, progress: Progress) -> None:
    try:
        company.scanners[exam.modality].tell(
            "acquire",
            accession=exam.accession,
            images=exam.images,
            when=exam.when(today).isoformat(),
            mistake=exam.mistake,
            pause_s=ARRIVING_PAUSE_S if exam.state == "arriving" else 0.0,
        )
    except SimulatorFailed as failure:
        progress(str(failure))
