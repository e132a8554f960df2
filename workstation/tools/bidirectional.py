"""Bidirectional: the longest diameter of a lesion, then the one across it (RECIST)."""

from __future__ import annotations

from workstation.tools.clicks import ClicksTool


class BidirectionalTool(ClicksTool):
    """Points are kept as (end, end) of one diameter and (end, end) of the other."""

    name = "bidirectional"
    needed = 4
