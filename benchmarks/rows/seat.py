"""Memory of the whole workstation, node and window as processes of their own, with 600 slices open."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.pairing import Missing, Seen
from benchmarks.rows.loading import ACCESSION, series

NAME = "memory with 600 slices open, whole workstation over idle"
PASSWORD = "bench-Mark-600"
FREE = tuple(w for door in ("dicom", "hl7", "http") for w in (f"--{door}", "127.0.0.1:0"))
PATIENCE_S = 300


def works() -> Iterator[Seen | Missing]:
    """The row."""
    if not Path("/proc/self/smaps_rollup").exists():
        yield Missing(NAME, "its pixels", "the system does not tell what a process holds alone")
        return
    folder = Path(tempfile.mkdtemp(prefix="reading-room-bench-"))
    try:
        yield _measured(folder / "data", folder / "window")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(data: Path, window: Path) -> Seen:
    for name, role in (("keeper", "admin"), ("reader", "reader")):
        _command("user", "add", name, "--role", role, "--password-stdin", "--data", str(data), said=PASSWORD)
    _command("import", "--data", str(data), str(series().folder))
    with _process("-m", "pacs_core.runtime", "serve", "--data", str(data), *FREE) as node:
        _line(node)
        words = ("-m", "benchmarks._seat_child", str(data), str(window), "reader", PASSWORD, ACCESSION)
        with _process(*words) as seat:
            _told(seat, "idle")
            idle = _held(node.pid, seat.pid)
            _go_on(seat)
            pixels = _told(seat, "open")
            grown = _held(node.pid, seat.pid) - idle
    quality = f"{idle / 2**20:.0f} MiB idle"
    return Seen(NAME, "its pixels", "MiB", grown / 2**20, pixels / 2**20, 450, 250, quality)


def _environment() -> dict[str, str]:
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen"}


def _command(*words: str, said: str = "") -> None:
    told = [sys.executable, "-m", "pacs_core.runtime", *words]
    subprocess.run(told, input=said, text=True, check=True, timeout=PATIENCE_S, stdout=subprocess.DEVNULL)


@contextmanager
def _process(*words: str) -> Iterator[subprocess.Popen[str]]:
    made = subprocess.Popen(
        [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
    )
    try:
        yield made
    finally:
        made.terminate()
        made.communicate(timeout=PATIENCE_S)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _told(seat: subprocess.Popen[str], what: str) -> int:
    """The bytes of pixels told with the line `what`."""
    found = json.loads(_line(seat) or "{}")
    if found.get("at") != what:
        raise RuntimeError(f"the workstation did not come to {what}")
    return int(found["pixels"])


def _go_on(seat: subprocess.Popen[str]) -> None:
    assert seat.stdin is not None
    seat.stdin.write("\n")
    seat.stdin.flush()


def _held(*pids: int) -> int:
    """Bytes that the processes hold, what they share divided among them (proportional set size)."""
    found = 0
    for pid in pids:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        found += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) << 10
    return found
