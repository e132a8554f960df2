"""What is known of an exam before anyone reports it: templates are chosen by it, fields filled from it."""

from __future__ import annotations

from dataclasses import dataclass


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
