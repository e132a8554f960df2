"""The rehearsal's reader: the workstation as a process of its own, told what to do, asked what it showed."""

from __future__ import annotations

import sys
from pathlib import Path

from pacs_core.rehearsal.company import Process
from pacs_core.rehearsal.own_process import own_command


def reader_command(data: Path, folder: Path) -> list[str]:
    """How to start the workstation's understudy for the node that holds `data`."""
    words = ["understudy", "--data", str(data), "--folder", str(folder)]
    if getattr(sys, "frozen", False):
        return [sys.executable, *words]
    return own_command("workstation.app", *words)


class Reader(Process):
    """The workstation played by the program; `tell` gives it one thing to do."""

    def __init__(self, data: Path, folder: Path, log: Path | None = None) -> None:
        super().__init__("reader", reader_command(data, folder), log)
