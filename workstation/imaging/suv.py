"""Standardized uptake: what a PET value has to be multiplied by, or which tag is missing for it.

After the vendor-neutral procedure of the QIBA FDG-PET/CT profile: activity is decay corrected to the start
of the series, whose time is told from Series Time where that is not later than the acquisitions, else from
GE's private scan time, else reckoned back from a frame's reference time. SUVbw is in g/ml.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from workstation.imaging.headers import FrameHeader
from workstation.imaging.suv_body import BodyRefusal, lean_mass_kg, surface_cm2, weight_kg
from workstation.imaging.values import Attributes, number, text, texts


class SuvKind(StrEnum):
    """By what the uptake is related to the body; lean body mass by its formula's author."""

    BODY_WEIGHT = "bw"
    LEAN_JANMAHASATIAN = "lbm (Janmahasatian)"
    LEAN_JAMES = "lbm (James)"
    BODY_SURFACE = "bsa"


# UCUM with the annotations of PS3.16 CID 85
UNITS = {
    SuvKind.BODY_WEIGHT: "g/ml{SUVbw}",
    SuvKind.LEAN_JANMAHASATIAN: "g/ml{SUVlbm(Janma)}",
    SuvKind.LEAN_JAMES: "g/ml{SUVlbm(James128)}",
    SuvKind.BODY_SURFACE: "cm2/ml{SUVbsa}",
}
# SUV Type (0054,1006) of images that hold uptake already; absent means by body weight (PS3.3 C.8.9.1)
TYPES = {
    "": SuvKind.BODY_WEIGHT,
    "BW": SuvKind.BODY_WEIGHT,
    "LBMJANMA": SuvKind.LEAN_JANMAHASATIAN,
    "LBMJAMES128": SuvKind.LEAN_JAMES,
    "BSA": SuvKind.BODY_SURFACE,
}
LEAST_DOSE_BQ = 1e5
MOST_DOSE_BQ = 1e11
MOST_HALF_LIVES = 10.0


@dataclass(frozen=True, slots=True)
class SuvRefusal:
    """Why there is no uptake value; the reason names the tag."""

    reason: str


@dataclass(frozen=True, slots=True)
class SuvScale:
    """Modality values (after Rescale Slope) times `factor` are uptake in `unit`; `notes` say how."""

    factor: float
    kind: SuvKind
    unit: str
    notes: tuple[str, ...] = ()


class _Missing(Exception):
    """Carries the words of a refusal out of the steps."""


def suv_scale(
    header: FrameHeader,
    kind: SuvKind = SuvKind.BODY_WEIGHT,
    series: Iterable[FrameHeader] = (),
) -> SuvScale | SuvRefusal:
    """The scale of one PET frame; `series` are its fellows, whose earliest acquisition dates the series."""
    attributes = header.attributes
    earliest = min((t for h in series if (t := acquired(h.attributes))), default=acquired(attributes))
    notes: list[str] = []
    try:
        _check_corrections(attributes)
        factor = _body_weight_factor(attributes, earliest, notes)
        related = _related(attributes, kind)
    except (_Missing, BodyRefusal) as missing:
        return SuvRefusal(str(missing))
    return SuvScale(factor * related, kind, UNITS[kind], tuple(notes))


def _check_corrections(attributes: Attributes) -> None:
    done = {t.upper() for t in texts(attributes.get("CorrectedImage"))}
    if done and "ATTN" not in done:
        raise _Missing("the image is not attenuation corrected (Corrected Image (0028,0051) without ATTN)")
    intercept = number(attributes.get("RescaleIntercept")) or 0.0
    if intercept:
        raise _Missing(f"Rescale Intercept (0028,1052) of a PET image is {intercept:g}, not 0")


def _related(attributes: Attributes, kind: SuvKind) -> float:
    """How much of SUVbw an uptake of another kind is."""
    if kind is SuvKind.BODY_WEIGHT:
        return 1.0
    weight = weight_kg(attributes)
    if kind is SuvKind.BODY_SURFACE:
        return surface_cm2(attributes) / (weight * 1000.0)
    return lean_mass_kg(attributes, james=kind is SuvKind.LEAN_JAMES) / weight


