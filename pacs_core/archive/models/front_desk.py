"""What the front desk fills in, and its day."""

from __future__ import annotations

from dataclasses import dataclass

from pacs_core.archive.models.exams import OrderView


@dataclass(frozen=True, slots=True)
class PatientForm:
    """A patient typed by hand; `patient_id` empty lets the archive make one. `new` refuses a taken one."""

    patient_id: str = ""
    issuer: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""
    phone: str = ""
    address: str = ""
    allergies: str = ""
    alerts: str = ""
    pregnancy: str = ""
    weight_kg: float | None = None
    new: bool = False


@dataclass(frozen=True, slots=True)
class OrderForm:
    """An order typed by hand; `accession` empty lets the archive make one, marked as ours."""

    patient_id: str
    issuer: str = ""
    accession: str = ""
    procedure: str = ""
    modality: str = ""
    body_part: str = ""
    laterality: str = ""
    priority: str = "ROUTINE"
    start_date: str = ""
    start_time: str = ""
    station_aet: str = ""
    indication: str = ""
    question: str = ""
    referring_physician: str = ""
    referring_phone: str = ""
    contrast: str = ""
    technologist_note: str = ""


@dataclass(frozen=True, slots=True)
class DayView:
    """One day's steps: each order with the step that lies on that day, and what has arrived."""

    date: str
    today: str
    zone: str
    orders: tuple[OrderView, ...]
    stations: tuple[str, ...]
