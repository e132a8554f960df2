"""Which earlier study to hang beside this one, and why. Pure: the archive ranks, the reader's desk
chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pacs_core.archive.models import Prior
from pacs_core.archive.priors import comparable, region_of
from pacs_core.domain.anatomy import adjoin


@dataclass(frozen=True, slots=True)
class Choice:
    """The prior to hang, None where none is worth a place, and the reason in words."""

    prior: Prior | None
    reason: str


def choose(priors: Sequence[Prior], modality: str, body_part: str = "", procedure: str = "") -> Choice:
    """The most relevant earlier study with images: of the same region before a neighbouring one, and among
    those of the same modality; the archive's own reason is shown with it. One of another region is none, nor
    is a later one.
    """
    able = [p for p in priors if p.images > 0 and p.score >= 0.0]
    if not able:
        return Choice(None, "no earlier study with images" if priors else "no earlier study of this patient")
    here = region_of(body_part, procedure)
    kin = [p for p in able if _related(p, modality, here)]
    if not kin:
        return Choice(None, "no earlier study of this body part")

    def worth(prior: Prior) -> tuple[bool, int, float, str, str]:
        there = region_of(prior.body_part, prior.description)
        same = not here or not there or bool(here & there)
        return same, comparable(modality, prior.modality), prior.score, prior.study_date, prior.study_time

    best = max(kin, key=worth)
    return Choice(best, best.reason or why(best, modality, body_part))


def _related(prior: Prior, modality: str, here: frozenset[str]) -> bool:
    """Of the same region; of a neighbouring one, or where one does not say its own, of a modality that
    compares.
    """
    there = region_of(prior.body_part, prior.description)
    compares = comparable(modality, prior.modality) > 0
    return bool(here & there) or (compares and (not here or not there or adjoin(here, there)))


def why(prior: Prior, modality: str, body_part: str) -> str:
    """The reason in words where the archive gave none."""
    reasons = ["same modality" if prior.modality == modality else f"{prior.modality} of the same patient"]
    if body_part and prior.body_part.casefold() == body_part.casefold():
        reasons.append("same body part")
    return ", ".join(reasons)
