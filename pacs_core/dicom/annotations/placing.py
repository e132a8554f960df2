"""Where strokes lie on their image: patient millimetres to columns and rows (PS3.3 C.7.6.2.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pacs_core.dicom.annotations.shapes import Place

if TYPE_CHECKING:
    from pydicom import Dataset

HALF = 0.5
"""In SR and presentation states the middle of the first pixel is at 0.5, in our coordinates at 0."""


def on_image(image: Dataset, frame: int, points: Sequence[Place], in_pixels: bool) -> list[Place] | None:
    """(column, row) of each point as SR and presentation states count them; None for an image that says of
    no place in the patient.
    """
    if in_pixels:
        return [(p[0] + HALF, p[1] + HALF) for p in points]
    plane = plane_of(image, frame)
    if plane is None:
        return None
    origin, across, down = plane
    places: list[Place] = []
    for point in points:
        away = np.asarray(point) - origin
        column, row = (float(away @ step / (step @ step)) for step in (across, down))
        places.append((column + HALF, row + HALF))
    return places


def inside(image: Dataset, places: Sequence[Place]) -> bool:
    """Whether all places lie on the image."""
    return all(0.0 <= c <= image.Columns and 0.0 <= r <= image.Rows for c, r in places)


def held(image: Dataset, places: Sequence[Place]) -> list[Place]:
    """The places, those beyond the image brought to its edge."""
    return [(min(max(c, 0.0), float(image.Columns)), min(max(r, 0.0), float(image.Rows))) for c, r in places]


def plane_of(image: Dataset, frame: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...] | None:
    """Middle of the first pixel, and the steps to the next column and row, in mm."""
    position = _of_frame(image, frame, "PlanePositionSequence", "ImagePositionPatient")
    orientation = _of_frame(image, frame, "PlaneOrientationSequence", "ImageOrientationPatient")
    spacing = _of_frame(image, frame, "PixelMeasuresSequence", "PixelSpacing")
    if not (position and orientation and spacing):
        return None
    along = np.asarray(orientation, dtype=np.float64)
    across, down = along[:3] / np.linalg.norm(along[:3]), along[3:] / np.linalg.norm(along[3:])
    return np.asarray(position, dtype=np.float64), across * float(spacing[1]), down * float(spacing[0])


def _of_frame(image: Dataset, frame: int, group: str, keyword: str) -> list[float] | None:
    """An attribute of the image, or of its frame's or the shared functional groups."""
    found = image.get(keyword)
    if not found:
        frames = image.get("PerFrameFunctionalGroupsSequence") or []
        own = [frames[frame - 1]] if 0 < frame <= len(frames) else []
        for item in (*own, *(image.get("SharedFunctionalGroupsSequence") or [])):
            for inner in item.get(group) or []:
                found = found or inner.get(keyword)
    return [float(v) for v in found] if found else None
