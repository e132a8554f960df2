"""Compiled modules built anew under the address and undefined-behaviour sanitizers, driven in a process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.machine import CHECKOUT, missing

# unoptimised: building took longer than driving, and nothing undefined is optimised away before it is seen
FLAGS = [
    "-std=c11", "-shared", "-fPIC", "-O0", "-g1", "-fno-math-errno", "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
]  # fmt: skip


def drive(driver: str, sources: Sequence[str], folder: Path, seconds: float) -> None:
    """Build the sources into the folder and run ``python -m DRIVER FOLDER SECONDS``, which says its rounds.

    Fails on the first thing a sanitizer finds; left out (never in CI) where there is no gcc with them.
    """
    compiler = shutil.which("gcc")
    if not sys.platform.startswith("linux") or compiler is None:
        missing("sanitizers need gcc on Linux")
    told = subprocess.run(
        [compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    library = told.stdout.strip()
    if not Path(library).is_absolute():
        missing("gcc has no libasan")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda source: _build(compiler, source, folder), sources))
    done = subprocess.run(
        [sys.executable, "-m", driver, str(folder), str(seconds)],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "LD_PRELOAD": library,
            "ASAN_OPTIONS": "detect_leaks=0,abort_on_error=0",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "PYTHONMALLOC": "malloc",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    assert "rounds on" in done.stdout


def _build(compiler: str, source: str, folder: Path) -> None:
    target = folder / f"{Path(source).stem}.so"
    include = sysconfig.get_paths()["include"]
    command = [compiler, *FLAGS, "-w", f"-I{include}", str(CHECKOUT / source), "-o", str(target), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
