"""Made series for imaging tests: arrays whose truth is known, as files' worth of manifests without files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pacs_core.archive.models import FramePixels, InstanceManifest, SeriesManifest, Url
from workstation.imaging.display_sets import DisplaySet, display_sets
from workstation.imaging.volume import Volume

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
EXPLICIT = "1.2.840.10008.1.2.1"


def instance(
    number: int, position: Sequence[float], shape: tuple[int, int] = (16, 20), **attributes: Any
) -> InstanceManifest:
    facts: dict[str, Any] = {
        "ImagePositionPatient": list(position),
        "ImageOrientationPatient": AXIAL,
        "PixelSpacing": [1.0, 1.0],
        "FrameOfReferenceUID": "1.2.3.9",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "PixelRepresentation": 1,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        **attributes,
    }
    facts = {key: value for key, value in facts.items() if value is not None}
    uid = f"1.2.3.{number}.{abs(hash(tuple(position))) % 10**9}"
    return InstanceManifest(
        uid, "1.2.840.10008.5.1.4.1.1.2", EXPLICIT, number, *shape, 1, facts, (Url(uid, 1, EXPLICIT),)
    )


def series(instances: Sequence[InstanceManifest], modality: str = "CT") -> SeriesManifest:
    return SeriesManifest("1.2.3", modality, 3, "made", "", "", tuple(instances))


def stack(places: Sequence[float], modality: str = "CT", **attributes: Any) -> DisplaySet:
    """An axial stack at these z, numbered in that order."""
    made = [instance(n + 1, (0.0, 0.0, z), **attributes) for n, z in enumerate(places)]
    return display_sets(series(made, modality))[0]


def filled(display_set: DisplaySet, value: Callable[[int], Any]) -> Volume:
    """A loaded volume; `value(k)` is slice k's array (or a number)."""
    volume = Volume(display_set)
    for k in range(len(display_set)):
        volume.claim(k)
        volume.pixels[k] = value(k)
        volume.arrived(k)
    return volume


class ArrayFrames:
    """Answers `studies.frame` from arrays by SOP Instance UID."""

    def __init__(self, arrays: dict[str, np.ndarray[Any, Any]]) -> None:
        self.arrays = arrays

    def __call__(self, sop_instance_uid: str, frame: int) -> FramePixels:
        return FramePixels(EXPLICIT, (self.arrays[sop_instance_uid].astype("<i2").tobytes(),))
