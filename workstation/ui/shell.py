"""The main window: sign-in and lock, the rail, the places, the status line. Its world comes as arguments."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QInputEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget, QToolButton, QWidget

from pacs_core.archive.models import NodeInfo
from pacs_core.archive.protocol import Archive, Door
from workstation.session.importing import Imports
from workstation.session.preferences import Preferences
from workstation.ui import language, places, theme, words
from workstation.ui.closing import ask_about_core
from workstation.ui.commands import Command, Commands
from workstation.ui.desk import Desk
from workstation.ui.palette import Palette
from workstation.ui.rail import PLACES, Rail
from workstation.ui.sign_in import SignInPage
from workstation.ui.status_line import StatusLine
from workstation.ui.tasks import Tasks
from workstation.ui.widgets.basics import column, line, row
from workstation.ui.widgets.dropped import paths_of

log = logging.getLogger("reading_room.view")
REBUILD_MS = 300
INPUT = {QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.Wheel}


@dataclass(frozen=True)
class Settings:
    """What the window is told about its world.

    `folder` is the workstation's own (preferences, spool). `on_close` is called with whether the core is to
    go on receiving; None where closing the window is no business of the core (attached, or remote).
    `sound_file` stands in for the microphone where a test speaks.
    """

    folder: Path
    on_close: Callable[[bool], None] | None = None
    sound_file: Path | None = None


class Workstation(QMainWindow):
    """One main window. `door` opens the archive; everything else is in `settings`. `closed`: it has gone."""

    closed = Signal()

    def __init__(self, door: Door, settings: Settings) -> None:
        super().__init__()
        self.door, self.settings = door, settings
        self.preferences = Preferences.load(settings.folder / "preferences.json")
        prefs = self.preferences
        language.take_up(prefs.language)
        theme.apply(
            theme.load(
                prefs.theme if prefs.theme in theme.THEMES else "dark",
                prefs.text_scale / 100,
                prefs.reduced_motion,
            )
        )
        self.tasks = Tasks()
        self.imports = Imports()
        self.setAcceptDrops(True)
        self.desk: Desk | None = None
        self._places: dict[str, QWidget] = {}
        self._asked = self._ended = False
        self._frame()
        self._shape()
        self._anew = QTimer(self, singleShot=True, interval=REBUILD_MS)
        self._anew.timeout.connect(self._rebuild)
        theme.hub().changed.connect(self._anew.start)
        self._idle = QTimer(self, singleShot=True)
        self._idle.timeout.connect(self.lock)
        QApplication.instance().installEventFilter(self)
        self.tasks.failed.connect(self._task_failed)
        self.tasks.ask(self, words.t("warm up"), warm_up, lambda _none: None, lambda _error: None)

    # ── building ─────────────────────────────────────────────────────────────────────────────────────

    def _frame(self) -> None:
        self.setWindowTitle("Reading Room")
        self.setAccessibleName("Reading Room")
        self._sign_in = SignInPage(self.door, self.tasks, self.preferences.last_user)
        self._sign_in.entered.connect(self._enter)
        self._desk_page = QWidget()
        self._whole = QStackedWidget()
        self._whole.addWidget(self._sign_in)
        self._whole.addWidget(self._desk_page)
        self.setCentralWidget(self._whole)
        self._rail = Rail(self.lock, self._show_menu)
        self._rail.chosen.connect(self.go)
        self._rooms = QStackedWidget()
        self.status = StatusLine()
        self.tasks.busy.connect(self.status.busy)
        right = column(self._rooms, line(), self.status, gap=0)
        right.setStretch(0, 1)
        whole = row(self._rail, line(upright=True), right, gap=0)
        whole.setStretch(2, 1)
        self._desk_page.setLayout(whole)

    def _shape(self) -> None:
        kept = self.preferences.window
        screen = self.screen().availableGeometry()
        width, height = (
            kept.get("width", round(screen.width() * 0.94)),
            kept.get("height", round(screen.height() * 0.92)),
        )
        self.setMinimumSize(min(960, screen.width()), min(600, screen.height()))
        self.resize(min(width, screen.width()), min(height, screen.height()))
        if "left" in kept and screen.contains(QPoint(kept["left"] + 40, kept["top"] + 40)):
            self.move(kept["left"], kept["top"])

    def _commands(self) -> Commands:
        commands = Commands(self)
        for number, (key, name, icon) in enumerate(PLACES, 1):
            commands.add(
                Command(
                    f"go.{key}",
                    words.t(name),
                    lambda k=key: self.go(k),
                    words.t("Go"),
                    (f"Ctrl+{number}",),
                    icon=icon,
                )
            )
        palette = Palette(commands)
        commands.add(
            Command(
                "palette",
                words.t("Find a command"),
                palette.open_over,
                words.t("Go"),
                ("Ctrl+K",),
                icon="magnify",
            ),
            Command(
                "menu",
                words.t("Menu"),
                lambda: self._show_menu(self._rail.menu_button),
                words.t("Go"),
                ("F10",),
            ),
            Command("lock", words.t("Lock"), self.lock, words.t("Session"), ("Ctrl+L",), icon="lock-outline"),
            Command("sign_out", words.t("Sign out"), self.sign_out, words.t("Session"), icon="logout"),
            Command(
                "close",
                words.t("Close the window"),
                self.close,
                words.t("Session"),
                ("Ctrl+Q",),
                icon="close",
            ),
            Command(
                "bigger", words.t("Larger text"), lambda: self._scale(+10), words.t("Window"), ("Ctrl++",)
            ),
            Command(
                "smaller", words.t("Smaller text"), lambda: self._scale(-10), words.t("Window"), ("Ctrl+-",)
            ),
            Command("full", words.t("Full screen"), self._full_screen, words.t("Window"), ("F11",)),
        )
        return commands

    # ── coming and going ─────────────────────────────────────────────────────────────────────────────

    def _enter(self, archive: Archive) -> None:
        """Somebody signed in: take the desk up again if it is theirs, else lay a new one."""
        if self.desk is not None and self.desk.archive.who.name == archive.who.name:
            self._unlock(archive)
        else:
            self._clear_desk()
            self._lay_desk(archive)
        self.preferences.last_user = archive.who.name
        self.preferences.save()
        self._whole.setCurrentWidget(self._desk_page)
        self._rest()
        self._show_person()

    def _show_person(self) -> None:
        if self.desk is not None:
            who = self.desk.archive.who
            self.status.person(f"{who.full_name or who.name} · {words.role(who.role)}")

    def _lay_desk(self, archive: Archive) -> None:
        self.desk = places.lay_desk(self, archive)
        for place in ("worklist", "schedule"):
            if places.may_enter(self.desk, place):
                self.go(place)
                break
        self._listen()
        self.tasks.ask(
            self,
            words.t("learn about the node"),
            archive.administration.node,
            self._learn_node,
            lambda _error: None,
        )
        if places.may_enter(self.desk, "read"):
            QTimer.singleShot(0, self, self._prepare_reading)

    def _prepare_reading(self) -> None:
        """Build the place where the day is spent before it is asked for, unless somebody left meanwhile."""
        if self.desk is not None:
            self._place("read")

    def _listen(self) -> None:
        assert self.desk is not None
        bridge = self.desk.bridge
        bridge.lost.connect(lambda error: self.status.connection(words.failure(error).title))
        bridge.back.connect(lambda: self.status.connection(""))
        bridge.signed_out.connect(self._session_ended)
        self.status.connection("")
        bridge.start()

    def _unlock(self, archive: Archive) -> None:
        assert self.desk is not None
        old, self.desk.archive = self.desk.archive, archive
        self.tasks.act(self, words.t("sign out"), old.sign_out, failed=lambda _error: None)
        self.desk.bridge.restart(archive)

    def _session_ended(self, _why: str) -> None:
        self.lock()
        self._sign_in.tell(words.t("Your session ended. Sign in again; your work is kept."))

    def lock(self) -> None:
        """Hide everything until a password is typed; the desk stays as it is."""
        if self.desk is None or self._whole.currentWidget() is self._sign_in:
            return
        who = self.desk.archive.who
        self._sign_in.lock_for(who.name, who.full_name)
        self._whole.setCurrentWidget(self._sign_in)
        self.setWindowTitle("Reading Room")

    def sign_out(self) -> None:
        self._clear_desk()
        self._sign_in.welcome(self.preferences.last_user)
        self._whole.setCurrentWidget(self._sign_in)

    def _rebuild(self) -> None:
        """Another theme, size of text or language: every widget is new in it, what was open is open again."""
        desk, locked = self.desk, self._whole.currentWidget() is self._sign_in
        place = next((k for k, w in self._places.items() if w is self._rooms.currentWidget()), "worklist")
        study = desk.session.study_uid if desk is not None else ""
        self._clear_desk(leave=False)
        self._sign_in.end()
        self._frame()
        if desk is None:
            return
        self._lay_desk(desk.archive)
        self.desk.session.viewed = desk.session.viewed
        if study:
            self.go("read")
            self.desk.session.wanted.emit(study)
        self.go(place)
        self._show_person()
        if not locked:
            self._whole.setCurrentWidget(self._desk_page)
        else:
            self._sign_in.lock_for(desk.archive.who.name, desk.archive.who.full_name)

    def _clear_desk(self, leave: bool = True) -> None:
        """Put everything of the desk away; `leave` ends the person's session with the archive too."""
        if self.desk is None:
            return
        desk, self.desk = self.desk, None
        for close in reversed(desk.closing):
            close()
        desk.bridge.leave()
        for place in self._places.values():
            self._rooms.removeWidget(place)
            place.deleteLater()
        self._places.clear()
        for action in self.actions():
            self.removeAction(action)
        desk.commands.deleteLater()
        if leave:
            self.imports.stop()
            self.imports = Imports()
            self._leave_archive(desk.archive)

    def _leave_archive(self, archive: Archive) -> None:
        self.tasks.act(self, words.t("sign out"), archive.sign_out, failed=lambda _error: None)

    def _learn_node(self, node: NodeInfo) -> None:
        if self.desk is not None:
            self.desk.node = node
        self.status.node(
            f"{node.ae} · {node.dicom}", "\n".join((f"HL7 {node.hl7}", f"HTTP {node.http}", node.data))
        )
        self.status.warn(node.warnings)
        self._rest()

    # ── places ───────────────────────────────────────────────────────────────────────────────────────

    def go(self, key: str) -> None:
        """Show a place; it is built at the first visit."""
        if self.desk is None:
            return
        place = self._place(key)
        self._rooms.setCurrentWidget(place)
        self._rail.show_place(key)
        self.setWindowTitle(f"{words.t({k: n for k, n, _i in PLACES}[key])} · Reading Room")
        entered = getattr(place, "entered", None)
        if entered is not None:
            entered()
        self.desk.commands.refresh()

    def _place(self, key: str) -> QWidget:
        assert self.desk is not None
        if key not in self._places:
            self._places[key] = places.build(self.desk, key)
            self._rooms.addWidget(self._places[key])
        return self._places[key]

    def show_count(self, key: str, count: int) -> None:
        self._rail.buttons[key].set_count(count)

    def _show_menu(self, button: QToolButton) -> None:
        if self.desk is not None:
            menu = self.desk.commands.menu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(button.mapToGlobal(QPoint(button.width(), 0)))

    # ── what is dropped ──────────────────────────────────────────────────────────────────────────────

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._is_open and paths_of(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = paths_of(event.mimeData())
        bring_in = getattr(self._place("worklist"), "bring_in", None) if self._is_open and paths else None
        if bring_in is not None:
            event.acceptProposedAction()
            bring_in(paths)

    @property
    def _is_open(self) -> bool:
        """Somebody is signed in, and the window is not locked."""
        return self.desk is not None and self._whole.currentWidget() is self._desk_page

    # ── small things ─────────────────────────────────────────────────────────────────────────────────

    def _scale(self, step: int) -> None:
        prefs = self.preferences
        prefs.text_scale = min(200, max(80, prefs.text_scale + step))
        prefs.save()
        theme.change(scale=prefs.text_scale / 100)

    def _full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _task_failed(self, what: str, error: Exception) -> None:
        told = words.failure(error)
        self.status.say(f"{told.title}: {told.words}", "wrong" if told.kind == "failed" else "waiting")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QInputEvent) and event.type() in INPUT:
            self._rest()
        return False

    def _rest(self) -> None:
        site = self.desk.node.idle_lock_min if self.desk is not None and self.desk.node else 0
        minutes = min((m for m in (self.preferences.idle_lock_minutes, site) if m), default=0)
        if self.desk is not None and minutes:
            self._idle.start(minutes * 60_000)

    def closeEvent(self, event: QCloseEvent) -> None:
        goes_on = self.preferences.core_on_close == "goes on"
        if self.settings.on_close is not None and not self._asked:
            answer = ask_about_core(self, self.preferences)
            if answer is None:
                event.ignore()
                return
            goes_on = answer
        area = self.normalGeometry()
        self.preferences.window = {
            "left": area.x(),
            "top": area.y(),
            "width": area.width(),
            "height": area.height(),
        }
        self.preferences.save()
        self._clear_desk()
        self._sign_in.welcome(self.preferences.last_user)
        self._whole.setCurrentWidget(self._sign_in)
        self.tasks.finish()
        if self.settings.on_close is not None:
            self.settings.on_close(goes_on)
        event.accept()
        self.closed.emit()

    def close_now(self) -> None:
        """Close without asking: the machine wants the program to end."""
        self._asked = True
        self.close()

    def end(self) -> None:
        """The program ends: finish the changes that were begun, stop every thread and timer of the window."""
        if not self._ended:
            theme.hub().changed.disconnect(self._anew.start)
        self._ended = True
        self._anew.stop()
        self._clear_desk()
        self._idle.stop()
        self._anew.stop()
        QApplication.instance().removeEventFilter(self)
        self._sign_in.end()
        self.tasks.close()

    def open_again(self) -> None:
        """Show the window again, at its sign-in."""
        self.show()
        self.raise_()
        self.activateWindow()


def warm_up() -> None:
    """While somebody types a password: what the reading room will import, and the report templates."""
    from workstation.ui.reporting.library import template_library

    template_library()
