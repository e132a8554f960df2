"""What all objects made of strokes have in common: their maker, their series, their UIDs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from typing import TYPE_CHECKING

from pacs_core.domain.identifiers import uid_from_name
from pacs_core.domain.measurement import Measurement

if TYPE_CHECKING:
    from pydicom import Dataset

MAKER = "Reading Room"
IDENTITY = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber",
            "StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName")  # fmt: skip
UTF8 = "ISO_IR 192"


@dataclass(frozen=True, slots=True)
class Task:
    """What objects are made of: the strokes of one study, the headers of their images by SOP Instance UID,
    and the person who keeps them.
    """

    study_uid: str
    strokes: tuple[Measurement, ...]
    images: Mapping[str, Dataset]
    person: str
    numbered: int = 1

    @property
    def observer(self) -> str:
        """The person as a PN."""
        return whole_name(self.person or "unknown")


@dataclass(frozen=True, slots=True)
class Made:
    """One object: what it is called, its UID and its file."""

    name: str
    sop_instance_uid: str
    content: bytes


def series_uid(study_uid: str, kind: str) -> str:
    """The series that keeps a study's objects of one kind: always the same."""
    return uid_from_name(f"reading-room annotations {kind} {study_uid}")


def object_uid(study_uid: str, kind: str, strokes: Sequence[Measurement]) -> str:
    """The UID of what says exactly this: kept twice, it is one object."""
    said = [
        (s.tracking_uid, s.kind, s.instance_uid, s.frame, s.points, s.quantities, s.label)
        for s in sorted(strokes, key=lambda s: s.tracking_uid)
    ]
    return uid_from_name(f"reading-room annotations {kind} {study_uid} {said!r}")


def program() -> str:
    """Our version."""
    try:
        return version("reading-room")
    except PackageNotFoundError:
        return "0"


def prepared(header: Dataset) -> Dataset:
    """A header as evidence: every attribute an object of the study takes over is there, its texts decoded."""
    header.decode()
    for keyword in IDENTITY:
        header.setdefault(keyword, "")
        if keyword.endswith("Name"):
            setattr(header, keyword, whole_name(str(header[keyword].value or "")))
    if not header.get("ClinicalTrialSponsorName"):  # a trial without its sponsor is none (C.7.1.3)
        for keyword in header.dir("ClinicalTrial"):
            delattr(header, keyword)
    header.SpecificCharacterSet = UTF8
    return header


def whole_name(name: str) -> str:
    """A PN of a single component with the delimiter after it, which means the same (PS3.5 6.2.1.2): else the
    toolkit warns, and the warning quotes it.
    """
    first, *others = name.split("=")
    return name if "^" in name or not name else "=".join((f"{first}^", *others))


def written(made: Dataset) -> bytes:
    """The object as a Part 10 file."""
    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
