"""Ellipse: drag the box it fills; area, mean, standard deviation, minimum and maximum."""

from __future__ import annotations

from workstation.imaging.geometry import Vector
from workstation.tools.measures import ellipse_in_box, ellipse_points
from workstation.tools.strokes import TwoPointTool
from workstation.tools.tool import Scene


class EllipseRoiTool(TwoPointTool):
    """Kept as the four ends of its axes."""

    name = "ellipse_roi"

    def points(self, first: Vector, second: Vector, scene: Scene) -> tuple[Vector, ...]:
        return ellipse_points(ellipse_in_box(first, second, scene.frame))
