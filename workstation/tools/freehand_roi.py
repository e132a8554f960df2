"""Freehand: press, draw around, release; the line closes by itself."""

from __future__ import annotations

from pacs_core.domain.identifiers import new_uid
from workstation.tools.measuring import measured
from workstation.tools.strokes import pixels_apart, plane_key
from workstation.tools.tool import NOTHING, Effect, Pointer, Scene, ScrollingTool

STEP = 2.0  # viewport pixels between kept points
FEWEST = 3


class FreehandRoiTool(ScrollingTool):
    """Kept as the points the hand passed."""

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
