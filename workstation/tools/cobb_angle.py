"""Cobb's angle: a line along each end plate, drawn one after the other by dragging or clicking."""

from __future__ import annotations

from workstation.tools.clicks import ClicksTool


class CobbAngleTool(ClicksTool):
    """Points are kept as (end, end) of the first plate and (end, end) of the second."""

    name = "cobb_angle"
    needed = 4
