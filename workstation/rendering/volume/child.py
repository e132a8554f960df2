"""The child that renders in 3D: its program, its surroundings, and itself."""

from __future__ import annotations

import os
import sys

from workstation.rendering.volume.process import SUBCOMMAND
from workstation.session.child_process import Child, own_environment, own_program


def program(*words: str) -> list[str]:
    """How to start it."""
    return [*own_program("workstation.rendering.volume.process", SUBCOMMAND), *words]


def environment() -> dict[str, str]:
    """Its environment: no X for VTK, unless somebody chose otherwise."""
    window = {"VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow"} if sys.platform == "linux" else {}
    return own_environment({**window, **{name: os.environ[name] for name in window if name in os.environ}})


class Renderer(Child):
    """One running 3D child, with a graphics processor where `gpu` says so."""

    def __init__(self, gpu: bool = False) -> None:
        self.gpu = gpu
        super().__init__("the 3D renderer", program(*(["--gpu"] if gpu else [])), environment())
