"""Laying a prior upon the current study where their frames of reference differ: rigid or affine; how sure.

Both volumes are sampled onto coarse grids along the patient's axes. A masked correlation over all shifts
(Padfield 2012) finds the start, so that anatomy cut away at either end does no harm; gradient descent on it
refines from coarse to fine (SimpleITK). The confidence comes from doing it again in ways that must agree:
the other way round from elsewhere, and with each half of the body alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from workstation.imaging.registration_grid import Ask, Grid, Samples, Stopped, made, sampled
from workstation.imaging.registration_search import agreement, coarse_starts, refined
from workstation.imaging.registration_transform import Transform
from workstation.imaging.volume import Volume

Floats = npt.NDArray[np.float64]
Cancelled = Callable[[], bool]

FINE_MM, ROUGH_MM = 4.0, 12.0
LEAST_BODY_MM3 = 100_000.0
LEAST_DEPTH_MM = 40.0


class Confidence(StrEnum):
    """How far a registration may be believed; high means within 5 mm everywhere in the overlap."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, eq=False)
class Registration:
    """What was found: `spread_mm` is how far the ways of finding it differ at worst, `similarity` the
    correlation in the overlap, `overlap` the share of the smaller body that both show.
    """

    transform: Transform
    confidence: Confidence
    kind: str
    similarity: float
    overlap: float
    spread_mm: float

    @property
    def words(self) -> str:
        """For the reader, e.g. "registered (rigid), confidence high"."""
        return f"registered ({self.kind}), confidence {self.confidence}"


@dataclass(frozen=True, slots=True)
class NoRegistration:
    """Why there is none, in words."""

    reason: str


def never() -> bool:
    """Go on."""
    return False


class Search(Protocol):
    """What lays sampled volumes upon each other: `register_samples` here, or the same in another process."""

    def __call__(
        self, current: Samples, prior: Samples, *, affine: bool, cancelled: Cancelled
    ) -> Registration | NoRegistration: ...


def register(
    current: Volume,
    prior: Volume,
    *,
    affine: bool = False,
    mask: Callable[[Floats], npt.NDArray[np.bool_]] | None = None,
    cancelled: Cancelled = never,
    search: Search | None = None,
) -> Registration | NoRegistration:
    """The transform from current to prior. Takes seconds: for a worker thread; `cancelled` is asked often.

    `mask` says of points (n, 3) of the current study (LPS mm) which count; without it the body does.
    `search` is `register_samples` unless something else is given.
    """
    for name, volume in (("current", current), ("prior", prior)):
        if volume.geometry is None or not volume.display_set.is_volume or volume.is_colour:
            return NoRegistration(f"the {name} series is no volume")
        if not volume.loaded.all():
            return NoRegistration(f"the {name} series is not loaded yet")
    try:
        one, other = (sampled(volume, FINE_MM, _asking(cancelled)) for volume in (current, prior))
    except Stopped:
        return NoRegistration("stopped")
    if mask is not None:
        one = replace(one, counts=mask(one.points()).reshape(one.valid.shape))
    return (search or register_samples)(one, other, affine=affine, cancelled=cancelled)


def register_samples(
    current: Samples, prior: Samples, *, affine: bool = False, cancelled: Cancelled = never
) -> Registration | NoRegistration:
    """`register` of volumes already sampled."""
    return register_grids(made(current), made(prior), affine=affine, cancelled=cancelled)


def register_grids(
    current: Grid, prior: Grid, *, affine: bool = False, cancelled: Cancelled = never
) -> Registration | NoRegistration:
    """`register` of grids."""
    for name, grid in (("current", current), ("prior", prior)):
        if grid.body_mm3 < LEAST_BODY_MM3 or grid.body_depth < LEAST_DEPTH_MM:
            return NoRegistration(f"the {name} series shows too little of the body")
    try:
        return _registered(current, prior, affine, _asking(cancelled))
    except Stopped:
        return NoRegistration("stopped")


def _asking(cancelled: Cancelled) -> Ask:
    def ask() -> None:
        if cancelled():
            raise Stopped

    return ask


def _registered(current: Grid, prior: Grid, affine: bool, ask: Ask) -> Registration:
    starts = coarse_starts(current, prior, ROUGH_MM, ask)
    tried = [refined(current, prior, start, (2,), False, ask) for start in starts]
    best = max(tried, key=lambda found: agreement(current, prior, found)[0])
    found = refined(current, prior, best, (2, 1), affine, ask)
    similarity, overlap = agreement(current, prior, found)
    spread = _spread(current, prior, found, affine, ask)
    confidence = judged(similarity, overlap, spread, _same_kind(current, prior))
    kind = "affine" if affine else "rigid"
    return Registration(found, confidence, kind, similarity, overlap, spread)


def _same_kind(current: Grid, prior: Grid) -> bool:
    return current.modality == prior.modality


def judged(similarity: float, overlap: float, spread: float, same_kind: bool) -> Confidence:
    """High only where every way of finding it agrees and the pictures match; set by trials (see tests)."""
    if same_kind and similarity >= 0.80 and overlap >= 0.30 and spread <= 2.5:
        return Confidence.HIGH
    if similarity >= 0.55 and overlap >= 0.2 and spread <= 8.0:
        return Confidence.MEDIUM
    return Confidence.LOW


def _spread(current: Grid, prior: Grid, found: Transform, affine: bool, ask: Ask) -> float:
    """Mm by which other ways of finding it differ, at worst, anywhere in the body that both show."""
    points = _common_points(current, prior, found)
    if len(points) == 0:
        return float("inf")
    here = found.apply(points)
    aside = found.moved(np.array([7.0, -6.0, 8.0]), np.radians([2.5, -2.0, 3.0]), points.mean(axis=0))
    back = refined(prior, current, aside.inverse, (2, 1), affine, ask)
    halves = [refined(half, prior, found, (2,), False, ask) for half in _halves(current, points)]
    others = [back.inverse, *halves]
    far = [np.linalg.norm(other.apply(points) - here, axis=1).max() for other in others]
    # half a body turns more easily than a whole one: it may differ by more and still agree
    return float(max(far[0], *(0.4 * f for f in far[1:])))


def _common_points(current: Grid, prior: Grid, found: Transform) -> Floats:
    points = current.body_points[:: max(1, len(current.body_points) // 3000)]
    return points[prior.holds(found.apply(points))]


def _halves(current: Grid, points: Floats) -> list[Grid]:
    """The body above and below the middle of what both show."""
    axis = int(np.argmax(points.max(axis=0) - points.min(axis=0)))
    middle = float(np.median(points[:, axis]))
    low, high = points[:, axis].min(), points[:, axis].max()
    place = current.points()[:, axis].reshape(current.body.shape)
    shown = (place >= low) & (place <= high) & current.body
    return [current.with_body(shown & (place < middle)), current.with_body(shown & (place >= middle))]
