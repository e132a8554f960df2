"""What each kind of stroke measures: named quantities in UCUM units, or the reason why there are none."""

from __future__ import annotations

import math

from pacs_core.domain.measurement import Measurement, Quantity
from workstation.imaging.geometry import Vector
from workstation.imaging.headers import FrameHeader
from workstation.imaging.spacing import Calibration, by_marker
from workstation.imaging.suv import SuvRefusal, suv_scale
from workstation.imaging.ultrasound import Region
from workstation.tools import measures
from workstation.tools.measures import Refusal, Why
from workstation.tools.measures.calibrated import region_of
from workstation.tools.tool import Scene

# names and UCUM units as TID 1500 will carry them
LENGTH, AREA, MEAN, PERIMETER = "Length", "Area", "Mean", "Perimeter"
DEVIATION, MINIMUM, MAXIMUM, ANGLE, VALUE = "Standard Deviation", "Minimum", "Maximum", "Angle", "Value"
HEART_RATIO = "Cardiothoracic Ratio"
LONG_AXIS, SHORT_AXIS, COBB, MEDIAN = "Long Axis", "Short Axis", "Cobb Angle", "Median"
SUV_MEAN, SUV_MAX = "SUVbw Mean", "SUVbw Maximum"
UCUM = {
    "HU": "[hnsf'U]",
    "BQML": "Bq/ml",
    "GML": "g/ml",
    "CNTS": "{counts}",
    "": "1",
    "OD": "{od}",
    "PROPCPS": "{propcps}",
}
KNOWN_MM = "known_mm"

Numbers = tuple[tuple[Quantity, ...], str]


def ucum(unit: str) -> str:
    """The UCUM code of a modality unit; an unknown one as an annotation."""
    return UCUM.get(unit, f"{{{unit}}}")


# ── millimetres ──────────────────────────────────────────────────────────────────────────────────────


def calibrated(scene: Scene, points: tuple[Vector, ...]) -> Calibration | Refusal:
    """The calibration that holds for these points: the image's own, else the reader's own on this image."""
    found = measures.calibration_at(scene.frame, scene.header, points)
    if isinstance(found, Refusal) and found.why is Why.SPACING and scene.header is not None:
        by_hand = readers_calibration(scene, scene.header)
        return by_hand or found
    return found


def readers_calibration(scene: Scene, header: FrameHeader) -> Calibration | None:
    """The newest calibration stroke on this image, as a calibration; None where there is none."""
    mine = [
        m
        for m in scene.measurements
        if m.kind == "calibration" and not m.deleted and m.instance_uid == header.sop_instance_uid
    ]
    for one in sorted(mine, key=lambda m: m.changed_at, reverse=True):
        found = marker_calibration(scene, one)
        if found is not None:
            return found
    return None


def marker_calibration(scene: Scene, one: Measurement) -> Calibration | None:
    """What a calibration stroke says of a pixel; None where its points or its length say nothing."""
    try:
        known = float(one.details.get(KNOWN_MM, ""))
    except ValueError:
        return None
    if len(one.points) != 2 or scene.frame.in_patient:
        return None
    (ax, ay, _), (bx, by, _) = one.points
    return by_marker((bx - ax, by - ay), known, scene.frame.calibration.aspect)


def _millimetres(scene: Scene, points: tuple[Vector, ...]) -> tuple[Vector, ...] | Refusal:
    found = calibrated(scene, points)
    if isinstance(found, Refusal):
        return found
    return tuple(measures.in_millimetres(p, scene.frame, found) for p in points)


def _proportioned(scene: Scene, points: tuple[Vector, ...]) -> tuple[Vector, ...] | Refusal:
    """Points whose proportions hold though their millimetres may not: enough for angles."""
    found = calibrated(scene, points)
    if isinstance(found, Refusal):
        if found.why is not Why.SPACING:
            return found
        found = scene.frame.calibration
    return tuple(measures.in_millimetres(p, scene.frame, found) for p in points)


