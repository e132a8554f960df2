"""Calibration: a stroke along something of known length, on an image that says of no millimetres."""

from __future__ import annotations

from workstation.tools.strokes import TwoPointTool


class CalibrationTool(TwoPointTool):
    """Kept as its two ends; the window asks how long it is in mm."""

    name = "calibration"
