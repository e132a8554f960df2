"""One painted picture in the patient: viewport pixels <-> LPS millimetres, and whether the millimetres can
be believed.

Images without a place in the patient have a frame too: then "millimetres" are the image's own plane, column
along x and row along y, in units of `unit_name`.
"""

from __future__ import annotations

from dataclasses import dataclass

from workstation.imaging.geometry import Vector, add, cross, dot, norm, scaled, subtract, unit
from workstation.imaging.spacing import Calibration


@dataclass(frozen=True, slots=True)
class ViewFrame:
    """`origin` is the patient point at viewport pixel (0, 0); `across` and `down` the steps to the next
    pixel.

    `in_patient` false says the coordinates are the image's own: (column, row, 0), in pixels. `instance_uid`
    and `frame` name the image shown (empty for a reformat), `index` its place in the display set.
    `thickness` is that of the slice or slab in mm. `acquired` says whether the pixels are the image's own
    or were interpolated from others.
    """

    width: int
    height: int
    origin: Vector
    across: Vector
    down: Vector
    calibration: Calibration
    in_patient: bool
    study_uid: str = ""
    series_uid: str = ""
    series_number: int | None = None
    frame_of_reference_uid: str = ""
    instance_uid: str = ""
    instance_number: int | None = None
    frame: int = 1
    index: int = 0
    thickness: float = 0.0
    acquired: bool = True

    @property
    def normal(self) -> Vector:
        """Away from the observer."""
        return unit(cross(unit(self.across), unit(self.down)))

    @property
    def pixel_size(self) -> tuple[float, float]:
        """(mm down, mm across) of a viewport pixel; image pixels where `in_patient` is false."""
        return norm(self.down), norm(self.across)

    def patient(self, x: float, y: float) -> Vector:
        """The patient point under a viewport position; pixel (0, 0) has its centre at 0, 0."""
        return add(add(self.origin, self.across, x), self.down, y)

    def viewport(self, point: Vector) -> tuple[float, float, float]:
        """(x, y, distance from the plane in mm, away from the observer positive) of a patient point."""
        away = subtract(point, self.origin)
        x = dot(away, self.across) / dot(self.across, self.across)
        y = dot(away, self.down) / dot(self.down, self.down)
        return x, y, dot(away, self.normal)

    @property
    def centre(self) -> Vector:
        return self.patient((self.width - 1) / 2, (self.height - 1) / 2)

    def moved(self, by: Vector) -> Vector:
        """The centre moved by a vector, kept in the plane."""
        normal = self.normal
        return add(self.centre, add(by, scaled(normal, -dot(by, normal))))
