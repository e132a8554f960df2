"""Folders of demos that were killed go at the next start; a running one's and fresh ones stay."""

from __future__ import annotations

import os
from pathlib import Path

from pacs_core.runtime.data_folder import Hold
from pacs_core.runtime.demo import ABANDONED_S, PREFIX, forget_left_over

NOW = 1_000_000.0


def folder(place: Path, name: str, age: float) -> Path:
    made = place / f"{PREFIX}{name}"
    made.mkdir()
    index = made / "index.sqlite"
    index.touch()
    (made / "lock").touch()
    os.utime(index, (NOW - age, NOW - age))
    return made


def test_only_what_nobody_holds_and_is_old_goes(tmp_path: Path) -> None:
    left, fresh = folder(tmp_path, "left", ABANDONED_S + 1), folder(tmp_path, "fresh", ABANDONED_S - 1)
    runs = folder(tmp_path, "runs", ABANDONED_S + 1)
    other, unmade = tmp_path / "reading-room", tmp_path / f"{PREFIX}unmade"
    other.mkdir()
    unmade.mkdir()
    hold = Hold(runs)
    forget_left_over(tmp_path, NOW)
    assert sorted(tmp_path.iterdir()) == sorted([fresh, runs, other, unmade])
    assert not left.exists()
    hold.release()
    forget_left_over(tmp_path, NOW)
    assert not runs.exists()
