"""Which objects of a series are no images for a stack, what each is called, and why one cannot be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pacs_core.archive.models import InstanceManifest, SeriesManifest
from pacs_core.dicom.transfer_syntaxes import VIDEO, name_of


class Kind(StrEnum):
    """What is to be shown; the value is what people call it."""

    REPORT = "Structured report"
    KEY_OBJECTS = "Key images"
    PRESENTATION = "Presentation state"
    SEGMENTATION = "Segmentation"
    STRUCTURES = "RT structures"
    DOSE = "RT dose"
    PLAN = "RT plan"
    WAVEFORM = "Waveform"
    MAP = "Parametric map"
    REAL_WORLD_VALUES = "Real world values"
    REGISTRATION = "Registration"
    PDF = "PDF"
    CDA = "Clinical document"
    MODEL = "3D model"
    VIDEO = "Video"
    OTHER = "Other object"


STORAGE = "1.2.840.10008.5.1.4.1.1."
KINDS: tuple[tuple[str, Kind], ...] = (
    ("88.59", Kind.KEY_OBJECTS),
    ("88.", Kind.REPORT),
    ("11.", Kind.PRESENTATION),
    ("66.4", Kind.SEGMENTATION),
    ("66.7", Kind.SEGMENTATION),
    ("66.1", Kind.REGISTRATION),
    ("66.3", Kind.REGISTRATION),
    ("67", Kind.REAL_WORLD_VALUES),
    ("30", Kind.MAP),
    ("481.2", Kind.DOSE),
    ("481.3", Kind.STRUCTURES),
    ("481.5", Kind.PLAN),
    ("481.8", Kind.PLAN),
    ("9.", Kind.WAVEFORM),
    ("104.1", Kind.PDF),
    ("104.2", Kind.CDA),
    ("104.3", Kind.MODEL),
    ("104.4", Kind.MODEL),
    ("104.5", Kind.MODEL),
)
"""SOP class UID behind `STORAGE` → kind; a dot at the end stands for all below, the first that fits counts.
"""

ALSO_IMAGES = frozenset({Kind.SEGMENTATION, Kind.DOSE, Kind.MAP})
"""Kinds that scroll as display sets as well."""


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """One object to be offered beside the display sets; `why_not` says why it cannot be shown, if so.

    `number` is its Instance Number; `attributes` what the archive knows of it.
    """

    sop_instance_uid: str
    kind: Kind
    title: str
    why_not: str = ""
    number: int | None = None
    series_uid: str = ""
    series_number: int | None = None


def kind_of(instance: InstanceManifest) -> Kind | None:
    """What kind of document an object is, None for images."""
    if instance.transfer_syntax in VIDEO:
        return Kind.VIDEO
    if instance.sop_class_uid.startswith(STORAGE):
        end = instance.sop_class_uid[len(STORAGE) :]
        for known, kind in KINDS:
            if end == known or (known.endswith(".") and end.startswith(known)):
                return kind
    return None if instance.frames else Kind.OTHER


def documents(series: SeriesManifest) -> tuple[DocumentRef, ...]:
    """Every object of a series that is no image, or an image that cannot be shown, by its number."""
    found = [d for i in series.instances if (d := _document(series, i)) is not None]
    return tuple(sorted(found, key=lambda d: (d.number is None, d.number or 0, d.sop_instance_uid)))


def _document(series: SeriesManifest, instance: InstanceManifest) -> DocumentRef | None:
    kind = kind_of(instance)
    if kind is None:
        return None
    return DocumentRef(
        sop_instance_uid=instance.sop_instance_uid,
        kind=kind,
        title=_title(kind, series, instance.attributes),
        why_not=_why_not(instance) if kind is Kind.OTHER else "",
        number=instance.instance_number,
        series_uid=series.series_uid,
        series_number=series.number,
    )


NAMES = ("DocumentTitle", "ContentDescription", "ContentLabel", "StructureSetLabel", "RTPlanLabel")


def _title(kind: Kind, series: SeriesManifest, attributes: Mapping[str, object]) -> str:
    """The object's own name where it has one, else that of its series, else its kind."""
    concepts = attributes.get("ConceptNameCodeSequence")
    if (
        isinstance(concepts, list)
        and concepts
        and isinstance(concepts[0], Mapping)
        and concepts[0].get("meaning")
    ):
        return str(concepts[0]["meaning"])
    own = next((str(v) for k in NAMES if (v := attributes.get(k))), "")
    return own or series.description or str(kind)


def _why_not(instance: InstanceManifest) -> str:
    if "BitsAllocated" not in instance.attributes and not instance.rows:
        return "It holds no image: only its description can be shown."
    if not instance.rows or not instance.columns:
        return f"It says {instance.rows} rows and {instance.columns} columns: there is nothing to show."
    syntax = name_of(instance.transfer_syntax)
    return f"Its pixel data is missing or cannot be divided into frames ({syntax})."
