"""Is there a graphics processor that VTK can use? Asked in a child: a driver that fails ends only that."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable

from workstation.rendering.volume.child import environment, program

PATIENCE_SECONDS = 30.0
SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "software", "microsoft basic", "gdi generic")

_lock = threading.Lock()
_found: list[str] = []


def known() -> str | None:
    """The renderer's name, "" where there is none, None while nobody has looked."""
    return _found[0] if _found else None


def look(then: Callable[[str], None]) -> None:
    """Find out in the background, once a run; `then` is called on that thread, or now where it is known."""
    name = known()
    if name is not None:
        then(name)
        return

    def work() -> None:
        with _lock:
            if not _found:
                _found.append(probe())
        then(_found[0])

    threading.Thread(target=work, name="gpu-probe", daemon=True).start()


def probe() -> str:
    """The renderer's name, or "" for none, for one made of software, and for one whose driver failed."""
    try:
        done = subprocess.run(
            program("--probe"), capture_output=True, timeout=PATIENCE_SECONDS, env=environment(), check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    name = done.stdout.decode(errors="replace").strip().rsplit("\n", 1)[-1]
    return name if done.returncode == 0 and is_hardware(name) else ""


def is_hardware(name: str) -> bool:
    """Whether a GL renderer's name is that of a graphics processor."""
    return bool(name) and not any(word in name.lower() for word in SOFTWARE)
