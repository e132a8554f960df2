"""Window and level by dragging: right widens, down raises the centre (darkens)."""

from __future__ import annotations

from dataclasses import replace

from workstation.imaging.luts import VoiWindow
from workstation.session.view_state import Window
from workstation.tools.tool import NOTHING, Effect, Pointer, Scene, ScrollingTool

DRAG_FOR_WINDOW = 512.0  # viewport pixels that double the width the stroke began with


class WindowLevelTool(ScrollingTool):
    """The step follows the window the stroke began with, so that brain and bone feel alike."""

    name = "window_level"

    def __init__(self) -> None:
        self._start: tuple[float, float, Window] | None = None

    def press(self, at: Pointer, scene: Scene) -> Effect:
        window = current_window(scene)
        self._start = None if window is None else (at.x, at.y, window)
        return Effect(message="This image has no window to change.") if window is None else NOTHING

    def drag(self, at: Pointer, scene: Scene) -> Effect:
        if self._start is None:
            return NOTHING
        x, y, window = self._start
        if (at.x, at.y) == (x, y):
            return Effect(view=replace(scene.view, window=window))
        step = max(window.width, 1.0) / DRAG_FOR_WINDOW
        width = max(1.0 if window.width >= 1.0 else 1e-6, window.width + (at.x - x) * step)
        return Effect(view=replace(scene.view, window=Window(window.centre + (at.y - y) * step, width)))

    def release(self, at: Pointer, scene: Scene) -> Effect:
        effect = self.drag(at, scene)
        self._start = None
        return effect

    def cancel(self) -> None:
        self._start = None


def current_window(scene: Scene) -> Window | None:
    """The window in use; None for colour; of an image shown by a VOI LUT an automatic one stands in."""
    volume = scene.volume
    if volume.is_colour:
        return None
    if scene.view.window is not None:
        return scene.view.window
    voi = volume.default_voi(scene.frame.index)
    voi = voi if isinstance(voi, VoiWindow) else volume.auto_window()
    return Window(voi.centre, voi.width, voi.label)