def _trace(scene: Scene, points: tuple[Vector, ...]) -> Region | None:
    """The ultrasound region of a trace (M-mode, Doppler) that holds these points, if it is one."""
    header = scene.header
    if header is None or not header.regions or scene.frame.in_patient:
        return None
    region = region_of(header, points)
    if isinstance(region, Refusal) or region.spacing is not None:
        return None
    return region if region.across.unit and region.down.unit else None


TRACE_NAMES = {"s": "Time", "mm": "Depth", "cm/s": "Velocity Difference", "Hz": "Frequency Difference"}


def _along_trace(region: Region, a: Vector, b: Vector) -> tuple[Quantity, ...]:
    """Differences along both axes of a trace, each in its own unit (PS3.3 C.8.5.5.1)."""
    found = []
    for axis, n in ((region.across, 0), (region.down, 1)):
        name = TRACE_NAMES.get(axis.unit, f"Difference in {axis.unit}")
        found.append(Quantity(name, abs(axis.at(b[n]) - axis.at(a[n])), axis.unit))
    return tuple(found)


def length_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """Length in mm; on an ultrasound trace time, depth or velocity between the points instead."""
    region = _trace(scene, points)
    if region is not None:
        return _along_trace(region, points[0], points[1]), ""
    found = _millimetres(scene, points)
    if isinstance(found, Refusal):
        return (), found.reason
    return (Quantity(LENGTH, measures.length(found[0], found[1]), "mm"),), ""


def path_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """Length along several points in mm."""
    found = _millimetres(scene, points)
    if isinstance(found, Refusal):
        return (), found.reason
    return (Quantity(LENGTH, measures.path_length(found), "mm"),), ""


def bidirectional_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """Two diameters in mm, given as (end, end) of one and (end, end) of the other; the longer is the long."""
    found = _millimetres(scene, points)
    if isinstance(found, Refusal):
        return (), found.reason
    sizes = sorted((measures.length(found[0], found[1]), measures.length(found[2], found[3])))
    return (Quantity(LONG_AXIS, sizes[1], "mm"), Quantity(SHORT_AXIS, sizes[0], "mm")), ""


def calibration_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """A stroke along something of known length; it only makes sense where pixels have no millimetres."""
    if scene.frame.in_patient or scene.frame.calibration.trusted:
        return (), "this image is calibrated already"
    return (), ""


def angle_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """Angle in degrees; proportions are enough, so square or stated pixels without trusted mm will do."""
    found = _proportioned(scene, points)
    value = found if isinstance(found, Refusal) else measures.angle(found[0], found[1], found[2])
    return ((), value.reason) if isinstance(value, Refusal) else ((Quantity(ANGLE, value, "deg"),), "")


def open_angle_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """Degrees 0 to 90 between two lines given as (end, end) of one and (end, end) of the other."""
    found = _proportioned(scene, points)
    value = found if isinstance(found, Refusal) else measures.between_lines(*found)
    return ((), value.reason) if isinstance(value, Refusal) else ((Quantity(ANGLE, value, "deg"),), "")


def heart_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """Width of the heart over that of the thorax, given as (end, end) of each; proportions are enough."""
    found = _proportioned(scene, points)
    if isinstance(found, Refusal):
        return (), found.reason
    value = measures.ratio((found[0], found[1]), (found[2], found[3]))
    return ((), value.reason) if isinstance(value, Refusal) else ((Quantity(HEART_RATIO, value, "1"),), "")


def no_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """A mark that measures nothing."""
    return (), ""


def cobb_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """Cobb's angle in degrees, of points given as (end, end) of one end plate and of the other."""
    found = _proportioned(scene, points)
    value = found if isinstance(found, Refusal) else measures.cobb((found[0], found[1]), (found[2], found[3]))
    return ((), value.reason) if isinstance(value, Refusal) else ((Quantity(COBB, value, "deg"),), "")


