"""What a document consists of when it is shown: blocks of data without a widget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, in the order they are read."""

    rows: tuple[tuple[str, str], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under their heads."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Plain words; line ends are kept."""

    words: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One content item of a structured report: concept, value, how it hangs on its parent, what it points to.

    `kind` is its value type ("NUM", "TEXT", ...); `references` are (SOP Instance UID, frame) pairs, frame 0
    for the whole object.
    """

    concept: str
    value: str = ""
    relationship: str = ""
    children: tuple[Node, ...] = ()
    references: tuple[tuple[str, int], ...] = ()
    kind: str = ""

    def lines(self, depth: int = 0) -> Iterator[tuple[int, str]]:
        """(Depth, words) of this item and all below it, as they are read aloud."""
        yield (
            depth,
            f"{self.concept}: {self.value}" if self.concept and self.value else self.concept or self.value,
        )
        for child in self.children:
            yield from child.lines(depth + 1)


@dataclass(frozen=True, slots=True)
class Tree:
    """A structured report."""

    root: Node


class Pages(Protocol):
    """A document of pages."""

    @property
    def count(self) -> int: ...

    def size(self, page: int) -> tuple[float, float]:
        """Width and height of a page (from 0) in points of 1/72 inch."""
        ...

    def render(self, page: int, width: int) -> Rgb:
        """A page as RGB (height, width, 3), so many pixels wide; safe on any thread."""
        ...

    def text(self, page: int) -> str:
        """The words of a page, to be searched and read aloud."""
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a waveform: its samples in `unit`, (samples,) float64, NaN where nothing is."""

    name: str
    unit: str
    samples: npt.NDArray[np.float64] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Curves:
    """Channels recorded together, `rate` samples a second, from `offset` seconds after the first group."""

    channels: tuple[Channel, ...]
    rate: float
    offset: float = 0.0
    title: str = ""

    @property
    def seconds(self) -> float:
        return max((len(c.samples) for c in self.channels), default=0) / self.rate if self.rate else 0.0


class Pictures(Protocol):
    """The pictures of a film that is played."""

    def __iter__(self) -> Iterator[Rgb]: ...

    def close(self) -> None:
        """End the player; safe on any thread, also while the next picture is waited for."""
        ...


class Film(Protocol):
    """A video: its size, and its pictures one after the other."""

    @property
    def columns(self) -> int: ...

    @property
    def rows(self) -> int: ...

    @property
    def rate(self) -> float:
        """Pictures a second, 0 where unknown."""
        ...

    def pictures(self, first: int = 0) -> Pictures:
        """RGB pictures (rows, columns, 3) from number `first` on."""
        ...


Block = Facts | Table | Text | Tree | Curves | Pages | Film


@dataclass(frozen=True, slots=True)
class Document:
    """A presented object; `warnings` say in sentences what of it is missing or cannot be shown."""

    title: str
    blocks: tuple[Block, ...]
    warnings: tuple[str, ...] = ()
