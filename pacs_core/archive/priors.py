"""Which earlier studies matter for this one, and why, in words."""

from __future__ import annotations

from datetime import date

from pacs_core.archive.models import ExamRow, Prior
from pacs_core.domain.anatomy import adjoin, regions, shared, side

SAME_REGION, NEXT_REGION, SAME_MODALITY, READ_BESIDE, RECENT, REPORTED = 0.5, 0.2, 0.3, 0.15, 0.15, 0.05
UNLIKE = 0.1
"""More than the modality shared: beside a CT the CT of half a year ago comes before today's PET/CT."""

OTHER_SIDE = 0.3
NO_IMAGES = {"", "SR", "KO", "PR", "DOC", "OT", "SEG", "REG", "RTSTRUCT", "RTPLAN", "RTDOSE"}
READ_TOGETHER = ({"CT", "MR", "PT"}, {"CR", "DX", "RG"}, {"US"}, {"MG", "DX"}, {"XA", "RF"}, {"NM", "PT"})
DAYS = ((730, 365.25, "years"), (60, 30.44, "months"), (21, 7, "weeks"), (2, 1, "days"))
"""From so many days on an age is told in this unit of so many days."""


def rank(current: ExamRow, others: list[ExamRow]) -> tuple[Prior, ...]:
    """Other studies with images, the most relevant first: same region, same modality, then the newest; those
    that are later than this one have a negative score and come last.
    """
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


def comparable(one: str, other: str) -> int:
    """Of the modalities of two studies (``PT/CT``): 2 they share one (or one is unknown), 1 theirs are read
    side by side, 0 neither.
    """
    mine, theirs = _modalities(one), _modalities(other)
    if not mine or not theirs or mine & theirs:
        return 2
    return 1 if any(mine & group and theirs & group for group in READ_TOGETHER) else 0


def _modalities(said: str) -> set[str]:
    return set(said.replace("\\", "/").split("/")) - NO_IMAGES


def region_of(body_part: str, procedure: str) -> frozenset[str]:
    """The regions an order's body part and words name."""
    return regions(f"{body_part} {procedure}")


def _score(current: ExamRow, other: ExamRow) -> tuple[float, list[str]]:
    here, there = (region_of(row.body_part, row.procedure) for row in (current, other))
    kinship = comparable(current.modality, other.modality)
    days = _days_before(current.study_date, other.study_date)
    beside = bool(kinship) and not here & there and adjoin(here, there)
    score = NEXT_REGION if beside else SAME_REGION * shared(here, there)
    score += (0.0, READ_BESIDE, SAME_MODALITY)[kinship]
    if kinship == 2 and _modalities(current.modality) != _modalities(other.modality):
        score -= UNLIKE
    score += REPORTED if other.report_state in ("final", "addended", "corrected") else 0.0
    words = ["same body part"] if here & there else ["neighbouring body part"] if beside else []
    words += ["same modality"] if kinship == 2 else [f"{other.modality}, read beside it"] if kinship else []
    if {side(current.procedure), side(other.procedure)} == {"L", "R"}:
        score -= OTHER_SIDE
        words.append("the other side")
    if days is not None and (days < 0 or (days == 0 and _later_that_day(current, other))):
        return score - 2.0, [*words, "later than this study"]
    if days is not None:
        score += RECENT / (1.0 + days / 365.25)
        words.append(age_words(days))
    if other.report_state in ("final", "addended", "corrected"):
        words.append("with a report")
    return score, words or ["same patient"]


def _days_before(current: str, other: str) -> int | None:
    """How many days before the current study the other was; negative where it is later."""
    try:
        return (date.fromisoformat(current) - date.fromisoformat(other)).days
    except ValueError:
        return None


def _later_that_day(current: ExamRow, other: ExamRow) -> bool:
    """Of two studies of one day: where both say their time the later one is no prior."""
    return bool(current.study_time and other.study_time) and other.study_time > current.study_time


def age_words(days: int) -> str:
    """ "8 months earlier"; the same day is said so."""
    for least, unit, name in DAYS:
        if days >= least:
            return f"{days / unit:.0f} {name} earlier"
    return "1 day earlier" if days == 1 else "the same day"