# ── areas and values ─────────────────────────────────────────────────────────────────────────────────


def ellipse_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """Area in mm² and the statistics inside; each may be refused without the other."""
    shape = measures.ellipse_of_points(points)
    reasons: list[str] = []
    found = calibrated(scene, points)
    quantities: list[Quantity] = []
    if isinstance(found, Refusal):
        reasons.append(found.reason)
    else:
        a, b = (measures.in_millimetres(half, scene.frame, found) for half in (shape.half_a, shape.half_b))
        quantities.append(Quantity(AREA, measures.ellipse_area(a, b), "mm2"))
    quantities += _statistics(scene, shape, reasons)
    return tuple(quantities), "; ".join(reasons)


def outline_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """Area in mm², perimeter in mm and the statistics inside a closed outline."""
    reasons: list[str] = []
    quantities: list[Quantity] = []
    found = _millimetres(scene, points)
    area = found if isinstance(found, Refusal) else measures.polygon_area(found)
    if isinstance(area, Refusal) or isinstance(found, Refusal):
        refused = area if isinstance(area, Refusal) else found
        assert isinstance(refused, Refusal)
        if refused.why is Why.SHAPE:
            return (), refused.reason
        reasons.append(refused.reason)
    else:
        quantities.append(Quantity(AREA, area, "mm2"))
        quantities.append(Quantity(PERIMETER, measures.perimeter(found), "mm"))
    quantities += _statistics(scene, measures.PolygonShape(points), reasons)
    return tuple(quantities), "; ".join(reasons)


def _statistics(scene: Scene, shape: measures.Shape, reasons: list[str]) -> list[Quantity]:
    values = measures.shape_values(shape, scene.frame, scene.volume)
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
    return [Quantity(name, value, unit) for name, value in names] + _uptake(scene, found, reasons)


def _uptake(scene: Scene, found: measures.Statistics, reasons: list[str]) -> list[Quantity]:
    """SUVbw of a PET region, or why there is none."""
    if scene.volume.display_set.modality != "PT":
        return []
    frames = scene.volume.display_set.frames
    scale = suv_scale(frames[scene.frame.index], series=frames)
    if isinstance(scale, SuvRefusal):
        reasons.append(f"no SUV: {scale.reason}")
        return []
    mean, top = found.mean * scale.factor, found.highest * scale.factor
    return [Quantity(SUV_MEAN, mean, scale.unit), Quantity(SUV_MAX, top, scale.unit)]


def probe_numbers(scene: Scene, points: tuple[Vector, ...]) -> Numbers:
    """The modality value under a point; on an ultrasound trace what its axes read there."""
    region = _trace(scene, points)
    if region is not None:
        axes = ((region.across, points[0][0]), (region.down, points[0][1]))
        return tuple(Quantity(AXIS_NAMES.get(a.unit, a.unit), a.at(p), a.unit) for a, p in axes), ""
    value = value_under(scene, points[0])
    if isinstance(value, Refusal):
        return (), value.reason
    return (Quantity(VALUE, value, ucum(scene.volume.unit)),), ""


AXIS_NAMES = {"s": "Time", "mm": "Depth", "cm/s": "Velocity", "Hz": "Frequency"}


def value_under(scene: Scene, point: Vector) -> float | Refusal:
    """The value of the pixel or voxel nearest to a point of the frame (never an interpolated one)."""
    volume, frame = scene.volume, scene.frame
    if volume.is_colour:
        return Refusal("colour images have no measured values", Why.VALUES)
    if not frame.acquired:
        value = volume.value_in_patient(point)
    else:
        column, row = measures.pixel_of(volume.header(frame.index), point)
        value = volume.value_at(frame.index, math.floor(column + 0.5), math.floor(row + 0.5))
    return Refusal("outside the image, or padding", Why.PIXELS) if value is None else value
