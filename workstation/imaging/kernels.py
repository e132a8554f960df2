"""The compiled kernels as found on this machine; None where nothing was compiled, which is only slower."""

from __future__ import annotations

from types import ModuleType

kernels: ModuleType | None
try:
    from workstation.imaging import _kernels as _found

    kernels = _found
except ImportError:
    kernels = None

loaded: bool = kernels is not None
processor: str = kernels.processor() if kernels is not None else ""