def _body_weight_factor(attributes: Attributes, earliest: datetime | None, notes: list[str]) -> float:
    units = text(attributes.get("Units")).upper()
    if units == "BQML":
        return _of_activity(attributes, earliest, notes)
    if units in ("GML", "CM2ML"):
        return _of_uptake(attributes, units)
    if units == "CNTS":
        return _of_counts(attributes, earliest, notes)
    if not units:
        raise _Missing("Units (0054,1001) is missing")
    raise _Missing(f"Units (0054,1001) {units[:16]} leads to no uptake: no public factor is known for it")


def _of_uptake(attributes: Attributes, units: str) -> float:
    """Of images whose values are uptake of some kind already, back to body weight."""
    given = text(attributes.get("SUVType")).upper()
    kind = TYPES.get(given if given or units == "GML" else "BSA")
    if kind is None:
        raise _Missing(f"SUV Type (0054,1006) {given[:16]} is none whose formula is known")
    if (kind is SuvKind.BODY_SURFACE) != (units == "CM2ML"):
        raise _Missing(f"SUV Type (0054,1006) {given or 'BW'} contradicts Units (0054,1001) {units}")
    return 1.0 / _related(attributes, kind)


def _of_counts(attributes: Attributes, earliest: datetime | None, notes: list[str]) -> float:
    """Philips: a private factor leads from counts to SUVbw (7053,xx00), or to Bq/ml (7053,xx09)."""
    direct = number(attributes.get("PhilipsSUVScaleFactor"))
    if direct is not None and direct > 0.0:
        notes.append("by Philips' own factor (7053,xx00)")
        return direct
    activity = number(attributes.get("PhilipsActivityConcentrationScaleFactor"))
    if activity is not None and activity > 0.0:
        notes.append("by Philips' own factor (7053,xx09)")
        return activity * _of_activity(attributes, earliest, notes)
    raise _Missing("Units (0054,1001) is CNTS, and Philips' factors (7053,xx00), (7053,xx09) are missing")


def _of_activity(attributes: Attributes, earliest: datetime | None, notes: list[str]) -> float:
    """Grams of body an activity concentration of 1 Bq/ml stands for, per becquerel that is left."""
    dose = _dose(attributes)
    weight = weight_kg(attributes)
    total = _positive(dose, "RadionuclideTotalDose", "Radionuclide Total Dose (0018,1074)")
    if not LEAST_DOSE_BQ <= total <= MOST_DOSE_BQ:
        raise _Missing(f"Radionuclide Total Dose (0018,1074) of {total:g} Bq cannot be")
    left = total * math.pow(2.0, -_half_lives(attributes, dose, earliest, notes))
    return weight * 1000.0 / left


def _dose(attributes: Attributes) -> Mapping[str, object]:
    items = attributes.get("RadiopharmaceuticalInformationSequence")
    found = [i for i in items if isinstance(i, Mapping)] if isinstance(items, Sequence) else []
    if not found:
        raise _Missing("Radiopharmaceutical Information Sequence (0054,0016) is missing")
    if len(found) > 1:
        raise _Missing("Radiopharmaceutical Information Sequence (0054,0016) names more than one injection")
    return found[0]


def _positive(values: Mapping[str, object], keyword: str, name: str) -> float:
    found = number(values.get(keyword))
    if found is None:
        raise _Missing(f"{name} is missing")
    if found <= 0.0:
        raise _Missing(f"{name} is {found:g}")
    return found


def _half_lives(
    attributes: Attributes, dose: Mapping[str, object], earliest: datetime | None, notes: list[str]
) -> float:
    """How many half-lives the dose decays until the instant that the image is corrected to."""
    correction = _correction(attributes)
    if correction == "ADMIN":
        notes.append("decay corrected to the injection")
        return 0.0
    half_life = _positive(dose, "RadionuclideHalfLife", "Radionuclide Half Life (0018,1075)")
    fixed = moment(attributes.get("DecayCorrectionDateTime"))
    start = fixed or _series_start(attributes, earliest, half_life, notes)
    injected = _injected(dose, start)
    found = (start - injected).total_seconds() / half_life
    if found < 0.0:
        raise _Missing("the injection (0018,1078) lies after the scan")
    if found > MOST_HALF_LIVES:
        raise _Missing(f"{found:.0f} half-lives lie between injection and scan: their dates cannot be right")
    return found


