"""A video in a cell: its pictures at their rate, as the system's player brings them."""

from __future__ import annotations

import threading
from contextlib import closing

import numpy as np
import shiboken6
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.imaging.cine import USUAL_RATE
from workstation.imaging.documents import Film, Pictures
from workstation.ui import theme, words
from workstation.ui.widgets.basics import column, row, tool


class FilmSheet(QWidget):
    """The picture that came last; a thread of its own brings them and waits its time between two."""

    _came = Signal(object)
    _ended = Signal(str)

    def __init__(self, film: Film) -> None:
        super().__init__()
        self._film = film
        self._stop = threading.Event()
        self._pictures: Pictures | None = None
        self._worker: threading.Thread | None = None
        self.image: QImage | None = None
        self.words = words.t("Loading …")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(64, 64))
        self.setAccessibleName(words.t("Film"))
        self._came.connect(self._take)
        self._ended.connect(self._over)
        self.destroyed.connect(self._stop.set)
        self.play(only_first=theme.current().reduced_motion)

    @property
    def playing(self) -> bool:
        return self._worker is not None and self._worker.is_alive() and not self._stop.is_set()

    def play(self, only_first: bool = False) -> None:
        """From its beginning; `only_first` shows its first picture."""
        self.halt()
        self._stop = stop = threading.Event()
        self.destroyed.connect(stop.set)
        self._pictures = pictures = self._film.pictures()
        self.destroyed.connect(pictures.close)
        rate = self._film.rate or USUAL_RATE

        def work() -> None:
            try:
                with closing(pictures):
                    for picture in pictures:
                        self._tell(self._came, picture)
                        if only_first or stop.wait(1.0 / rate):
                            break
            except (RuntimeError, OSError) as error:
                self._tell(self._ended, str(error))
            else:
                self._tell(self._ended, "")

        self._worker = threading.Thread(target=work, name="film", daemon=True)
        self._worker.start()

    def halt(self) -> None:
        self._stop.set()
        if self._pictures is not None:
            self._pictures.close()

    def _tell(self, signal: object, content: object) -> None:
        if shiboken6.isValid(self):
            signal.emit(content)  # type: ignore[attr-defined]  # a bound signal, which has no public type

    def _take(self, pixels: np.ndarray) -> None:
        pixels = np.ascontiguousarray(pixels)
        height, width = pixels.shape[:2]
        self.image = QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB888).copy()
        self.words = ""
        self.update()

    def _over(self, why: str) -> None:
        if why:
            self.words = words.t("The film cannot be played: {why}").format(why=why)
        self.setAccessibleDescription(self.words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, look = QPainter(self), theme.current()
        painter.fillRect(self.rect(), look.colour("cell"))
        if self.image is not None:
            size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRect(left, top, size.width(), size.height()), self.image)
        if self.words:
            painter.setPen(look.colour("quiet"))
            flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect(), flags, self.words)


class DocumentFilm(QWidget):
    """A film with its button."""

    def __init__(self, film: Film) -> None:
        super().__init__()
        self.sheet = FilmSheet(film)
        play = tool("play-outline", words.t("Play the film from its beginning"), self.sheet.play)
        stop = tool("stop", words.t("Stop the film"), self.sheet.halt)
        whole = column(self.sheet, row(1, play, stop, 1, margin=(4, 2)), gap=0)
        whole.setStretch(0, 1)
        self.setLayout(whole)
