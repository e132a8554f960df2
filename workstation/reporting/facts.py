"""What is known of an exam before anyone reports it: templates are chosen by it, fields filled from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pacs_core.archive.models import Dossier, Prior


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """Texts of patient, order and study; empty where not known. Dates are civil, as received.

    `modality` is a DICOM term (``CT``; a PET/CT is ``PT\\CT``), `laterality` L, R or B (PS3.3 C.7.3.1),
    `comparison` a sentence about the priors that are hung beside it.
    """

    patient_id: str = ""
    patient_name: str = ""
    sex: str = ""
    age: str = ""
    accession: str = ""
    study_uid: str = ""
    study_date: str = ""
    modality: str = ""
    body_part: str = ""
    laterality: str = ""
    procedure: str = ""
    indication: str = ""
    question: str = ""
    technique: str = ""
    comparison: str = ""
    contrast: str = ""
    referrer: str = ""

    def merge_values(self) -> dict[str, str]:
        """Texts for merge fields by their name; ``history`` answers with the indication and question."""
        asked = " ".join(part for part in (self.indication, self.question) if part)
        return {
            "indication": asked,
            "history": asked,
            "question": self.question,
            "accession": self.accession,
            "comparison": self.comparison,
            "technique": self.technique or self.procedure,
            "procedure": self.procedure,
            "contrast": self.contrast,
            "laterality": SIDE_WORDS.get(self.laterality.upper(), ""),
            "age": self.age,
            "sex": self.sex,
            "studydate": self.study_date,
            "referrer": self.referrer,
        }


SIDE_WORDS = {
    "L": "left",
    "R": "right",
    "B": "bilateral",
    "LEFT": "left",
    "RIGHT": "right",
    "BILATERAL": "bilateral",
}
"""The words a report has for a coded laterality."""


def facts_of(dossier: Dossier, compared: Sequence[Prior] = ()) -> OrderFacts:
    """The facts of an exam from what the archive says of it; `compared` are the priors hung beside it.

    Where there is no order the study speaks for itself.
    """
    order, exam = dossier.order, dossier.exam
    procedure = (order.procedure if order else "") or exam.procedure or dossier.manifest.description
    return OrderFacts(
        patient_id=dossier.patient.patient_id,
        patient_name=dossier.patient.display_name or dossier.patient.name,
        sex=dossier.patient.sex,
        accession=exam.accession,
        study_uid=dossier.manifest.study_uid,
        study_date=exam.study_date,
        modality=exam.modality,
        body_part=(order.body_part if order else "") or exam.body_part,
        laterality=order.laterality if order else "",
        procedure=procedure,
        indication=(order.indication if order else "") or exam.indication,
        question=order.question if order else "",
        technique=procedure,
        comparison=compared_text(compared),
        contrast=order.contrast if order else "",
        referrer=exam.referring_physician,
    )


def compared_text(priors: Sequence[Prior]) -> str:
    """``CT chest of 2026-03-02.`` for the priors in the order given; empty for none."""
    named = [
        f"{prior.description or prior.modality} of {prior.study_date}".strip()
        for prior in priors
        if prior.study_date
    ]
    return f"{'; '.join(named)}." if named else ""
