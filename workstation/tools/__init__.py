"""Tools: pointer strokes in patient coordinates become changes for the session to apply. No Qt.

How a cell uses it::

    from workstation.tools import TOOLS, tool_named
    from workstation.tools.tool import Pointer, Scene, Effect
    tool = tool_named("length")
    scene = Scene(state, picture.frame, volume, measurements, study_uid="...", author="...")
    effect = tool.press(Pointer.at(picture.frame, x, y, "left", "shift"), scene)
    effect = tool.drag(...)      # also while the pointer moves between two clicks
    effect = tool.release(...)
    effect = tool.wheel(steps, pointer, scene); tool.cancel()
    effect.view          # a new ViewState, or None
    effect.measurement   # the stroke so far, or done
    effect.done          # True: keep it (undo, spool, archive); False: a preview
    effect.crosshair     # patient point all linked views should go to, or None
    effect.message       # words for the reader (a refusal and its reason)

Modifiers are "ctrl", "shift", "alt"; buttons "left", "middle", "right".

``planes``     what a view state means in space: `plane_axes`, `plane_centre`, `scrolled(state, volume, n)`.
``oblique``    `turned(state, volume, axis, degrees, about)`; planes at right angles, four linked ones.
``measuring``  `measured`, `remeasured`, `with_handle_moved(scene, measurement, handle, point)`, `moved_by`,
               `value_under(scene, point)` for the value under the pointer.
``numbers``    what each kind of stroke measures, `KNOWN_MM` in the details of a calibration.
``measures``   the arithmetic, a file a subject; `Refusal(reason, why)` where a number cannot be trusted.
Words of a measurement: `label_lines(measurement)`, `number_words(quantity)`, `unit_words(ucum)`.
"""

from __future__ import annotations

from collections.abc import Callable

from workstation.tools.angle import AngleTool
from workstation.tools.arrow import ArrowTool
from workstation.tools.bidirectional import BidirectionalTool
from workstation.tools.calibration import CalibrationTool
from workstation.tools.cardiothoracic_ratio import CardiothoracicRatioTool
from workstation.tools.cobb_angle import CobbAngleTool
from workstation.tools.crosshair import CrosshairTool
from workstation.tools.ellipse_roi import EllipseRoiTool
from workstation.tools.freehand_roi import FreehandRoiTool
from workstation.tools.length import LengthTool
from workstation.tools.open_angle import OpenAngleTool
from workstation.tools.pan_zoom import PanZoomTool
from workstation.tools.path import PathTool
from workstation.tools.polygon_roi import PolygonRoiTool
from workstation.tools.probe import ProbeTool
from workstation.tools.rectangle_roi import RectangleRoiTool
from workstation.tools.scroll import ScrollTool
from workstation.tools.spine_label import SpineLabelTool
from workstation.tools.text import TextTool
from workstation.tools.tool import Tool
from workstation.tools.window_level import WindowLevelTool

DRAWING: dict[str, Callable[[], Tool]] = {
    "length": LengthTool,
    "path": PathTool,
    "angle": AngleTool,
    "open_angle": OpenAngleTool,
    "cobb_angle": CobbAngleTool,
    "bidirectional": BidirectionalTool,
    "ellipse_roi": EllipseRoiTool,
    "rectangle_roi": RectangleRoiTool,
    "polygon_roi": PolygonRoiTool,
    "freehand_roi": FreehandRoiTool,
    "probe": ProbeTool,
    "cardiothoracic_ratio": CardiothoracicRatioTool,
    "spine_label": SpineLabelTool,
    "calibration": CalibrationTool,
    "arrow": ArrowTool,
    "text": TextTool,
}
"""Tools whose strokes are kept."""

TOOLS: dict[str, Callable[[], Tool]] = {
    "window_level": WindowLevelTool,
    "scroll": ScrollTool,
    "pan_zoom": PanZoomTool,
    "crosshair": CrosshairTool,
    **DRAWING,
}


def tool_named(name: str) -> Tool:
    """A fresh tool; raises KeyError for a name that is none."""
    return TOOLS[name]()
