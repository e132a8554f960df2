"""Texts in their fixed places, letters from the vectors, the scale bar, and the strokes of the reader
(look.md).

Top left: series, image n of N, time. Top right: patient and date. Bottom left: window, zoom, slab,
interpolation and badges. Bottom right: position, orientation, thickness. Everything shrinks with the cell
and goes when it is too small.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workstation.imaging.geometry import LETTERS, Vector, opposite_letters, orientation_letters, plane_name
from workstation.imaging.view_frame import ViewFrame
from workstation.rendering.display_list import Anchor, DisplayList, Item, Line, Role, ScaleBar, Text

MARGIN = 8.0
FULL_SIZE = 420.0  # viewport pixels of the shorter edge at which texts have their full size
SMALLEST_TEXTS = 140.0
SMALLEST_LETTERS = 80.0
BAR_LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200)


@dataclass(frozen=True, slots=True)
class Corner:
    """Facts the archive and the session know and the pixels do not; empty ones are left out.

    `series` such as "3 T2 tra", `image` such as "12/135" (filled in by the view where empty), `time`;
    `patient` and `date` only where more than one is open; `badges` further words for the bottom left.
    """

    series: str = ""
    image: str = ""
    time: str = ""
    patient: str = ""
    date: str = ""
    badges: tuple[str, ...] = ()


def text_size(width: int, height: int) -> float:
    """Relative size of overlay texts in a cell, 0 where there is no room for any."""
    edge = float(min(width, height))
    if edge < SMALLEST_TEXTS:
        return 0.0
    return max(0.7, min(1.0, edge / FULL_SIZE))


def corner_texts(
    frame: ViewFrame,
    top_left: Iterable[str],
    top_right: Iterable[str],
    bottom_left: Iterable[str],
    bottom_right: Iterable[str],
) -> DisplayList:
    """The four blocks of text, empty lines dropped."""
    size = text_size(frame.width, frame.height)
    if size == 0.0:
        return DisplayList()
    right, bottom = frame.width - MARGIN, frame.height - MARGIN
    places: tuple[tuple[Iterable[str], tuple[float, float], Anchor], ...] = (
        (top_left, (MARGIN, MARGIN), "top-left"),
        (top_right, (right, MARGIN), "top-right"),
        (bottom_left, (MARGIN, bottom), "bottom-left"),
        (bottom_right, (right, bottom), "bottom-right"),
    )
    found: list[Item] = []
    for lines, position, anchor in places:
        kept = tuple(line for line in lines if line)
        if kept:
            found.append(Text(kept, position, anchor, "overlay", size))
    return DisplayList(tuple(found))


def letters(frame: ViewFrame, image_letters: tuple[str, str] | None = None) -> DisplayList:
    """Orientation letters at all four edges, from the vectors, or (rightwards, downwards) as the image
    names them.
    """
    if min(frame.width, frame.height) < SMALLEST_LETTERS:
        return DisplayList()
    if frame.in_patient:
        right, down = orientation_letters(frame.across), orientation_letters(frame.down)
    elif image_letters is not None:
        right, down = image_letters
    else:
        return DisplayList()
    x, y = frame.width / 2, frame.height / 2
    size = max(0.8, text_size(frame.width, frame.height))
    places: tuple[tuple[str, tuple[float, float], Anchor], ...] = (
        (right, (frame.width - MARGIN, y), "right"),
        (opposite_letters(right), (MARGIN, y), "left"),
        (down, (x, frame.height - MARGIN), "bottom"),
        (opposite_letters(down), (x, MARGIN), "top"),
    )
    return DisplayList(tuple(Text((t,), at, anchor, "overlay", size) for t, at, anchor in places if t))


def bar_length(frame: ViewFrame) -> float | None:
    """Millimetres of the scale bar: the longest round length within a quarter of the shorter edge; None if
    not trusted.
    """
    edge = min(frame.width, frame.height)
    if not frame.calibration.trusted or edge < SMALLEST_TEXTS:
        return None
    room = millimetres_down(frame) * edge / 4
    fitting = [length for length in BAR_LENGTHS if length <= room]
    return float(fitting[-1]) if fitting else None


def millimetres_down(frame: ViewFrame) -> float:
    """Mm of one viewport pixel along y; of an image without a place in the patient by its calibration."""
    if frame.in_patient:
        return frame.pixel_size[0]
    rows, columns = frame.calibration.spacing
    return float(((frame.down[0] * columns) ** 2 + (frame.down[1] * rows) ** 2) ** 0.5)


def scale_bar(frame: ViewFrame, above: float = 0.0) -> DisplayList:
    """A bar of round millimetres with the source of its scale; nothing where spacing cannot be trusted.
    `above` is how many viewport pixels of the lower right corner are taken by other things than words.
    """
    length = bar_length(frame)
    if length is None:
        return DisplayList()
    name = f"{length:g} mm" if length < 100 else f"{length / 10:g} cm"
    words = (
        name
        if frame.calibration.source in ("Pixel Spacing", "patient space")
        else f"{name} ({frame.calibration.source})"
    )
    size = text_size(frame.width, frame.height)
    return DisplayList((ScaleBar(length / millimetres_down(frame), words, size, above),))


def position_words(frame: ViewFrame) -> tuple[str, ...]:
    """Position along the main axis of the normal with its letter, orientation, thickness."""
    if not frame.in_patient:
        return ()
    normal = frame.normal
    axis = max(range(3), key=lambda n: abs(normal[n]))
    value = frame.centre[axis]
    side = LETTERS[axis][0 if value >= 0 else 1]
    thickness = f"{frame.thickness:.1f} mm" if frame.thickness > 0 else ""
    return (f"{side} {abs(value):.1f} mm", plane_name(normal), thickness)


def calibration_badge(frame: ViewFrame) -> str:
    """Words for an image that cannot be measured, else empty; the reason is told where a measure is
    refused.
    """
    return "" if frame.calibration.trusted else "not calibrated"


def crosshair_list(frame: ViewFrame, point: Vector, gap: float = 14.0) -> DisplayList:
    """Where another view points to: a cross with an open middle; dashed where the point is off this plane."""
    x, y, away = frame.viewport(point)
    dashed = abs(away) > max(1.0, frame.thickness / 2)
    role: Role = "crosshair"
    ends = (((0.0, y), (x - gap, y)), ((x + gap, y), (float(frame.width), y)), ((x, 0.0), (x, y - gap)),
            ((x, y + gap), (x, float(frame.height))))  # fmt: skip
    return DisplayList(tuple(Line(a, b, role, 1.0, dashed) for a, b in ends))


def reference_line(frame: ViewFrame, other: ViewFrame) -> DisplayList:
    """The line in which another view's plane cuts this one; nothing where they are parallel or in other
    spaces.
    """
    if (
        not (frame.in_patient and other.in_patient)
        or frame.frame_of_reference_uid != other.frame_of_reference_uid
    ):
        return DisplayList()
    corners = ((0.0, 0.0), (other.width, 0.0), (other.width, other.height), (0.0, other.height))
    flat = [frame.viewport(other.patient(x, y)) for x, y in corners]
    ends: list[tuple[float, float]] = []
    for (x0, y0, d0), (x1, y1, d1) in zip(flat, [*flat[1:], flat[0]], strict=True):
        if (d0 < 0) != (d1 < 0):
            t = d0 / (d0 - d1)
            ends.append((x0 + t * (x1 - x0), y0 + t * (y1 - y0)))
    return DisplayList((Line(ends[0], ends[1], "quiet", 1.0, True),)) if len(ends) == 2 else DisplayList()
