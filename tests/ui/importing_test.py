"""Files dropped on the window come into the archive; what stays out is listed with its reason."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QProgressBar
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from tests.ui.conftest import PATIENCE_MS, named
from workstation.session.importing import Import
from workstation.ui.shell import Workstation
from workstation.ui.worklist.importing import LeftOut

Open = Callable[..., Workstation]


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """A patient's disc: three images, one of them twice, a viewer, a DICOMDIR and a zip with an image."""
    folder = tmp_path / "disc"
    (folder / "IMAGES").mkdir(parents=True)
    for name, number in (("1", 1), ("2", 2), ("2 copy", 2)):
        (folder / "IMAGES" / name).write_bytes(b"DICM image %d" % number)
    (folder / "VIEWER.EXE").write_bytes(b"MZ")
    (folder / "DICOMDIR").write_bytes(b"DICM directory")
    with zipfile.ZipFile(folder / "more.zip", "w") as packed:
        packed.writestr("3", b"DICM image 3")
        packed.writestr("../4", b"DICM image 4")
    return folder


def drop(window: Workstation, *paths: Path) -> bool:
    """Drag files onto the window and let go; whether the window took them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    over = entering(window, data)
    if not over.isAccepted():
        return False
    at, keys = QPointF(window.rect().center()), Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(
        window, QDropEvent(at, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, keys)
    )
    return True


def entering(window: Workstation, data: QMimeData) -> QDragEnterEvent:
    """Drag something over the window."""
    at, keys = QPointF(window.rect().center()), Qt.KeyboardModifier.NoModifier
    over = QDragEnterEvent(at, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, keys)
    QApplication.sendEvent(window, over)
    return over


def told(window: Workstation) -> str:
    """What the line over the worklist says; empty where there is none."""
    found = [
        w.text()
        for w in window.findChildren(QLabel)
        if w.isVisible() and w.accessibleName().startswith(("Import", "The import"))
    ]
    return found[0] if found else ""


def test_a_disc_that_is_dropped_is_imported_and_what_stayed_out_is_listed(
    open_window: Open, archive: FakeArchive, qtbot: QtBot, disc: Path
) -> None:
    window = open_window(archive)
    window.go("settings")
    assert drop(window, disc)
    wanted = "Imported: 3 images stored · 1 already there · 2 stayed out · 1 study"
    qtbot.waitUntil(lambda: told(window) == wanted, timeout=PATIENCE_MS)
    assert archive.brought == [b"DICM image 1", b"DICM image 2", b"DICM image 2", b"DICM image 3"]
    button = named(window, "What stayed out", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()
    (dialog,) = window.findChildren(LeftOut)
    listed = [(Path(line.path).name, line.outcome, line.words) for line in dialog.table.rows_model.rows]
    assert listed == [
        ("VIEWER.EXE", "not DICOM", "no DICM prefix"),
        ("4", "refused", "a name that points outside the zip"),
    ]
    dialog.reject()


def test_an_import_can_be_stopped_and_goes_on_under_larger_text(
    open_window: Open, archive: FakeArchive, qtbot: QtBot, disc: Path
) -> None:
    archive.storing = threading.Event()
    window = open_window(archive)
    assert drop(window, disc)
    qtbot.waitUntil(lambda: "of about 6 files" in told(window), timeout=PATIENCE_MS)
    assert named(window, "Import progress", QProgressBar).isVisible()
    before = window.desk
    window._scale(+10)
    qtbot.waitUntil(lambda: window.desk is not before and "of about" in told(window), timeout=PATIENCE_MS)
    button = named(window, "Stop the import", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    button.click()
    archive.storing.set()
    qtbot.waitUntil(lambda: told(window).startswith("The import was stopped: "), timeout=PATIENCE_MS)
    assert len(archive.brought) <= 1


def test_a_second_drop_joins_the_first(
    open_window: Open, archive: FakeArchive, qtbot: QtBot, disc: Path, tmp_path: Path
) -> None:
    archive.storing = threading.Event()
    window = open_window(archive)
    assert drop(window, disc / "IMAGES" / "1")
    (tmp_path / "later").write_bytes(b"DICM later")
    assert drop(window, tmp_path / "later")
    archive.storing.set()
    qtbot.waitUntil(lambda: "2 images stored" in told(window), timeout=PATIENCE_MS)
    assert archive.brought == [b"DICM image 1", b"DICM later"]


def test_nothing_is_taken_while_the_window_is_locked_nor_from_elsewhere(
    open_window: Open, archive: FakeArchive, disc: Path
) -> None:
    window = open_window(archive)
    data = QMimeData()
    data.setUrls([QUrl("http://127.0.0.1/a"), QUrl.fromLocalFile(str(disc))])
    assert not entering(window, data).isAccepted()
    window.lock()
    assert not drop(window, disc)
    assert archive.brought == []


def test_an_archive_that_fails_ends_the_import_with_its_words(tmp_path: Path, archive: FakeArchive) -> None:
    (tmp_path / "a").write_bytes(b"DICM")
    (tmp_path / "b").write_bytes(b"DICM")

    def gone() -> FakeArchive:
        raise ConnectionRefusedError("nobody there")

    running = Import(gone, [tmp_path]).begin()  # type: ignore[arg-type]  # a door that is shut
    running._thread.join(30)
    state = running.state()
    assert state.over
    assert isinstance(state.error, ConnectionRefusedError)
    assert state.files == 0
    assert not running.add([tmp_path])
