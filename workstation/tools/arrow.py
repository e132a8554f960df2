"""Arrow: press at what it points to, release where its tail and its words are."""

from __future__ import annotations

from workstation.tools.strokes import TwoPointTool


class ArrowTool(TwoPointTool):
    """Kept as (tip, tail); its words are its label."""

    name = "arrow"
