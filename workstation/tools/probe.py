"""Probe: the value under the point, kept where it was clicked."""

from __future__ import annotations

from pacs_core.domain.identifiers import new_uid
from workstation.tools.measuring import measured
from workstation.tools.tool import Effect, Pointer, Scene, ScrollingTool


class ProbeTool(ScrollingTool):
    """While the button is down the value follows the pointer."""

    name = "probe"

    def __init__(self) -> None:
        self._uid = ""

    def press(self, at: Pointer, scene: Scene) -> Effect:
        self._uid = new_uid()
        return self.drag(at, scene)

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        if not self._uid:
            return Effect()
        found = measured(scene, self.name, (at.point,), self._uid)
        return Effect(measurement=found, message=found.refusal)

    def release(self, at: Pointer, scene: Scene) -> Effect:
        if not self._uid:
            return Effect()
        found = measured(scene, self.name, (at.point,), self._uid)
        self._uid = ""
        return Effect(measurement=found, done=not found.refusal, message=found.refusal)

    def cancel(self) -> None:
        self._uid = ""
