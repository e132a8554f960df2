"""Polyline: the length along as many points as are clicked; a double click ends it."""

from __future__ import annotations

from workstation.tools.corners import CornersTool


class PathTool(CornersTool):
    """Kept as its points in turn."""

    name = "path"
