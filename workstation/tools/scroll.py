"""Scroll by dragging up and down: the whole series over the height of the cell, never slower than 8 pixels
an image.
"""

from __future__ import annotations

from workstation.session.view_state import Plane
from workstation.tools.planes import scrolled
from workstation.tools.tool import NOTHING, Effect, Pointer, Scene, ScrollingTool


class ScrollTool(ScrollingTool):
    """Down is on in the series."""

    name = "scroll"

    def __init__(self) -> None:
        self._last: float | None = None

    def press(self, at: Pointer, scene: Scene) -> Effect:
        self._last = at.y
        return NOTHING

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        if self._last is None:
            return NOTHING
        images = len(scene.volume.loaded)
        pixels = (
            8.0 if scene.view.plane is not Plane.ACQUIRED else max(1.0, min(8.0, scene.frame.height / images))
        )
        steps = int((at.y - self._last) / pixels)
        if steps == 0:
            return NOTHING
        self._last += steps * pixels
        moved = scrolled(scene.view, scene.volume, steps)
        return NOTHING if moved == scene.view else Effect(view=moved)

    def release(self, at: Pointer, scene: Scene) -> Effect:
        effect = self.drag(at, scene)
        self._last = None
        return effect

    def cancel(self) -> None:
        self._last = None
