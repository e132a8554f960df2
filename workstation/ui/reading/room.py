"""What all cells of the reading room share: volumes being loaded, pictures being made, the tool in hand."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from pacs_core.archive.models import FramePixels
from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.loader import Loader, LoadRequest, SliceLoaded, Urgency
from workstation.imaging.memory import cache_bytes
from workstation.imaging.volume import Volume
from workstation.rendering.picture import Picture
from workstation.session.view_state import ViewState
from workstation.ui.desk import Desk
from workstation.ui.letting_go import let_go
from workstation.ui.reading.others_marks import OthersMarks

log = logging.getLogger("reading_room.view")
REPAINT_MS = 40


class Pictures(QObject):
    """Makes pictures on threads, the newest wish of each cell only; `made` carries cell, serial and
    picture.
    """

    made = Signal(int, int, object)

    def __init__(self, threads: int = 2) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="picture")
        self._wishes: dict[int, tuple[int, Callable[[], Picture]]] = {}
        self._working: set[int] = set()
        self._lock = threading.Lock()
        self._keys = itertools.count(1)

    def new_key(self) -> int:
        """A number for one who wishes."""
        return next(self._keys)

    def wish(self, cell: int, serial: int, make: Callable[[], Picture]) -> None:
        with self._lock:
            self._wishes[cell] = (serial, make)
            if cell in self._working:
                return
            self._working.add(cell)
        self._pool.submit(self._work, cell)

    def _work(self, cell: int) -> None:
        while True:
            with self._lock:
                wish = self._wishes.pop(cell, None)
                if wish is None:
                    self._working.discard(cell)
                    return
            serial, make = wish
            try:
                picture: Picture | Exception = make()
            except Exception as error:  # the worker loop's edge: the cell says what happened
                log.warning("a picture could not be made: %s", type(error).__name__, exc_info=True)
                picture = error
            if shiboken6.isValid(self):
                self.made.emit(cell, serial, picture)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class Room(QObject):
    """One per reading place."""

    arrived = Signal(str)
    tool_changed = Signal(str)
    overlay_changed = Signal()
    lines_changed = Signal()
    blended = Signal(int, float)
    pointed = Signal(object, int)
    _slice = Signal(str)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk, self.session = desk, desk.session
        self.loader = Loader(self._fetch, cache_bytes(desk.preferences.image_memory_mib))
        self.pictures = Pictures()
        self.others = OthersMarks(desk)
        self.tool = "window_level"
        self.overlay = True
        self.lines = True
        self.sizes: dict[int, tuple[int, int]] = {}
        self._requests: dict[str, LoadRequest] = {}
        self._fresh: set[str] = set()
        self._slice.connect(self._collect, Qt.ConnectionType.QueuedConnection)
        self._tell = QTimer(self, singleShot=True, interval=REPAINT_MS)
        self._tell.timeout.connect(self._announce)
        desk.closing.append(self.close)
        desk.kept.append(self._kept)

    def _kept(self, name: str) -> None:
        """A preference was changed: the memory for images holds from now on."""
        if name == "image_memory_mib":
            self.loader.cache.resize(cache_bytes(self.desk.preferences.image_memory_mib))
            for uid in self._requests:
                self._collect(uid)

    def _fetch(self, sop_instance_uid: str, frame: int) -> FramePixels:
        """A frame's bytes from whoever is signed in now."""
        return self.desk.archive.studies.frame(sop_instance_uid, frame)

    def load(
        self, display_set: DisplaySet, first: int, urgency: Urgency = Urgency.INTERACTION
    ) -> LoadRequest:
        """The request of a display set; begun where it was not, hurried where it is wanted more now."""
        request = self._requests.get(display_set.uid)
        if request is None or request.volume.display_set != display_set or request.cancelled:
            uid = display_set.uid
            request = self.loader.load(
                display_set, first=first, urgency=urgency, on_slice=lambda s: self._loaded(uid, s)
            )
            self._requests[uid] = request
        elif (
            urgency is Urgency.INTERACTION
            and not request.volume.loaded[min(first, len(request.volume.loaded) - 1)]
        ):
            self.loader.focus(request, first)
        return request

    def laid_over(self, view: ViewState) -> Volume | None:
        """The volume a view lays over its own or takes from it, loaded where it was not."""
        shown = self.session.display_set(view.beside) if view.beside else None
        return self.load(shown, len(shown) // 2).volume if shown is not None else None

    def hurry(self, display_set: DisplaySet) -> None:
        """It hangs in a cell now."""
        request = self._requests.get(display_set.uid)
        if request is not None:
            self.loader.promote(request, Urgency.INTERACTION)

    def _loaded(self, uid: str, _slice: SliceLoaded) -> None:
        if shiboken6.isValid(self):
            self._slice.emit(uid)

    def _collect(self, uid: str) -> None:
        self._fresh.add(uid)
        if not self._tell.isActive():
            self._tell.start()

    def _announce(self) -> None:
        fresh, self._fresh = self._fresh, set()
        for uid in fresh:
            self.arrived.emit(uid)

    def progress(self, uid: str) -> tuple[int, int]:
        """How many images of a display set are loaded, and how many there are; (0, 0) where none was
        asked.
        """
        request = self._requests.get(uid)
        return (int(request.volume.loaded.sum()), len(request.volume.loaded)) if request else (0, 0)

    def take_tool(self, name: str) -> None:
        if name != self.tool:
            self.tool = name
            self.tool_changed.emit(name)

    def toggle_overlay(self) -> None:
        self.overlay = not self.overlay
        self.overlay_changed.emit()

    def toggle_lines(self) -> None:
        """The lines of the planes over reformats."""
        self.lines = not self.lines
        self.lines_changed.emit()

    def point(self, where: tuple[float, float, float], source: int) -> None:
        """All linked views go to a patient point; every cell shows it as a crosshair."""
        self.session.go_to(where, source)
        self.pointed.emit(where, source)

    def forget(self) -> None:
        """The study was left: nothing of it is loaded any more."""
        for request in self._requests.values():
            request.cancel()
        self._requests.clear()

    def close(self) -> None:
        self._tell.stop()
        self.forget()
        self.pictures.close()
        self.loader.close()
        let_go(self, self.pictures, self.others)
