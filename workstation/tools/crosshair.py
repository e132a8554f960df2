"""Point here, and every linked view goes there."""

from __future__ import annotations

from workstation.tools.tool import NOTHING, Effect, Pointer, Scene, ScrollingTool


class CrosshairTool(ScrollingTool):
    """While the button is down the crosshair follows the pointer."""

    name = "crosshair"

    def press(self, at: Pointer, scene: Scene) -> Effect:
        if not scene.frame.in_patient:
            return Effect(message="This image has no place in the patient.")
        return Effect(crosshair=at.point)

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        return Effect(crosshair=at.point) if scene.frame.in_patient else NOTHING

    def release(self, at: Pointer, scene: Scene) -> Effect:
        return self.drag(at, scene)
