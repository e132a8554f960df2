"""May millimetres be believed on this image, and whose are they (PS3.3 10.7.1.3 and C.8.5.5 for
ultrasound).

A calliper on an image whose spacing is at the detector measures the shadow, not the patient; such images
keep their proportions on the screen, and every measure of length is refused with the reason given here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

PROJECTION = frozenset({"CR", "DX", "MG", "IO", "PX", "RF", "XA", "XR", "RG", "DF", "FA", "CF"})
CROSS_SECTIONAL = frozenset({"CT", "MR", "PT", "NM", "OPT", "OCT", "IVUS", "RTDOSE", "SEG"})


@dataclass(frozen=True, slots=True)
class Calibration:
    """Millimetres of a pixel: (between rows, between columns), where they come from, and why not to trust
    them.
    """

    spacing: tuple[float, float]
    trusted: bool
    source: str
    reason: str = ""

    @property
    def aspect(self) -> float:
        """Height of a pixel over its width."""
        return self.spacing[0] / self.spacing[1]


@dataclass(frozen=True, slots=True)
class SpacingFacts:
    """The attributes the decision rests on; pairs are (between rows, between columns)."""

    modality: str = ""
    in_patient: bool = False
    pixel_spacing: tuple[float, float] | None = None
    imager_spacing: tuple[float, float] | None = None
    nominal_spacing: tuple[float, float] | None = None
    calibration_type: str = ""
    calibration_description: str = ""
    magnification: float | None = None
    region_spacing: tuple[float, float] | None = None
    aspect: tuple[float, float] | None = None


ABSURD = (1e-4, 100.0)  # mm: nobody images with pixels beyond


def _close(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return all(abs(x - y) <= 1e-3 * max(x, y) for x, y in zip(a, b, strict=True))


def _projection(facts: SpacingFacts) -> Calibration | None:
    """Projection radiography: calibrated, divided by the magnification, or at the detector only."""
    pixel, imager = facts.pixel_spacing, facts.imager_spacing
    kind = facts.calibration_type.upper()
    if pixel and kind in ("GEOMETRY", "FIDUCIAL"):
        how = f" ({facts.calibration_description})" if facts.calibration_description else ""
        return Calibration(pixel, True, f"Pixel Spacing, calibrated by {kind.lower()}{how}")
    if imager and facts.magnification is not None:
        if not 1.0 <= facts.magnification <= 20.0:
            why = f"the magnification factor of {facts.magnification:.3g} cannot be"
            return Calibration(imager, False, "Imager Pixel Spacing", why)
        size = (imager[0] / facts.magnification, imager[1] / facts.magnification)
        factor = f"{facts.magnification:.3g}"
        return Calibration(size, True, f"Imager Pixel Spacing / magnification {factor}")
    if pixel and imager and not _close(pixel, imager):
        why = "pixel spacing was calibrated, but the file does not say how"
        return Calibration(pixel, False, "Pixel Spacing", why)
    known = pixel or imager or facts.nominal_spacing
    if known is None:
        return None
    return Calibration(known, False, "Imager Pixel Spacing", "projection image: spacing is at the detector")


def by_marker(pixels: tuple[float, float], known_mm: float, aspect: float) -> Calibration | None:
    """A reader's own calibration: `pixels` (columns, rows) between the ends of something of known length.

    `aspect` is the height of a pixel over its width. It holds in the marker's plane alone. None where the
    stroke or the length is nothing.
    """
    size = math.hypot(pixels[0], pixels[1] * aspect)
    if not (math.isfinite(known_mm) and 0.0 < known_mm < 10_000.0 and size >= 1.0):
        return None
    width = known_mm / size
    return Calibration((width * aspect, width), True, f"set by the reader: a marker of {known_mm:g} mm")


def calibration(facts: SpacingFacts) -> Calibration:
    """Decide what a pixel measures; always answers, untrusted with square or stated proportions where
    nothing is known.
    """
    found = _decided(facts)
    if found.trusted and not all(ABSURD[0] <= v <= ABSURD[1] for v in found.spacing):
        height, width = found.spacing
        why = f"a pixel of {height:g} by {width:g} mm cannot be"
        return Calibration(found.spacing, False, found.source, why)
    return found


def _decided(facts: SpacingFacts) -> Calibration:
    if facts.modality in PROJECTION and not facts.in_patient:
        found = _projection(facts)
        if found is not None:
            return found
    elif facts.region_spacing is not None:
        return Calibration(facts.region_spacing, True, "ultrasound region calibration")
    elif facts.pixel_spacing and (facts.in_patient or facts.modality in CROSS_SECTIONAL):
        return Calibration(facts.pixel_spacing, True, "Pixel Spacing")
    elif facts.pixel_spacing or facts.nominal_spacing:
        known = facts.pixel_spacing or facts.nominal_spacing or (1.0, 1.0)
        return Calibration(known, False, "Pixel Spacing", "the file does not say what its spacing refers to")
    height, width = facts.aspect or (1.0, 1.0)
    return Calibration((height / width, 1.0), False, "none", "the image carries no pixel spacing")
