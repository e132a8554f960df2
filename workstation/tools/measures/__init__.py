"""The arithmetic of measuring, once: lengths, areas and volumes in patient millimetres, statistics in
modality units; one subject a file, no stroke and no window.

Where a number cannot be trusted the answer is a `Refusal` with its kind and its reason, never a number.
"""

from workstation.tools.measures.angles import angle, between_lines, cobb
from workstation.tools.measures.areas import ellipse_area, perimeter, polygon_area
from workstation.tools.measures.calibrated import calibration_at, in_millimetres, pixel_of
from workstation.tools.measures.inside import ellipse_values, polygon_values, shape_values
from workstation.tools.measures.lengths import Bidirectional, bidirectional, length, path_length, ratio
from workstation.tools.measures.refusal import Refusal, Why
from workstation.tools.measures.shapes import (
    EllipseShape,
    PolygonShape,
    Shape,
    ellipse_in_box,
    ellipse_of_points,
    ellipse_points,
    rectangle_in_box,
)
from workstation.tools.measures.statistics import Histogram, Statistics, histogram, statistics
from workstation.tools.measures.suv_peak import Peak, suv_peak
from workstation.tools.measures.threshold import Segment, threshold_at
from workstation.tools.measures.volumes import Contour, stacked_volume, voxel_volume

__all__ = [
    "Bidirectional",
    "Contour",
    "EllipseShape",
    "Histogram",
    "Peak",
    "PolygonShape",
    "Refusal",
    "Segment",
    "Shape",
    "Statistics",
    "Why",
    "angle",
    "between_lines",
    "bidirectional",
    "calibration_at",
    "cobb",
    "ellipse_area",
    "ellipse_in_box",
    "ellipse_of_points",
    "ellipse_points",
    "ellipse_values",
    "histogram",
    "in_millimetres",
    "length",
    "path_length",
    "perimeter",
    "pixel_of",
    "polygon_area",
    "polygon_values",
    "ratio",
    "rectangle_in_box",
    "shape_values",
    "stacked_volume",
    "statistics",
    "suv_peak",
    "threshold_at",
    "voxel_volume",
]
