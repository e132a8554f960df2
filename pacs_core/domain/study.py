"""Study, series and instance as the archive knows them (PS3.3 A.1.2; PS3.4 C.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PixelLocation:
    """Where a frame's bytes lie in the stored file: absolute offset and length, or its fragments.

    `fragments` holds (offset, length) pairs of an encapsulated frame; empty for native pixels, where
    `offset`/`length` say it all (PS3.5 A.4).
    """

    offset: int
    length: int
    fragments: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceHeader:
    """The checked header of one received object: identity, query keys and what a viewer needs.

    `patient_*`, `study_*` and so on are as received (decoded to Unicode, NFC). `attributes` holds every
    further query and viewing attribute by DICOM keyword, as JSON-able values (numbers, strings, lists);
    per-frame geometry of multi-frame objects is in ``attributes["Frames"]`` as a list of mappings.
    Raises nothing: `dicom.intake` builds it or refuses the object.
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    transfer_syntax_uid: str
    patient_id: str = ""
    issuer_of_patient_id: str = ""
    patient_name: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    accession_number: str = ""
    accession_issuer: str = ""
    study_id: str = ""
    study_date: str = ""
    study_time: str = ""
    study_description: str = ""
    referring_physician: str = ""
    modality: str = ""
    series_number: int | None = None
    series_description: str = ""
    series_date: str = ""
    series_time: str = ""
    body_part: str = ""
    laterality: str = ""
    station_name: str = ""
    institution: str = ""
    manufacturer: str = ""
    instance_number: int | None = None
    content_date: str = ""
    content_time: str = ""
    rows: int = 0
    columns: int = 0
    number_of_frames: int = 1
    character_set: str = ""
    requested_procedure_ids: tuple[str, ...] = ()
    step_ids: tuple[str, ...] = ()
    request_accessions: tuple[str, ...] = ()
    pixel_offset: int | None = None
    pixel_length: int | None = None
    frames: tuple[PixelLocation, ...] = ()
    attributes: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an object came from: the door, the calling AE or user, and its address."""

    door: str
    caller: str = ""
    called: str = ""
    address: str = ""
    association: str = ""
