"""Strokes of as many points as are clicked: a second click at the last one ends them."""

from __future__ import annotations

from pacs_core.domain.identifiers import new_uid
from workstation.tools.measuring import measured, unfinished
from workstation.tools.strokes import SHORTEST, pixels_apart, plane_key
from workstation.tools.tool import NOTHING, Effect, Pointer, Scene, ScrollingTool

CLOSES = 8.0  # viewport pixels from the first point: a click there closes an outline


class CornersTool(ScrollingTool):
    """Each click is a corner; `fewest` make a stroke, and of a `closed` one the first corner ends it too."""

    fewest = 2
    closed = False

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
        elif len(self._corners) >= self.fewest and self._ends(at):
            effect = self._effect(None, scene, done=True)
            self.cancel()
            return effect
        elif pixels_apart(self._corners[-1], at) < SHORTEST:
            return NOTHING
        self._corners.append(at)
        return NOTHING

    def _ends(self, at: Pointer) -> bool:
        at_first = self.closed and pixels_apart(self._corners[0], at) < CLOSES
        return at_first or pixels_apart(self._corners[-1], at) < SHORTEST

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        """Also while the pointer moves between clicks."""
        if self._corners and self._plane != plane_key(scene):
            self.cancel()
        return self._effect(at, scene, done=False)

    def wheel(self, steps: int, at: Pointer, scene: Scene) -> Effect:
        self.cancel()
        return super().wheel(steps, at, scene)

    def _effect(self, at: Pointer | None, scene: Scene, done: bool) -> Effect:
        if not self._corners:
            return NOTHING
        points = tuple([p.point for p in self._corners] + ([at.point] if at is not None else []))
        if len(points) < self.fewest:
            return Effect(measurement=unfinished(scene, self.name, points, self._uid))
        found = measured(scene, self.name, points, self._uid)
        return Effect(measurement=found, done=done, message=found.refusal)
