"""Which engine this machine uses, decided once."""

from __future__ import annotations

from functools import lru_cache

from workstation.imaging import kernels
from workstation.rendering.engines.engine import Engine


@lru_cache(maxsize=4)
def engine_named(name: str) -> Engine:
    """The engine called kernel, vtk or reference; raises LookupError for kernels that were not compiled."""
    if name == "kernel":
        if kernels.kernels is None or kernels.fusion is None or kernels.projection is None:
            raise LookupError("the compiled kernels are not there")
        from workstation.rendering.engines.kernel import KernelEngine

        return KernelEngine(kernels.kernels, kernels.fusion, kernels.projection)
    if name == "vtk":
        from workstation.rendering.engines.vtk import VtkEngine

        return VtkEngine()
    if name == "reference":
        from workstation.rendering.engines.reference import ReferenceEngine

        return ReferenceEngine()
    raise LookupError(f"no engine is called {name}")


def choose() -> Engine:
    """The compiled kernels where they are there, else VTK."""
    return engine_named("kernel" if kernels.loaded else "vtk")


def engine_words() -> str:
    """The engine in use, for doctor and the about page; imports no VTK."""
    if kernels.loaded:
        return f"compiled kernels ({kernels.processor})"
    return "VTK (compiled kernels not found: pictures are the same, only slower)"
