"""One stroke of every kind on a real image, wherever it lies: for what is made of strokes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from pydicom import Dataset, dcmread

from pacs_core.dicom.annotations.objects import Task, annotation_objects, prepared
from pacs_core.dicom.annotations.placing import plane_of
from pacs_core.domain.identifiers import new_uid
from pacs_core.domain.measurement import Measurement, Quantity

HU = "[hnsf'U]"
STROKES: tuple[tuple[str, tuple[tuple[float, float], ...], tuple[Quantity, ...], str], ...] = (
    ("length", ((5, 5), (20, 25)), (Quantity("Length", 12.5, "mm"),), ""),
    ("path", ((5, 5), (20, 25), (30, 30)), (Quantity("Length", 20.25, "mm"),), ""),
    ("angle", ((5, 5), (20, 25), (30, 30)), (Quantity("Angle", 101.25, "deg"),), ""),
    ("open_angle", ((5, 5), (20, 25), (5, 40), (30, 30)), (Quantity("Angle", 75.0, "deg"),), ""),
    ("cobb_angle", ((5, 5), (20, 25), (5, 40), (30, 30)), (Quantity("Cobb Angle", 22.5, "deg"),), ""),
    (
        "bidirectional",
        ((5, 20), (15, 10), (5, 5), (20, 25)),
        (Quantity("Long Axis", 25.0, "mm"), Quantity("Short Axis", 14.125, "mm")),
        "nodule",
    ),
    (
        "ellipse_roi",
        ((10, 15), (20, 15), (15, 5), (15, 25)),
        (
            Quantity("Area", 100.5, "mm2"),
            Quantity("Mean", -5.5, HU),
            Quantity("Standard Deviation", 5.0, HU),
            Quantity("SUVbw Maximum", 3.5, "g/ml{SUVbw}"),
        ),
        "L\N{LATIN SMALL LETTER A WITH DIAERESIS}sion \N{CJK UNIFIED IDEOGRAPH-5C71}",
    ),
    ("rectangle_roi", ((10, 15), (20, 15), (20, 5), (10, 5)), (Quantity("Area", 100.0, "mm2"),), ""),
    ("freehand_roi", ((10, 15), (20, 15), (15, 5)), (Quantity("Perimeter", 44.0, "mm"),), ""),
    ("probe", ((10, 15),), (Quantity("Value", 7.0, "1"),), ""),
    (
        "cardiothoracic_ratio",
        ((5, 5), (20, 5), (0, 20), (25, 20)),
        (Quantity("Cardiothoracic Ratio", 0.48, "1"),),
        "",
    ),
    ("arrow", ((10, 15), (30, 5)), (), "here"),
    ("text", ((10, 15),), (), "some words"),
    ("length", ((5, 5), (40, 5)), (), ""),
)
"""Kind, places in columns and rows, numbers and words; the last one is without its number."""


def header_of(folder: Path, number: int = 0) -> Dataset:
    """The header of one of a folder's images."""
    found = [p for p in sorted(folder.rglob("*.dcm")) if "DICOMDIR" not in p.name]
    headers = (dcmread(p, stop_before_pixels=True, force=True) for p in found)
    return prepared(next(islice((h for h in headers if "Rows" in h), number, None)))


def strokes_on(header: Dataset) -> tuple[Measurement, ...]:
    """One stroke of every kind on an image, and the mark of a key image."""
    plane = plane_of(header, 1)

    def place(column: float, row: float) -> tuple[float, float, float]:
        if plane is None:
            return column, row, 0.0
        origin, across, down = plane
        x, y, z = (origin + across * column + down * row).tolist()
        return x, y, z

    made = [_stroke(header, plane is None, place, *one) for one in STROKES]
    return (*made, _stroke(header, plane is None, place, "key_image", (), (), "the finding"))


def _stroke(
    header: Dataset,
    in_pixels: bool,
    place: Callable[[float, float], tuple[float, float, float]],
    kind: str,
    places: tuple[tuple[float, float], ...],
    quantities: tuple[Quantity, ...],
    label: str,
) -> Measurement:
    return Measurement(
        new_uid(),
        kind,
        str(header.StudyInstanceUID),
        str(header.SeriesInstanceUID),
        str(header.SOPInstanceUID),
        1,
        tuple(place(*p) for p in places),
        quantities,
        "" if in_pixels else str(header.get("FrameOfReferenceUID", "")),
        in_pixels,
        label,
        series_number=1,
        instance_number=2,
    )


def objects_of(header: Dataset, strokes: tuple[Measurement, ...]) -> dict[str, bytes]:
    """The files that the strokes on one image become, by their names."""
    uid = str(header.SOPInstanceUID)
    task = Task(str(header.StudyInstanceUID), strokes, {uid: header}, "Vale^Robin")
    return {made.name.split()[0]: made.content for made in annotation_objects(task)}
