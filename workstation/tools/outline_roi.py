"""Outlines: rectangle by its box, polygon by clicks, freehand by one long drag."""

from __future__ import annotations

from pacs_core.domain.identifiers import new_uid
from workstation.imaging.geometry import Vector
from workstation.tools.measures import rectangle_in_box
from workstation.tools.measuring import measured
from workstation.tools.strokes import SHORTEST, TwoPointTool, pixels_apart, plane_key
from workstation.tools.tool import NOTHING, Effect, Pointer, Scene, ScrollingTool

CLOSES = 8.0  # viewport pixels from the first point: a click there closes the polygon
STEP = 2.0  # viewport pixels between kept points of a freehand line
FEWEST = 3


class RectangleRoiTool(TwoPointTool):
    """Kept as its four corners."""

    name = "rectangle_roi"

    def points(self, first: Vector, second: Vector, scene: Scene) -> tuple[Vector, ...]:
        return rectangle_in_box(first, second, scene.frame)


class PolygonRoiTool(ScrollingTool):
    """Each click is a corner; a click at the first one, or a second one at the last, closes it."""

    name = "polygon_roi"

    def __init__(self) -> None:
        self.cancel()

    def cancel(self) -> None:
        self._corners: list[Pointer] = []
        self._uid = ""
        self._plane = ""

    def press(self, at: Pointer, scene: Scene) -> Effect:
        if self._corners and self._plane != plane_key(scene):
            self.cancel()
        if not self._corners:
            self._uid, self._plane = new_uid(), plane_key(scene)
        elif len(self._corners) >= FEWEST and self._closes(at):
            effect = self._effect(None, scene, done=True)
            self.cancel()
            return effect
        elif pixels_apart(self._corners[-1], at) < SHORTEST:
            return NOTHING
        self._corners.append(at)
        return NOTHING

    def _closes(self, at: Pointer) -> bool:
        return pixels_apart(self._corners[0], at) < CLOSES or pixels_apart(self._corners[-1], at) < SHORTEST

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        """Also while the pointer moves between clicks."""
        if self._corners and self._plane != plane_key(scene):
            self.cancel()
        return self._effect(at, scene, done=False)

    def wheel(self, steps: int, at: Pointer, scene: Scene) -> Effect:
        self.cancel()
        return super().wheel(steps, at, scene)

    def _effect(self, at: Pointer | None, scene: Scene, done: bool) -> Effect:
        points = [p.point for p in self._corners] + ([at.point] if at is not None else [])
        if len(points) < FEWEST:
            return NOTHING
        found = measured(scene, self.name, tuple(points), self._uid)
        return Effect(measurement=found, done=done, message=found.refusal)


class FreehandRoiTool(ScrollingTool):
    """Press, draw around, release; the line closes by itself."""

    name = "freehand_roi"

    def __init__(self) -> None:
        self.cancel()

    def cancel(self) -> None:
        self._line: list[Pointer] = []
        self._uid = ""
        self._plane = ""

    def press(self, at: Pointer, scene: Scene) -> Effect:
        self._line, self._uid, self._plane = [at], new_uid(), plane_key(scene)
        return NOTHING

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        if not self._line or self._plane != plane_key(scene):
            self.cancel()
            return NOTHING
        if pixels_apart(self._line[-1], at) < STEP:
            return NOTHING
        self._line.append(at)
        return self._effect(scene, done=False)

    def release(self, at: Pointer, scene: Scene) -> Effect:
        effect = self._effect(scene, done=True) if self._line and self._plane == plane_key(scene) else NOTHING
        self.cancel()
        return effect

    def wheel(self, steps: int, at: Pointer, scene: Scene) -> Effect:
        self.cancel()
        return super().wheel(steps, at, scene)

    def _effect(self, scene: Scene, done: bool) -> Effect:
        if len(self._line) < FEWEST:
            return NOTHING
        found = measured(scene, self.name, tuple(p.point for p in self._line), self._uid)
        return Effect(measurement=found, done=done, message=found.refusal)
