"""Rectangle: drag the box; area, perimeter and the values inside."""

from __future__ import annotations

from workstation.imaging.geometry import Vector
from workstation.tools.measures import rectangle_in_box
from workstation.tools.strokes import TwoPointTool
from workstation.tools.tool import Scene


class RectangleRoiTool(TwoPointTool):
    """Kept as its four corners."""

    name = "rectangle_roi"

    def points(self, first: Vector, second: Vector, scene: Scene) -> tuple[Vector, ...]:
        return rectangle_in_box(first, second, scene.frame)
