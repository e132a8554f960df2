"""Volume of a stack: outlines of one finding on parallel images, added up (Cavalieri)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pacs_core.domain.measurement import Measurement, Quantity
from workstation.imaging.geometry import VolumeGeometry, cross, dot, unit
from workstation.tools.measures import Contour, Refusal, stacked_volume
from workstation.tools.measuring import OUTLINES

VOLUME = "Volume"
STACKED = (*OUTLINES, "ellipse_roi")
FEWEST = 2


def stack_of(chosen: Measurement, strokes: Iterable[Measurement]) -> tuple[Measurement, ...]:
    """The regions that belong to the chosen one: of its series and its words, each with its area."""
    return tuple(
        m
        for m in strokes
        if m.kind in STACKED
        and (m.series_uid, m.label) == (chosen.series_uid, chosen.label)
        and not m.in_pixels
        and _area(m) is not None
    )


def volume_of(stack: Sequence[Measurement], geometry: VolumeGeometry) -> float | Refusal:
    """Millilitres of a stack of regions on a series' images; refused where the planes lie too far apart."""
    if len({m.instance_uid for m in stack}) < FEWEST:
        return Refusal("a volume needs regions on two images at least, of one series and with the same words")
    normal = unit(cross(geometry.column_step, geometry.row_step))
    step = abs(dot(geometry.slice_step, normal))
    contours = [Contour(m.points[0], area) for m in stack if (area := _area(m)) is not None]
    found = stacked_volume(contours, normal, step)
    return found if isinstance(found, Refusal) else found / 1000.0


def with_volume(stack: Sequence[Measurement], chosen: Measurement, millilitres: float) -> list[Measurement]:
    """The stack with its volume told at the chosen region alone."""
    return [_told(m, millilitres if m.tracking_uid == chosen.tracking_uid else None) for m in stack]


def told_anew(
    changed: Measurement, strokes: Iterable[Measurement], geometry: VolumeGeometry | None
) -> list[Measurement]:
    """Regions of a changed one's stack that tell its volume, with what it is now, or without where there is
    none any more; `strokes` are those of the study after the change.
    """
    if changed.kind not in STACKED:
        return []
    stack = stack_of(changed, strokes)
    found = volume_of(stack, geometry) if geometry is not None else None
    holders = [m for m in stack if m.tracking_uid != changed.tracking_uid and tells_volume(m)]
    return [_told(m, found if isinstance(found, float) else None) for m in holders]


def holding(one: Measurement, strokes: Iterable[Measurement], geometry: VolumeGeometry | None) -> Measurement:
    """A region that told its stack's volume, with what that is now, or without."""
    found = volume_of(stack_of(one, strokes), geometry) if geometry is not None else None
    return _told(one, found if isinstance(found, float) else None)


def tells_volume(one: Measurement) -> bool:
    """Whether a region tells the volume of its stack."""
    return any(q.name == VOLUME for q in one.quantities)


def _told(one: Measurement, millilitres: float | None) -> Measurement:
    kept = tuple(q for q in one.quantities if q.name != VOLUME)
    told = (Quantity(VOLUME, millilitres, "ml"),) if millilitres is not None else ()
    return replace(one, quantities=(*kept, *told))


def _area(one: Measurement) -> float | None:
    return next((q.value for q in one.quantities if q.name == "Area" and q.unit == "mm2"), None)
