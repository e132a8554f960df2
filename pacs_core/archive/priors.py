"""Which earlier studies matter for this one, and why, in words."""

from __future__ import annotations

from pacs_core.archive.models import ExamRow, Prior
from pacs_core.domain.matching import folded_name


def rank(current: ExamRow, others: list[ExamRow]) -> tuple[Prior, ...]:
    """Earlier studies, the most relevant first: same region, same modality, then the newest."""
    scored = [(_score(current, other), other) for other in others if other.images]
    ordered = sorted(scored, key=lambda pair: (pair[0][0], pair[1].study_date), reverse=True)
    return tuple(
        Prior(
            study_uid=other.study_uid,
            study_date=other.study_date,
            study_time=other.study_time,
            modality=other.modality,
            description=other.procedure,
            body_part=other.body_part,
            accession=other.accession,
            images=other.images,
            score=round(score, 3),
            reason=", ".join(words),
            report_state=other.report_state,
        )
        for (score, words), other in ordered
    )


def _score(current: ExamRow, other: ExamRow) -> tuple[float, list[str]]:
    score, words = 0.0, []
    if _region(current) & _region(other):
        score += 0.5
        words.append("same body part")
    if set(current.modality.split("/")) & set(other.modality.split("/")):
        score += 0.35
        words.append("same modality")
    if current.study_date and other.study_date:
        if other.study_date <= current.study_date:
            score += 0.1
            words.append("earlier")
        else:
            score -= 0.5
            words.append("later than this study")
    if other.report_state in ("final", "addended", "corrected"):
        score += 0.05
        words.append("with a report")
    return score, words or ["same patient"]


_REGIONS = {
    "chest": ("chest", "thorax", "lung", "thorac"),
    "abdomen": ("abdomen", "abd", "liver", "kidney"),
    "pelvis": ("pelvis", "prostate", "hip"),
    "head": ("head", "brain", "skull", "schadel", "kopf", "neuro"),
    "neck": ("neck", "hals"),
    "spine": ("spine", "lumbar", "cervical", "lws", "hws", "bws"),
    "breast": ("breast", "mammo"),
    "heart": ("heart", "cardiac", "coronary", "echo"),
    "knee": ("knee", "knie"),
}


def _region(row: ExamRow) -> set[str]:
    words = folded_name(f"{row.body_part} {row.procedure}")
    found = {name for name, marks in _REGIONS.items() if any(mark in words for mark in marks)}
    return found or ({folded_name(row.body_part)} - {""})
