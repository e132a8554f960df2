"""A guard against Qt's bindings: PySide6 6.12 takes references of None that it was not given, under Python
3.11.

Its wheels are made with headers in which None is immortal (Python 3.12 and later), so there every call that
answers None leaves its count alone; under 3.11 each one takes one away, and the interpreter aborts after some
ten thousand calls. Giving None more references than any process can use up is what 3.12 does for everybody.
"""

from __future__ import annotations

import ctypes
import sys

PLENTY = 1 << (60 if sys.maxsize > 1 << 32 else 29)


def keep_none_alive() -> None:
    """Once for the process, before the first call into Qt; does nothing where None is immortal."""
    if sys.version_info < (3, 12) and sys.getrefcount(None) < PLENTY // 2:
        ctypes.c_ssize_t.from_address(id(None)).value += PLENTY
