"""Long days of signals: the constants of the language outlive what Qt's bindings take from them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

A_LONG_DAY = """
import workstation.ui
from PySide6.QtCore import QObject, Signal

class Source(QObject):
    said = Signal(int)

source = Source()
for number in range(50_000):
    source.said.emit(number)
    source.setObjectName("x")
print("alive")
"""


def test_a_process_outlives_very_many_signals_and_calls() -> None:
    done = subprocess.run(
        [sys.executable, "-c", A_LONG_DAY],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr
