"""Length: press at one end, release at the other."""

from __future__ import annotations

from workstation.tools.strokes import TwoPointTool


class LengthTool(TwoPointTool):
    """Millimetres between two points of one plane."""

    name = "length"
