"""What tells images at the same place apart: stack, segment, b-value, echo, phase, time (PS3.3 C.7.6.16,
C.7.6.17).

A series is split along a dimension only where images lie at the same place, and only along one that makes
them lie there less often; stacks and segments are always sets of their own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workstation.imaging.headers import FrameHeader

SAME_PLACE_MM = 0.01

Value = float | str | tuple[float, ...]
Dimensions = tuple[tuple[str, Value], ...]
Attributes = Mapping[str, object]

ALWAYS = ("stack", "segment")
STRONG = ("image type", "b", "gradient", "echo", "inversion", "flip", "phase", "cardiac", "energy", "kernel")
WEAK = ("acquisition", "time")
TIMES = ("phase", "cardiac", "acquisition", "time")
CINE_PHASES = 8
"""From so many cardiac phases on, and no more places than phases, each place is a cine of its own."""

B_VALUE = re.compile(r"(?:^|[_*])b(\d{1,5})(?:t|\D|$)")
KINDS_OF_IMAGE = {
    "M": "magnitude",
    "P": "phase image",
    "R": "real",
    "I": "imaginary",
    "MAGNITUDE": "magnitude",
    "PHASE": "phase image",
    "REAL": "real",
    "IMAGINARY": "imaginary",
    "IN_PHASE": "in phase",
    "OUT_PHASE": "out of phase",
    "OPP_PHASE": "opposed phase",
    "WATER": "water",
    "FAT": "fat",
}


def _number(value: object) -> float | None:
    first = value[0] if isinstance(value, list | tuple) and value else value
    if isinstance(first, str):
        try:
            return float(first)
        except ValueError:
            return None
    return float(first) if isinstance(first, int | float) and not isinstance(first, bool) else None


def _first_number(*keywords: str) -> Callable[[Attributes], Value | None]:
    def read(attributes: Attributes) -> Value | None:
        for keyword in keywords:
            found = _number(attributes.get(keyword))
            if found is not None:
                return found
        return None

    return read


def _text(keyword: str) -> Callable[[Attributes], Value | None]:
    return lambda attributes: str(attributes[keyword]) if attributes.get(keyword) else None


def _b_value(attributes: Attributes) -> Value | None:
    """The attribute, else what Siemens' sequence name says ("*ep_b800t")."""
    found = _number(attributes.get("DiffusionBValue"))
    if found is not None:
        return found
    said = B_VALUE.search(str(attributes.get("SequenceName") or ""))
    return float(said[1]) if said else None


def _gradient(attributes: Attributes) -> Value | None:
    found = attributes.get("DiffusionGradientOrientation")
    return tuple(round(float(v), 3) for v in found) if isinstance(found, list | tuple) else None


def _kind_of_image(attributes: Attributes) -> Value | None:
    """The third and later values of Frame Type or Image Type, and the complex component."""
    given = attributes.get("FrameType") or attributes.get("ImageType")
    parts = [str(v) for v in given[2:]] if isinstance(given, list | tuple) else []
    component = str(attributes.get("ComplexImageComponent") or "")
    return "\\".join(p for p in (*parts, component) if p) or None


def _seconds(attributes: Attributes) -> Value | None:
    """Seconds of the clock (or of the temporal offset) at which the frame was taken."""
    offset = _number(attributes.get("TemporalPositionTimeOffset"))
    if offset is not None:
        return offset
    reference = _number(attributes.get("FrameReferenceTime"))
    if reference is not None:
        return reference / 1000.0
    for keyword in ("FrameAcquisitionDateTime", "AcquisitionDateTime", "AcquisitionTime", "ContentTime"):
        found = _clock(str(attributes.get(keyword) or ""))
        if found is not None:
            return found
    return None


def _clock(said: str) -> float | None:
    """Seconds since midnight of ``HH:MM:SS.ffffff`` or the clock part of ``YYYYMMDDHHMMSS.ffffff``."""
    digits = said.replace(":", "")
    digits = digits[8:] if len(digits.split(".", maxsplit=1)[0]) == 14 else digits
    if len(digits) < 6 or not digits[:6].isdecimal():
        return None
    part = re.match(r"\.\d{1,6}", digits[6:])
    whole = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
    return whole + (float(part[0]) if part else 0.0)


IMAGE_TYPES = ("FrameType", "ImageType", "ComplexImageComponent")
CLOCKS = ("TemporalPositionTimeOffset", "FrameReferenceTime", "FrameAcquisitionDateTime",
          "AcquisitionDateTime", "AcquisitionTime", "ContentTime")  # fmt: skip
