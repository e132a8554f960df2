"""Asks the program that PyInstaller built to prove itself: `python3 dev.py package` runs this after building.

Nothing of the environment is lent to it: the system's own PATH, no PYTHONPATH, a data folder of its own.
Ends with 0 when every step did, and packs the folder with its SHA-256 beside it.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from tests.machine import CHECKOUT
from tests.unit.house_licences_test import GPL_LIBRARIES

FOLDER = CHECKOUT / "dist" / "reading-room"
PROGRAM = FOLDER / ("reading-room.exe" if os.name == "nt" else "reading-room")
TITLE = "Reading Room"
OPEN_WITHIN_S = 120


def environment(home: Path) -> dict[str, str]:
    """What a stranger's machine would lend: the screen, the system's paths, a home of its own."""
    kept = (
        "DISPLAY",
        "XAUTHORITY",
        "WAYLAND_DISPLAY",
        "DBUS_SESSION_BUS_ADDRESS",
        "LANG",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
    )
    lent = {name: os.environ[name] for name in kept if name in os.environ}
    return {
        **lent,
        "PATH": os.defpath,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "XDG_RUNTIME_DIR": str(home),
    }


def step(what: str, ok: bool, more: str = "") -> bool:
    """Say how a step went."""
    print(f"{'ok    ' if ok else 'FAILED'} {what}" + (f": {more}" if more else ""), flush=True)
    return ok


def no_gpl() -> bool:
    """No library known to be GPL lies in the folder."""
    names = [path.name for path in FOLDER.rglob("*") if path.is_file()]
    found = [name for name in names if GPL_LIBRARIES.fullmatch(name)]
    return step(
        "no GPL library inside", not found and len(names) > 300, " ".join(found) or f"{len(names)} files"
    )


def command(home: Path, *words: str) -> bool:
    """One command of the built program ends with 0."""
    started = time.monotonic()
    done = subprocess.run(
        [str(PROGRAM), *words], env=environment(home), cwd=home, capture_output=True, text=True, check=False
    )
    took = f"{time.monotonic() - started:.1f} s"
    if done.returncode:
        print(done.stdout[-3000:], done.stderr[-3000:], sep="\n", flush=True)
    return step(" ".join(words), done.returncode == 0, took)


def visible_window(process: subprocess.Popen[bytes]) -> str:
    """The title of a window that the program shows, "" where it ends first or takes too long."""
    until = time.monotonic() + OPEN_WITHIN_S
    while process.poll() is None and time.monotonic() < until:
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", TITLE, "getwindowname"],
            capture_output=True,
            text=True,
            check=False,
        )
        if found.stdout.strip():
            return found.stdout.splitlines()[0]
        time.sleep(0.5)
    return ""


def window(home: Path) -> bool:
    """The window opens on demo data, without a network, and goes away when asked to."""
    if not sys.platform.startswith("linux"):
        return step("window", True, "look at it by hand on this platform")
    with subprocess.Popen([str(PROGRAM), "--demo"], env=environment(home), cwd=home) as process:
        title = visible_window(process)
        picture = CHECKOUT / "build" / "installer" / "window.png"
        shown = bool(title) and screenshot(picture)
        process.terminate()
    return step(
        "window", shown and process.returncode == 0, f"{title!r}, {picture}, ended with {process.returncode}"
    )


def screenshot(target: Path) -> bool:
    """The whole virtual screen as a picture, by Qt of the environment."""
    from PySide6.QtGui import QGuiApplication

    os.environ["QT_QPA_PLATFORM"] = "xcb"
    app = QGuiApplication.instance() or QGuiApplication([])
    assert isinstance(app, QGuiApplication)
    return app.primaryScreen().grabWindow(0).save(str(target))


def pack() -> bool:
    """The folder as one file with its hash beside it."""
    text = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    version = text.split('version = "')[1].split('"')[0]
    name = f"reading-room-{version}-{platform.system().lower()}-{platform.machine().lower()}"
    if os.name == "nt":
        packed = Path(shutil.make_archive(str(FOLDER.parent / name), "zip", FOLDER.parent, FOLDER.name))
    else:
        packed = FOLDER.parent / f"{name}.tar.gz"
        with tarfile.open(packed, "w:gz", compresslevel=3) as archive:  # a fifth of the time for a tenth more
            archive.add(FOLDER, FOLDER.name)
    with packed.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    packed.with_name(packed.name + ".sha256").write_text(f"{digest}  {packed.name}\n", encoding="utf-8")
    return step("packed", True, f"{packed.name}, {packed.stat().st_size / 2**20:.0f} MiB, {digest}")


def main() -> int:
    """All steps; the first that fails ends it with 1."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        steps = (
            no_gpl,
            lambda: command(home, "--version"),
            lambda: command(home, "doctor", "--data", str(home / "data")),
            lambda: command(home, "rehearse"),
            lambda: window(home),
            pack,
        )
        return 0 if all(one() for one in steps) else 1


if __name__ == "__main__":
    sys.exit(main())
