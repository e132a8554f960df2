"""Loops played in their cells: by the clock of their tags, so that a slow machine leaves frames out and never
lags.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

from workstation.imaging.cine import Timing, timing
from workstation.imaging.display_sets import DisplaySet
from workstation.session.reading_session import CellState, ReadingSession
from workstation.session.view_state import Plane
from workstation.ui import theme, words

SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
TICKS_A_FRAME = 3
SHORTEST_TICK_MS = 8


@dataclass
class Run:
    """One cell's loop: `begun` is where in the round (ms) it was when the clock started, `last` the image it
    showed last, `end` where it stops by itself (None: never).
    """

    uid: str
    timing: Timing
    clock: QElapsedTimer
    begun: float
    last: int
    end: float | None
    speed: float = 1.0

    def place(self) -> float:
        """Ms of the round, the present speed counted from when it was set."""
        return self.begun + self.clock.elapsed() * self.speed

    def reset(self, speed: float) -> None:
        self.begun, self.speed = self.place(), speed
        self.clock.restart()


def timing_of(shown: DisplaySet) -> Timing:
    """By the tags of a multi-frame object; a stack of single images at the usual rate."""
    one_object = len({f.sop_instance_uid for f in shown.frames}) == 1
    return timing(shown.frames[0].attributes if one_object else {}, len(shown))


def plays(state: CellState | None) -> bool:
    """Whether a cell shows images that follow each other."""
    if state is None or state.display_set is None or state.view.plane is not Plane.ACQUIRED:
        return False
    return len(state.display_set) > 1


class Cine(QObject):
    """One for all cells; a loop ends when its cell shows something else or is scrolled by hand.

    `ready(n)` says whether the cell has answered its last wish: until then the next frame is not asked for.
    """

    changed = Signal()

    def __init__(self, session: ReadingSession, ready: Callable[[int], bool]) -> None:
        super().__init__()
        self._session, self._ready = session, ready
        self._runs: dict[int, Run] = {}
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        for signal in (session.hung, session.closed):
            signal.connect(self._drop_gone)

    def is_playing(self, number: int) -> bool:
        return number in self._runs

    def words(self, number: int) -> str:
        """For the cell's corner: rate, where it is from, speed; empty where nothing plays."""
        run = self._runs.get(number)
        if run is None:
            return ""
        rate = f"{run.timing.rate * run.speed:.3g}/s"
        source = run.timing.source or words.t("no timing in the tags")
        slower = f" × {run.speed:g}" if run.speed != 1.0 else ""
        return f"{words.t('Cine')} {rate} ({source}{slower})"

    def toggle(self, number: int) -> None:
        """Play the loop of a cell, or stop it where it is."""
        if number in self._runs:
            self.stop(number)
            return
        state = self._session.cells[number] if number < len(self._session.cells) else None
        if state is None or state.display_set is None or not plays(state):
            return
        found = timing_of(state.display_set)
        index = state.view.index
        clock = QElapsedTimer()
        clock.start()
        begun = start_of(found, index)
        end = begun + found.length if theme.current().reduced_motion else None
        self._runs[number] = Run(state.display_set.uid, found, clock, begun, index, end)
        self._pace()
        self.changed.emit()

    def stop(self, number: int) -> None:
        if self._runs.pop(number, None) is not None:
            self._pace()
            self.changed.emit()

    def faster(self, number: int, by: int) -> None:
        """The next speed up or down."""
        run = self._runs.get(number)
        if run is not None:
            place = min(max(SPEEDS.index(run.speed) + by, 0), len(SPEEDS) - 1)
            run.reset(SPEEDS[place])
            self._pace()
            self.changed.emit()

    def _pace(self) -> None:
        if not self._runs:
            self._timer.stop()
            return
        shortest = min(min(r.timing.durations) / r.speed for r in self._runs.values())
        self._timer.start(max(SHORTEST_TICK_MS, round(shortest / TICKS_A_FRAME)))

    def _drop_gone(self) -> None:
        for number, run in list(self._runs.items()):
            state = self._session.cells[number] if number < len(self._session.cells) else None
            if state is None or state.display_set is None or state.display_set.uid != run.uid:
                self.stop(number)

    def _tick(self) -> None:
        for number, run in list(self._runs.items()):
            state = self._session.cells[number]
            if state.view.index != run.last or not plays(state):
                self.stop(number)  # somebody scrolled by hand
            elif run.end is not None and run.place() >= run.end:
                self.stop(number)
            elif self._ready(number):
                self._show(number, run, state)

    def _show(self, number: int, run: Run, state: CellState) -> None:
        index = run.timing.frame_at(run.place())
        if index != run.last:
            run.last = index
            self._session.set_view(number, state.view.with_(index=index))


def start_of(found: Timing, index: int) -> float:
    """Ms after the round's beginning at which an image comes, 0 where it is not played."""
    order = found.order
    if index not in order:
        return 0.0
    return sum(found.durations[n] for n in order[: order.index(index)])
