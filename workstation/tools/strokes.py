"""What measuring tools share: a stroke under way keeps one identity from the first preview to the kept
measurement.
"""

from __future__ import annotations

from pacs_core.domain.identifiers import new_uid
from workstation.imaging.geometry import Vector
from workstation.tools.measuring import measured
from workstation.tools.tool import NOTHING, Effect, Pointer, Scene, ScrollingTool

SHORTEST = 3.0  # viewport pixels: a shorter stroke is a click


class TwoPointTool(ScrollingTool):
    """Press, drag, release; or click, move and click again, which one hand can do."""

    def __init__(self) -> None:
        self._first: Pointer | None = None
        self._uid = ""
        self._frame = ""

    def points(self, first: Vector, second: Vector, scene: Scene) -> tuple[Vector, ...]:
        return first, second

    def press(self, at: Pointer, scene: Scene) -> Effect:
        if self._first is not None and self._is_same_plane(scene):
            return NOTHING  # the second click; its release ends the stroke
        self._first, self._uid, self._frame = at, new_uid(), plane_key(scene)
        return NOTHING

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        """Also while the pointer moves between two clicks."""
        return self._effect(at, scene, done=False)

    def release(self, at: Pointer, scene: Scene) -> Effect:
        if self._first is None or pixels_apart(self._first, at) < SHORTEST:
            return NOTHING
        effect = self._effect(at, scene, done=True)
        self.cancel()
        return effect

    def wheel(self, steps: int, at: Pointer, scene: Scene) -> Effect:
        self.cancel()  # the plane goes, the stroke on it too
        return super().wheel(steps, at, scene)

    def cancel(self) -> None:
        self._first, self._uid, self._frame = None, "", ""

    def _is_same_plane(self, scene: Scene) -> bool:
        return self._frame == plane_key(scene)

    def _effect(self, at: Pointer, scene: Scene, done: bool) -> Effect:
        if self._first is None:
            return NOTHING
        if not self._is_same_plane(scene):
            self.cancel()
            return NOTHING
        found = measured(scene, self.name, self.points(self._first.point, at.point, scene), self._uid)
        return Effect(measurement=found, done=done, message=found.refusal)


def plane_key(scene: Scene) -> str:
    """What is shown: strokes never span two planes."""
    frame = scene.frame
    depth = (
        0.0
        if frame.acquired
        else round(sum(a * b for a, b in zip(frame.origin, frame.normal, strict=True)), 3)
    )
    return f"{frame.series_uid}|{frame.instance_uid}|{frame.frame}|{depth}"


def pixels_apart(a: Pointer, b: Pointer) -> float:
    """Viewport pixels between two places."""
    return float(((a.x - b.x) ** 2 + (a.y - b.y) ** 2) ** 0.5)
