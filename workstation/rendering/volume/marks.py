"""What is drawn over a 3D picture: letters, scale bar, a cube that shows how the body lies, the crop box."""

from __future__ import annotations

from workstation.imaging.geometry import Vector, add, dot, orientation_letters, scaled
from workstation.imaging.view_frame import ViewFrame
from workstation.rendering.display_list import DisplayList, Handle, Item, Line, Polyline, Position, Text
from workstation.rendering.overlays import SMALLEST_TEXTS, corner_texts, letters, scale_bar, text_size
from workstation.rendering.volume.camera import SIDES, Camera
from workstation.rendering.volume.crop import FACES, CropBox

CUBE = 26.0  # half an edge in pixels of a full-size view
MARGIN = 14.0
AXES: tuple[Vector, Vector, Vector] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
EDGES = ((0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7))


def over(
    camera: Camera,
    width: int,
    height: int,
    top_left: tuple[str, ...],
    top_right: tuple[str, ...] = (),
    bottom_left: tuple[str, ...] = (),
) -> DisplayList:
    """Texts, letters at the edges, scale bar and cube of a view."""
    frame = camera.frame(width, height)
    texts = corner_texts(frame, top_left, top_right, bottom_left, ())
    bar = scale_bar(frame, MARGIN + 3.6 * CUBE * text_size(width, height))
    return texts + letters(frame) + bar + cube(camera, width, height)


def cube(camera: Camera, width: int, height: int) -> DisplayList:
    """The faces of a cube that look at the observer, each with the letter of the side of the body it is."""
    size = text_size(width, height)
    if size == 0.0 or min(width, height) < SMALLEST_TEXTS:
        return DisplayList()
    half = CUBE * size
    middle = (width - MARGIN - 1.8 * half, height - MARGIN - 1.8 * half)
    items: list[Item] = []
    for axis in range(3):
        for side in (-1.0, 1.0):
            outwards = scaled(AXES[axis], side)
            towards = -dot(outwards, camera.sight)
            if towards > 0.05:
                items += _face(camera, middle, half, axis, side, towards, size)
    return DisplayList(tuple(items))


def _face(
    camera: Camera, middle: Position, half: float, axis: int, side: float, towards: float, size: float
) -> list[Item]:
    u, v = AXES[(axis + 1) % 3], AXES[(axis + 2) % 3]
    centre = scaled(AXES[axis], side)
    corners = [add(add(centre, u, a), v, b) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    outline = Polyline(tuple(_at(camera, middle, half, c) for c in corners), "quiet", 1.0, closed=True)
    name = orientation_letters(centre)
    at = _at(camera, middle, half, centre)
    return [outline, Text((name,), at, "centre", "overlay", size * (0.5 + 0.5 * towards))]


def _at(camera: Camera, middle: Position, half: float, place: Vector) -> Position:
    return middle[0] + half * dot(place, camera.right), middle[1] + half * dot(place, camera.down)


def box_list(frame: ViewFrame, box: CropBox) -> DisplayList:
    """The crop box' edges, and a handle on each face."""
    flat = [frame.viewport(c)[:2] for c in box.corners()]
    lines = tuple(Line(flat[a], flat[b], "selected", 1.0) for a, b in EDGES)
    handles = tuple(
        Handle(frame.viewport(box.face(n))[:2], "selected", owner="crop", number=n) for n in range(len(FACES))
    )
    return DisplayList((*lines, *handles))


def face_drag(frame: ViewFrame, box: CropBox, number: int, moved: Position) -> float:
    """Mm outwards by which a face follows a drag of so many pixels; 0 for a face seen head-on."""
    axis, side = FACES[number]
    outwards = scaled(box.axes[axis], float(side))
    x = dot(outwards, frame.across) / dot(frame.across, frame.across)
    y = dot(outwards, frame.down) / dot(frame.down, frame.down)
    length = x * x + y * y
    seen_mm = length**0.5 * frame.pixel_size[1]
    return (moved[0] * x + moved[1] * y) / length if seen_mm > 0.1 else 0.0


def side_name(camera: Camera) -> str:
    """Where the observer stands, such as "anterior"; the nearest of the six."""
    return max(SIDES, key=lambda name: dot(camera.from_side(name).sight, camera.sight))
