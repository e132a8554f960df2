"""The answer where there is no number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """What stands in the way, for programs; the reason says it to people."""

    SPACING = "spacing"
    REGION = "region"
    SHAPE = "shape"
    PIXELS = "pixels"
    VALUES = "values"
    FACTS = "facts"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no number, in words for the reader."""

    reason: str
    why: Why = Why.SHAPE
