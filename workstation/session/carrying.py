"""Measurements of the prior shown where they lie in the current study, to be measured there anew. Pure."""

from __future__ import annotations

from dataclasses import replace

from pacs_core.domain.identifiers import new_uid
from pacs_core.domain.measurement import Measurement
from workstation.imaging.anchors import slice_at
from workstation.imaging.display_sets import DisplaySet
from workstation.session.linking import Tie, carried

NEVER = frozenset({"calibration"})  # holds for its own image alone
HALF_A_VOXEL = 0.5


class NotCarried(ValueError):
    """A measurement has no place in the other study; the message says why."""


def carried_over(old: Measurement, by: Tie, shown: DisplaySet, study_uid: str) -> Measurement:
    """A prior's measurement where `by` lays it in `shown`, paired with the old one.

    It has a new identity and no numbers: they were the prior's, and its refusal says how it came here, until
    somebody moves it and so measures. Raises NotCarried.
    """
    if old.kind in NEVER:
        raise NotCarried("a calibration holds for its own image alone")
    if old.in_pixels:
        raise NotCarried("it was made in pixels of an image that has no place in the patient")
    if old.deleted or not old.points:
        raise NotCarried("it is no measurement any more")
    points = tuple(carried(point, by) for point in old.points)
    geometry = shown.geometry
    if geometry is None or not shown.is_volume:
        raise NotCarried("the current series is no volume")
    sizes = geometry.shape[::-1]
    for point in points:
        index = geometry.index(point)
        if not all(-HALF_A_VOXEL <= i <= n - HALF_A_VOXEL for i, n in zip(index, sizes, strict=True)):
            raise NotCarried("it lies outside of the current series")
    middle = [sum(values) / len(points) for values in zip(*points, strict=True)]
    image = shown.frames[slice_at(shown, (middle[0], middle[1], middle[2]))]
    how = by.words or ("in one frame of reference" if by.exact else "approximate")
    return replace(
        old,
        tracking_uid=new_uid(),
        study_uid=study_uid,
        series_uid=shown.series_uid,
        instance_uid=image.sop_instance_uid,
        frame=image.frame,
        points=points,
        quantities=(),
        frame_of_reference_uid=shown.frame_of_reference_uid,
        refusal=f"carried over from the prior ({how}); not measured here",
        series_number=shown.series_number,
        instance_number=image.instance_number,
        pairs_with=old.tracking_uid,
        author="",
        made_at="",
        changed_at="",
    )
