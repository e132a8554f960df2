"""Tools: pointer strokes in patient coordinates become changes for the session to apply. No Qt, no state of the desk.

How a cell uses it::

    from workstation.tools import tool_named
    from workstation.tools.tool import Pointer, Scene, Effect
    tool = tool_named("length")
    scene = Scene(view=state, frame=picture.frame, volume=volume, measurements=(...), author="...")
    effect = tool.press(Pointer(point=frame.patient(x, y), x=x, y=y, button="left", modifiers=frozenset()), scene)
    effect = tool.drag(pointer, scene); effect = tool.release(pointer, scene); effect = tool.wheel(steps, pointer, scene)
    effect.view          # a new ViewState, or None
    effect.measurement   # the stroke so far, or done
    effect.done          # True: keep it (undo, spool, archive); False: a preview
    effect.crosshair     # patient point all linked views should go to, or None
    effect.message       # words for the reader (a refusal and its reason)

Names: window_level scroll pan_zoom crosshair length ellipse_roi probe angle. Arithmetic: `tools.measures`.
"""

from __future__ import annotations

from collections.abc import Callable

from workstation.tools.angle import AngleTool
from workstation.tools.crosshair import CrosshairTool
from workstation.tools.ellipse_roi import EllipseRoiTool
from workstation.tools.length import LengthTool
from workstation.tools.pan_zoom import PanZoomTool
from workstation.tools.probe import ProbeTool
from workstation.tools.scroll import ScrollTool
from workstation.tools.tool import Tool
from workstation.tools.window_level import WindowLevelTool

TOOLS: dict[str, Callable[[], Tool]] = {
    "window_level": WindowLevelTool,
    "scroll": ScrollTool,
    "pan_zoom": PanZoomTool,
    "crosshair": CrosshairTool,
    "length": LengthTool,
    "ellipse_roi": EllipseRoiTool,
    "probe": ProbeTool,
    "angle": AngleTool,
}


def tool_named(name: str) -> Tool:
    """A fresh tool; raises KeyError for a name that is none."""
    return TOOLS[name]()
