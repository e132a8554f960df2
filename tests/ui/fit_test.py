"""Every word of every place fits, at each size of screen and text; outside the images nothing is bright."""

from __future__ import annotations

import colorsys
import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QPushButton, QWidget
from pytestqt.exceptions import TimeoutError as NotInTime
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from workstation.ui import theme
from workstation.ui.reading.cell import ImageCell
from workstation.ui.reading.series_strip import SeriesTile
from workstation.ui.shell import Workstation
from workstation.ui.widgets.basics import Elided

PATIENCE_MS = 60_000
SETTLED_MS = 6_000
SCREENS = {"laptop": (1366, 768), "desktop": (1920, 1080), "upright": (1200, 1920)}
PLACES = ("worklist", "read", "schedule", "inbox", "settings")
SLACK = 1
"""Device-independent pixels a font's own rounding may take."""


@pytest.fixture
def at_scale(qapp: QApplication) -> Iterator[Callable[[float], None]]:
    """Sets the text size; the size before comes back."""
    before = theme.current().scale
    yield lambda scale: theme.change(scale=scale)
    theme.change(scale=before)


def in_sight(widget: QWidget, window: QWidget) -> bool:
    """Whether any of it shows, or would by scrolling (so that it has its size)."""
    return widget.isVisibleTo(window) and widget.width() > 0 and widget.height() > 0


def too_small(widget: QLabel | QAbstractButton) -> bool:
    """Whether its words do not fit into it."""
    text = widget.text()
    if not text.strip():
        return False
    if isinstance(widget, QLabel) and widget.wordWrap():
        return widget.heightForWidth(widget.width()) > widget.height() + SLACK
    if isinstance(widget, QLabel):
        inside = widget.contentsRect().width() - 2 * widget.margin()
        return widget.fontMetrics().horizontalAdvance(text) > inside + SLACK
    return widget.sizeHint().width() > widget.width() + SLACK


def cut_off(window: QWidget) -> list[str]:
    """Labels and buttons whose words are cut. What ends in … by intent says all of it in its tool-tip."""
    found: list[str] = []
    worded: list[QLabel | QAbstractButton] = [*window.findChildren(QLabel)]
    worded += window.findChildren(QAbstractButton)
    for widget in worded:
        if not in_sight(widget, window) or isinstance(widget, Elided | SeriesTile):
            continue
        if too_small(widget):
            found.append(f"{type(widget).__name__} {widget.text()!r} in {widget.width()}×{widget.height()}")
    return found


def off_the_window(window: QWidget) -> list[str]:
    """Buttons that lie beyond the window's edge, where no scrolling brings them."""
    room = QRect(QPoint(0, 0), window.size())
    found = []
    for widget in window.findChildren(QPushButton):
        if widget.isVisible() and not _scrolls(widget):
            place = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
            if not room.contains(place):
                found.append(f"{widget.text()!r} at {place.getRect()}")
    return found


def _scrolls(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None:
        if parent.inherits("QAbstractScrollArea"):
            return True
        parent = parent.parentWidget()
    return False


@pytest.mark.parametrize("percent", [100, 150, 200])
def test_no_word_is_cut_in_any_place_on_any_screen(
    at_scale: Callable[[float], None],
    open_window: Callable[..., Workstation],
    pixels: FakeArchive,
    qtbot: QtBot,
    percent: int,
) -> None:
    """`at_scale` comes first, so that the window has gone when the size before comes back."""
    window = open_window(pixels)
    rooms = window._rooms
    at_scale(percent / 100)
    qtbot.waitUntil(lambda: percent == 100 or window._rooms is not rooms, timeout=PATIENCE_MS)
    read_first(window, pixels, qtbot)
    faults: list[str] = []
    for screen, size in SCREENS.items():
        window.resize(*size)
        faults += [f"{screen}, {fault}" for fault in faults_of(window, qtbot)]
        assert (window.width(), window.height()) == size
    assert not faults, "\n".join(faults)


def faults_of(window: Workstation, qtbot: QtBot) -> list[str]:
    """What is cut or off the window in each place, once its layouts had time to settle."""
    faults: list[str] = []
    for place in PLACES:
        window.go(place)
        QApplication.processEvents()
        with contextlib.suppress(NotInTime):  # said below, with what is cut
            qtbot.waitUntil(lambda: not cut_off(window) + off_the_window(window), timeout=SETTLED_MS)
        faults += [f"{place}: {one}" for one in cut_off(window) + off_the_window(window)]
    return faults


def read_first(window: Workstation, archive: FakeArchive, qtbot: QtBot) -> None:
    """Open the first exam, as the worklist would."""
    assert window.desk is not None
    window.go("read")
    study = next(row.study_uid for row in archive.rows_ if row.study_uid in archive.manifests)
    window.desk.session.wanted.emit(study)
    qtbot.waitUntil(
        lambda: any(c.shown.picture is not None for c in window.findChildren(ImageCell)), timeout=PATIENCE_MS
    )


def test_outside_the_images_nothing_is_brighter_than_the_theme_allows(
    open_window: Callable[..., Workstation], pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels, size=(1600, 1000))
    before = theme.current().key
    try:
        for key in theme.THEMES:
            rooms = window._rooms
            theme.change(key=key)
            qtbot.waitUntil(
                lambda was=rooms, k=key: k == before or window._rooms is not was, timeout=PATIENCE_MS
            )
            read_first(window, pixels, qtbot)
            for place in PLACES:
                window.go(place)
                qtbot.waitUntil(lambda: window.tasks.idle, timeout=PATIENCE_MS)
                assert brightest_ground(window) <= allowed() + 0.01, (key, place)
    finally:
        theme.change(key=before)


def allowed() -> float:
    """Lightness of the lightest surface that the theme has: its raised one, or a button's accent."""
    look = theme.current()
    return max(lightness(look.colour(name)) for name in ("ground", "panel", "raised", "accent"))


def lightness(colour: QColor) -> float:
    """HLS lightness, 0-1."""
    return colorsys.rgb_to_hls(colour.redF(), colour.greenF(), colour.blueF())[1]


def brightest_ground(window: QWidget) -> float:
    """Lightness of the brightest surface outside the cells: what fills 12 × 12 pixels and more."""
    image = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    shown = lines[:, : image.width() * 3].reshape(image.height(), image.width(), 3)
    light = shown.max(axis=2).astype(np.uint16) + shown.min(axis=2)
    ratio = image.devicePixelRatio()
    for cell in (*window.findChildren(ImageCell), *window.findChildren(SeriesTile)):
        if cell.isVisible():
            corner = cell.mapTo(window, QPoint(0, 0)) * ratio
            size = cell.size() * ratio
            light[corner.y() : corner.y() + size.height(), corner.x() : corner.x() + size.width()] = 0
    for _ in range(11):  # the darkest of each 12 × 12 neighbourhood: thin strokes of letters vanish
        light = np.minimum(light[:-1], light[1:])
    for _ in range(11):
        light = np.minimum(light[:, :-1], light[:, 1:])
    return float(light.max()) / 510
