"""Angle: a first arm drawn, then a click for the end of the second one; or three clicks."""

from __future__ import annotations

from workstation.tools.clicks import ClicksTool


class AngleTool(ClicksTool):
    """Points are kept as (end of the first arm, corner, end of the second arm)."""

    name = "angle"
    needed = 3
