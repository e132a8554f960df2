"""Whether 3D works here: its process draws one small picture (`doctor`, and the program that was built)."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from workstation.rendering.volume.camera import fitted
from workstation.rendering.volume.child import Renderer
from workstation.rendering.volume.grid import Grid
from workstation.rendering.volume.presets import preset_named
from workstation.rendering.volume.scene import STILL, Scene, to_plain
from workstation.rendering.volume.shared import SharedArea

SHAPE = (24, 24, 24)
SIDE = 32
PATIENCE_SECONDS = 60.0


def drawn_by() -> str:
    """The name of what draws in 3D, once it has drawn a block of bone.

    Raises ChildGone, ChildRefused, OSError where it cannot, LookupError where the picture is empty.
    """
    grid = Grid(SHAPE, np.eye(3, 4), 1.0, 0.0, "HU", "CT", -1000.0, 1000.0)
    voxels, newest = SharedArea(grid.nbytes), SharedArea(4)
    child = Renderer()
    try:
        voxels.array(np.int16, SHAPE)[6:18, 6:18, 6:18] = 900
        files = {"voxels": voxels.path, "newest": newest.path}
        opened, _ = child.ask({"do": "open", "grid": grid.plain(), **files}, PATIENCE_SECONDS)
        scene = to_plain(Scene(fitted(grid.corners()), preset_named("CT bone").function))
        wish = {"do": "picture", "scene": scene, "width": SIDE, "height": SIDE, "serial": 0}
        _, pixels = child.ask({**wish, "quality": asdict(STILL)}, PATIENCE_SECONDS)
    finally:
        child.close()
        voxels.close()
        newest.close()
    if len(set(pixels)) < 2:
        raise LookupError("the picture is empty")
    return str(opened["engine"])
