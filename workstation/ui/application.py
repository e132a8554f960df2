"""The Qt application around one window: started with a door and a folder, ended with its exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from pacs_core.archive.protocol import Door
from workstation.ui import fonts, words
from workstation.ui.shell import Settings, Workstation
from workstation.ui.sweeping import Sweeping
from workstation.ui.tray import Listen, Tray

log = logging.getLogger("reading_room.view")
QUIET = ("This plugin does not support propagateSizeHints", "This plugin does not support raise()")
LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def make_application() -> QApplication:
    """The one application object, named, its messages in our log."""
    qInstallMessageHandler(_qt_message)
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(sys.argv[:1])
    app.setApplicationName("Reading Room")
    app.setApplicationDisplayName("Reading Room")
    app.setDesktopFileName("reading-room")
    app.setQuitOnLastWindowClosed(False)
    fonts.take_up()
    return app


def run(
    door: Door,
    folder: Path,
    on_close: Callable[[bool], None] | None = None,
    sound_file: Path | None = None,
    listen: Listen | None = None,
) -> int:
    """Open the window and stay until it is closed.

    `folder` is the workstation's own (preferences, spool). `on_close` hears whether the core is to go on
    receiving, None where the core is not this window's business. `sound_file` stands in for the microphone,
    `listen` is the core's feed for the tray.
    """
    app = make_application()
    sweeping = Sweeping()
    leaving: list[bool] = []

    def closed(goes_on: bool) -> None:
        leaving.append(goes_on)

    window = Workstation(door, Settings(folder, closed if on_close is not None else None, sound_file))
    tray = Tray(window, app.quit, listen)
    window.closed.connect(lambda: tray.stay() if _stays(leaving) else app.quit())
    _take_signals(window)
    _take_exceptions(window)
    window.show()
    code = app.exec()
    tray.leave()
    window.end()
    sweeping.end()
    if on_close is not None:
        on_close(leaving[-1] and not tray.stopped if leaving else False)
    return int(code)


def _stays(leaving: list[bool]) -> bool:
    """Whether the core goes on and there is a tray to say so; without one it goes on unseen."""
    return bool(leaving and leaving[-1] and Tray.possible())


def _take_signals(window: Workstation) -> None:
    """SIGTERM and Ctrl-C close the window without asking; a timer lets Python see them."""

    def stop(_number: int, _frame: object) -> None:
        window.close_now()
        QApplication.quit()

    for name in ("SIGTERM", "SIGINT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    beat = QTimer(window, interval=250)
    beat.timeout.connect(lambda: None)
    beat.start()


def _take_exceptions(window: Workstation) -> None:
    """The last stop of an unexpected failure: logged, and said in the window; the window stays."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("unexpected failure in the window", exc_info=(kind, error, trace))
        if os.environ.get("READING_ROOM_STRICT"):
            os.abort()
        told = words.failure(error)
        window.status.say(f"{told.title}: {told.words}", "wrong")

    sys.excepthook = hook


def _qt_message(kind: QtMsgType, _context: object, text: str) -> None:
    if not text.startswith(QUIET):
        log.log(LEVELS.get(kind, logging.WARNING), "Qt: %s", text)
