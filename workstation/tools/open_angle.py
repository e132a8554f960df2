"""Open angle: between two lines that need not meet, drawn one after the other."""

from __future__ import annotations

from workstation.tools.clicks import ClicksTool


class OpenAngleTool(ClicksTool):
    """Points are kept as (end, end) of one line and (end, end) of the other."""

    name = "open_angle"
    needed = 4
