"""Quantities and kinds of strokes as codes (PS3.16 CID 7464, 7468, 7469), and back; no toolkit needed."""

from __future__ import annotations

from typing import NamedTuple


class Coded(NamedTuple):
    """A coded concept as a triplet (PS3.3 8.1)."""

    value: str
    scheme: str
    meaning: str


OWN = "99READINGROOM"
"""The scheme of concepts for which no standard one is known."""

MEAN = Coded("373098007", "SCT", "Mean")
DERIVATIONS: dict[str, Coded] = {
    "Mean": MEAN,
    "Standard Deviation": Coded("386136009", "SCT", "Standard Deviation"),
    "Minimum": Coded("255605001", "SCT", "Minimum"),
    "Maximum": Coded("56851009", "SCT", "Maximum"),
}
SUV = Coded("126401", "DCM", "SUVbw")
HU = "[hnsf'U]"
ATTENUATION = Coded("112031", "DCM", "Attenuation Coefficient")
PIXEL_VALUE = Coded("pixel_value", OWN, "Pixel value")

NAMES: dict[str, Coded] = {
    "Length": Coded("410668003", "SCT", "Length"),
    "Area": Coded("42798000", "SCT", "Area"),
    "Perimeter": Coded("131191004", "SCT", "Perimeter"),
    "Volume": Coded("118565006", "SCT", "Volume"),
    "Long Axis": Coded("103339001", "SCT", "Long axis"),
    "Short Axis": Coded("103340004", "SCT", "Short axis"),
    "Angle": Coded("1483009", "SCT", "Angle"),
    "Cobb Angle": Coded("285285000", "SCT", "Cobb angle"),
}
SUV_NAMES: dict[str, Coded] = {"SUVbw Mean": MEAN, "SUVbw Maximum": DERIVATIONS["Maximum"]}


def concept(name: str, unit: str) -> tuple[Coded, Coded | None]:
    """The concept of a quantity and how it was derived, if it was."""
    if name in SUV_NAMES:
        return SUV, SUV_NAMES[name]
    if name in DERIVATIONS or name == "Value":
        return ATTENUATION if unit == HU else PIXEL_VALUE, DERIVATIONS.get(name)
    return NAMES.get(name) or Coded(_own(name), OWN, name), None


def quantity_name(value: str, scheme: str, meaning: str, derivation: str) -> str:
    """The name of a quantity from the codes of its concept and derivation; others keep their own meaning."""
    derived = {coded.value: name for name, coded in DERIVATIONS.items()}
    if (value, scheme) == SUV[:2] and derivation in derived:
        return f"SUVbw {derived[derivation]}"
    if (value, scheme) in (ATTENUATION[:2], PIXEL_VALUE[:2]):
        return derived.get(derivation, "Value")
    known = {coded[:2]: name for name, coded in NAMES.items()}
    said = derived.get(derivation, "")
    return known.get((value, scheme)) or f"{said} {meaning}".strip()


def method(kind: str) -> Coded:
    """How a stroke measures, as a code: its kind."""
    return Coded(kind, OWN, kind.replace("_", " "))


def kind_of(value: str, scheme: str) -> str:
    """The kind of stroke that a method of ours names; empty for others'."""
    return value if scheme == OWN else ""


def _own(name: str) -> str:
    return name.lower().replace(" ", "_")[:16]
