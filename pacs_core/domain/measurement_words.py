"""Measurements in words: numbers with units as a reader writes them."""

from __future__ import annotations

from collections.abc import Iterable

from pacs_core.domain.measurement import Measurement, Quantity

SHOWN_UNITS = {
    "[hnsf'U]": "HU",
    "mm2": "mm²",
    "mm3": "mm³",
    "ml": "mL",
    "deg": "°",
    "Bq/ml": "Bq/mL",
    "1": "",
    "{counts}": "counts",
    "cm2/s": "cm²/s",
    "cm3/s": "cm³/s",
    "g/ml": "g/mL",
    "g/ml{SUVbw}": "g/mL",
}


def unit_words(ucum: str) -> str:
    """A UCUM code as people write it; annotations without their braces."""
    return SHOWN_UNITS.get(ucum, ucum.strip("{}"))


def number_words(quantity: Quantity) -> str:
    """ "12.3 mm", "45.0°", "35 HU": digits by the size of what was measured."""
    value, unit = quantity.value, unit_words(quantity.unit)
    if quantity.unit in ("mm", "mm2", "mm3", "deg"):
        digits = 1
    elif quantity.name in ("Mean", "Standard Deviation"):
        digits = 1 if abs(value) < 1000 else 0
    else:
        digits = 0 if value == int(value) or abs(value) >= 100 else 2
    text = f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
    return f"{text}{unit}" if unit == "°" else f"{text} {unit}".rstrip()


LINES = (
    ("Length",),
    ("Long Axis", "Short Axis"),
    ("Angle",),
    ("Cobb Angle",),
    ("Cardiothoracic Ratio",),
    ("Time", "Depth", "Velocity", "Velocity Difference", "Frequency", "Frequency Difference"),
    ("Value",),
    ("Volume",),
    ("Area", "Perimeter"),
    ("Mean", "Standard Deviation"),
    ("Minimum", "Maximum"),
    ("SUVbw Mean", "SUVbw Maximum"),
)
"""Quantities that share a line, in the order of the lines."""


def label_lines(measurement: Measurement) -> tuple[str, ...]:
    """The lines beside a measurement on the image; a refusal is said, never left blank."""
    lines = label_lines_of(measurement.label, measurement.quantities)
    if measurement.refusal:
        return *lines, f"no {REFUSED.get(measurement.kind, measurement.kind)}: {measurement.refusal}"
    return lines


def label_lines_of(label: str, quantities: Iterable[Quantity]) -> tuple[str, ...]:
    """A label's lines and then its numbers; quantities that are none of ours have their names."""
    found = {q.name: q for q in quantities}
    lines = label.splitlines()
    for names in LINES:
        words = [_named(found.pop(name)) for name in names if name in found]
        if words:
            lines.append("  ".join(words))
    return *lines, *(f"{q.name} {number_words(q)}" for q in found.values())


SHORT = {
    "Mean": "Mean",
    "Standard Deviation": "SD",
    "Minimum": "Min",
    "Maximum": "Max",
    "Volume": "Volume",
    "Area": "Area",
    "Perimeter": "Per",
    "Long Axis": "L",
    "Short Axis": "S",
    "Cobb Angle": "Cobb",
    "Cardiothoracic Ratio": "CTR",
    "Velocity Difference": "\N{GREEK CAPITAL LETTER DELTA}v",
    "Frequency Difference": "\N{GREEK CAPITAL LETTER DELTA}f",
    "SUVbw Mean": "SUV mean",
    "SUVbw Maximum": "SUV max",
}
REFUSED = {
    "ellipse_roi": "area",
    "rectangle_roi": "area",
    "polygon_roi": "area",
    "freehand_roi": "area",
    "bidirectional": "diameters",
    "open_angle": "angle",
    "cobb_angle": "angle",
    "cardiothoracic_ratio": "ratio",
    "path": "length",
}
"""What is not there where a kind of stroke is refused."""


def _named(quantity: Quantity) -> str:
    name = SHORT.get(quantity.name, "")
    return f"{name} {number_words(quantity)}".strip()
