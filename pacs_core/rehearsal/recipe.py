"""The demo's recipe (``resources/demo``): who comes, what was ordered, what was found, as data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pacs_core.domain.identifiers import uid_from_name
from pacs_core.rehearsal.brain import Spot
from pacs_core.rehearsal.identity import Identity
from pacs_core.rehearsal.pet import Mass
from pacs_core.rehearsal.prior import Lesion
from pacs_core.rehearsal.sources import demo_resources

STATES = ("read", "acquired", "arriving", "waiting", "held")


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """A made-up person; `name` is a DICOM PN, `charset` what a machine of theirs would write it in."""

    key: str
    id: str
    name: str
    birth_date: str = ""
    sex: str = ""
    weight_kg: float | None = None
    height_m: float | None = None
    phone: str = ""
    address: str = ""
    allergies: tuple[str, ...] = ()
    pregnancy: str = ""
    charset: str = "ISO_IR 192"


@dataclass(frozen=True, slots=True)
class DemoExam:
    """An order with what becomes of it; `day` counts from today, `procedure` is code^text^scheme."""

    key: str
    patient: str
    accession: str
    placer: str
    procedure: str
    modality: str
    day: int
    time: str
    images: str
    state: str
    indication: str = ""
    question: str = ""
    referrer: str = ""
    referrer_phone: str = ""
    priority: str = "R"
    contrast: str = ""
    alerts: str = ""
    mistake: str = ""
    report: str = ""

    @property
    def study_uid(self) -> str:
        """The Study Instance UID its order gives."""
        return uid_from_name(f"demo/study/{self.accession}")

    @property
    def filler(self) -> str:
        """The RIS's own order number."""
        return f"F{self.accession}"

    @property
    def procedure_id(self) -> str:
        """Requested Procedure ID."""
        return f"RP{self.accession}"[:16]

    @property
    def step_id(self) -> str:
        """Scheduled Procedure Step ID."""
        return f"SP{self.accession}"[:16]

    @property
    def description(self) -> str:
        """The procedure in words."""
        return self.procedure.split("^")[1]

    def when(self, today: date) -> datetime:
        """The scheduled civil time, counted from the site's civil day."""
        day = today + timedelta(days=self.day)
        return datetime.combine(day, time.fromisoformat(self.time))


@dataclass(frozen=True, slots=True)
class Station:
    """A simulated machine."""

    aet: str
    modality: str
    name: str
    model: str


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody who can sign in to the demo."""

    name: str
    role: str
    full_name: str
    password: str


@dataclass(frozen=True, slots=True)
class DemoReport:
    """A prior report: (heading, LOINC code, text) in reading order."""

    template: str
    sections: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The whole of it."""

    site: str
    issuer: str
    ris: str
    facility: str
    accounts: tuple[DemoAccount, ...]
    stations: tuple[Station, ...]
    patients: tuple[DemoPatient, ...]
    exams: tuple[DemoExam, ...]
    reports: dict[str, DemoReport]
    mass: Mass
    displacement: dict[str, Any]
    lesions: tuple[Lesion, ...]
    spots: tuple[Spot, ...]

    def patient(self, key: str) -> DemoPatient:
        """The patient of that key; raises KeyError."""
        return {p.key: p for p in self.patients}[key]

    def exam(self, key: str) -> DemoExam:
        """The exam of that key; raises KeyError."""
        return {e.key: e for e in self.exams}[key]

    def station(self, modality: str) -> Station:
        """The first machine of a modality; raises KeyError."""
        return {s.modality: s for s in reversed(self.stations)}[modality]

    @property
    def reader(self) -> DemoAccount:
        """The account that the sign-in page names: the first reader."""
        return next(a for a in self.accounts if a.role == "reader")

    def identity(self, exam: DemoExam) -> Identity:
        """What a machine that knows the order would write into its images."""
        person = self.patient(exam.patient)
        return Identity(
            study_uid=exam.study_uid,
            name=person.name,
            patient_id=person.id,
            issuer=self.issuer,
            birth_date=person.birth_date.replace("-", ""),
            sex=person.sex,
            accession=exam.accession,
            study_id=exam.procedure_id,
            study_description=exam.description,
            referring_physician="^".join(exam.referrer.split("^")[1:3]),
            procedure_id=exam.procedure_id,
            procedure_description=exam.description,
            step_id=exam.step_id,
            step_description=exam.description,
            charset=person.charset,
        )


def load_recipe(folder: Path | None = None) -> Recipe:
    """Read the recipe; raises OSError, or ValueError naming what does not fit together."""
    folder = folder or demo_resources()
    data = tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))
    reports = tomllib.loads((folder / "reports.toml").read_text(encoding="utf-8"))
    site, chest = data["site"], data["chest"]
    recipe = Recipe(
        site=site["name"],
        issuer=site["issuer"],
        ris=site["ris"],
        facility=site["facility"],
        accounts=tuple(DemoAccount(**a) for a in data["account"]),
        stations=tuple(Station(**s) for s in data["station"]),
        patients=tuple(DemoPatient(**_frozen(p)) for p in data["patient"]),
        exams=tuple(DemoExam(**e) for e in data["exam"]),
        reports={key: _report(value) for key, value in reports.items()},
        mass=Mass(**_frozen(chest["mass"])),
        displacement=_frozen(chest["displacement"]),
        lesions=tuple(Lesion(**_frozen(lesion)) for lesion in chest["lesion"]),
        spots=tuple(Spot(**_frozen(spot)) for spot in data["brain"]["lesion"]),
    )
    _check(recipe)
    return recipe


def _check(recipe: Recipe) -> None:
    """Say what does not fit together: it would otherwise show up as a missing row in the demo."""
    people = {p.key for p in recipe.patients}
    for exam in recipe.exams:
        if exam.patient not in people:
            raise ValueError(f"exam {exam.key} is of an unknown patient {exam.patient}")
        if exam.state not in STATES:
            raise ValueError(f"exam {exam.key} has an unknown state {exam.state}")
        if exam.report and exam.report not in recipe.reports:
            raise ValueError(f"exam {exam.key} has a report {exam.report} that is not there")
        if len(exam.accession) > 16:
            raise ValueError(f"exam {exam.key} has an accession number longer than 16 characters")
    if len({e.accession for e in recipe.exams}) != len(recipe.exams):
        raise ValueError("two exams have the same accession number")


def _report(data: dict[str, Any]) -> DemoReport:
    sections = tuple((s["heading"], s["code"], s["text"].strip()) for s in data["section"])
    return DemoReport(data["template"], sections)


def _frozen(data: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
