"""Strokes of one point: it follows the pointer while the button is down and stays where that is let go."""

from __future__ import annotations

from pacs_core.domain.identifiers import new_uid
from workstation.tools.measuring import measured
from workstation.tools.tool import NOTHING, Effect, Pointer, Scene, ScrollingTool


class OnePointTool(ScrollingTool):
    """A stroke without its number is kept all the same, unless `numbered` says that it is nothing then."""

    numbered = False

    def __init__(self) -> None:
        self._uid = ""

    def press(self, at: Pointer, scene: Scene) -> Effect:
        self._uid = new_uid()
        return self.drag(at, scene)

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        if not self._uid:
            return NOTHING
        found = measured(scene, self.name, (at.point,), self._uid)
        return Effect(measurement=found, message=found.refusal)

    def release(self, at: Pointer, scene: Scene) -> Effect:
        if not self._uid:
            return NOTHING
        found = measured(scene, self.name, (at.point,), self._uid)
        self._uid = ""
        return Effect(measurement=found, done=not (self.numbered and found.refusal), message=found.refusal)

    def cancel(self) -> None:
        self._uid = ""
