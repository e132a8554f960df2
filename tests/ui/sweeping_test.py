"""What Python's collector destroys of Qt, it destroys on the window's thread, whoever allocates meanwhile."""

from __future__ import annotations

import gc
import threading

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from workstation.ui.sweeping import Sweeping

FAR_PAST_EVERY_THRESHOLD = 200_000


class Ring(QWidget):
    """A widget nobody holds but itself."""

    def __init__(self, ended: list[str]) -> None:
        super().__init__()
        self.itself = self
        self.destroyed.connect(
            lambda _gone: ended.append(threading.current_thread().name), Qt.ConnectionType.DirectConnection
        )


def _allocate_elsewhere() -> list[list[int]]:
    """So much that the collector has a reason; what was allocated is kept."""
    kept: list[list[int]] = []
    thread = threading.Thread(
        target=lambda: kept.extend([number] for number in range(FAR_PAST_EVERY_THRESHOLD)), name="elsewhere"
    )
    thread.start()
    thread.join()
    return kept


def test_a_widget_in_a_cycle_ends_on_the_windows_thread(qtbot: QtBot) -> None:
    ended: list[str] = []
    sweeping = Sweeping()
    try:
        Ring(ended)
        kept = _allocate_elsewhere()
        assert (ended, len(kept)) == ([], FAR_PAST_EVERY_THRESHOLD)
        qtbot.waitUntil(lambda: bool(ended), timeout=15_000)
    finally:
        sweeping.end()
    assert ended == [threading.main_thread().name]


def test_without_it_the_thread_that_allocates_would_destroy_it(qtbot: QtBot) -> None:
    """What the sweeping is for; when the bindings one day prevent this themselves, it can go."""
    ended: list[str] = []
    Ring(ended)
    _allocate_elsewhere()
    assert ended == ["elsewhere"]


def test_the_collector_is_afterwards_as_it_was(qtbot: QtBot) -> None:
    assert gc.isenabled()
    sweeping = Sweeping()
    assert not gc.isenabled()
    assert gc.get_freeze_count()
    sweeping.end()
    assert gc.isenabled()
    assert not gc.get_freeze_count()
