"""Polygon: a corner at each click; closed by a click at the first one or a double click."""

from __future__ import annotations

from workstation.tools.corners import CornersTool


class PolygonRoiTool(CornersTool):
    """Kept as its corners in turn."""

    name = "polygon_roi"
    fewest = 3
    closed = True
