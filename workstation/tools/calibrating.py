"""What a reader's calibration changes: every stroke of its image is measured anew, with it or without it."""

from __future__ import annotations

from dataclasses import replace

from pacs_core.domain.measurement import Measurement
from workstation.tools.measuring import MEASURES, remeasured
from workstation.tools.numbers import KNOWN_MM
from workstation.tools.tool import Scene

CALIBRATION = "calibration"


def known(stroke: Measurement, text: str) -> Measurement | None:
    """The calibration stroke with its length as it was typed, in mm; None for what is no length."""
    try:
        length = float(text.replace(",", ".").removesuffix("mm").strip())
    except ValueError:
        return None
    if not 0.0 < length < 10_000.0:
        return None
    return replace(stroke, details={**stroke.details, KNOWN_MM: f"{length:g}"}, label=f"= {length:g} mm")


def remeasured_with(scene: Scene, calibration: Measurement) -> tuple[Measurement, ...]:
    """The calibration and the image's other strokes in its millimetres."""
    others = tuple(m for m in scene.measurements if m.tracking_uid != calibration.tracking_uid)
    return calibration, *_anew(replace(scene, measurements=(*others, calibration)), calibration)


def remeasured_without(scene: Scene, calibration: Measurement) -> tuple[Measurement, ...]:
    """The image's other strokes as they are without it."""
    others = tuple(m for m in scene.measurements if m.tracking_uid != calibration.tracking_uid)
    return _anew(replace(scene, measurements=others), calibration)


def _anew(scene: Scene, calibration: Measurement) -> tuple[Measurement, ...]:
    image = (calibration.instance_uid, calibration.frame)
    return tuple(
        remeasured(scene, m, m.points)
        for m in scene.measurements
        if (m.instance_uid, m.frame) == image and m.kind != CALIBRATION and m.kind in MEASURES and m.points
    )
