"""Cycles of Python objects are collected on the window's thread alone.

Python's collector runs on whichever thread happens to allocate. When a cycle it finds holds a widget, a timer
or a model, Qt's object is destroyed there and then, on a thread that must not touch it, while the window's
thread may be painting it or telling a screen reader of it.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 500


class Sweeping(QObject):
    """From now until `end`, the automatic collector rests and a timer of this thread does its work.

    What is there already stays out of it, so that a sweep does not go through every module again and again.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_on = gc.isenabled()
        gc.disable()
        gc.freeze()
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.sweep)
        self._timer.start()

    def sweep(self) -> None:
        """Collect the oldest generation whose threshold is passed, as the collector would by itself."""
        passed = [
            number
            for number, (count, most) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
            if most and count > most
        ]
        if passed:
            gc.collect(max(passed))

    def end(self) -> None:
        """The collector is as it was before."""
        self._timer.stop()
        gc.unfreeze()
        if self._was_on:
            gc.enable()
