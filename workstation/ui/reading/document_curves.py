"""Waveforms drawn in their units: a row a channel, seconds along, all channels of a unit to one scale."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from workstation.imaging.documents import Channel, Curves
from workstation.ui import theme, words

ROW = 64
NAME = 92
GRIDS_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
FEWEST_PX = 24


class DocumentCurves(QWidget):
    """One group of channels, its whole length in the width there is."""

    def __init__(self, curves: Curves) -> None:
        super().__init__()
        self._curves = curves
        self._ranges = ranges(curves.channels)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(160, theme.current().px(24) * max(1, len(curves.channels)) + 24))
        names = ", ".join(channel.name for channel in curves.channels)
        self.setAccessibleName(curves.title or words.t("Waveform"))
        self.setAccessibleDescription(
            words.t("{n} channels, {seconds} s: {names}").format(
                n=len(curves.channels), seconds=f"{curves.seconds:.1f}", names=names
            )
        )

    def sizeHint(self) -> QSize:
        return QSize(640, theme.current().px(ROW) * len(self._curves.channels))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, look = QPainter(self), theme.current()
        painter.fillRect(self.rect(), look.colour("cell"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(look.font("overlay"))
        left, foot = float(look.px(NAME)), float(painter.fontMetrics().height() + look.px(4))
        width, height = self.width() - left - look.px(8), self.height() - foot
        if width < 8 or height < 8 or self._curves.seconds <= 0:
            return
        self._paint_seconds(painter, left, width, height)
        rows = height / len(self._curves.channels)
        if rows < 2.2 * painter.fontMetrics().height():
            painter.setPen(look.colour("quiet"))
            painter.drawText(QPointF(look.px(6), self.height() - look.px(4)), self._row_words())
        for number, channel in enumerate(self._curves.channels):
            self._paint_channel(painter, channel, left, width, rows * number, rows)

    def _row_words(self) -> str:
        """What the height of a row stands for, where the rows have no room to say it."""
        return ", ".join(f"↕ {high - low:.4g} {unit}".strip() for unit, (low, high) in self._ranges.items())

    def _paint_seconds(self, painter: QPainter, left: float, width: float, height: float) -> None:
        look, seconds = theme.current(), self._curves.seconds
        per = width / seconds
        step = grid(look.px(FEWEST_PX) / per)
        written = grid(look.px(FEWEST_PX) * 2.5 / per)
        for number in range(int(seconds / step + 1e-9) + 1):
            place = number * step
            x = left + place * per
            painter.setPen(QPen(look.colour("line"), 1))
            painter.drawLine(QLineF(x, 0, x, height))
            if abs(place / written - round(place / written)) < 1e-6:
                painter.setPen(look.colour("quiet"))
                painter.drawText(QPointF(x + 2, self.height() - look.px(4)), f"{place:g} s")

    def _paint_channel(
        self, painter: QPainter, channel: Channel, left: float, width: float, top: float, height: float
    ) -> None:
        look = theme.current()
        low, high = self._ranges[channel.unit]
        scale = (height - look.px(6)) / max(high - low, 1e-12)
        painter.setPen(look.colour("text"))
        metrics = painter.fontMetrics()
        name = metrics.elidedText(channel.name, Qt.TextElideMode.ElideRight, round(left) - look.px(10))
        middle = top + height / 2 + metrics.ascent() / 2
        two = height >= 2.2 * metrics.height()
        painter.drawText(QPointF(look.px(6), middle - (metrics.height() / 2 if two else 0)), name)
        if two:
            painter.setPen(look.colour("quiet"))
            unit = f"{high - low:.4g} {channel.unit}".strip()
            painter.drawText(QPointF(look.px(6), middle + metrics.height() / 2), unit)
        painter.setPen(QPen(look.overlay("current"), max(1.0, look.scale)))
        per = width / self._curves.seconds / self._curves.rate
        for start, part in runs(channel.samples):
            xs, ys = thinned(part, per)
            points = [
                QPointF(left + (start + x) * per, top + height - look.px(3) - (y - low) * scale)
                for x, y in zip(xs, ys, strict=True)
            ]
            painter.drawPolyline(QPolygonF(points))


def grid(least: float) -> float:
    """The step of the lines, at least so many seconds: as many as fit, however long the curve says it is."""
    found = next((step for step in GRIDS_S if step >= least), 0.0)
    if found:
        return found
    decade = 10.0 ** math.floor(math.log10(least))
    return next(times * decade for times in (1.0, 2.0, 5.0, 10.0) if times * decade >= least or times == 10.0)


def ranges(channels: tuple[Channel, ...]) -> dict[str, tuple[float, float]]:
    """Lowest and highest value of all channels of a unit, so that their heights can be compared."""
    found: dict[str, tuple[float, float]] = {}
    for channel in channels:
        values = channel.samples[np.isfinite(channel.samples)]
        if values.size == 0:
            found.setdefault(channel.unit, (0.0, 1.0))
            continue
        low, high = float(values.min()), float(values.max())
        before = found.get(channel.unit, (low, high))
        found[channel.unit] = (min(low, before[0]), max(high, before[1]))
    return found


def runs(samples: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """(First sample, samples) of each stretch without a hole."""
    there = np.flatnonzero(np.isfinite(samples))
    if there.size == 0:
        return []
    parts = np.split(there, np.flatnonzero(np.diff(there) > 1) + 1)
    return [(int(part[0]), samples[part[0] : part[-1] + 1]) for part in parts]


def thinned(samples: np.ndarray, per: float) -> tuple[np.ndarray, np.ndarray]:
    """Places and values to draw: lowest and highest of what falls on one pixel, so that no peak is lost."""
    block = int(0.5 / per) if per > 0 else 1
    if block < 2 or len(samples) < 4 * block:
        return np.arange(len(samples)), samples
    whole = len(samples) // block * block
    grid = samples[:whole].reshape(-1, block)
    lows, highs = grid.argmin(axis=1), grid.argmax(axis=1)
    first = np.arange(len(grid)) * block
    places = np.sort(np.stack([first + lows, first + highs], axis=1), axis=1).reshape(-1)
    return places, samples[places]
