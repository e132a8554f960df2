"""Pan by dragging, zoom by the wheel or with Control held; the point under the pointer stays where it is."""

from __future__ import annotations

from dataclasses import replace

from workstation.imaging.geometry import Vector, add, scaled, subtract
from workstation.session.view_state import ViewState
from workstation.tools.tool import NOTHING, Effect, Pointer, Scene

SMALLEST, LARGEST = 0.1, 40.0
WHEEL_FACTOR = 1.15
DRAG_PIXELS = 200.0  # upwards for a factor of e


def zoomed(scene: Scene, factor: float, at: Vector) -> ViewState:
    """The view zoomed by a factor about a point of the frame."""
    zoom = min(max(scene.view.zoom * factor, SMALLEST), LARGEST)
    ratio = scene.view.zoom / zoom
    centre = add(at, subtract(scene.frame.centre, at), ratio)
    return replace(scene.view, zoom=zoom, centre=centre)


def panned(scene: Scene, pixels_right: float, pixels_down: float) -> ViewState:
    """The view with the picture moved so many viewport pixels."""
    frame = scene.frame
    by = add(scaled(frame.across, -pixels_right), frame.down, -pixels_down)
    return replace(scene.view, centre=add(frame.centre, by))


class PanZoomTool:
    """Drag pans; Control and drag, or the right button, zooms about where the stroke began; the wheel
    zooms.
    """

    name = "pan_zoom"

    def __init__(self) -> None:
        self._start: tuple[Pointer, Scene] | None = None

    def press(self, at: Pointer, scene: Scene) -> Effect:
        self._start = (at, scene)
        return NOTHING

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        if self._start is None:
            return NOTHING
        first, before = self._start
        if "ctrl" in first.modifiers or first.button == "right":
            exponent = (first.y - at.y) / DRAG_PIXELS
            return Effect(view=zoomed(before, float(2.718281828**exponent), first.point))
        return Effect(view=panned(before, at.x - first.x, at.y - first.y))

    def release(self, at: Pointer, scene: Scene) -> Effect:
        effect = self.drag(at, scene)
        self._start = None
        return effect

    def wheel(self, steps: int, at: Pointer, scene: Scene) -> Effect:
        return Effect(view=zoomed(scene, WHEEL_FACTOR**-steps, at.point))

    def cancel(self) -> None:
        self._start = None
