"""The ray caster under the address and undefined-behaviour sanitizers, over edges and rubbish."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine import CHECKOUT, missing
from tests.property.kernels_sanitized_test import built

SECONDS = 4.0


@pytest.mark.timeout(300)
def test_no_memory_error_and_nothing_undefined(tmp_path: Path) -> None:
    compiler = shutil.which("gcc")
    if not sys.platform.startswith("linux") or compiler is None:
        missing("sanitizers need gcc on Linux")
    told = subprocess.run(
        [compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    library = told.stdout.strip()
    if not Path(library).is_absolute():
        missing("gcc has no libasan")
    built(compiler, "workstation/rendering/_raycast.c", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.raycast_driven", str(tmp_path), str(SECONDS)],
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
