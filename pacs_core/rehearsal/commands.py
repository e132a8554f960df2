"""How a simulator that is a process of its own is driven: READY on standard output, JSON lines both ways."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

Command = Callable[..., object]
log = logging.getLogger("reading_room.node")


def serve(
    ready: Mapping[str, object],
    commands: Mapping[str, Command],
    incoming: TextIO | None = None,
    outgoing: TextIO | None = None,
) -> None:
    """Say READY with the facts, then obey ``{"do": name, …arguments}`` line by line until the input ends.

    Each answer is one line: ``{"ok": result}``, or ``{"error": words}``, and the process goes on.
    """
    lines, out = incoming or sys.stdin, outgoing or sys.stdout
    _say(out, "READY " + json.dumps({**ready, "pid": os.getpid()}, ensure_ascii=False))
    for line in lines:
        if line.strip():
            _say(out, json.dumps(_obey(line, commands), ensure_ascii=False))


def _obey(line: str, commands: Mapping[str, Command]) -> dict[str, object]:
    """Carry out one line; the edge of the process, where any failure becomes an answer."""
    try:
        asked = json.loads(line)
        name = asked.pop("do")
        if name not in commands:
            return {"error": f"unknown command {name!r}; known are {', '.join(sorted(commands))}"}
        return {"ok": commands[name](**asked)}
    except Exception as failure:
        log.exception("a command failed")
        return {"error": f"{type(failure).__name__}: {failure}"}


def _say(out: TextIO, line: str) -> None:
    out.write(line + "\n")
    out.flush()
