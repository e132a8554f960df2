"""From where a volume is looked at. Parallel rays: a millimetre across is the same everywhere in the picture,
so that it can be measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from workstation.imaging.geometry import Vector, add, cross, dot, scaled, unit
from workstation.imaging.spacing import Calibration
from workstation.imaging.view_frame import ViewFrame

SMALLEST_FIELD, LARGEST_FIELD = 1.0, 5000.0
PATIENT_SPACE = Calibration((1.0, 1.0), True, "patient space")

# where the observer stands: (right, down) of the picture in LPS
SIDES: dict[str, tuple[Vector, Vector]] = {
    "anterior": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "posterior": ((-1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "left": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    "right": ((0.0, -1.0, 0.0), (0.0, 0.0, -1.0)),
    "superior": ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "inferior": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
}


@dataclass(frozen=True, slots=True)
class Camera:
    """`centre` (LPS mm) is the middle of the picture, `right` and `down` its axes (unit vectors at right
    angles), `field` the millimetres along its shorter edge.
    """

    centre: Vector
    right: Vector
    down: Vector
    field: float

    @property
    def sight(self) -> Vector:
        """Away from the observer."""
        return unit(cross(self.right, self.down))

    def turned(self, right: float, down: float) -> Camera:
        """The body turned under the hand by so many degrees: its near side goes right and down."""
        return self._about(self.down, right)._about(self.right, -down)

    def rolled(self, degrees: float) -> Camera:
        """Turned in the picture's plane, clockwise."""
        return self._about(self.sight, degrees)

    def zoomed(self, factor: float) -> Camera:
        """Larger by a factor."""
        return replace(self, field=min(LARGEST_FIELD, max(SMALLEST_FIELD, self.field / factor)))

    def panned(self, right: float, down: float) -> Camera:
        """The body moved by millimetres in the picture's plane."""
        return replace(self, centre=add(add(self.centre, self.right, -right), self.down, -down))

    def from_side(self, name: str) -> Camera:
        """The observer at anterior, posterior, left, right, superior or inferior."""
        right, down = SIDES[name]
        return replace(self, right=right, down=down)

    def _about(self, axis: Vector, degrees: float) -> Camera:
        right, down = turned(self.right, axis, degrees), turned(self.down, axis, degrees)
        right = unit(right)
        return replace(self, right=right, down=unit(add(down, right, -dot(down, right))))

    def frame(self, width: int, height: int) -> ViewFrame:
        """Viewport pixels to patient millimetres in the plane of the centre."""
        pixel = self.field / max(1, min(width, height))
        across, down = scaled(self.right, pixel), scaled(self.down, pixel)
        origin = add(add(self.centre, across, -(width - 1) / 2), down, -(height - 1) / 2)
        return ViewFrame(width, height, origin, across, down, PATIENT_SPACE, True, acquired=False)


def turned(vector: Vector, axis: Vector, degrees: float) -> Vector:
    """A vector turned about a unit axis (Rodrigues' formula), right-handed."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    along = scaled(axis, dot(axis, vector) * (1.0 - c))
    return add(add(scaled(vector, c), cross(axis, vector), s), along)


def fitted(corners: Iterable[Vector], side: str = "anterior") -> Camera:
    """Looking from a side at all of what has these corners."""
    points = list(corners)
    ends = [(min(p[n] for p in points), max(p[n] for p in points)) for n in range(3)]
    centre = (sum(ends[0]) / 2, sum(ends[1]) / 2, sum(ends[2]) / 2)
    right, down = SIDES[side]
    sizes = [max(dot(p, axis) for p in points) - min(dot(p, axis) for p in points) for axis in (right, down)]
    return Camera(centre, right, down, min(LARGEST_FIELD, max(SMALLEST_FIELD, max(sizes) * 1.02)))