ECHOES = ("EffectiveEchoTime", "EchoTime")
PHASES = ("TemporalPositionIndex", "TemporalPositionIdentifier")
HEART = ("NominalPercentageOfCardiacPhase", "NominalCardiacTriggerDelayTime", "TriggerTime")

READERS: tuple[tuple[str, frozenset[str], Callable[[Attributes], Value | None]], ...] = (
    ("stack", frozenset({"StackID"}), _text("StackID")),
    ("segment", frozenset({"ReferencedSegmentNumber"}), _first_number("ReferencedSegmentNumber")),
    ("image type", frozenset(IMAGE_TYPES), _kind_of_image),
    ("b", frozenset({"DiffusionBValue", "SequenceName"}), _b_value),
    ("gradient", frozenset({"DiffusionGradientOrientation"}), _gradient),
    ("echo", frozenset(ECHOES), _first_number(*ECHOES)),
    ("inversion", frozenset({"InversionTime"}), _first_number("InversionTime")),
    ("flip", frozenset({"FlipAngle"}), _first_number("FlipAngle")),
    ("phase", frozenset(PHASES), _first_number(*PHASES)),
    ("cardiac", frozenset(HEART), _first_number(*HEART)),
    ("energy", frozenset({"KVP"}), _first_number("KVP")),
    ("kernel", frozenset({"ConvolutionKernel"}), _text("ConvolutionKernel")),
    ("acquisition", frozenset({"AcquisitionNumber"}), _first_number("AcquisitionNumber")),
    ("time", frozenset(CLOCKS), _seconds),
)
"""Dimension, the attributes it is read from, and how; in the order they are tried."""


def dimensions_of(attributes: Attributes) -> Dimensions:
    """Every dimension the attributes of a frame speak of."""
    there = attributes.keys()
    found = ((name, read(attributes)) for name, said, read in READERS if not said.isdisjoint(there))
    return tuple((name, value) for name, value in found if value is not None)


def merged_dimensions(shared: Dimensions, own: Dimensions) -> Dimensions:
    """Those of an object with those of one of its frames, which win."""
    found = {**dict(shared), **dict(own)}
    return tuple((name, found[name]) for name, _, _ in READERS if name in found)


@dataclass(frozen=True, slots=True)
class Part:
    """Images that belong together, the values that say so, and its place (from 0) among its kind."""

    frames: list[FrameHeader]
    values: Dimensions = ()
    rank: int = 0
    of: int = 1
    cine: bool = False

    @property
    def label(self) -> str:
        """What tells this part from its neighbours, for a title: "b 800", "TE 10 ms, magnitude"."""
        if self.of < 2:
            return ""
        words = [_words(name, value, self) for name, value in self.values]
        return ", ".join(w for w in words if w) or f"{self.rank + 1} of {self.of}"


def _words(name: str, value: Value, part: Part) -> str:
    if isinstance(value, tuple):
        return ""
    if isinstance(value, str):
        last = value.rsplit("\\", maxsplit=1)[-1]
        return f"stack {value}" if name == "stack" else KINDS_OF_IMAGE.get(last, last.lower())
    if name == "cardiac":
        return f"{value:g}{_cardiac_unit(part)}"
    if name == "time":
        return f"time {part.rank + 1} of {part.of}"
    before = {"segment": "segment", "b": "b", "echo": "TE", "inversion": "TI", "flip": "flip angle",
              "phase": "phase", "energy": "", "acquisition": "acquisition"}[name]  # fmt: skip
    after = {"echo": " ms", "inversion": " ms", "flip": "°", "energy": " kV"}.get(name, "")
    return f"{before} {value:g}{after}".strip()


def _cardiac_unit(part: Part) -> str:
    return " %" if part.frames[0].cardiac_percent else " ms"


def value_of(frame: FrameHeader, name: str) -> Value | None:
    """The frame's value along a dimension, None where it has none."""
    return next((value for own, value in frame.dimensions if own == name), None)


def places(frames: Sequence[FrameHeader]) -> dict[int, int]:
    """The number of the place of each frame (by its `id`) along the first one's normal, from 0."""
    first = frames[0].plane
    assert first is not None
    normal = first.normal
    depths = sorted((f.plane.depth_along(normal), id(f)) for f in frames if f.plane is not None)
    found: dict[int, int] = {}
    number, last = -1, float("-inf")
    for depth, frame in depths:
        if depth - last > SAME_PLACE_MM:
            number, last = number + 1, depth
        found[frame] = number
    return found


