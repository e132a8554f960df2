"""Angle: first arm by press, drag and release, then a click for the end of the second arm."""

from __future__ import annotations

from pacs_core.domain.identifiers import new_uid
from workstation.imaging.geometry import Vector
from workstation.tools.measuring import measured
from workstation.tools.tool import NOTHING, Effect, Pointer, Scene, ScrollingTool

SHORTEST = 3.0


class AngleTool(ScrollingTool):
    """Points are kept as (end of the first arm, corner, end of the second arm)."""

    name = "angle"

    def __init__(self) -> None:
        self._points: list[Pointer] = []
        self._uid = ""
        self._image = ""

    def press(self, at: Pointer, scene: Scene) -> Effect:
        image = f"{scene.frame.series_uid}|{scene.frame.instance_uid}|{scene.frame.frame}"
        if not self._points or image != self._image:
            self._points, self._uid, self._image = [at], new_uid(), image
        return NOTHING

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        """Also while the pointer moves between clicks, with no button down."""
        if len(self._points) == 2:
            return self._effect(at, scene, done=False)
        return NOTHING

    def release(self, at: Pointer, scene: Scene) -> Effect:
        last = self._points[-1] if self._points else None
        if last is None or (abs(at.x - last.x) < SHORTEST and abs(at.y - last.y) < SHORTEST):
            return NOTHING
        if len(self._points) == 1:
            self._points.append(at)
            return NOTHING
        effect = self._effect(at, scene, done=True)
        self.cancel()
        return effect

    def wheel(self, steps: int, at: Pointer, scene: Scene) -> Effect:
        self.cancel()
        return super().wheel(steps, at, scene)

    def cancel(self) -> None:
        self._points, self._uid, self._image = [], "", ""

    def _effect(self, at: Pointer, scene: Scene, done: bool) -> Effect:
        points: tuple[Vector, ...] = (self._points[0].point, self._points[1].point, at.point)
        found = measured(scene, self.name, points, self._uid)
        return Effect(measurement=found, done=done, message=found.refusal)
