"""Cardiothoracic ratio: the width of the heart, then the inner width of the thorax, both level."""

from __future__ import annotations

from workstation.imaging.geometry import Vector, add, dot, scaled, subtract, unit
from workstation.tools.clicks import ClicksTool
from workstation.tools.tool import Scene


class CardiothoracicRatioTool(ClicksTool):
    """Points are kept as (end, end) of the heart and (end, end) of the thorax; each line lies level."""

    name = "cardiothoracic_ratio"
    needed = 4

    def points(self, points: tuple[Vector, ...], scene: Scene) -> tuple[Vector, ...]:
        level = unit(scene.frame.across)
        kept = list(points)
        for first, second in ((0, 1), (2, 3)):
            if second < len(kept):
                along = dot(subtract(kept[second], kept[first]), level)
                kept[second] = add(kept[first], scaled(level, along))
        return tuple(kept)
