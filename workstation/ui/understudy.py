"""A reader played by the program: the real window without a screen, driven by names, keys and mouse.

The rehearsal starts it as a process of its own and tells it what to do, one JSON object a line on standard
input; each answer is one line. It presses the same controls a person would and reads what they then show.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QPushButton, QWidget

from pacs_core.archive.models import ExamRow
from pacs_core.archive.protocol import Door
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.measurement import Measurement
from workstation.ui.reading.cell import ImageCell
from workstation.ui.reporting.field_editor import TextEditor
from workstation.ui.reporting.sign import SignDialog
from workstation.ui.shell import Settings, Workstation
from workstation.ui.worklist.page import WorklistPage

W = TypeVar("W", bound=QWidget)
T = TypeVar("T")
PATIENCE_S = 90.0
SIZE = (1600, 1000)


class Understudy:
    """Plays one reader in one window."""

    def __init__(self, door: Door, folder: Path) -> None:
        self.window = Workstation(door, Settings(folder))
        self.window.resize(*SIZE)
        self.window.show()

    # ── what it can be told ──

    def sign_in(self, user: str, password: str) -> dict[str, object]:
        """Sign in at the page and wait for the worklist."""
        self._type("User", user)
        self._type("Password", password)
        self._press("Sign in")
        self._until(lambda: self._worklist() is not None, "the worklist did not open")
        return {"who": user}

    def row(self, accession: str) -> dict[str, object]:
        """Wait until the exam's row is there by itself, and say what it shows."""
        row = self._until(lambda: self._row(accession), f"no row shows {accession}")
        return {
            "patient": row.patient_display,
            "images": row.images,
            "status": row.status,
            "reconciliation": row.reconciliation,
            "study": row.study_uid,
        }

    def open(self, accession: str) -> dict[str, object]:
        """Open the exam and wait for the first cell's picture."""
        row = self._until(lambda: self._with_images(accession), f"no images came for {accession}")
        worklist = self._worklist()
        if worklist is not None:
            worklist.open_exam(row)
        cell = self._until(self._painted, "no cell painted a picture")
        picture = cell.shown.picture
        return {
            "picture": picture.sha256 if picture else "",
            "cell": cell.accessibleName(),
            "banner": self._banner(),
        }

    def measure(self, start: list[float], end: list[float]) -> dict[str, object]:
        """Scroll to the level of two patient points (mm, LPS) and draw a length between them by mouse."""
        cell = self._until(self._painted, "no cell painted a picture")
        self._go_to_level(cell, start)
        known = {m.tracking_uid for m in self._strokes()}
        QTest.keyClick(cell, Qt.Key.Key_D)
        self._until(lambda: cell.room.tool == "length", "key D did not take the length tool")
        self._until(lambda: cell.settled, "the picture did not come to rest")
        a, b = self._at(cell, start), self._at(cell, end)
        QTest.mousePress(cell, Qt.MouseButton.LeftButton, pos=a)
        for part in (0.3, 0.6, 1.0):
            self._move(cell, a + QPoint(round((b - a).x() * part), round((b - a).y() * part)))
        QTest.mouseRelease(cell, Qt.MouseButton.LeftButton, pos=b)
        new = self._until(
            lambda: next((m for m in self._strokes() if m.tracking_uid not in known and m.quantities), None),
            "no measurement came of the drag",
        )
        pixel = self._pixel_mm(cell)
        return {"length_mm": new.quantities[0].value, "tracking_uid": new.tracking_uid, "pixel_mm": pixel}

    def report(self, text: str) -> dict[str, object]:
        """Type into the findings of the report, and a word into what must not stay empty."""
        fields = self._until(self._fields, "the report has no field to type into")
        named = [f for f in fields if "finding" in f.accessibleName().casefold()]
        chosen = (named or fields)[0]
        self._fill(chosen, text)
        for field in fields:
            if field is not chosen and not field.toPlainText().strip():
                self._fill(field, "As above.")
        return {"field": chosen.accessibleName(), "fields": [f.accessibleName() for f in fields]}

    def sign(self, password: str) -> dict[str, object]:
        """Sign with the password; answers the words of the dialog where it was refused."""
        desk = self.window.desk
        if desk is None:
            raise RuntimeError("nobody is signed in")
        if self._dialog() is None:
            desk.commands.run("report.sign")
        dialog = self._until(self._dialog, "no dialog asks for the password")
        for seen in dialog.findChildren(QCheckBox):
            if seen.isVisible() and not seen.isChecked():
                QTest.mouseClick(seen, Qt.MouseButton.LeftButton, pos=QPoint(8, seen.height() // 2))
        if self._named(QWidget, "Password to sign") is None:
            told = "; ".join(w.accessibleName() for w in dialog.findChildren(QWidget) if w.accessibleName())
            raise RuntimeError(f"the report may not be signed: {told}")
        self._type("Password to sign", password)
        self._press("Sign the report")
        (words,) = self._until(self._outcome, "signing had no outcome")
        return {"signed": not words, "words": words}

    def delivered(self, accession: str, seconds: float = PATIENCE_S) -> dict[str, object]:
        """Wait for the acknowledgement in the exam's own row."""
        row = self._until(lambda: self._acknowledged(accession), "the row shows no acknowledgement", seconds)
        return {"delivery": row.delivery, "acknowledgement": row.acknowledgement}

    def close(self) -> dict[str, object]:
        """Close the window."""
        QTimer.singleShot(0, self.window.close)
        return {}

    # ── finding things by the names a person is told ──

    def _named(self, kind: type[W], name: str) -> W | None:
        for widget in QApplication.allWidgets():
            if isinstance(widget, kind) and widget.isVisible() and widget.accessibleName() == name:
                return widget
        return None

    def _type(self, name: str, text: str) -> None:
        field = self._until(lambda: self._usable(name), f"there is no field {name} to type into")
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(field, text)

    def _usable(self, name: str) -> QWidget | None:
        field = self._named(QWidget, name)
        return field if field is not None and field.isEnabled() else None

    def _press(self, name: str) -> None:
        button = self._until(lambda: self._ready(name), f"there is no button {name} to press")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def _ready(self, name: str) -> QPushButton | None:
        button = self._named(QPushButton, name)
        return button if button is not None and button.isEnabled() else None

    def _fields(self) -> list[TextEditor]:
        """The report's free-text fields from top to bottom."""
        return [w for w in self.window.findChildren(TextEditor) if w.isVisible() and w.isEnabled()]

    def _fill(self, field: TextEditor, text: str) -> None:
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(field, text)

    def _dialog(self) -> SignDialog | None:
        return next(
            (w for w in QApplication.topLevelWidgets() if isinstance(w, SignDialog) and w.isVisible()), None
        )

    def _outcome(self) -> tuple[str] | None:
        """The words of the dialog that asks, empty once none does; nothing while it is at work.

        The dialog is looked for anew each time: it is deleted as soon as it has been answered.
        """
        dialog = self._dialog()
        if dialog is None:
            return ("",)
        for widget in dialog.findChildren(QWidget):
            name = widget.accessibleName()
            if widget.isVisible() and name.startswith("Signing message: "):
                return (name.removeprefix("Signing message: "),)
        return None

    def _worklist(self) -> WorklistPage | None:
        return next((w for w in QApplication.allWidgets() if isinstance(w, WorklistPage)), None)

    def _row(self, accession: str) -> ExamRow | None:
        page = self._worklist()
        return next((r for r in page.model.rows if r.accession == accession), None) if page else None

    def _with_images(self, accession: str) -> ExamRow | None:
        row = self._row(accession)
        return row if row is not None and row.images and not row.arriving else None

    def _acknowledged(self, accession: str) -> ExamRow | None:
        row = self._row(accession)
        return row if row is not None and row.acknowledgement and row.delivery == "delivered" else None

    def _painted(self) -> ImageCell | None:
        for widget in QApplication.allWidgets():
            if isinstance(widget, ImageCell) and widget.isVisible() and widget.number == 0:
                picture = widget.shown.picture
                return widget if picture is not None and picture.status == "shown" else None
        return None

    def _banner(self) -> str:
        for widget in QApplication.allWidgets():
            if widget.isVisible() and widget.accessibleName().startswith("Patient: "):
                return widget.accessibleName().removeprefix("Patient: ")
        return ""

    # ── the picture ──

    def _strokes(self) -> tuple[Measurement, ...]:
        desk = self.window.desk
        return tuple(desk.session.measurements.values()) if desk is not None else ()

    def _off_level(self, cell: ImageCell, point: list[float]) -> float:
        picture = cell.shown.picture
        return picture.frame.viewport((point[0], point[1], point[2]))[2] if picture is not None else 0.0

    def _go_to_level(self, cell: ImageCell, point: list[float]) -> None:
        """Turn the wheel, one way and then the other, while the picture's plane comes nearer to the point."""
        self._until(lambda: cell.settled, "no picture came to rest")
        for step in (1, -1):
            while self._nearer(cell, point, step):
                pass

    def _nearer(self, cell: ImageCell, point: list[float], step: int) -> bool:
        """Turn the wheel once; back again where that led away from the point."""
        before = abs(self._off_level(cell, point))
        if not self._wheel(cell, step):
            return False
        if abs(self._off_level(cell, point)) < before:
            return True
        self._wheel(cell, -step)
        return False

    def _wheel(self, cell: ImageCell, step: int) -> bool:
        """One notch, and its own picture waited for; false where the stack ends."""
        before = cell.state
        cell.hand.scroll(step)
        if cell.state == before:
            return False
        self._until(lambda: cell.settled, "the wheel brought no picture")
        return True

    def _move(self, cell: ImageCell, where: QPoint) -> None:
        QTest.mouseMove(cell, where)
        self._until(
            lambda: cell.pointer is not None and cell.pointer.toPoint() == where, "the mouse did not move"
        )

    def _at(self, cell: ImageCell, point: list[float]) -> QPoint:
        picture = cell.shown.picture
        if picture is None:
            raise RuntimeError("the cell shows no picture")
        x, y, _ = picture.frame.viewport((point[0], point[1], point[2]))
        return QPointF(x / cell.ratio, y / cell.ratio).toPoint()

    def _pixel_mm(self, cell: ImageCell) -> float:
        """Millimetres of patient to one pixel of the widget, along its width."""
        picture = cell.shown.picture
        if picture is None:
            return 0.0
        a, b = picture.frame.patient(100.0, 100.0), picture.frame.patient(100.0 + cell.ratio, 100.0)
        return float(sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5)

    def _until(self, ready: Callable[[], T | None], words: str, seconds: float = PATIENCE_S) -> T:
        """Let the window work until `ready` gives something; raises TimeoutError with the words."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = ready()
            if found:
                return found
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
            QTest.qWait(15)
        raise TimeoutError(words)


def play(door: Door, folder: Path) -> int:
    """Obey standard input until it ends."""
    application = QApplication.instance() or QApplication(["reading-room"])
    understudy = Understudy(door, folder)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=listen, name="stdin", daemon=True).start()
    _say("READY " + json.dumps({"pid": os.getpid()}))
    commands: dict[str, Callable[..., dict[str, object]]] = {
        name: getattr(understudy, name)
        for name in ("sign_in", "row", "open", "measure", "report", "sign", "delivered", "close")
    }
    while True:
        try:
            line = lines.get_nowait()
        except queue.Empty:
            QTest.qWait(20)
            continue
        if line is None:
            understudy.window.close()
            application.processEvents()
            return 0
        _say(json.dumps(_obey(line, commands), ensure_ascii=False))


def _obey(line: str, commands: dict[str, Callable[..., dict[str, object]]]) -> dict[str, object]:
    """Carry out one line; any failure becomes an answer."""
    try:
        asked = json.loads(line)
        return {"ok": commands[asked.pop("do")](**asked)}
    except (ReadingRoomError, TimeoutError, RuntimeError, KeyError, ValueError, TypeError) as failure:
        return {"error": f"{type(failure).__name__}: {failure}"}


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
