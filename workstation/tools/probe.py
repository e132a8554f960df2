"""Probe: the value under the point, kept where it was clicked."""

from __future__ import annotations

from workstation.tools.one_point import OnePointTool


class ProbeTool(OnePointTool):
    """While the button is down the value follows the pointer."""

    name = "probe"
    numbered = True
