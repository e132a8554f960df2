"""Tying a prior to the current study by position in millimetres, never by image number.

One frame of reference ties exactly (PS3.3 C.7.4.1.1.1). Two are tied by an anchor, an offset in mm found at
opening: where both series have enough slices by the outline of the body along the axis, else by their
middles. Such a tie is called approximate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.geometry import Vector, VolumeGeometry, add, dot, norm, scaled, subtract
from workstation.imaging.volume import Volume

STEP_MM = 2.0
SHORTEST_OVERLAP_MM = 60.0
LEAST_OVERLAP = 0.5
GOOD_CORRELATION = 0.9

Profile = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Link:
    """`offset` in mm carries a point of the current study to the prior; `words` says how it was found."""

    offset: Vector
    exact: bool
    words: str

    def to_prior(self, point: Vector) -> Vector:
        return add(point, self.offset)

    def to_current(self, point: Vector) -> Vector:
        return add(point, self.offset, -1.0)


EXACT = Link((0.0, 0.0, 0.0), True, "same frame of reference")


def anchored(current: Vector, prior: Vector) -> Link:
    """A link by hand: these two points are the same place."""
    return Link(subtract(prior, current), False, "approximate: set by hand")


def link(
    current: DisplaySet,
    prior: DisplaySet,
    current_volume: Volume | None = None,
    prior_volume: Volume | None = None,
) -> Link | None:
    """The link between two display sets; None where either has no place in a patient.

    Volumes, where they are given and loaded, let the body's outline decide; without them the middles do.
    """
    if not has_place(current) or not has_place(prior):
        return None
    shared = current.frame_of_reference_uid
    if shared and shared == prior.frame_of_reference_uid:
        return EXACT
    if current_volume is not None and prior_volume is not None:
        found = by_outline(current_volume, prior_volume)
        if found is not None:
            return found
    return Link(subtract(middle(prior), middle(current)), False, "approximate: by the middle of both series")


def has_place(display_set: DisplaySet) -> bool:
    """Whether all its images lie somewhere in a patient."""
    return all(f.plane is not None for f in display_set.frames)


def middle(display_set: DisplaySet) -> Vector:
    """The middle of all its image centres."""
    centres = [f.plane.centre for f in display_set.frames if f.plane is not None]
    sums = [sum(c[n] for c in centres) / len(centres) for n in range(3)]
    return sums[0], sums[1], sums[2]


def slice_at(display_set: DisplaySet, point: Vector) -> int:
    """The image whose plane lies nearest to a point of its own space, in mm along its normal; 0 without
    planes.
    """
    distances = [
        abs(dot(subtract(point, f.plane.origin), f.plane.normal)) if f.plane is not None else float("inf")
        for f in display_set.frames
    ]
    return int(np.argmin(distances))


def by_outline(current: Volume, prior: Volume) -> Link | None:
    """The offset that lays the body's outline of one upon the other's, or None where they do not match
    well.
    """
    one, other = body_profile(current), body_profile(prior)
    if one is None or other is None or abs(dot(one.axis, other.axis)) < 0.95:
        return None
    along = _best_shift(one, other)
    if along is None:
        return None
    a, b = one.centre, other.centre
    across = subtract(subtract(b, a), scaled(one.axis, dot(subtract(b, a), one.axis)))
    words = "approximate: by the outline of the body"
    return Link(add(across, one.axis, along), False, words)


@dataclass(frozen=True, slots=True)
class BodyProfile:
    """Area of the body in mm² every STEP_MM along `axis`, from `start`; `centre` is the middle of its
    outline.
    """

    axis: Vector
    start: float
    areas: Profile
    centre: Vector


def body_profile(volume: Volume) -> BodyProfile | None:
    """The outline of what is brighter than air in every slice; None for few slices, colour, or not all
    loaded.
    """
    geometry = volume.geometry
    if geometry is None or volume.is_colour or len(volume.loaded) < 10 or not volume.loaded.all():
        return None
    threshold = _threshold(volume)
    found = [_outline(volume, geometry, k, threshold) for k in range(len(volume.loaded))]
    axis = geometry.normal if dot(geometry.normal, geometry.slice_step) > 0 else scaled(geometry.normal, -1.0)
    depths = np.array([dot(geometry.plane(k).origin, axis) for k in range(len(found))])
    areas = np.array([area for area, _ in found])
    if areas.max() <= 0.0:
        return None
    places = np.arange(depths[0], depths[-1] + 1e-6, STEP_MM)
    middles = [m for _, m in found if m is not None]
    centre = scaled(
        (sum(m[0] for m in middles), sum(m[1] for m in middles), sum(m[2] for m in middles)), 1 / len(middles)
    )
    return BodyProfile(axis, float(depths[0]), np.interp(places, depths, areas), centre)


def _threshold(volume: Volume) -> float:
    """Between air and body: -300 HU of CT, else a tenth of the way to the brightest hundredth."""
    if volume.display_set.modality == "CT":
        return -300.0
    middle_slice = volume.values(len(volume.loaded) // 2)
    low, high = np.percentile(middle_slice, (1, 99))
    return float(low + 0.1 * (high - low))


def _outline(
    volume: Volume, geometry: VolumeGeometry, k: int, threshold: float
) -> tuple[float, Vector | None]:
    """(area in mm², middle) of the body in a slice, every fourth pixel."""
    stored: npt.NDArray[Any] = volume.pixels[k, ::4, ::4]
    body = volume.modality_lut(k).apply(stored) > threshold
    count = int(body.sum())
    if count == 0:
        return 0.0, None
    rows, columns = np.nonzero(body)
    area = count * 16 * norm(geometry.column_step) * norm(geometry.row_step)
    return area, geometry.patient(4 * float(columns.mean()), 4 * float(rows.mean()), k)


def _best_shift(one: BodyProfile, other: BodyProfile) -> float | None:
    """Mm along the axis at which the areas agree best, or None where no overlap agrees well."""
    a, b = one.areas, other.areas
    least = max(int(SHORTEST_OVERLAP_MM / STEP_MM), int(LEAST_OVERLAP * min(len(a), len(b))))
    best, best_shift = GOOD_CORRELATION, None
    for shift in range(least - len(a), len(b) - least + 1):
        part_a = a[max(0, -shift) : len(b) - shift]
        part_b = b[max(0, shift) : len(a) + shift]
        size = min(len(part_a), len(part_b))
        agreement = _agreement(part_a[:size], part_b[:size]) if size >= least else 0.0
        if agreement > best:
            best, best_shift = agreement, shift
    if best_shift is None:
        return None
    return other.start - one.start + best_shift * STEP_MM


def _agreement(a: Profile, b: Profile) -> float:
    """Correlation of two profiles; 0 where either is flat and says nothing."""
    if a.std() < 0.05 * a.mean() or b.std() < 0.05 * b.mean():
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
