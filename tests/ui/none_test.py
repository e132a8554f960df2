"""None survives the bindings: a window repaints for a day."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os
os.environ["QT_QPA_PLATFORM"] = "offscreen"
import workstation.ui
from PySide6.QtWidgets import QApplication, QWidget
app = QApplication([])
window = QWidget()
for _ in range(200_000):
    window.repaint()
print("alive")
"""


def test_none_outlives_two_hundred_thousand_calls_into_qt() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.strip() == "alive", done.stderr[-500:]
