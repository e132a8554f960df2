"""Another process of this program: its command line and environment, wherever it is called from."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
"""The folder our packages were imported from."""


def own_command(module: str, *words: str) -> list[str]:
    """Run one of our modules; `-P` keeps the working directory, and what lies in it, off the path."""
    return [sys.executable, "-P", "-m", module, *words]


def own_environment() -> dict[str, str]:
    """Our environment, with the code the parent runs found first by the child."""
    if getattr(sys, "frozen", False):
        return dict(os.environ)
    others = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))  # an empty one means "here"
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys((ROOT, *others)))}
