"""A monitor's calibration and the log of its checks, as one JSON-lines file that only grows.

A line is a calibration or a check; a damaged line (a power cut in its midst) is left out, the others stay.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from workstation.imaging.gsdf import Characteristic, GsdfError, conformance, display_table

DUE_AFTER = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at on a monitor: `kind` "calibration", "luminance" (18 steps) or "visual".

    `at` is the instant (ISO, UTC, Z); `levels` DDL of a calibration, `p_values` those of a luminance check,
    `cd_m2` what was measured, `ambient` cd/m²; `answers` of a visual check by what was asked.
    """

    monitor: str
    kind: str
    at: str
    by: str
    levels: tuple[int, ...] = ()
    p_values: tuple[float, ...] = ()
    cd_m2: tuple[float, ...] = ()
    ambient: float = 0.0
    answers: tuple[tuple[str, bool], ...] = ()
    note: str = ""

    @property
    def characteristic(self) -> Characteristic:
        """What the monitor gives; raises GsdfError."""
        return Characteristic(self.levels, self.cd_m2, self.ambient)

    def passed(self, tolerance: float = 0.10) -> bool:
        """Whether the check was good; a calibration is when a table can be made of it."""
        try:
            if self.kind == "calibration":
                return bool(display_table(self.characteristic))
            if self.kind == "luminance":
                return conformance(self.p_values, self.cd_m2, self.ambient).passes(tolerance)
        except GsdfError:
            return False
        return bool(self.answers) and all(good for _, good in self.answers)


@dataclass(frozen=True, slots=True)
class State:
    """A monitor as the log has it: its newest calibration and check, and why it should not be read on."""

    calibration: Check | None
    last: Check | None
    reason: str

    @property
    def is_good(self) -> bool:
        return not self.reason


class QaLog:
    """The log in a file; each entry is on the disk before `add` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, check: Check) -> None:
        """Append one entry and sync it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        data = (json.dumps(asdict(check), ensure_ascii=False) + "\n").encode()
        with self.path.open("ab+") as file:
            file.seek(0, os.SEEK_END)
            if file.tell() > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    data = b"\n" + data
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def entries(self, monitor: str = "") -> tuple[Check, ...]:
        """All entries, or those of one monitor, oldest first."""
        try:
            lines = self.path.read_bytes().decode("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return ()
        found = [c for line in lines if (c := _check(line)) is not None]
        return tuple(c for c in found if not monitor or c.monitor == monitor)

    def state(self, monitor: str, now: datetime | None = None) -> State:
        """Whether a monitor may be read on: calibrated, checked this month, the last check good."""
        entries = self.entries(monitor)
        calibration = next((c for c in reversed(entries) if c.kind == "calibration" and c.passed()), None)
        last = entries[-1] if entries else None
        if calibration is None:
            return State(None, last, "this monitor is not calibrated")
        if last is not None and not last.passed():
            return State(calibration, last, "this monitor failed its last check")
        when = _instant(last.at) if last is not None else None
        if when is None or (now or datetime.now(UTC)) - when > DUE_AFTER:
            return State(calibration, last, "this monitor's monthly check is due")
        return State(calibration, last, "")

    def table(self, monitor: str) -> tuple[int, ...] | None:
        """The display table of a monitor's newest good calibration; None for one that has none."""
        calibration = self.state(monitor).calibration
        return display_table(calibration.characteristic) if calibration is not None else None


def _check(line: str) -> Check | None:
    try:
        data: dict[str, Any] = json.loads(line)
        return Check(
            monitor=str(data["monitor"]),
            kind=str(data["kind"]),
            at=str(data["at"]),
            by=str(data["by"]),
            levels=tuple(int(v) for v in data.get("levels", ())),
            p_values=tuple(float(v) for v in data.get("p_values", ())),
            cd_m2=tuple(float(v) for v in data.get("cd_m2", ())),
            ambient=float(data.get("ambient", 0.0)),
            answers=tuple((str(q), bool(good)) for q, good in data.get("answers", ())),
            note=str(data.get("note", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
