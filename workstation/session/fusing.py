"""Which two series of a study can be laid over each other, or why none can. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workstation.imaging.display_sets import DisplaySet

EMISSION = ("PT", "NM")


@dataclass(frozen=True, slots=True)
class Pair:
    """`above` is painted in colours over the greys of `below`: emission over anatomy."""

    below: DisplaySet
    above: DisplaySet


class NoPair(ValueError):
    """Nothing can be laid over; the message names the tag that is missing or does not fit."""


def pair(shown: DisplaySet, sets: Sequence[DisplaySet]) -> Pair:
    """The pair a display set makes with the best partner of its study; raises NoPair."""
    if not shown.is_volume:
        raise NoPair(f"this series is no volume: {shown.reformat_refusal or 'its images form no grid'}")
    if not shown.frame_of_reference_uid:
        raise NoPair("Frame of Reference UID (0020,0052) is missing in this series")
    others = [s for s in sets if s.is_volume and s.uid != shown.uid and s.modality != shown.modality]
    others = others or [s for s in sets if s.is_volume and s.uid != shown.uid]
    if not others:
        raise NoPair("the study has no second volume")
    together = [s for s in others if s.frame_of_reference_uid == shown.frame_of_reference_uid]
    if not together:
        raise NoPair(_apart(others))
    best = max(together, key=lambda s: _fitness(shown, s))
    return Pair(best, shown) if _is_emission(shown) and not _is_emission(best) else Pair(shown, best)


def _apart(others: Sequence[DisplaySet]) -> str:
    if not any(s.frame_of_reference_uid for s in others):
        return "Frame of Reference UID (0020,0052) is missing in the other series"
    return "no other series has its Frame of Reference UID (0020,0052), and no registration ties them"


def _is_emission(shown: DisplaySet) -> bool:
    return shown.modality in EMISSION


def _fitness(shown: DisplaySet, other: DisplaySet) -> tuple[bool, bool, int]:
    """Emission with anatomy first, corrected for attenuation before not, then the one with more images."""
    corrected = "ATTN" in str(other.frames[0].attributes.get("CorrectedImage", "")).upper()
    return _is_emission(shown) != _is_emission(other), corrected, len(other)


def emission_of(shown: DisplaySet, sets: Sequence[DisplaySet]) -> DisplaySet:
    """What a turning MIP is made of: the emission series of the pair, else the series itself."""
    if _is_emission(shown):
        return shown
    try:
        found = pair(shown, sets).above
    except NoPair:
        return shown
    return found if _is_emission(found) else shown
