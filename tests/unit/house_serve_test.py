"""`reading-room serve` is the core alone: no Qt, no VTK, nor any other heavy module at its start."""

import json
import os
import re
import subprocess
import sys

from tests.machine import CHECKOUT

WINDOW = {"PySide6", "shiboken6", "qtpy", "qtawesome", "vtk", "vtkmodules", "SimpleITK", "workstation"}
HEAVY = {"highdicom", "hl7apy", "ctranslate2", "tokenizers", "matplotlib", "pypdfium2", "sounddevice"}
START = "import sys; from pacs_core.runtime.__main__ import main; sys.exit(main())"
IMPORTED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)


def imported_by_serve(data, first=START):
    """Top-level modules that a node has imported when it says READY, and its exit code after SIGTERM."""
    ports = [word for name in ("dicom", "hl7", "http") for word in (f"--{name}", "127.0.0.1:0")]
    with (data / "imports").open("w+", encoding="utf-8") as imports:
        node = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-c", first, "serve", "--data", str(data / "node"), *ports],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=imports,
            text=True,
        )
        with node:
            ready = node.stdout.readline()
            node.terminate()
        imports.seek(0)
        said = imports.read()
    assert ready.startswith("READY "), said[-2000:]
    assert json.loads(ready.removeprefix("READY "))["pid"] == node.pid
    return {name.partition(".")[0] for name in IMPORTED.findall(said)}, node.returncode


def test_serve_loads_neither_window_nor_heavy_modules_and_ends_well(tmp_path):
    modules, code = imported_by_serve(tmp_path)
    assert "pacs_core" in modules
    assert "sqlalchemy" in modules
    assert modules & WINDOW == set()
    assert modules & HEAVY == set()
    assert code == (0 if os.name == "posix" else 1)  # Windows knows no polite end


def test_a_window_that_was_loaded_would_be_seen(tmp_path):
    modules, _ = imported_by_serve(tmp_path, "import PySide6.QtCore, vtkmodules.vtkCommonCore; " + START)
    assert {"PySide6", "vtkmodules"} <= modules
