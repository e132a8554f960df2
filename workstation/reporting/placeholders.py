"""Measurements inside a report: ``{m1}`` in the text, the numbers themselves shown in its place.

The text stays live until the report is signed: a stroke that is dragged changes the sentence that quotes it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.measurement import Measurement, Quantity

PLACEHOLDER = re.compile(r"\{(m[1-9][0-9]{0,4})\}")
"""How a quoted measurement stands in the raw text of a field."""

_UNIT_WORDS = {
    "1": "",
    "mm2": "mm²",
    "cm2": "cm²",
    "mm3": "mm³",
    "cm3": "cm³",
    "deg": "°",
    "[hnsf'U]": "HU",
    "{SUVbw}g/ml": "SUV",
    "g/ml{SUVbw}": "SUV",
    "{ratio}": "",
}
_PRINCIPAL = ("Length", "Long Axis", "Angle", "Cobb Angle", "Cardiothoracic Ratio", "Mean", "Area")


@dataclass(frozen=True, slots=True)
class MeasurementQuote:
    """What the report says of a measurement. Two `values` (long and short axis) read ``12 x 8 mm``.

    `unit` is UCUM. `prior_values` and `prior_date` (civil, ``YYYY-MM-DD``) come from the measurement it is
    paired with; the change is that of the first value. `deleted` quotes a stroke that is no longer there.
    """

    tracking_uid: str
    label: str
    values: tuple[float, ...]
    unit: str
    series_number: int | None = None
    image_number: int | None = None
    prior_values: tuple[float, ...] = ()
    prior_date: str = ""
    deleted: bool = False

    @property
    def text(self) -> str:
        """The words, e.g. ``Nodule 12 mm (series 3, image 45), was 9 mm on 2026-03-02, +33 %``."""
        label = PLACEHOLDER.sub(r"\1", " ".join(self.label.split()))  # a label is words, never a placeholder
        if self.deleted:
            return f"[{label or 'measurement'}: deleted]"
        place = ", ".join(
            f"{word} {number}"
            for word, number in (("series", self.series_number), ("image", self.image_number))
            if number is not None
        )
        now = " ".join(
            part for part in (label, amount(self.values, self.unit), place and f"({place})") if part
        )
        return now + self._since_prior()

    def _since_prior(self) -> str:
        if not self.prior_values:
            return ""
        was = f", was {amount(self.prior_values, self.unit)}"
        dated = f"{was} on {self.prior_date}" if self.prior_date else was
        return f"{dated}, {change(self.values[0], self.prior_values[0])}"


def number(value: float) -> str:
    """A number as a report has it: one decimal below a thousand, and none where it is zero."""
    if not math.isfinite(value):
        raise InvalidValue("a measurement without a finite value cannot be quoted", "measurement")
    if abs(value) >= 1000:
        return f"{value:.0f}"
    text = f"{value:.1f}" if abs(value) >= 1 or value == 0 else f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(values: tuple[float, ...], unit: str) -> str:
    """Values with their unit in words: ``12 x 8 mm``, ``35°``, ``43 HU``."""
    word = _UNIT_WORDS.get(unit, unit)
    numbers = " x ".join(number(value) for value in values)
    return numbers + (word if word == "°" else f" {word}" if word else "")


def change(now: float, before: float) -> str:
    """The change in whole per cent, of the numbers as they are printed, so that a reader can check it."""
    printed_now, printed_before = float(number(now)), float(number(before))
    if not printed_before:
        return "change not defined"
    percent = round(100 * (printed_now - printed_before) / abs(printed_before))
    return "unchanged" if printed_now == printed_before else f"{percent:+d} %"


def quote_of(
    measurement: Measurement, prior: Measurement | None = None, prior_date: str = "", quantity: str = ""
) -> MeasurementQuote:
    """What to quote of a measurement: the named quantity, else the axes, else its principal one.

    Raises InvalidValue where it has no number that may be trusted (its own refusal is in the message).
    """
    if measurement.refusal or not measurement.quantities:
        raise InvalidValue(measurement.refusal or "this measurement has no number", "measurement")
    chosen = _chosen(measurement, quantity)
    for each in chosen:
        number(each.value)  # refuses what is not finite before it is in a report
    before = _same(prior, chosen) if prior is not None and not prior.refusal else ()
    return MeasurementQuote(
        measurement.tracking_uid,
        _label(measurement, chosen[0]),
        tuple(each.value for each in chosen),
        chosen[0].unit,
        measurement.series_number,
        measurement.instance_number,
        before,
        prior_date if before else "",
        measurement.deleted,
    )


def _chosen(measurement: Measurement, quantity: str) -> tuple[Quantity, ...]:
    by_name = {each.name.lower(): each for each in measurement.quantities}
    if quantity:
        if quantity.lower() not in by_name:
            raise InvalidValue(f"this measurement has no {quantity}", "measurement")
        return (by_name[quantity.lower()],)
    long, short = by_name.get("long axis"), by_name.get("short axis")
    if long and short:
        return (long, short)
    principal = [by_name[name.lower()] for name in _PRINCIPAL if name.lower() in by_name]
    return (principal[0] if principal else measurement.quantities[0],)


def _same(prior: Measurement, chosen: tuple[Quantity, ...]) -> tuple[float, ...]:
    """The prior's values of the same quantities in the same unit, or none at all."""
    known = {(each.name.lower(), each.unit): each.value for each in prior.quantities}
    values = [known.get((each.name.lower(), each.unit)) for each in chosen]
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return tuple(finite) if len(finite) == len(chosen) else ()


def _label(measurement: Measurement, quantity: Quantity) -> str:
    """The reader's own name for it; an area or mean says what it is, a length needs no word."""
    said = measurement.label.strip()
    plain = quantity.name.lower() in {"length", "long axis", "angle", "cobb angle"}
    return said if plain else " ".join(part for part in (said, quantity.name.lower()) if part)
