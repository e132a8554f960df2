"""Measurements: numbers with units on patient coordinates (becomes SR TID 1500)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Quantity:
    """One measured number with its UCUM unit, e.g. ``Quantity("Length", 12.3, "mm")``."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """A stroke of the reader: its kind, points and numbers.

    `tracking_uid` is its identity for good. `points` are patient coordinates in mm (LPS) where the image
    has a frame of reference, else (column, row, 0) in image pixels and `in_pixels` is true. `label`
    is what the reader calls it, `refusal` why a number could not be trusted.
    """

    tracking_uid: str
    kind: str
    study_uid: str
    series_uid: str
    instance_uid: str
    frame: int
    points: tuple[tuple[float, float, float], ...]
    quantities: tuple[Quantity, ...] = ()
    frame_of_reference_uid: str = ""
    in_pixels: bool = False
    label: str = ""
    refusal: str = ""
    series_number: int | None = None
    instance_number: int | None = None
    pairs_with: str = ""
    author: str = ""
    made_at: str = ""
    changed_at: str = ""
    deleted: bool = False
    details: dict[str, str] = field(default_factory=dict)
