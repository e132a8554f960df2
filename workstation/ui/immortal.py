"""A guard against Qt's bindings: PySide6 6.12 takes references of None and True that it was not given, under
Python 3.11.

Its wheels are made with headers in which the constants of the language are immortal (Python 3.12 and later),
so there every call that answers None, and every signal that is emitted (`emit` answers True), leaves their
counts alone; under 3.11 each one takes one away, and the interpreter aborts after some thousand calls. Giving
them more references than any process can use up is what 3.12 does for everybody.
"""

from __future__ import annotations

import ctypes
import sys

PLENTY = 1 << (60 if sys.maxsize > 1 << 32 else 29)
CONSTANTS = (None, True, False, NotImplemented, Ellipsis)


def keep_constants_alive() -> None:
    """Once for the process, before the first call into Qt; does nothing where they are immortal."""
    if sys.version_info >= (3, 12):
        return
    for constant in CONSTANTS:
        if sys.getrefcount(constant) < PLENTY // 2:
            ctypes.c_ssize_t.from_address(id(constant)).value += PLENTY