def _correction(attributes: Attributes) -> str:
    given = text(attributes.get("DecayCorrection")).upper()
    if not given and text(attributes.get("DecayCorrected")).upper() == "YES":
        given = "START" if attributes.get("DecayCorrectionDateTime") else ""
    if not given:
        raise _Missing("Decay Correction (0054,1102) is missing")
    if given not in ("START", "ADMIN"):
        raise _Missing(f"Decay Correction (0054,1102) is {given[:16]}: the image is not corrected for decay")
    return given


def _injected(dose: Mapping[str, object], start: datetime) -> datetime:
    """Start Date Time where it is there, else Start Time on the day of the scan or, past midnight, before."""
    found = moment(dose.get("RadiopharmaceuticalStartDateTime"))
    if found is not None:
        return found
    found = on_day(start, dose.get("RadiopharmaceuticalStartTime"))
    if found is None:
        raise _Missing("Radiopharmaceutical Start Date Time (0018,1078) and Time (0018,1072) are missing")
    return found if found <= start else found - timedelta(days=1)


def _series_start(
    attributes: Attributes, earliest: datetime | None, half_life: float, notes: list[str]
) -> datetime:
    """When the scan began, which is what START corrects to."""
    said = together(attributes.get("SeriesDate"), attributes.get("SeriesTime"))
    if earliest is None:
        raise _Missing("Acquisition Date (0008,0022) and Time (0008,0032) are missing")
    if said is not None and said <= earliest:
        return said
    private = moment(attributes.get("GEScanDateTime"))
    if private is not None and abs(earliest - private) < timedelta(days=1):
        notes.append("start of the scan by GE's own tag (0009,xx0D)")
        return private
    own = acquired(attributes)
    reference = number(attributes.get("FrameReferenceTime"))
    if own is None or reference is None:
        what = "is missing" if said is None else "is later than the acquisition"
        raise _Missing(f"Series Time (0008,0031) {what}, and Frame Reference Time (0054,1300) is missing")
    notes.append("start of the scan by Frame Reference Time (0054,1300)")
    middle = _mean_time(number(attributes.get("ActualFrameDuration")) or 0.0, half_life)
    return own + timedelta(seconds=middle) - timedelta(milliseconds=reference)


def _mean_time(duration_ms: float, half_life: float) -> float:
    """Seconds into a frame at which the decay is the frame's mean one."""
    rate = math.log(2.0) / half_life
    during = rate * duration_ms / 1000.0
    if during < 1e-9:
        return 0.0
    return math.log(during / (1.0 - math.exp(-during))) / rate


# ── civil times ──────────────────────────────────────────────────────────────────────────────────────


def moment(value: object) -> datetime | None:
    """A DICOM DT (or ISO) value as a civil datetime; its offset is left out, as the others have none."""
    digits = "".join(c for c in text(value).split("+")[0].split("Z")[0] if c.isdigit() or c == ".")
    whole, _, part = digits.partition(".")
    if len(whole) < 12:
        return None
    try:
        found = datetime.strptime(whole[:14].ljust(14, "0"), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return found + timedelta(seconds=float(f"0.{part}") if part else 0.0)


def together(date: object, time: object) -> datetime | None:
    """A civil date and a civil time, in DICOM's or ISO's writing."""
    day = "".join(c for c in text(date) if c.isdigit())
    clock = text(time).replace(":", "")
    return moment(day + clock) if len(day) == 8 and len(clock) >= 4 else None


def on_day(day: datetime, time: object) -> datetime | None:
    """A civil time on the day of another."""
    return together(day.strftime("%Y%m%d"), time)


def acquired(attributes: Attributes) -> datetime | None:
    """When a frame's acquisition began."""
    found = together(attributes.get("AcquisitionDate"), attributes.get("AcquisitionTime"))
    return found or moment(attributes.get("AcquisitionDateTime"))
