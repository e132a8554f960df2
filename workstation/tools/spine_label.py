"""Spine labelling: a click on each vertebra; after the first one every level names itself."""

from __future__ import annotations

from dataclasses import replace

from pacs_core.domain.measurement import Measurement
from workstation.imaging.geometry import Vector
from workstation.tools.one_point import OnePointTool
from workstation.tools.tool import Effect, Pointer, Scene

KIND = "spine_label"
LEVELS = tuple(
    f"{region}{number}" for region, count in (("C", 7), ("T", 12), ("L", 5), ("S", 5))
    for number in range(1, count + 1)
)  # fmt: skip
"""From the head down."""


class SpineLabelTool(OnePointTool):
    """Kept as the vertebra's place, its level as label; the first one has none until it is typed."""

    name = KIND

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        return _named(super().drag(at, scene), scene)

    def release(self, at: Pointer, scene: Scene) -> Effect:
        return _named(super().release(at, scene), scene)


def _named(effect: Effect, scene: Scene) -> Effect:
    one = effect.measurement
    if one is None:
        return effect
    return replace(effect, measurement=replace(one, label=level_at(scene, one)))


def level_at(scene: Scene, new: Measurement) -> str:
    """The level beside the one labelled last: below it the next, above it the one before; empty where there
    is none, or the spine ends.
    """
    labelled = [m for m in scene.measurements if m.kind == KIND and m.label in LEVELS and not m.deleted]
    alike = [m for m in labelled if m.in_pixels == new.in_pixels]
    if not alike:
        return ""
    last = max(alike, key=lambda m: m.made_at)
    step = 1 if _is_below(new.points[0], last.points[0], new.in_pixels) else -1
    place = LEVELS.index(last.label) + step
    return LEVELS[place] if 0 <= place < len(LEVELS) else ""


def _is_below(point: Vector, other: Vector, in_pixels: bool) -> bool:
    """Towards the feet: down the patient's axis, or down the image where that is all that is known."""
    return point[1] > other[1] if in_pixels else point[2] < other[2]
