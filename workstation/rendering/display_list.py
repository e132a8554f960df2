"""What is drawn over a picture, as data: frozen items in viewport pixels, painted by whoever has a brush.

Every item is painted with a dark halo under it, so that it reads on white bone and on black air alike.
`role` is what it means, never a colour: current, prior, selected (measurements), overlay (texts), quiet,
warning, foreign (what others' objects say).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["current", "prior", "selected", "overlay", "quiet", "warning", "crosshair", "foreign"]
Anchor = Literal[
    "top-left", "top-right", "bottom-left", "bottom-right", "top", "bottom", "left", "right", "centre"
]
Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line; `dashed` for what is interpolated or approximate."""

    start: Position
    end: Position
    role: Role
    width: float = 1.5
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Polyline:
    """Joined lines, closed or not."""

    points: tuple[Position, ...]
    role: Role
    width: float = 1.5
    closed: bool = False
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Ellipse:
    """`radii` along its own axes, turned by `degrees` clockwise on the screen."""

    centre: Position
    radii: Position
    degrees: float
    role: Role
    width: float = 1.5
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Handle:
    """A point the reader can grab: drawn `size` across, grabbed within `reach`."""

    position: Position
    role: Role
    size: float = 7.0
    reach: float = 12.0
    owner: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """Lines of text, `anchor` says which corner or edge of the text block lies at `position`.

    `size` is relative to the overlay font (1.0); `owner` is the measurement whose label this is. Where it
    has no room at its place, it ends at `otherwise`, on the measurement's other side.
    """

    lines: tuple[str, ...]
    position: Position
    anchor: Anchor
    role: Role
    size: float = 1.0
    owner: str = ""
    otherwise: Position | None = None


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """An upright bar `length` viewport pixels long with its name beside it, at the right edge, where
    pictures end: it stands on the words of the corner below, `above` pixels higher where other things lie
    there.
    """

    length: float
    words: str
    size: float = 1.0
    above: float = 0.0
    role: Role = "overlay"


Item = Line | Polyline | Ellipse | Handle | Text | ScaleBar


@dataclass(frozen=True, slots=True)
class DisplayList:
    """Items in painting order."""

    items: tuple[Item, ...] = ()

    def __add__(self, other: DisplayList) -> DisplayList:
        return DisplayList(self.items + other.items)

    def __len__(self) -> int:
        return len(self.items)

    def texts(self) -> tuple[str, ...]:
        """Every line of text in it."""
        lines = [item.lines for item in self.items if isinstance(item, Text)]
        lines += [(item.words,) for item in self.items if isinstance(item, ScaleBar)]
        return tuple(line for some in lines for line in some)

    def handle_at(self, x: float, y: float) -> Handle | None:
        """The handle within reach of a position, the nearest first."""
        near = [(_square(item.position, (x, y)), item) for item in self.items if isinstance(item, Handle)]
        within = [(d, h) for d, h in near if d <= h.reach**2]
        return min(within, key=lambda found: found[0])[1] if within else None


def _square(a: Position, b: Position) -> float:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2
