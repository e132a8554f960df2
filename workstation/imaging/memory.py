"""How much of the machine's memory decoded images may take."""

from __future__ import annotations

import os
import sys

SHARE = 3
"""One part in so many of the machine's memory is taken where nobody chose."""
LEAST_BYTES = 256 << 20
UNKNOWN_BYTES = 6 << 30
"""What a machine is taken to have that does not say."""


def physical_bytes() -> int:
    """The machine's memory in bytes."""
    if sys.platform == "win32":
        return _of_windows()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return UNKNOWN_BYTES


def _of_windows() -> int:
    import ctypes

    class Status(ctypes.Structure):
        """MEMORYSTATUSEX."""

        _fields_ = [("length", ctypes.c_uint32), ("load", ctypes.c_uint32)] + [
            (name, ctypes.c_uint64)
            for name in ("physical", "free", "page_file", "page_file_free", "virtual", "virtual_free", "more")
        ]

    status = Status(length=ctypes.sizeof(Status))
    library = getattr(ctypes, "windll", None)
    if library is None or not library.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return UNKNOWN_BYTES
    return int(status.physical)


def cache_bytes(chosen_mib: int) -> int:
    """Bytes the loader may keep: as chosen, never below 256 MiB; 0 takes a third of the machine's."""
    wanted = chosen_mib << 20 if chosen_mib > 0 else physical_bytes() // SHARE
    return max(LEAST_BYTES, wanted)
