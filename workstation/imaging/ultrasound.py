"""Calibrated regions of ultrasound images (PS3.3 C.8.5.5): what a pixel step means, and where.

Deltas may have either sign; distances take their size, values on an axis their sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workstation.imaging.values import Attributes, integer, number

TWO_D, M_MODE, SPECTRAL, WAVEFORM, GRAPHICS = 1, 2, 3, 4, 5
LOW_PRIORITY = 1
CENTIMETRES = 3

# Physical Units (PS3.3 C.8.5.5.1.15): UCUM, and how much of it one DICOM unit is
UNITS: dict[int, tuple[str, float]] = {
    1: ("%", 1.0),
    2: ("dB", 1.0),
    3: ("mm", 10.0),
    4: ("s", 1.0),
    5: ("Hz", 1.0),
    6: ("dB/s", 1.0),
    7: ("cm/s", 1.0),
    8: ("mm2", 100.0),
    9: ("cm2/s", 1.0),
    10: ("mm3", 1000.0),
    11: ("cm3/s", 1.0),
    12: ("deg", 1.0),
}


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a region: UCUM `unit` ("" where it has none), its `delta` a pixel, signed, and the
    value at the region's reference pixel (`reference`, a pixel of the whole image).
    """

    unit: str
    delta: float
    reference: float
    value: float

    def at(self, pixel: float) -> float:
        """The value at a pixel of the image."""
        return self.value + (pixel - self.reference) * self.delta


@dataclass(frozen=True, slots=True)
class Region:
    """One region: its pixel box (edges included), its kind, and its two axes."""

    left: int
    top: int
    right: int
    bottom: int
    space: int
    data: int
    across: Axis
    down: Axis
    low_priority: bool = False

    @property
    def spacing(self) -> tuple[float, float] | None:
        """Mm of a pixel (between rows, between columns) of a 2D image in centimetres, else None."""
        if self.space != TWO_D or self.across.unit != "mm" or self.down.unit != "mm":
            return None
        return abs(self.down.delta), abs(self.across.delta)

    @property
    def area(self) -> int:
        return (self.right - self.left + 1) * (self.bottom - self.top + 1)

    def holds(self, column: float, row: float) -> bool:
        """Whether a (fractional) pixel lies in the box; pixels reach half a pixel beyond their centre."""
        return self.left - 0.5 <= column <= self.right + 0.5 and self.top - 0.5 <= row <= self.bottom + 0.5


def regions_of(attributes: Attributes) -> tuple[Region, ...]:
    """The usable regions of a frame, in their order."""
    items = attributes.get("SequenceOfUltrasoundRegions")
    found = []
    for item in items if isinstance(items, Sequence) and not isinstance(items, str) else ():
        region = _region(item) if isinstance(item, Mapping) else None
        if region is not None:
            found.append(region)
    return tuple(found)


BOX = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")


def _region(item: Attributes) -> Region | None:
    edges = [number(item.get(name)) for name in BOX]
    left, top, right, bottom = (-1 if e is None else int(e) for e in edges)
    if left < 0 or top < 0 or right < left or bottom < top:
        return None
    across, down = _axis(item, "X", left), _axis(item, "Y", top)
    space, data = integer(item.get("RegionSpatialFormat")), integer(item.get("RegionDataType"))
    return Region(
        left, top, right, bottom, space, data,
        across, down, bool(integer(item.get("RegionFlags")) & LOW_PRIORITY),
    )  # fmt: skip


def _axis(item: Attributes, name: str, edge: int) -> Axis:
    """A missing or zero delta leaves the axis without a unit, so that nothing is measured along it."""
    unit, scale = UNITS.get(integer(item.get(f"PhysicalUnits{name}Direction")), ("", 1.0))
    delta = number(item.get(f"PhysicalDelta{name}")) or 0.0
    pixel = number(item.get(f"ReferencePixel{name}0"))
    value = number(item.get(f"ReferencePixelPhysicalValue{name}"))
    reference = edge if pixel is None else edge + pixel
    return Axis(unit if delta else "", delta * scale, float(reference), (value or 0.0) * scale)


def region_at(regions: Sequence[Region], points: Sequence[tuple[float, float]]) -> Region | None:
    """The region that holds all of the (column, row) points: high priority first, then the smallest."""
    held = [r for r in regions if all(r.holds(column, row) for column, row in points)]
    return min(held, key=lambda r: (r.low_priority, r.area), default=None)
