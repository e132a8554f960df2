"""The compiled kernels as found on this machine; None where nothing was compiled, which is only slower.

`kernels` cuts planes and slabs and lays images flat, `fusion` lays one volume over another, `projection`
makes the MIP of whole volumes. All are built from the same loops for the same instruction sets.
"""

from __future__ import annotations

from types import ModuleType

kernels: ModuleType | None = None
fusion: ModuleType | None = None
projection: ModuleType | None = None
try:
    from workstation.imaging import _fusion, _kernels, _project

    kernels, fusion, projection = _kernels, _fusion, _project
except ImportError:
    pass

loaded: bool = kernels is not None
processor: str = kernels.processor() if kernels is not None else ""


def use(name: str) -> None:
    """Have every module take this instruction set from now on (tests, benchmarks). Raises ValueError."""
    for module in (kernels, fusion, projection):
        if module is not None:
            module.use(name)
