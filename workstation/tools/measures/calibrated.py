"""From the frame's coordinates to millimetres: in the patient as it is, else by a calibration."""

from __future__ import annotations

from workstation.imaging.geometry import Vector
from workstation.imaging.headers import FrameHeader
from workstation.imaging.spacing import Calibration
from workstation.imaging.ultrasound import Region, region_at
from workstation.imaging.view_frame import ViewFrame
from workstation.tools.measures.refusal import Refusal, Why


def calibration_at(
    frame: ViewFrame, header: FrameHeader | None, points: tuple[Vector, ...]
) -> Calibration | Refusal:
    """The calibration that holds for these points, or why none does.

    Reformats measure in patient space. Of ultrasound all points have to lie in one region (PS3.3 C.8.5.5).
    """
    if header is None or not header.regions or frame.in_patient:
        if frame.calibration.trusted:
            return frame.calibration
        return Refusal(frame.calibration.reason, Why.SPACING)
    region = region_of(header, points)
    if isinstance(region, Refusal):
        return region
    if region.spacing is None:
        axes = f"{region.across.unit or 'no unit'} across, {region.down.unit or 'no unit'} down"
        return Refusal(f"this ultrasound region measures {axes}, no lengths", Why.REGION)
    return Calibration(region.spacing, True, "ultrasound region calibration")


def region_of(header: FrameHeader, points: tuple[Vector, ...]) -> Region | Refusal:
    """The one ultrasound region that holds all points (column, row, 0)."""
    places = [(p[0], p[1]) for p in points]
    found = region_at(header.regions, places)
    if found is not None:
        return found
    if all(region_at(header.regions, [place]) is not None for place in places):
        return Refusal("the points lie in different ultrasound regions", Why.REGION)
    return Refusal("outside the calibrated ultrasound regions", Why.REGION)


def in_millimetres(point: Vector, frame: ViewFrame, calibration: Calibration) -> Vector:
    """A point of the frame's coordinates in mm: patient points as they are, image pixels by the
    calibration.
    """
    if frame.in_patient:
        return point
    return point[0] * calibration.spacing[1], point[1] * calibration.spacing[0], 0.0


def pixel_of(header: FrameHeader, point: Vector) -> tuple[float, float]:
    """(column, row) of a point of the frame's coordinates on its own image."""
    if header.plane is None:
        return point[0], point[1]
    column, row, _ = header.plane.pixel(point)
    return column, row
