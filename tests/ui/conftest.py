"""A window over a fake archive, driven as a person would, and everything it started ended with the test."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import PASSWORD, FakeArchive, FakeDoor, manifest_of, patient
from tests.support.fake_world import world
from workstation.ui.shell import Settings, Workstation

PATIENCE_MS = 15_000
HARMLESS = ("propagateSizeHints", "raise()")


def named(parent: QWidget, name: str, kind: type[QWidget] = QWidget) -> QWidget:
    """The visible control whose accessible name begins so, as a screen reader would find it."""
    found = [
        w for w in parent.findChildren(kind) if w.accessibleName().startswith(name) and w.isVisibleTo(parent)
    ]
    assert found, (
        f"no control is named {name!r}: "
        f"{sorted({w.accessibleName() for w in parent.findChildren(kind) if w.accessibleName()})}"
    )
    return found[0]


@pytest.fixture(autouse=True)
def _no_qt_warning(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What Qt warns of is a mistake of ours."""
    from workstation.ui.application import make_application

    make_application()
    yield
    said = [
        r.getMessage()
        for r in caplog.records
        if r.getMessage().startswith("Qt:") and r.levelno >= logging.WARNING
    ]
    assert not [text for text in said if not any(h in text for h in HARMLESS)]


@pytest.fixture
def archive() -> FakeArchive:
    """A small hospital without pixels."""
    return world()


@pytest.fixture
def pixels(shared_data: Path) -> FakeArchive:
    """The same, its first exam with a real CT and a prior beside it."""
    return world(shared_data)


@pytest.fixture
def angiogram(shared_data: Path) -> FakeArchive:
    """The first exam is a real run of 75 frames."""
    archive = world()
    manifest, frames = manifest_of(shared_data / "studies" / "xa-cath-75-frames", patient(1))
    archive.manifests["2.25.1"] = replace(manifest, study_uid="2.25.1", accession="ACC00001")
    archive.frames |= frames
    archive.rows_[0] = replace(archive.rows_[0], modality="XA")
    return archive


@pytest.fixture
def open_window(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[..., Workstation]]:
    """`open_window(archive)` is a window on it, signed in.

    `sign_in=False` leaves it at its door, `ready=False` before that opens; `demo=False` is no demo's.
    """
    gc.collect()  # what earlier tests showed: the collector counts objects, not their megabytes
    windows: list[Workstation] = []

    def make(
        *archives: FakeArchive,
        sign_in: bool = True,
        ready: bool = True,
        demo: bool = True,
        size: tuple[int, int] = (1600, 1000),
        folder: Path | None = None,
    ) -> Workstation:
        window = Workstation(FakeDoor(archives, demo), Settings(folder or tmp_path / "workstation"))
        windows.append(window)
        window.resize(*size)
        window.show()
        if ready:
            qtbot.waitUntil(lambda: named(window, "Sign in", QPushButton).isEnabled(), timeout=PATIENCE_MS)
        if sign_in:
            enter(window, archives[0].who.name)
            qtbot.waitUntil(lambda: window.desk is not None, timeout=PATIENCE_MS)
        return window

    yield make
    for window in windows:
        window.close_now()
        window.end()
        window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def enter(window: Workstation, name: str, password: str = PASSWORD) -> None:
    """Type a name and a password at the door."""
    user, secret = named(window, "User", QLineEdit), named(window, "Password", QLineEdit)
    assert isinstance(user, QLineEdit)
    assert isinstance(secret, QLineEdit)
    user.setText(name)
    secret.setText(password)
    button = named(window, "Sign in", QPushButton)
    assert isinstance(button, QPushButton)
    button.click()
