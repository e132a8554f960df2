"""When each frame of a loop is shown, from its tags (PS3.3 C.7.6.5), and how it is repeated."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from workstation.imaging.values import Attributes, integer, number, numbers

USUAL_RATE = 15.0
SLOWEST_MS, FASTEST_MS = 10_000.0, 4.0
SWEEPING = 1  # Preferred Playback Sequencing (0018,1244): there and back


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds that each frame of a loop stays; `source` is the attribute that said so.

    `first` and `last` (from 0) are what is played (Start and Stop Trim); `sweeps` says there and back.
    `words` says what of the tags could not be used.
    """

    durations: tuple[float, ...]
    source: str
    first: int
    last: int
    sweeps: bool = False
    words: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[int, ...]:
        """The frames of one round, in the order they are shown."""
        there = tuple(range(self.first, self.last + 1))
        return (*there, *there[-2:0:-1]) if self.sweeps and len(there) > 2 else there

    @property
    def length(self) -> float:
        """Milliseconds of one round."""
        return sum(self.durations[n] for n in self.order)

    @property
    def rate(self) -> float:
        """Frames a second on average."""
        return 1000.0 * len(self.order) / self.length

    def frame_at(self, elapsed: float, speed: float = 1.0) -> int:
        """The frame (from 0) shown so many milliseconds after the start, at a speed."""
        order = self.order
        ends = list(accumulate(self.durations[n] for n in order))
        place = (elapsed * max(speed, 0.0)) % self.length
        return order[min(bisect_right(ends, place), len(order) - 1)]


def timing(attributes: Attributes, frames: int) -> Timing:
    """The timing of a loop of so many frames.

    Recommended Display Frame Rate says what the modality wants shown; else Frame Time Vector and Frame Time
    say how it was taken, else Cine Rate; without any, 15 frames a second.
    """
    said: list[str] = []
    frames = max(frames, 1)
    durations, source = _durations(attributes, frames, said)
    first = max(integer(attributes.get("StartTrim"), 1) - 1, 0)
    last = min(integer(attributes.get("StopTrim"), frames), frames) - 1
    if first > last:
        said.append("Start and Stop Trim leave no frame and are not used")
        first, last = 0, frames - 1
    sweeps = integer(attributes.get("PreferredPlaybackSequencing")) == SWEEPING
    return Timing(durations, source, first, last, sweeps, tuple(said))


def _durations(attributes: Attributes, frames: int, said: list[str]) -> tuple[tuple[float, ...], str]:
    wanted = _from_rate(attributes, "RecommendedDisplayFrameRate", said)
    if wanted is not None:
        return (wanted,) * frames, "Recommended Display Frame Rate"
    vector = _vector(attributes, frames, said)
    if vector is not None:
        return vector, "Frame Time Vector"
    time = number(attributes.get("FrameTime"))
    if time is not None:
        if FASTEST_MS <= time <= SLOWEST_MS:
            return (time,) * frames, "Frame Time"
        said.append(f"a Frame Time of {time:g} ms cannot be")
    rate = _from_rate(attributes, "CineRate", said)
    if rate is not None:
        return (rate,) * frames, "Cine Rate"
    return (1000.0 / USUAL_RATE,) * frames, ""


def _from_rate(attributes: Attributes, keyword: str, said: list[str]) -> float | None:
    rate = number(attributes.get(keyword))
    if rate is None:
        return None
    if rate > 0.0 and FASTEST_MS <= 1000.0 / rate <= SLOWEST_MS:
        return 1000.0 / rate
    said.append(f"a {keyword} of {rate:g} frames a second cannot be")
    return None


def _vector(attributes: Attributes, frames: int, said: list[str]) -> tuple[float, ...] | None:
    """Each entry is the time from the frame before to its own; the first is 0 and the last frame stays as
    long as the others do on average (PS3.3 C.7.6.5.1.2).
    """
    steps = numbers(attributes.get("FrameTimeVector"))
    if not steps:
        return None
    if len(steps) != frames:
        said.append(f"Frame Time Vector has {len(steps)} entries for {frames} frames and is not used")
        return None
    gaps = steps[1:]
    if not gaps or any(not FASTEST_MS <= gap <= SLOWEST_MS for gap in gaps):
        said.append("Frame Time Vector holds times that cannot be and is not used")
        return None
    return (*gaps, sum(gaps) / len(gaps))
