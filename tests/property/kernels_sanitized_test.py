"""The compiled modules under the address and undefined-behaviour sanitizers, over edges and rubbish."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.machine import CHECKOUT, missing

SOURCES = [
    "workstation/imaging/_kernels.c", "workstation/imaging/_fusion.c", "workstation/imaging/_project.c",
    "pacs_core/dicom/_scan.c",
]  # fmt: skip
FLAGS = [
    "-std=c11", "-shared", "-fPIC", "-O1", "-g1", "-fno-math-errno", "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
]  # fmt: skip
SECONDS = 6.0


def built(compiler: str, source: str, folder: Path) -> None:
    target = folder / f"{Path(source).stem}.so"
    include = sysconfig.get_paths()["include"]
    command = [compiler, *FLAGS, "-w", f"-I{include}", str(CHECKOUT / source), "-o", str(target), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(300)
def test_no_memory_error_and_nothing_undefined(tmp_path: Path) -> None:
    compiler = shutil.which("gcc")
    if not sys.platform.startswith("linux") or compiler is None:
        missing("sanitizers need gcc on Linux")
    library = subprocess.run(
        [compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not Path(library).is_absolute():
        missing("gcc has no libasan")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda source: built(compiler, source, tmp_path), SOURCES))
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.kernels_driven", str(tmp_path), str(SECONDS)],
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
