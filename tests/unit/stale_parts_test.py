"""`doctor` tells compiled parts that are older than their source from parts that are missing."""

from __future__ import annotations

import os
from pathlib import Path

from workstation.app import _stale_parts


def tree(root: Path) -> tuple[Path, Path]:
    room = root / "workstation" / "imaging"
    room.mkdir(parents=True)
    (root / "pacs_core").mkdir()
    source, made = room / "_kernels.c", room / "_kernels.cpython-311-x86_64-linux-gnu.so"
    for file in (source, made, room / "loops.h"):
        file.touch()
        os.utime(file, (1000, 1000))
    return source, made


def test_parts_as_new_as_their_source_are_not_named(tmp_path: Path) -> None:
    source, made = tree(tmp_path)
    assert not list(_stale_parts(tmp_path))
    made.unlink()
    os.utime(source, (2000, 2000))
    assert not list(_stale_parts(tmp_path))


def test_older_ones_are(tmp_path: Path) -> None:
    source, made = tree(tmp_path)
    os.utime(source.with_name("loops.h"), (2000, 2000))
    (check,) = _stale_parts(tmp_path)
    assert (check.state, check.words) == ("warn", "workstation/imaging/_kernels is older than its source")
    os.utime(made, (3000, 3000))
    assert not list(_stale_parts(tmp_path))
