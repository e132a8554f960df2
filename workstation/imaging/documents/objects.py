"""Key objects, presentation states, segmentations, RT objects, maps: what each says, as facts and tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from workstation.imaging.documents.model import Block, Facts, Table, Text
from workstation.imaging.documents.reading import facts, items, meaning, number, references, text, unit, value
from workstation.imaging.documents.structured_report import node

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MADE = (
    ("Date", "ContentDate"),
    ("Time", "ContentTime"),
    ("By", "ContentCreatorName"),
    ("Maker", "Manufacturer"),
)


def key_objects(data: Dataset) -> tuple[Block, ...]:
    """Why images were marked, and which (PS3.3 A.35.4)."""
    root = node(data)
    words = [n.value for n in root.children if n.value and not n.references]
    marked = [r for n in root.children for r in n.references]
    rows = tuple((uid, str(frame) if frame else "all") for uid, frame in marked or references(data))
    blocks: list[Block] = [Facts((("Reason", root.concept), *facts(data, MADE).rows))]
    if words:
        blocks.append(Text("\n".join(words)))
    return (*blocks, Table(("Image", "Frames"), rows, "Marked images"))


def presentation_state(data: Dataset) -> tuple[Block, ...]:
    """What a presentation state does to which images (PS3.3 A.33)."""
    names = (("Label", "ContentLabel"), ("Description", "ContentDescription"),
             ("Date", "PresentationCreationDate"), ("Time", "PresentationCreationTime"),
             ("By", "ContentCreatorName"), ("Shape", "PresentationLUTShape"),
             ("Rotation", "ImageRotation"), ("Flipped", "ImageHorizontalFlip"),
             ("Shutter", "ShutterShape"))  # fmt: skip
    windows = tuple(
        (_window(w), text(w, "WindowCenterWidthExplanation")) for w in items(data, "SoftcopyVOILUTSequence")
    )
    drawn = tuple(
        (
            text(item, "GraphicLayer"),
            str(len(items(item, "GraphicObjectSequence"))),
            " · ".join(text(t, "UnformattedTextValue") for t in items(item, "TextObjectSequence")),
        )
        for item in items(data, "GraphicAnnotationSequence")
    )
    layers = tuple(
        (text(i, "GraphicLayer"), text(i, "GraphicLayerDescription"))
        for i in items(data, "GraphicLayerSequence")
    )
    blocks: list[Block] = [facts(data, names)]
    for rows, heads, title in (
        (windows, ("Center / width", "Name"), "Windows"),
        (drawn, ("Layer", "Shapes", "Text"), "Annotations"),
        (layers, ("Layer", "Description"), "Layers"),
    ):
        if rows:
            blocks.append(Table(heads, rows, title))
    images = tuple((uid, str(frame) if frame else "all") for uid, frame in references(data))
    return (*blocks, Table(("Image", "Frames"), images, "For these images"))


def _window(item: Dataset) -> str:
    if items(item, "VOILUTSequence"):
        return "table"
    return f"{text(item, 'WindowCenter')} / {text(item, 'WindowWidth')}"


def segmentation(data: Dataset) -> tuple[Block, ...]:
    """The segments, what they stand for and in how many frames they are (PS3.3 C.8.20.2)."""
    frames: Counter[int] = Counter()
    for group in items(data, "PerFrameFunctionalGroupsSequence"):
        for item in items(group, "SegmentIdentificationSequence"):
            frames[int(number(item, "ReferencedSegmentNumber") or 0)] += 1
    rows = tuple(
        (
            text(item, "SegmentNumber"),
            text(item, "SegmentLabel"),
            meaning(item, "SegmentedPropertyTypeCodeSequence")
            or meaning(item, "SegmentedPropertyCategoryCodeSequence"),
            " ".join(t for k in ("SegmentAlgorithmType", "SegmentAlgorithmName") if (t := text(item, k))),
            str(frames.get(int(number(item, "SegmentNumber") or 0), 0) or ""),
        )
        for item in items(data, "SegmentSequence")
    )
    names = (
        ("Type", "SegmentationType"),
        ("Label", "ContentLabel"),
        ("Description", "ContentDescription"),
        *MADE,
    )
    return facts(data, names), Table(("No.", "Segment", "What", "How", "Frames"), rows, "Segments")


def structures(data: Dataset) -> tuple[Block, ...]:
    """The regions of interest of a structure set and their contours (PS3.3 C.8.8.5, C.8.8.6)."""
    contours: dict[int, list[Dataset]] = {}
    for item in items(data, "ROIContourSequence"):
        contours[int(number(item, "ReferencedROINumber") or 0)] = items(item, "ContourSequence")
    kinds = {
        int(number(item, "ReferencedROINumber") or 0): text(item, "RTROIInterpretedType")
        for item in items(data, "RTROIObservationsSequence")
    }
    rows = []
    for item in items(data, "StructureSetROISequence"):
        no = int(number(item, "ROINumber") or 0)
        own = contours.get(no, [])
        shapes = ", ".join(sorted({text(c, "ContourGeometricType").lower() for c in own}))
        places = {round(float(z), 2) for c in own if (z := _third(c)) is not None}
        rows.append(
            (str(no), text(item, "ROIName"), kinds.get(no, ""), str(len(own)), str(len(places)), shapes)
        )
    names = (("Label", "StructureSetLabel"), ("Name", "StructureSetName"), ("Date", "StructureSetDate"),
             ("Time", "StructureSetTime"), ("By", "OperatorsName"))  # fmt: skip
    heads = ("No.", "Structure", "Type", "Contours", "Slices", "Shape")
    return facts(data, names), Table(heads, tuple(rows), "Structures")


def _third(contour: Dataset) -> float | None:
    points = value(contour, "ContourData")
    try:
        return float(points[2])
    except (TypeError, ValueError, IndexError):
        return None


def dose(data: Dataset) -> tuple[Block, ...]:
    """What kind of dose a grid holds, and its histograms (PS3.3 C.8.8.3, C.8.8.4)."""
    names = (("Units", "DoseUnits"), ("Type", "DoseType"), ("Sum of", "DoseSummationType"),
             ("Scaling", "DoseGridScaling"), ("Comment", "DoseComment"), ("Frames", "NumberOfFrames"),
             ("Normalized at", "NormalizationPoint"))  # fmt: skip
    rows = tuple(
        (
            text(item, "DVHType"),
            *(f"{text(item, k)} {text(item, 'DoseUnits').lower()}".strip() for k in DOSES),
            f"{text(item, 'DVHNumberOfBins')} bins of {text(item, 'DVHVolumeUnits').lower()}",
        )
        for item in items(data, "DVHSequence")
    )
    table = (Table(("Histogram", "Least", "Mean", "Most", "Data"), rows, "Dose and volume"),) if rows else ()
    return facts(data, names), *table


DOSES = ("DVHMinimumDose", "DVHMeanDose", "DVHMaximumDose")


def plan(data: Dataset) -> tuple[Block, ...]:
    """Prescriptions, fractions and beams (PS3.3 C.8.8.9 to C.8.8.14)."""
    names = (("Label", "RTPlanLabel"), ("Name", "RTPlanName"), ("Date", "RTPlanDate"),
             ("Intent", "PlanIntent"), ("Approval", "ApprovalStatus"))  # fmt: skip
    goals = tuple(
        (text(i, "DoseReferenceDescription"), text(i, "DoseReferenceType").lower(),
         text(i, "TargetPrescriptionDose") or text(i, "DeliveryMaximumDose"))
        for i in items(data, "DoseReferenceSequence")
    )  # fmt: skip
    fractions = tuple(
        (text(i, "FractionGroupNumber"), text(i, "NumberOfFractionsPlanned"), text(i, "NumberOfBeams"))
        for i in items(data, "FractionGroupSequence")
    )
    beams = tuple(
        (
            text(i, "BeamNumber"),
            text(i, "BeamName"),
            text(i, "RadiationType").lower(),
            text(i, "TreatmentMachineName"),
        )
        for i in (*items(data, "BeamSequence"), *items(data, "IonBeamSequence"))
    )
    blocks: list[Block] = [facts(data, names)]
    for rows, heads, title in (
        (goals, ("Reference", "Type", "Dose (Gy)"), "Prescription"),
        (fractions, ("Group", "Fractions", "Beams"), "Fractions"),
        (beams, ("No.", "Beam", "Radiation", "Machine"), "Beams"),
    ):
        if rows:
            blocks.append(Table(heads, rows, title))
    return tuple(blocks)


def real_world_values(data: Dataset) -> tuple[Block, ...]:
    """What stored values stand for (PS3.3 C.7.6.16.2.11), of a map or a mapping object."""
    groups = [
        *items(data, "SharedFunctionalGroupsSequence"),
        *items(data, "PerFrameFunctionalGroupsSequence")[:1],
    ]
    outer = [data, *items(data, "ReferencedImageRealWorldValueMappingSequence"), *groups]
    rows = []
    for item in outer:
        for one in items(item, "RealWorldValueMappingSequence"):
            first, last = (
                text(one, f"RealWorldValue{end}ValueMapped")
                or text(one, f"DoubleFloatRealWorldValue{end}ValueMapped")
                for end in ("First", "Last")
            )
            line = f"{text(one, 'RealWorldValueSlope')} × stored + {text(one, 'RealWorldValueIntercept')}"
            table = value(one, "RealWorldValueLUTData") is not None
            name = text(one, "LUTLabel") or text(one, "LUTExplanation")
            stored = f"{first} to {last}" if first else ""
            rows.append((name, "table" if table else line, unit(one), stored))
    names = (
        ("Label", "ContentLabel"),
        ("Description", "ContentDescription"),
        ("Images", "NumberOfFrames"),
        *MADE,
    )
    return facts(data, names), Table(
        ("Quantity", "Value", "Unit", "Stored"), tuple(rows), "Real world values"
    )


def registration(data: Dataset) -> tuple[Block, ...]:
    """Which frames of reference are tied, and by which matrix (PS3.3 C.20.2)."""
    rows = []
    for item in (*items(data, "RegistrationSequence"), *items(data, "DeformableRegistrationSequence")):
        matrices = [
            (
                text(m, "FrameOfReferenceTransformationMatrixType").lower(),
                text(m, "FrameOfReferenceTransformationMatrix"),
            )
            for r in items(item, "MatrixRegistrationSequence")
            for m in items(r, "MatrixSequence")
        ]
        grid = "deformation grid" if items(item, "DeformableRegistrationGridSequence") else ""
        kind, matrix = matrices[0] if matrices else (grid, "")
        rows.append(
            (text(item, "FrameOfReferenceUID") or text(item, "SourceFrameOfReferenceUID"), kind, matrix)
        )
    return facts(data, MADE), Table(("Frame of reference", "Kind", "Matrix"), tuple(rows), "Registration")


def description(data: Dataset) -> Facts:
    """Of any object: what its header says it is."""
    names = (("Class", "SOPClassUID"), ("Description", "SeriesDescription"), ("Modality", "Modality"),
             ("Rows", "Rows"), ("Columns", "Columns"), ("Frames", "NumberOfFrames"),
             ("Maker", "Manufacturer"), ("Model", "ManufacturerModelName"),
             ("Date", "ContentDate"), ("Label", "ContentLabel"),
             ("Name", "HangingProtocolName"), ("About", "HangingProtocolDescription"),
             ("Document type", "MIMETypeOfEncapsulatedDocument"))  # fmt: skip
    found = facts(data, names)
    rows = [(n, _class_name(v) if n == "Class" else v) for n, v in found.rows]
    return Facts(tuple(rows), found.title)


def _class_name(uid: str) -> str:
    from pydicom.uid import UID

    return UID(uid).name
