"""Dialogs of the schedule: a patient, an order, another time."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from pacs_core.archive.models import OrderForm, OrderView, PatientForm, PatientView
from workstation.ui import words
from workstation.ui.widgets.form import Form, FormDialog

SEXES = (("", "not said"), ("F", "female"), ("M", "male"), ("O", "other"))
MODALITIES = tuple((m, m) for m in ("CT", "MR", "CR", "DX", "MG", "US", "XA", "RF", "NM", "PT"))
PRIORITIES = (("ROUTINE", "Routine"), ("HIGH", "High"), ("STAT", "STAT"))
SIDES = (("", "none"), ("L", "left"), ("R", "right"), ("B", "both"))
BODY_PARTS = tuple(
    (p, p.capitalize())
    for p in (
        "",
        "CHEST",
        "ABDOMEN",
        "PELVIS",
        "HEAD",
        "NECK",
        "SPINE",
        "KNEE",
        "HIP",
        "SHOULDER",
        "HAND",
        "FOOT",
        "BREAST",
        "PROSTATE",
        "HEART",
    )
)


def to_dicom_name(text: str) -> str:
    """``Family, Given Middle`` as a DICOM PN; what holds a ^ already stays as it is."""
    if "^" in text or not text:
        return text
    family, _, rest = text.partition(",")
    given = rest.split()
    return "^".join([family.strip(), *given]).rstrip("^")


def from_dicom_name(name: str) -> str:
    """The first group of a DICOM PN as ``Family, Given Middle``."""
    parts = [p.strip() for p in name.split("=", maxsplit=1)[0].split("^")]
    given = " ".join(p for p in parts[1:3] if p)
    return f"{parts[0]}, {given}" if given else parts[0]


def patient_dialog(
    parent: QWidget, patient: PatientView | None, save: Callable[[PatientForm], object]
) -> FormDialog:
    """A new patient, or one to be changed."""
    form = Form()
    known = patient
    form.text(
        "name", "Name", from_dicom_name(known.name) if known else "", words.t("Family, Given"), wide=True
    )
    form.text("patient_id", "Patient ID", known.patient_id if known else "", words.t("empty: made here"))
    form.text("issuer", "Issuer", known.issuer if known else "")
    form.text("birth_date", "Birth date", known.birth_date if known else "", "YYYY-MM-DD")
    form.choice("sex", "Sex", SEXES, known.sex if known else "")
    form.text("phone", "Phone", known.phone if known else "")
    form.text("address", "Address", known.address if known else "")
    form.text("allergies", "Allergies", known.allergies if known else "", wide=True)
    form.text("alerts", "Alerts", known.alerts if known else "")
    form.text("pregnancy", "Pregnancy", known.pregnancy if known else "")

    def submit(values: dict[str, str]) -> None:
        save(
            PatientForm(
                patient_id=values["patient_id"],
                issuer=values["issuer"],
                name=_kept_name(known, values["name"]),
                birth_date=values["birth_date"],
                sex=values["sex"],
                phone=values["phone"],
                address=values["address"],
                allergies=values["allergies"],
                alerts=values["alerts"],
                pregnancy=values["pregnancy"],
                new=known is None,
            )
        )

    if known is not None:
        form.fields["patient_id"].setReadOnly(True)
        form.fields["issuer"].setReadOnly(True)
    title = words.t("Change the patient") if known else words.t("New patient")
    return FormDialog(parent, title, form, words.t("Save patient"), submit)


def _kept_name(known: PatientView | None, typed: str) -> str:
    """The name as typed; where nobody touched it as it was, other scripts and further parts included."""
    untouched = known is not None and typed == from_dicom_name(known.name)
    return known.name if known is not None and untouched else to_dicom_name(typed)


def order_dialog(
    parent: QWidget,
    patient: PatientView,
    day: str,
    stations: tuple[str, ...],
    save: Callable[[OrderForm], object],
) -> FormDialog:
    """An order by hand for a patient."""
    form = Form()
    form.text("procedure", "Procedure", "", words.t("CT Chest without contrast"), wide=True)
    form.choice("modality", "Modality", MODALITIES, "CT")
    form.choice("body_part", "Body part", BODY_PARTS, "")
    form.choice("laterality", "Side", SIDES, "")
    form.choice("priority", "Priority", PRIORITIES, "ROUTINE")
    form.date("start_date", "Day", day)
    form.time("start_time", "Time")
    form.choice(
        "station_aet",
        "Station",
        (("", words.t("any of its modality")), *((s, s) for s in stations if s)),
        "",
        editable=True,
    )
    form.text("accession", "Accession number", "", words.t("empty: made here, and marked as ours"))
    form.text("indication", "Indication", "", wide=True)
    form.text("question", "Question", "", wide=True)
    form.text("referring_physician", "Referrer", "", words.t("Family, Given"))
    form.text("referring_phone", "Referrer's phone")
    form.text("contrast", "Contrast")
    form.text("technologist_note", "Technologist's note")

    def submit(values: dict[str, str]) -> None:
        values["referring_physician"] = to_dicom_name(values["referring_physician"])
        save(OrderForm(patient_id=patient.patient_id, issuer=patient.issuer, **values))

    about = " · ".join(
        p for p in (patient.display_name, words.age(patient.birth_date), patient.patient_id) if p
    )
    return FormDialog(parent, words.t("New order"), form, words.t("Place order"), submit, about)


def reschedule_dialog(
    parent: QWidget, order: OrderView, stations: tuple[str, ...], save: Callable[[str, str, str], object]
) -> FormDialog:
    """Another civil time or station for an order."""
    form = Form()
    step = order.steps[0] if order.steps else None
    form.date("start_date", "Day", step.start_date if step else "")
    form.time("start_time", "Time", step.start_time if step else "")
    form.choice(
        "station_aet",
        "Station",
        (("", words.t("as it is")), *((s, s) for s in stations if s)),
        "",
        editable=True,
    )

    def submit(values: dict[str, str]) -> None:
        save(values["start_date"], values["start_time"], values["station_aet"])

    about = f"{order.patient.display_name} · {order.procedure} · {order.accession}"
    return FormDialog(parent, words.t("Another time"), form, words.t("Reschedule"), submit, about)


def note_dialog(parent: QWidget, order: OrderView, save: Callable[[str], object]) -> FormDialog:
    """What the technologist tells the reader."""
    form = Form(1)
    form.lines("technologist_note", "Technologist's note", order.technologist_note)
    about = f"{order.patient.display_name} · {order.procedure}"
    return FormDialog(
        parent,
        words.t("Note for the reader"),
        form,
        words.t("Save note"),
        lambda values: save(values["technologist_note"]),
        about,
    )
