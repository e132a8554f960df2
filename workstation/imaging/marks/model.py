"""A mark: something that an object says about a place on an image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Place = tuple[float, ...]


class Space(StrEnum):
    """What the points of a mark count."""

    IMAGE = "columns and rows, the middle of the first pixel at 0"
    PATIENT = "patient millimetres (LPS)"
    DISPLAY = "fractions of the picture's width and height"


class Form(StrEnum):
    """What a mark is drawn as (PS3.3 C.10.5.1, C.18.6.1.2)."""

    LINE = "line through its points"
    ELLIPSE = "ellipse by the ends of its axes"
    CIRCLE = "circle by its middle and a point of it"
    POINT = "point"
    WORDS = "words alone, at its point"
    KEY = "the image is marked as a whole"


@dataclass(frozen=True, slots=True)
class Mark:
    """One shape or text of an object; `images` are (SOP Instance UID, frame) pairs, frame 0 for every one.

    `kind` is the kind of stroke where one of ours made it; `tracking_uid` what it is followed by.
    """

    form: Form
    points: tuple[Place, ...] = ()
    space: Space = Space.IMAGE
    images: frozenset[tuple[str, int]] = frozenset()
    frame_of_reference_uid: str = ""
    words: tuple[str, ...] = ()
    maker: str = ""
    tracking_uid: str = ""
    kind: str = ""
    source_uid: str = ""
