"""What is not as it should be with a series or an object: a kind that programs may ask for, and words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What was found; the value is the short form shown in the corner of a picture."""

    FRAMES_MISSING = "frames missing"
    MISSING = "slices missing"
    REPEATED = "repeats left out"
    OVERLAPPING = "overlapping"
    UNEQUAL = "unequal spacing"
    UNSORTED = "not sorted in space"
    TILT = "tilt"
    TILT_CONTRADICTED = "tilt not in positions"
    GAP = "gaps"
    TURNING = "each at its own angle"
    MIXED_SYNTAXES = "mixed compression"
    MIXED_RESCALE = "mixed rescale"
    LOSSY = "lossy"
    CONTRADICTION = "contradicts itself"


QUIET = frozenset(
    {FindingKind.LOSSY, FindingKind.MIXED_RESCALE, FindingKind.TURNING, FindingKind.CONTRADICTION}
)
"""Told in the list of findings, but no badge on the picture."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the reader has to know, in a sentence; `count` images are concerned (0: all)."""

    kind: FindingKind
    words: str
    count: int = 0

    @property
    def badge(self) -> str:
        """A word or two for the corner of a picture, empty where none is needed there."""
        return "" if self.kind in QUIET else str(self.kind)


def plural(count: int, one: str, many: str = "") -> str:
    """The count with its noun: "1 slice", "3 slices"."""
    return f"{count} {one if count == 1 else many or one + 's'}"
