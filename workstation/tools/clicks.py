"""Strokes of a fixed number of points: press, drag and release make two of them, clicks one each."""

from __future__ import annotations

from pacs_core.domain.identifiers import new_uid
from workstation.imaging.geometry import Vector
from workstation.tools.measuring import measured, unfinished
from workstation.tools.strokes import SHORTEST, pixels_apart, plane_key
from workstation.tools.tool import NOTHING, Effect, Pointer, Scene, ScrollingTool


class ClicksTool(ScrollingTool):
    """The stroke is done with its last point; a wheel step or another image forgets it."""

    needed = 4

    def __init__(self) -> None:
        self.cancel()

    def cancel(self) -> None:
        self._points: list[Pointer] = []
        self._uid = ""
        self._plane = ""
        self._down: Pointer | None = None

    def points(self, points: tuple[Vector, ...], scene: Scene) -> tuple[Vector, ...]:
        """The points as they are kept: as they were set, unless a tool holds them to something."""
        return points

    def press(self, at: Pointer, scene: Scene) -> Effect:
        if self._points and self._plane != plane_key(scene):
            self.cancel()
        if not self._points:
            self._uid, self._plane = new_uid(), plane_key(scene)
        self._down = at
        if self._points and pixels_apart(self._points[-1], at) < SHORTEST:
            return NOTHING  # a second arm drawn from where the first one ended
        self._points.append(at)
        return self._effect(None, scene)

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        """Also while the pointer moves between two clicks."""
        if self._points and self._plane != plane_key(scene):
            self.cancel()
        return self._effect(at, scene) if self._points else NOTHING

    def release(self, at: Pointer, scene: Scene) -> Effect:
        down, self._down = self._down, None
        if down is None or not self._points:
            return NOTHING
        if pixels_apart(down, at) >= SHORTEST:
            if len(self._points) == self.needed:
                self._points.pop()
            self._points.append(at)
        if len(self._points) < self.needed:
            return NOTHING
        effect = self._effect(None, scene, done=True)
        self.cancel()
        return effect

    def wheel(self, steps: int, at: Pointer, scene: Scene) -> Effect:
        self.cancel()
        return super().wheel(steps, at, scene)

    def _effect(self, at: Pointer | None, scene: Scene, done: bool = False) -> Effect:
        """The stroke so far; its numbers once all its points are there or the pointer is the last of them."""
        points = [p.point for p in self._points] + ([at.point] if at is not None else [])
        kept = self.points(tuple(points[: self.needed]), scene)
        if len(points) < self.needed:
            return Effect(measurement=unfinished(scene, self.name, kept, self._uid))
        found = measured(scene, self.name, kept, self._uid)
        return Effect(measurement=found, done=done, message=found.refusal)
