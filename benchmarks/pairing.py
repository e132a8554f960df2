"""Two ways of doing the same work, timed in turns: only their ratio within a round binds.

A round times ours and theirs by turns until each has had its share of time, takes the fastest (or, where no
two repeats are alike, the median) of each, and answers theirs / ours: above 1 we are faster. The spread of a
row is (largest - smallest) / median of its rounds' ratios; above 30 % the row is no result. A row that spread
too far is measured once more from its start, at most `ATTEMPTS` times, and the answer says how often. Beside
the wall clock stands the ratio of processor time within this process, steadier on a machine that is busy with
other things; it informs, and says nothing about a peer that runs in a process of its own.

READING_ROOM_BENCH_ATTEMPTS and READING_ROOM_BENCH_SECONDS shorten a run while something is being tried.
"""

from __future__ import annotations

import datetime
import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS = 5
ATTEMPTS = int(os.environ.get("READING_ROOM_BENCH_ATTEMPTS", "3"))
SECONDS = float(os.environ.get("READING_ROOM_BENCH_SECONDS", "0.3"))
WIDEST = 0.30
SETTLE_SECONDS = 0.003  # OpenMP's threads go on spinning for a while after their answer, on the other's time

Figures = dict[str, float | str]
Run = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Work:
    """One row: what is done, beside whom, and the ratios to reach.

    `least` and `aim` are theirs / ours. `alike` False says that repeats differ (each another angle), so the
    median of a round counts instead of its fastest. `seconds` is each side's share of a round. `quality`
    says what the picture is like where it could be made cheaper. `informs` True: seen, binds nothing.
    """

    name: str
    beside: str
    ours: Run
    theirs: Run
    least: float
    aim: float
    quality: str = ""
    alike: bool = True
    seconds: float = SECONDS
    informs: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """A row whose peer is not on this machine; said, not left out."""

    name: str
    beside: str
    why: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A row that is no time: two amounts of `unit`, seen once; ours may go beyond theirs by so much."""

    name: str
    beside: str
    unit: str
    ours: float
    theirs: float
    least_beyond: float
    aim_beyond: float
    quality: str = ""

    def figures(self) -> Figures:
        """The row as printed and kept."""
        over = self.ours - self.theirs
        verdict = "aim" if over <= self.aim_beyond else "reached" if over <= self.least_beyond else "BELOW"
        told = f"{self.ours:.0f} {self.unit} beside {self.theirs:.0f}: {over:+.0f}"
        return {
            "work": self.name,
            "beside": self.beside,
            "rounds": told,
            "least": f"+{self.least_beyond:g}",
            "aim": f"+{self.aim_beyond:g}",
            "verdict": verdict,
            "quality": self.quality,
        }


@dataclass(slots=True)
class Paired:
    """What the rounds of one row gave: seconds of each side, a pair a round."""

    work: Work
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    attempts: int = 1

    @property
    def ratios(self) -> list[float]:
        return [t / o for o, t in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def spread(self) -> float:
        """(Largest - smallest) / median of the rounds' ratios."""
        return (max(self.ratios) - min(self.ratios)) / self.ratio

    @property
    def verdict(self) -> str:
        if self.spread > WIDEST:
            return "no result"
        if self.work.informs:
            return "informs"
        return (
            "aim" if self.ratio >= self.work.aim else "reached" if self.ratio >= self.work.least else "BELOW"
        )

    def figures(self) -> Figures:
        """The row as printed and kept."""
        return {
            "work": self.work.name,
            "beside": self.work.beside,
            "ours ms": statistics.median(self.ours) * 1e3,
            "theirs ms": statistics.median(self.theirs) * 1e3,
            "ratio": self.ratio,
            "rounds": " ".join(f"{r:.3g}" for r in self.ratios),
            "spread": f"{self.spread:.0%}",
            "cpu ratio": statistics.median(self.cpu) if self.cpu else "",
            "least": self.work.least,
            "aim": self.work.aim,
            "verdict": self.verdict + (f" (attempt {self.attempts})" if self.attempts > 1 else ""),
            "quality": self.work.quality,
        }


Times = tuple[float, float]


def _timed(run: Run) -> Times:
    """(wall, processor) seconds of one go, on a machine that the one before has left."""
    time.sleep(SETTLE_SECONDS)
    start, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - start, time.process_time() - cpu


def _round(work: Work) -> tuple[Times, Times]:
    """Ours and theirs by turns, the order changing, until one has had its share (three times at least)."""
    ours: list[Times] = []
    theirs: list[Times] = []
    while len(ours) < 3 or max(_sum(ours), _sum(theirs)) < work.seconds:
        turn = ((work.ours, ours), (work.theirs, theirs))
        for run, times in turn if len(ours) % 2 == 0 else turn[::-1]:
            times.append(_timed(run))
    return _picked(work, ours), _picked(work, theirs)


def _sum(times: list[Times]) -> float:
    return sum(wall for wall, _ in times)


def _picked(work: Work, times: list[Times]) -> Times:
    pick = min if work.alike else statistics.median
    return pick(wall for wall, _ in times), pick(cpu for _, cpu in times)


def paired(work: Work, rounds: int = ROUNDS) -> Paired:
    """The rounds of one row, after each side ran once to warm up."""
    attempt = 0
    while True:
        attempt += 1
        found = Paired(work, attempts=attempt)
        work.ours()
        work.theirs()
        gc.collect()
        for _ in range(rounds):
            (ours, our_cpu), (theirs, their_cpu) = _round(work)
            found.ours.append(ours)
            found.theirs.append(theirs)
            if their_cpu > 0.2 * theirs and our_cpu > 0:
                found.cpu.append(their_cpu / our_cpu)
        if found.spread <= WIDEST or attempt >= ATTEMPTS:
            return found


def rows(works: Iterable[Work | Missing | Seen]) -> list[Figures]:
    """Every row measured, a line on standard error as each is done."""
    found: list[Figures] = []
    for work in works:
        if isinstance(work, Missing):
            figures: Figures = {"work": work.name, "beside": work.beside, "verdict": f"not here: {work.why}"}
        elif isinstance(work, Seen):
            figures = work.figures()
        else:
            figures = paired(work).figures()
        found.append(figures)
        print(
            "  ".join(str(figures.get(k, "")) for k in ("work", "beside", "rounds", "verdict")),
            file=sys.stderr,
            flush=True,
        )
    return found


def machine() -> dict[str, str | int | None]:
    """What the figures were seen on; nothing that names the machine itself."""
    return {
        "system": platform.system(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "gpu": gpu(),
        "kernels": kernels(),
        "python": platform.python_version(),
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def processor() -> str:
    """The processor's own name where the system tells it."""
    told = Path("/proc/cpuinfo")
    if told.is_file():
        for line in told.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip() + f" ({platform.machine()})"
    return platform.processor() or platform.machine()


def gpu() -> str:
    """Whether there is a graphics processor to be seen."""
    if platform.system() != "Linux":
        return "not looked for"
    return "there is one" if list(Path("/dev").glob("dri/render*")) else "none"


def kernels() -> str:
    """The compiled kernels that are loaded."""
    from workstation.rendering.engines import engine_words

    return engine_words()