def _collisions(frames: Sequence[FrameHeader]) -> int:
    found = places(frames)
    return len(found) - len(set(found.values()))


def split(group: list[FrameHeader]) -> list[Part]:
    """The parts of a group of images of one grid; one part where nothing lies where something else lies."""
    if group[0].plane is None:
        return [Part(group)]
    parts = [Part(group)]
    for name in ALWAYS:
        parts = [p for part in parts for p in _by(part, name)]
    return _ranked([p for part in parts for p in _without_collisions(part)])


def _by(part: Part, name: str) -> list[Part]:
    """One part for each value along a dimension; frames without one stay together."""
    found: dict[Value | None, list[FrameHeader]] = defaultdict(list)
    for frame in part.frames:
        found[value_of(frame, name)].append(frame)
    if len(found) < 2:
        return [part]
    return [
        Part(found[v], part.values if v is None else (*part.values, (name, v)))
        for v in sorted(found, key=_order)
    ]


def _order(value: Value | None) -> tuple[int, tuple[float, ...], str]:
    if value is None:
        return 0, (), ""
    if isinstance(value, str):
        return 2, (), value
    return 1, value if isinstance(value, tuple) else (value,), ""


def _without_collisions(part: Part) -> list[Part]:
    if len(part.frames) < 2 or not _collisions(part.frames):
        return [part]
    if len(set(places(part.frames).values())) < 2:
        return [_one_place(part)]
    parts = [part]
    for name in (*STRONG, *WEAK):
        parts = [p for one in parts for p in _if_it_helps(one, name)]
    slices = _cines(part, parts)
    return slices or [p for one in parts for p in _by_visit(one)]


def _one_place(part: Part) -> Part:
    """Many images of one place are frames of time where an attribute tells their times apart."""
    for name in TIMES:
        values = {value_of(f, name) for f in part.frames}
        if None not in values and len(values) > 2 and len(values) > len(part.frames) // 2:
            return Part(sorted(part.frames, key=_along(name)), part.values, cine=True)
    return part


def _along(name: str) -> Callable[[FrameHeader], tuple[object, ...]]:
    return lambda frame: (_order(value_of(frame, name)), frame.own_order)


def _if_it_helps(part: Part, name: str) -> list[Part]:
    before = _collisions(part.frames)
    if not before:
        return [part]
    found = _by(part, name)
    if len(found) < 2 or len(found) > _deepest(part.frames):
        return [part]
    if sum(_collisions(p.frames) for p in found) >= before:
        return [part]
    if name in WEAK:
        whole = len(set(places(part.frames).values()))
        if sum(2 * len(p.frames) >= whole for p in found) < 2:
            return [part]
    return found


def _deepest(frames: Sequence[FrameHeader]) -> int:
    counts: dict[int, int] = defaultdict(int)
    for place in places(frames).values():
        counts[place] += 1
    return max(counts.values())


def _cines(whole: Part, parts: list[Part]) -> list[Part]:
    """A heart seen at a few places through many phases: one moving set a place, not one set a phase."""
    if not all(any(name == "cardiac" for name, _ in p.values) for p in parts):
        return []
    if any(name not in ("cardiac", *ALWAYS) for p in parts for name, _ in p.values):
        return []
    where = places(whole.frames)
    count = len(set(where.values()))
    if len(parts) < CINE_PHASES or count > len(parts):
        return []
    at: dict[int, list[FrameHeader]] = defaultdict(list)
    for part in parts:
        for frame in part.frames:
            at[where[id(frame)]].append(frame)
    return [Part(at[n], whole.values, cine=True) for n in sorted(at)]


def _by_visit(part: Part) -> list[Part]:
    """Split by the order in which each place was visited, where no attribute tells the visits apart.

    Only where every place was visited equally often; a repeat or two stays for the reader to be told of.
    """
    where = places(part.frames)
    stations: dict[int, list[FrameHeader]] = defaultdict(list)
    for frame in sorted(part.frames, key=_in_time):
        stations[where[id(frame)]].append(frame)
    depths = {len(visits) for visits in stations.values()}
    if len(depths) != 1 or depths == {1} or len(stations) < 2:
        return [part]
    return [Part(list(rank), part.values) for rank in zip(*stations.values(), strict=True)]


def _in_time(frame: FrameHeader) -> tuple[object, ...]:
    return (*(_order(value_of(frame, name)) for name in TIMES), frame.own_order)


def _ranked(parts: list[Part]) -> list[Part]:
    return [Part(p.frames, p.values, n, len(parts), p.cine) for n, p in enumerate(parts)]
