"""What the simulated RIS says: ADT and ORM messages filled from the recipe and its templates."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from pacs_core.hl7.escapes import escape
from pacs_core.rehearsal.recipe import DemoExam, DemoPatient, Recipe
from pacs_core.rehearsal.sources import demo_resources

ORDER_STATUS = {"NW": "SC", "XO": "SC", "CA": "CA", "DC": "CA"}
REPRESENTATION = ("A", "I", "P")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message ready for the wire, with the number by which its acknowledgement is known."""

    control_id: str
    content: bytes


class Messages:
    """Fills the templates of a recipe; `processing_id` is MSH-11 (P, T or D)."""

    def __init__(self, recipe: Recipe, folder: Path | None = None, processing_id: str = "P") -> None:
        self._recipe = recipe
        self._folder = (folder or demo_resources()) / "messages"
        self._processing_id = processing_id

    def register(self, patient: DemoPatient) -> Outgoing:
        """ADT^A04: the patient is here."""
        return self._fill("adt_a04", self._person(patient))

    def update(self, patient: DemoPatient) -> Outgoing:
        """ADT^A08: what is known of the patient has changed."""
        return self._fill("adt_a08", self._person(patient))

    def merge(self, survivor: DemoPatient, subsumed_id: str) -> Outgoing:
        """ADT^A40: `subsumed_id` was the same person."""
        return self._fill("adt_a40", self._person(survivor) | {"subsumed_id": escape(subsumed_id)})

    def order(self, exam: DemoExam, today: date, control: str = "NW", reason: str = "") -> Outgoing:
        """ORM^O01 with that order control code (NW, XO, CA, DC or any other)."""
        person = self._person(self._recipe.patient(exam.patient))
        return self._fill("orm_o01", person | self._order(exam, today, control, reason))

    def _fill(self, template: str, values: dict[str, str]) -> Outgoing:
        control_id = uuid.uuid4().hex[:20].upper()
        values |= {
            "ris": escape(self._recipe.ris),
            "facility": escape(self._recipe.facility),
            "issuer": escape(self._recipe.issuer),
            "processing_id": self._processing_id,
            "control_id": control_id,
            "now": datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000"),
        }
        text = (self._folder / f"{template}.hl7").read_text(encoding="utf-8")
        lines = (line.format_map(values).rstrip("|") for line in text.splitlines())
        segments = [line for line in lines if line.strip()]
        return Outgoing(control_id, ("\r".join(segments) + "\r").encode())

    def _person(self, patient: DemoPatient) -> dict[str, str]:
        return {
            "patient_id": escape(patient.id),
            "patient_name": person_name(patient.name),
            "birth_date": patient.birth_date.replace("-", ""),
            "sex": patient.sex,
            "address": composite(patient.address),
            "phone": escape(patient.phone),
            "pregnancy": escape(patient.pregnancy),
            "allergies": "\r".join(
                f"AL1|{i}|DA|^{escape(what)}" for i, what in enumerate(patient.allergies, 1)
            ),
            "weight": _observation(1, "29463-7^Body weight^LN", patient.weight_kg, "kg"),
            "height": _observation(2, "8302-2^Body height^LN", patient.height_m, "m"),
        }

    def _order(self, exam: DemoExam, today: date, control: str, reason: str) -> dict[str, str]:
        return {
            "control": control,
            "order_status": ORDER_STATUS.get(control, ""),
            "reason": escape(reason),
            "placer": escape(exam.placer),
            "filler": escape(exam.filler),
            "accession": escape(exam.accession),
            "procedure": composite(exam.procedure),
            "procedure_id": exam.procedure_id,
            "step_id": exam.step_id,
            "study_uid": exam.study_uid,
            "modality": exam.modality,
            "start": exam.when(today).strftime("%Y%m%d%H%M%S"),
            "priority": exam.priority,
            "referrer": composite(exam.referrer),
            "referrer_phone": escape(exam.referrer_phone),
            "indication": f"^{escape(exam.indication)}" if exam.indication else "",
            "question": f"NTE|1||{escape(exam.question)}" if exam.question else "",
            "contrast": f"^{escape(exam.contrast)}" if exam.contrast else "",
            "alerts": escape(exam.alerts),
        }


def person_name(name: str) -> str:
    """A DICOM PN as XPN repetitions, each with its representation code (IHE RAD TF-2 4.1.4.1.2)."""
    groups = enumerate(name.split("="))
    return "~".join(_xpn(group, REPRESENTATION[i]) for i, group in groups if group)


def composite(text: str) -> str:
    """Text with ``^`` between components, everything else escaped."""
    return "^".join(escape(part) for part in text.split("^"))


def _xpn(group: str, representation: str) -> str:
    parts = [escape(part) for part in (group.split("^") + [""] * 5)[:5]]
    family, given, middle, prefix, suffix = parts
    return f"{family}^{given}^{middle}^{suffix}^{prefix}^^L^{representation}"


def _observation(number: int, what: str, value: float | None, unit: str) -> str:
    return "" if value is None else f"OBX|{number}|NM|{what}||{value:g}|{unit}|||||F"
