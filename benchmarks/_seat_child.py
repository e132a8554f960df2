"""The whole workstation as a process: signed in at a running node, an exam opened, its memory told.

    python -m benchmarks._seat_child DATA FOLDER USER PASSWORD ACCESSION

Prints ``idle``, a line a JSON object, when the worklist is there, and waits for a line; then opens the exam
and prints ``open`` with the bytes of its pixels once every slice of every cell is loaded, and waits for the
last line.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from pacs_core.runtime.child import find_running
from pacs_core.runtime.doors import open_door
from workstation.imaging.volume import Volume
from workstation.ui.reading.cell import ImageCell
from workstation.ui.understudy import Understudy

PATIENCE_S = 300.0
SETTLE_MS = 1500
"""Pictures are drawn and what was needed for opening is let go; nothing waits on it."""


def main() -> int:
    """Play it."""
    data, folder, user, password, accession = sys.argv[1:]
    application = QApplication(["reading-room"])
    with open_door(find_running(Path(data))) as door:
        player = Understudy(door, Path(folder))
        player.sign_in(user, password)
        player.row(accession)
        _tell("idle", 0)
        player.open(accession)
        _tell("open", sum(volume.pixels.nbytes for volume in _volumes()))
        player.close()
        application.processEvents()
    return 0


def _volumes() -> list[Volume]:
    """The volumes of all cells, each once, whole."""
    requests = [w.request for w in QApplication.allWidgets() if isinstance(w, ImageCell) and w.request]
    return list({id(v): v for v in (r.done.result(PATIENCE_S) for r in requests)}.values())


def _tell(what: str, pixels: int) -> None:
    QTest.qWait(SETTLE_MS)
    gc.collect()
    print(json.dumps({"at": what, "pixels": pixels}), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    raise SystemExit(main())
