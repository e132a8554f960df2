"""The archives that are measured, each a real process on the same disk, its configuration printed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 60.0
CHECKOUT = Path(__file__).parents[2]
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
NODELAY = {**os.environ, "TCP_NODELAY": "1"}
"""Debian's DCMTK, and with it Orthanc, leaves Nagle's algorithm on without this: 40 ms an object."""


@dataclass
class Server:
    """A server that answers on a port; `ready_s` is how long that took."""

    name: str
    title: str
    port: int
    process: subprocess.Popen[bytes]
    ready_s: float
    told: str

    def processor_s(self) -> float:
        """Seconds of processor time that it and its ended children used (those of running children too)."""
        total = _times(self.process.pid, ended=True)
        return total + sum(_times(pid, ended=True) for pid in _children(self.process.pid))

    def memory_mb(self, peak: bool = False) -> float:
        """Resident memory now, or the most there was."""
        key = "VmHWM:" if peak else "VmRSS:"
        for line in Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(key):
                return int(line.split()[1]) / 1024
        return 0.0


def _times(pid: int, ended: bool) -> float:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return 0.0
    fields = text.rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended else 13])) / TICKS


def _children(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except FileNotFoundError:
        return []


def missing(program: str) -> str:
    """Why a server cannot be measured here; empty where it can."""
    return "" if _found(program) else f"{program} is not installed"


def _found(program: str) -> str | None:
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")


def free_port() -> int:
    """A port that was free just now, for programs that take no 0."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def _running(name: str, title: str, port: int, command: list[str], told: str, cwd: Path) -> Iterator[Server]:
    began = time.perf_counter()
    log = (cwd / f"{name.split(maxsplit=1)[0]}.log").open("wb")
    with log, subprocess.Popen(command, cwd=cwd, env=NODELAY, stdout=log, stderr=log) as process:
        try:
            _wait_for(port, process)
            ready = time.perf_counter() - began
            yield Server(name, title, port, process, ready, told)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.005)
        else:
            return
    raise RuntimeError("the server did not listen in time")


@contextmanager
def ours(folder: Path) -> Iterator[Server]:
    """This checkout's `serve` as it is shipped."""
    folder.mkdir(parents=True, exist_ok=True)
    doors = [w for door in ("dicom", "hl7", "http") for w in (f"--{door}", "127.0.0.1:0")]
    command = [sys.executable, "-m", "pacs_core.runtime", "serve", "--data", str(folder / "data"), *doors]
    began = time.perf_counter()
    with (
        (folder / "ours.log").open("wb") as log,
        subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline().decode()
            ready = time.perf_counter() - began
            port = int(json.loads(line.removeprefix("READY "))["dicom"].rsplit(":", 1)[1])
            told = "serve --data FOLDER, every default: digest, reconciliation, audit, all tables"
            yield Server("ours", "READINGROOM", port, process, ready, told)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


@contextmanager
def orthanc(folder: Path) -> Iterator[Server]:
    """Debian's Orthanc with SQLite and its own defaults, open to everybody; DCMTK's Nagle off."""
    folder.mkdir(parents=True)
    port = free_port()
    configuration = {
        "StorageDirectory": "storage", "IndexDirectory": "storage",
        "DicomPort": port, "HttpPort": free_port(),
        "DicomCheckCalledAet": False, "DicomAlwaysAllowFind": True, "DicomAlwaysAllowGet": True,
        "MaximumPduLength": 131072, "StableAge": 60, "Plugins": [],
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(configuration), encoding="utf-8")
    shown = {k: v for k, v in configuration.items() if not k.endswith("Port")}
    command = [_found("Orthanc") or "Orthanc", "orthanc.json"]
    with _running("orthanc", "ORTHANC", port, command, json.dumps(shown), folder) as server:
        yield server


@contextmanager
def storescp(folder: Path) -> Iterator[Server]:
    """DCMTK's storescp, a process an association; it keeps no index and syncs nothing."""
    (folder / "got").mkdir(parents=True)
    port = free_port()
    words = ["--fork", "-aet", "STORESCP", "-pdu", "131072", "-od", "got"]
    command = [_found("storescp") or "storescp", *words, str(port)]
    with _running("storescp", "STORESCP", port, command, " ".join(words), folder) as server:
        yield server


@contextmanager
def dcmqrscp(folder: Path) -> Iterator[Server]:
    """DCMTK's dcmqrscp with one storage area."""
    (folder / "area").mkdir(parents=True)
    port = free_port()
    lines = [
        f"NetworkTCPPort = {port}", "MaxPDUSize = 131072", "MaxAssociations = 16",
        "HostTable BEGIN", "HostTable END", "VendorTable BEGIN", "VendorTable END",
        "AETable BEGIN", f"DCMQRSCP {folder / 'area'} RW (10000, 4096mb) ANY", "AETable END",
    ]  # fmt: skip
    (folder / "dcmqrscp.cfg").write_text("\n".join(lines) + "\n", encoding="ascii")
    command = [_found("dcmqrscp") or "dcmqrscp", "-c", "dcmqrscp.cfg"]
    told = "; ".join(lines[1:]).replace(str(folder), "FOLDER")
    with _running("dcmqrscp", "DCMQRSCP", port, command, told, folder) as server:
        yield server
