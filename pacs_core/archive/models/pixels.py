"""Where the pixels of a study lie, series by series and frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A frame in a file both sides can open: `offset`/`length` in bytes, or its encapsulated `fragments`.

    `big_endian` and `deflated` frames are never offered as LocalFile.
    """

    path: str
    offset: int
    length: int
    transfer_syntax: str
    fragments: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Url:
    """A frame to be asked for: ``studies.frame(sop_instance_uid, frame)`` gives its bytes."""

    sop_instance_uid: str
    frame: int
    transfer_syntax: str


@dataclass(frozen=True, slots=True)
class FramePixels:
    """The bytes of one frame as stored: one element for native pixels, one per fragment otherwise."""

    transfer_syntax: str
    fragments: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class InstanceManifest:
    """One stored instance for viewing: its attributes (DICOM keyword → value) and a locator per frame.

    `attributes` holds geometry, rescale, windows, bits, photometric and so on as numbers, strings or lists;
    ``attributes["Frames"]`` the per-frame ones of multi-frame objects. `arrived` counts up within a study.
    """

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax: str
    instance_number: int | None
    rows: int
    columns: int
    number_of_frames: int
    attributes: Mapping[str, object]
    frames: tuple[LocalFile | Url, ...]
    key: bool = False


@dataclass(frozen=True, slots=True)
class SeriesManifest:
    """One series with its instances in order of arrival."""

    series_uid: str
    modality: str
    number: int | None
    description: str
    body_part: str
    laterality: str
    instances: tuple[InstanceManifest, ...]


@dataclass(frozen=True, slots=True)
class StudyManifest:
    """Everything a viewer needs to show a study; identity and dates are the archive's own truth."""

    study_uid: str
    patient_key: int
    patient_id: str
    patient_name: str
    study_date: str
    study_time: str
    description: str
    accession: str
    series: tuple[SeriesManifest, ...]
    revision: int = 0
