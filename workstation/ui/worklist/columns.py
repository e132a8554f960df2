"""The columns of the worklist: what each says of an exam."""

from __future__ import annotations

from pacs_core.archive.models import ExamRow
from pacs_core.domain.patient import display_name
from workstation.ui import words
from workstation.ui.widgets.table import Cell, Column

URGENT = {
    "STAT": ("STAT", "alert-decagram-outline", "wrong"),
    "HIGH": ("High", "chevron-double-up", "waiting"),
}


def priority(row: ExamRow) -> Cell:
    """STAT and high, by shape and word."""
    text, icon, token = URGENT.get(row.priority, ("", "", "quiet"))
    return Cell(words.t(text), icon, token, bold=bool(text))


def status(row: ExamRow) -> Cell:
    """Where the exam stands, and who has it open."""
    state = words.state(words.EXAM, row.status)
    by = row.locked_by if row.status in ("reading", "draft", "arrived") else ""
    tip = f"{words.t(state.word)} · {words.t('open by')} {by}" if by else ""
    return Cell(words.t(state.word), state.icon, state.token, tip, trailing=by)


def patient(row: ExamRow) -> Cell:
    """The name, bold while it is to be read."""
    return Cell(
        row.patient_display or words.t("No name"),
        bold=row.status not in ("signed", "cancelled", "scheduled"),
        tip=f"{row.patient_display}\n{row.patient_id} {row.issuer}".strip(),
    )


def sex_and_age(row: ExamRow) -> Cell:
    """Sex and age on the day of the study."""
    return Cell(words.sex_and_age(row.sex, row.birth_date, row.study_date or row.scheduled_start))


def number(row: ExamRow) -> Cell:
    """Patient ID with its issuer."""
    return Cell(row.patient_id, trailing=row.issuer, tip=f"{row.patient_id} {row.issuer}".strip())


def procedure(row: ExamRow) -> Cell:
    """What was ordered or done."""
    tip = "\n".join(part for part in (row.procedure, row.indication) if part)
    return Cell(row.procedure or words.t("Not said"), tip=tip)


def body_part(row: ExamRow) -> Cell:
    """The body part."""
    return Cell(words.t(row.body_part.capitalize()))


def modality(row: ExamRow) -> Cell:
    """The modalities."""
    return Cell(row.modality.replace("\\", " "))


def time(row: ExamRow) -> Cell:
    """Study time, or the scheduled start while there are no images."""
    if row.study_date:
        return Cell(words.when(row.study_date, row.study_time))
    return Cell(row.scheduled_start[:16].replace("T", " "), token="quiet", tip=words.t("Scheduled start"))


def images(row: ExamRow) -> Cell:
    """``n of m`` where m is known, and whether more are coming."""
    if not row.study_uid:
        return Cell(words.t("none yet"), token="quiet")
    text = f"{row.images} {words.t('of')} {row.expected}" if row.expected else str(row.images)
    if row.arriving:
        return Cell(
            text,
            "progress-download",
            "waiting",
            words.t("More images are coming"),
            trailing=words.t("still arriving"),
        )
    short = row.expected is not None and row.images < row.expected
    return Cell(
        text,
        "progress-alert" if short else "",
        "waiting" if short else "text",
        words.t("Fewer images than expected") if short else "",
    )


def identity(row: ExamRow) -> Cell:
    """Whether the study belongs to its order, and why not."""
    if not row.study_uid:
        return Cell("")
    state = words.state(words.RECONCILIATION, row.reconciliation or "none")
    return Cell(words.t(state.word), state.icon, state.token, row.hold_reason)


def result(row: ExamRow) -> Cell:
    """The report, and where its result is: the acknowledgement in the receiver's own words."""
    if row.delivery:
        state = words.state(words.DELIVERY, row.delivery)
        return Cell(
            words.t(state.word), state.icon, state.token, row.acknowledgement, trailing=row.acknowledgement
        )
    if row.report_state:
        state = words.state(words.REPORT, row.report_state)
        return Cell(words.t(state.word), state.icon, state.token)
    return Cell("")


COLUMNS: tuple[Column[ExamRow], ...] = (
    Column("priority", "Priority", priority, 80),
    Column("status", "Status", status, 120),
    Column("patient_name", "Patient", patient, 264, stretch=True),
    Column("birth_date", "Age", sex_and_age, 80, keep=2),
    Column("patient_id", "ID", number, 132, keep=9),
    Column("procedure", "Procedure", procedure, 244, stretch=True),
    Column("body_part", "Body part", body_part, 104, keep=10),
    Column("modality", "Mod.", modality, 60, keep=3),
    Column("study_date", "Study time", time, 140, keep=4),
    Column("images", "Images", images, 178),
    Column("reconciliation", "Identity", identity, 116, keep=6),
    Column("delivery", "Report and result", result, 176, stretch=True),
    Column("accession", "Accession", lambda r: Cell(r.accession), 124, keep=8),
    Column(
        "referring_physician",
        "Referrer",
        lambda r: Cell(display_name(r.referring_physician)),
        132,
        keep=7,
    ),
    Column("station", "Station", lambda r: Cell(r.station), 88, keep=12),
)
