"""One interface, three engines: compiled kernels, VTK as the fallback, float64 NumPy as the truth they are
held to.

All work in index space (column, row, slice in voxels) on stored values; an engine knows nothing of
patients.
"""

from __future__ import annotations

from workstation.rendering.engines.choice import choose, engine_named, engine_words
from workstation.rendering.engines.engine import Cut, Engine, Flat, Layer, Ribbon, Summits

__all__ = ["Cut", "Engine", "Flat", "Layer", "Ribbon", "Summits", "choose", "engine_named", "engine_words"]
