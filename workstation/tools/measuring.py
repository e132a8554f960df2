"""Numbers for strokes: points on a scene to a `Measurement`, or one with a refusal instead of a number.

Dragging a handle later makes the same measurement anew from the moved points (`remeasured`).
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

from pacs_core.domain.measurement import Measurement, Quantity
from workstation.imaging.geometry import Vector, add, subtract
from workstation.imaging.spacing import Calibration
from workstation.tools import measures
from workstation.tools.measures import Refusal
from workstation.tools.tool import Scene, measurement

# names and UCUM units as TID 1500 will carry them
LENGTH, AREA, MEAN = "Length", "Area", "Mean"
DEVIATION, MINIMUM, MAXIMUM, ANGLE, VALUE = "Standard Deviation", "Minimum", "Maximum", "Angle", "Value"
UCUM = {"HU": "[hnsf'U]", "BQML": "Bq/ml", "GML": "g/ml", "CNTS": "{counts}", "": "1"}


def ucum(unit: str) -> str:
    """The UCUM code of a modality unit; an unknown one as an annotation."""
    return UCUM.get(unit, f"{{{unit}}}")


def measured(scene: Scene, kind: str, points: tuple[Vector, ...], tracking_uid: str = "") -> Measurement:
    """The numbers of a stroke; where there can be none, the measurement carries its refusal."""
    quantities, refusal = MEASURES[kind](scene, points)
    return measurement(scene, kind, points, quantities, refusal, tracking_uid)


Numbers = tuple[tuple[Quantity, ...], str]


def _calibrated(scene: Scene, points: tuple[Vector, ...]) -> Calibration | Refusal:
    return measures.calibration_at(scene.frame, scene.header, points)


def length_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """Length in mm."""
    found = _calibrated(scene, points)
    if isinstance(found, Refusal):
        return (), found.reason
    a, b = (measures.in_millimetres(p, scene.frame, found) for p in points)
    return (Quantity(LENGTH, measures.length(a, b), "mm"),), ""


def angle_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """Angle in degrees; proportions are enough, so square or stated pixels without trusted mm will do."""
    calibration = scene.frame.calibration
    a, corner, b = (measures.in_millimetres(p, scene.frame, calibration) for p in points)
    found = measures.angle(a, corner, b)
    return ((), found.reason) if isinstance(found, Refusal) else ((Quantity(ANGLE, found, "deg"),), "")


def ellipse_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """Area in mm² and the statistics inside; each may be refused without the other."""
    shape = measures.ellipse_of_points(points)
    found = _calibrated(scene, points)
    quantities: list[Quantity] = []
    reasons: list[str] = []
    if isinstance(found, Refusal):
        reasons.append(found.reason)
    else:
        a, b = (measures.in_millimetres(half, scene.frame, found) for half in (shape.half_a, shape.half_b))
        quantities.append(Quantity(AREA, measures.ellipse_area(a, b), "mm2"))
    quantities += _statistics(scene, shape, reasons)
    return tuple(quantities), "; ".join(reasons)


def _statistics(scene: Scene, shape: measures.EllipseShape, reasons: list[str]) -> list[Quantity]:
    values = measures.ellipse_values(shape, scene.frame, scene.volume)
    found = values if isinstance(values, Refusal) else measures.statistics(values, scene.volume.unit)
    if isinstance(found, Refusal):
        reasons.append(found.reason)
        return []
    unit = ucum(found.unit)
    names = (
        (MEAN, found.mean),
        (DEVIATION, found.deviation),
        (MINIMUM, found.lowest),
        (MAXIMUM, found.highest),
    )
    return [Quantity(name, value, unit) for name, value in names]


def probe_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """The modality value under a point."""
    value = value_under(scene, points[0])
    if isinstance(value, Refusal):
        return (), value.reason
    return (Quantity(VALUE, value, ucum(scene.volume.unit)),), ""


def value_under(scene: Scene, point: Vector) -> float | Refusal:
    """The value of the pixel or voxel nearest to a point of the frame (never an interpolated one)."""
    volume, frame = scene.volume, scene.frame
    if volume.is_colour:
        return Refusal("colour images have no measured values")
    if not frame.acquired:
        value = volume.value_in_patient(point)
    else:
        plane = volume.header(frame.index).plane
        column, row = plane.pixel(point)[:2] if plane else point[:2]
        value = volume.value_at(frame.index, math.floor(column + 0.5), math.floor(row + 0.5))
    return Refusal("outside the image, or padding") if value is None else value


MEASURES = {
    "length": length_numbers,
    "angle": angle_numbers,
    "ellipse_roi": ellipse_numbers,
    "probe": probe_numbers,
}


def remeasured(scene: Scene, old: Measurement, points: tuple[Vector, ...]) -> Measurement:
    """The same measurement (identity, label, author, pairing) with its points moved and its numbers made
    anew.
    """
    fresh = measured(scene, old.kind, points, old.tracking_uid)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return replace(
        old, points=fresh.points, quantities=fresh.quantities, refusal=fresh.refusal, changed_at=now
    )


def with_handle_moved(scene: Scene, old: Measurement, handle: int, to: Vector) -> Measurement:
    """One handle dragged to a point. The axis ends of an ellipse move the opposite side not at all."""
    points = list(old.points)
    if old.kind == "ellipse_roi":
        return remeasured(scene, old, _ellipse_stretched(old.points, handle, to))
    points[handle] = to
    return remeasured(scene, old, tuple(points))


def _ellipse_stretched(points: tuple[Vector, ...], handle: int, to: Vector) -> tuple[Vector, ...]:
    """Move one end along its axis, the far end held, the other axis kept through the new middle."""
    far = points[handle ^ 1]
    axis = subtract(points[handle], far)
    square = sum(c * c for c in axis)
    along = sum(a * b for a, b in zip(subtract(to, far), axis, strict=True)) / square if square else 1.0
    moved = add(far, axis, along if abs(along) > 1e-3 else 1e-3)
    shift = tuple((m - p) / 2 for m, p in zip(moved, points[handle], strict=True))
    found = [add(p, (shift[0], shift[1], shift[2])) for p in points]
    found[handle], found[handle ^ 1] = moved, far
    return tuple(found)


def moved_by(scene: Scene, old: Measurement, by: Vector) -> Measurement:
    """The whole measurement shifted."""
    return remeasured(scene, old, tuple(add(p, by) for p in old.points))
