"""Which earlier study to hang beside this one, and why. Pure: the archive ranks, the reader's desk
chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pacs_core.archive.models import Prior

LOOKS_ALIKE = ({"CT", "MR", "PT"}, {"CR", "DX", "RG"}, {"US"}, {"MG", "DX"}, {"XA", "RF"}, {"NM", "PT"})


@dataclass(frozen=True, slots=True)
class Choice:
    """The prior to hang, None where none is worth a place, and the reason in words."""

    prior: Prior | None
    reason: str


def choose(priors: Sequence[Prior], modality: str, body_part: str = "") -> Choice:
    """The most relevant prior with images; the archive's own reason is shown with it."""
    able = [p for p in priors if p.images > 0]
    if not able:
        return Choice(None, "no earlier study with images" if priors else "no earlier study of this patient")
    best = max(able, key=lambda p: (comparable(p, modality), p.score, p.study_date, p.study_time))
    return Choice(best, best.reason or why(best, modality, body_part))


def comparable(prior: Prior, modality: str) -> int:
    """2 the same modality, 1 one that is read beside it, 0 neither."""
    if not modality or prior.modality == modality:
        return 2
    return 1 if any(modality in group and prior.modality in group for group in LOOKS_ALIKE) else 0


def why(prior: Prior, modality: str, body_part: str) -> str:
    """The reason in words where the archive gave none."""
    reasons = ["same modality" if prior.modality == modality else f"{prior.modality} of the same patient"]
    if body_part and prior.body_part.casefold() == body_part.casefold():
        reasons.append("same body part")
    return ", ".join(reasons)
