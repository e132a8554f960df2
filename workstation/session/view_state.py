"""What one cell shows. Frozen: a change makes a new state, and comparing two tells what to repaint.

Lengths are patient millimetres in LPS (PS3.3 C.7.6.2.1.1); where an image has no geometry its own
pixel grid stands in, one unit a pixel, and the picture says it is not calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

Vector = tuple[float, float, float]


class Plane(Enum):
    """Which cut through the volume: the images as acquired, or a reformat."""

    ACQUIRED = "acquired"
    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"
    OBLIQUE = "oblique"


class SlabMode(Enum):
    """How the planes of a thick slab are joined into one picture."""

    MAXIMUM = "MIP"
    MINIMUM = "MinIP"
    MEAN = "mean"


class Interpolation(Enum):
    """How the picture is made between the pixels there are."""

    NEAREST = "nearest"
    LINEAR = "linear"
    CUBIC = "cubic"


@dataclass(frozen=True, slots=True)
class Window:
    """VOI window (PS3.3 C.11.2): centre and width in modality units, HU for CT; `label` is its name where it
    was chosen by one.
    """

    centre: float
    width: float
    label: str = ""

    def dragged(self, right: float, down: float, step: float) -> Window:
        """The window after a drag of so many pixels: right widens, down darkens (raises the centre)."""
        return Window(self.centre + down * step, max(1.0, self.width + right * step))


@dataclass(frozen=True, slots=True)
class Fusion:
    """Another volume laid over: the UID of its display set, its colour map, how much of it is seen (0..1)
    and its window in its own modality units (None: its own).
    """

    over: str
    colours: str = "hot iron"
    opacity: float = 0.5
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Subtraction:
    """A run less its mask: the mask's image (from 1; None: as the tags say), the mask's shift in pixels (rows
    down, columns right; None: as the tags say), and the window the run had before.
    """

    mask: int | None = None
    shift: tuple[float, float] | None = None
    before: Window | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Less another study's volume: the UID of its display set, the rows of the (3, 4) matrix that carries
    patient mm into those of it (None: one frame of reference), what ties the two, and the window before.
    """

    less: str
    into: tuple[tuple[float, ...], ...] | None = None
    words: str = ""
    before: Window | None = None

    def there(self, point: Vector) -> Vector:
        """A point of the patient in the other study."""
        if self.into is None:
            return point
        x, y, z = (sum(a * b for a, b in zip(row, (*point, 1.0), strict=True)) for row in self.into)
        return x, y, z


@dataclass(frozen=True, slots=True)
class Fit:
    """What fits into the cell at zoom 1 instead of the whole image, and where it lies until it is panned.

    `extent` is (width, height) in the image's own mm: cells of one size with one extent show one scale.
    `pixel_mm` is the patient's mm to a viewport pixel, 0 as it fits: with the screen's own it is true size.
    `side` is the cell's edge, left or right, the image lies at; empty in the middle.
    """

    extent: tuple[float, float] | None = None
    pixel_mm: float = 0.0
    side: str = ""


@dataclass(frozen=True, slots=True)
class ViewState:
    """One cell's view.

    `centre` is the patient point (LPS mm) at the middle of the cell; moving it within the plane pans,
    along the normal scrolls. `index` is the image shown of an acquired stack, in the display set's
    order; reformats ignore it. `right` and `down` are the patient directions of the screen's axes of
    an oblique plane. `zoom` is relative to the picture fitted into the cell. `window` None is the
    image's own first window; `rotation` counts quarter turns clockwise, after the flips. `slab` is the
    thickness in mm, 0 a single plane. `turn` says that the plane is an oblique slab through all of the
    volume, seen from so many degrees about the patient's long axis: 0 from in front, 90 from the left.
    `fit` is of acquired images alone.
    """

    plane: Plane = Plane.ACQUIRED
    index: int = 0
    centre: Vector | None = None
    right: Vector = (1.0, 0.0, 0.0)
    down: Vector = (0.0, 1.0, 0.0)
    zoom: float = 1.0
    window: Window | None = None
    invert: bool = False
    rotation: int = 0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    slab: float = 0.0
    slab_mode: SlabMode = SlabMode.MAXIMUM
    interpolation: Interpolation = Interpolation.LINEAR
    fusion: Fusion | None = None
    turn: float | None = None
    subtraction: Subtraction | None = None
    change: Change | None = None
    fit: Fit | None = None

    def with_(self, **changes: object) -> ViewState:
        """A copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # dataclasses.replace cannot be typed by **kwargs

    @property
    def is_reformat(self) -> bool:
        return self.plane is not Plane.ACQUIRED or self.slab > 0.0

    @property
    def beside(self) -> str:
        """The UID of the display set that is painted with this one: laid over, or taken away; else empty."""
        if self.fusion is not None:
            return self.fusion.over
        return self.change.less if self.change is not None else ""


def screen_to_image(state: ViewState, x: float, y: float) -> tuple[float, float]:
    """A step on the screen as a step along (row direction, column direction) of the unturned, unflipped
    image.
    """
    for _ in range(state.rotation % 4):
        x, y = y, -x
    return (-x if state.flip_horizontal else x), (-y if state.flip_vertical else y)
