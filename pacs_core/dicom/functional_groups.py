"""Multi-frame attributes flattened: shared ones beside the image's own, per-frame ones as a list of mappings.

Enhanced objects (PS3.3 C.7.6.16), and the older ways in which NM reconstructions and RT doses place their
frames.
"""

from __future__ import annotations

from pacs_core.dicom.attributes import Values, simple_attributes
from pacs_core.dicom.dictionary import TAG
from pacs_core.dicom.headers import Header
from pacs_core.dicom.modules import real_world_values

FRAME_TYPE = frozenset({"FrameType", "ComplexImageComponent"})

GROUPS: dict[str, frozenset[str]] = {
    "PlanePositionSequence": frozenset({"ImagePositionPatient"}),
    "PlaneOrientationSequence": frozenset({"ImageOrientationPatient"}),
    "PixelMeasuresSequence": frozenset({"PixelSpacing", "SliceThickness", "SpacingBetweenSlices"}),
    "FrameVOILUTSequence": frozenset(
        {"WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction"}
    ),
    "PixelValueTransformationSequence": frozenset({"RescaleIntercept", "RescaleSlope", "RescaleType"}),
    "FrameContentSequence": frozenset({
        "StackID", "InStackPositionNumber", "TemporalPositionIndex", "DimensionIndexValues",
        "FrameAcquisitionDateTime", "FrameReferenceDateTime",
    }),
    "TemporalPositionSequence": frozenset({"TemporalPositionTimeOffset"}),
    "CardiacSynchronizationSequence": frozenset(
        {"NominalPercentageOfCardiacPhase", "NominalCardiacTriggerDelayTime"}
    ),
    "MRDiffusionSequence": frozenset({"DiffusionBValue"}),
    "MREchoSequence": frozenset({"EffectiveEchoTime"}),
    "MRTimingAndRelatedParametersSequence": frozenset({"RepetitionTime", "FlipAngle"}),
    "CTImageFrameTypeSequence": FRAME_TYPE,
    "MRImageFrameTypeSequence": FRAME_TYPE,
    "PETFrameTypeSequence": FRAME_TYPE,
}  # fmt: skip
"""Functional group → what is taken of it (PS3.3 C.7.6.16.2, C.8.13.5, C.8.15.3)."""

Vector = list[float]


def functional_groups(header: Header) -> tuple[Values, list[Values]]:
    """The shared attributes and the list of per-frame ones; empty for single frames."""
    shared: Values = {}
    for item in header.items(TAG["SharedFunctionalGroupsSequence"]):
        shared |= _group(item)
    frames = [_group(item) for item in header.items(TAG["PerFrameFunctionalGroupsSequence"])]
    return shared, frames


def _group(item: Header) -> Values:
    found: Values = {}
    for keyword, wanted in GROUPS.items():
        for inner in item.items(TAG[keyword]) if TAG[keyword] in item else ():
            found |= simple_attributes(inner, wanted)
            if keyword == "MRDiffusionSequence":
                found |= _gradient(inner)
    for inner in item.items(TAG["SegmentIdentificationSequence"]):
        number = inner.integer(TAG["ReferencedSegmentNumber"])
        if number is not None:
            found["ReferencedSegmentNumber"] = number
    mappings = real_world_values(item)
    if mappings:
        found["RealWorldValueMappingSequence"] = mappings
    return found


def _gradient(diffusion: Header) -> Values:
    for item in diffusion.items(TAG["DiffusionGradientDirectionSequence"]):
        direction = item.numbers(TAG["DiffusionGradientOrientation"])
        if direction:
            return {"DiffusionGradientOrientation": direction}
    return {}


def derived_positions(header: Header, attributes: Values, frames: int) -> list[Values]:
    """Frame positions of RT doses (Grid Frame Offset Vector, PS3.3 C.8.8.3.2) and NM reconstructions
    (C.8.4.11)."""
    detector = next(iter(header.items(TAG["DetectorInformationSequence"])), None)
    if detector is not None:
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient"):
            numbers = detector.numbers(TAG[keyword])
            if numbers:
                attributes.setdefault(keyword, numbers)
    origin, orientation = attributes.get("ImagePositionPatient"), attributes.get("ImageOrientationPatient")
    offsets = _frame_offsets(attributes, frames)
    if not (_vector(origin, 3) and _vector(orientation, 6) and len(offsets) == frames):
        return []
    normal = _cross(_floats(orientation)[:3], _floats(orientation)[3:])
    return [
        {"ImagePositionPatient": [o + n * step for o, n in zip(_floats(origin), normal, strict=True)]}
        for step in offsets
    ]


def _frame_offsets(attributes: Values, frames: int) -> Vector:
    vector = _floats(attributes.get("GridFrameOffsetVector"))
    if vector:
        return [v - vector[0] for v in vector]
    image_type = attributes.get("ImageType")
    spacing = attributes.get("SpacingBetweenSlices")
    if isinstance(image_type, list) and "RECON TOMO" in image_type and isinstance(spacing, float):
        return [index * spacing for index in range(frames)]
    return []


def _vector(value: object, size: int) -> bool:
    return isinstance(value, list) and len(value) == size


def _floats(value: object) -> Vector:
    return [float(v) for v in value] if isinstance(value, list) else []


def _cross(a: Vector, b: Vector) -> Vector:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
