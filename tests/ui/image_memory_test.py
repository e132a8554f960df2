"""The memory for images: chosen in the settings, kept, and held by the room at once."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QSpinBox
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from tests.ui.conftest import named
from tests.ui.reading_test import open_exam
from workstation.imaging.memory import LEAST_BYTES, cache_bytes
from workstation.session.preferences import Preferences
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]


def test_what_is_chosen_holds_at_once_and_is_kept(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    cache = page.room.loader.cache
    assert cache.limit == cache_bytes(0)
    window.go("settings")
    box = named(window, "Memory for images", QSpinBox)
    assert f"{cache_bytes(0) >> 20} MiB" in box.text()
    box.setValue(700)
    assert cache.limit == 700 << 20
    assert Preferences.load(window.preferences.path).image_memory_mib == 700
    box.setValue(1)
    assert cache.limit == LEAST_BYTES
