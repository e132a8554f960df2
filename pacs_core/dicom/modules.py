"""Attributes of single information object modules that a viewer needs: ultrasound, PET, angiography,
overlays, references."""

from __future__ import annotations

from pacs_core.dicom.attributes import Values, code_of, packed
from pacs_core.dicom.dictionary import TAG
from pacs_core.dicom.headers import Header

REGION_INTEGERS = """RegionSpatialFormat RegionDataType RegionFlags RegionLocationMinX0 RegionLocationMinY0
 RegionLocationMaxX1 RegionLocationMaxY1 PhysicalUnitsXDirection PhysicalUnitsYDirection ReferencePixelX0
 ReferencePixelY0"""
REGION_NUMBERS = "PhysicalDeltaX PhysicalDeltaY ReferencePixelPhysicalValueX ReferencePixelPhysicalValueY"
DOSE_NUMBERS = (
    """RadionuclideTotalDose RadionuclideHalfLife RadionuclidePositronFraction RadiopharmaceuticalVolume"""
)
DOSE_TEXTS = "Radiopharmaceutical RadiopharmaceuticalStartTime RadiopharmaceuticalStartDateTime"
MASK_NUMBERS = "ApplicableFrameRange MaskFrameNumbers ContrastFrameAveraging MaskSubPixelShift TIDOffset"
REAL_WORLD_NUMBERS = """RealWorldValueIntercept RealWorldValueSlope RealWorldValueFirstValueMapped
 RealWorldValueLastValueMapped"""
REQUEST_TEXTS = """AccessionNumber RequestedProcedureID ScheduledProcedureStepID RequestedProcedureDescription
 ScheduledProcedureStepDescription StudyInstanceUID"""

PHILIPS, PHILIPS_SUV, PHILIPS_ACTIVITY = 0x70530010, 0x70531000, 0x70531009
GE_PET, GE_SCAN = 0x00090010, 0x0009100D
PRIVATE = frozenset({PHILIPS, PHILIPS_SUV, PHILIPS_ACTIVITY, GE_PET, GE_SCAN})
"""Private elements that are read."""


def _pick(item: Header, texts: str = "", numbers: str = "", integers: str = "") -> Values:
    found: Values = {}
    for keywords, read in ((texts, item.text), (numbers, item.number), (integers, item.integer)):
        for keyword in keywords.split():
            value = read(TAG[keyword])
            if value is not None and value != "":
                found[keyword] = value
    return found


def ultrasound_regions(header: Header) -> Values:
    """Calibrated regions (PS3.3 C.8.5.5): what a pixel measures and where."""
    tag = TAG["SequenceOfUltrasoundRegions"]
    regions = [_pick(item, "", REGION_NUMBERS, REGION_INTEGERS) for item in header.items(tag)]
    return {"SequenceOfUltrasoundRegions": regions} if regions else {}


def radiopharmaceuticals(header: Header) -> Values:
    """What was injected, how much and when (PS3.3 C.8.9.2), and vendors' private factors for uptake
    values."""
    found: Values = {}
    doses = []
    for item in header.items(TAG["RadiopharmaceuticalInformationSequence"]):
        dose = _pick(item, DOSE_TEXTS, DOSE_NUMBERS)
        for keyword in ("RadionuclideCodeSequence", "RadiopharmaceuticalCodeSequence"):
            codes = [code_of(c) for c in item.items(TAG[keyword])]
            if codes:
                dose[keyword] = codes
        doses.append(dose)
    if doses:
        found["RadiopharmaceuticalInformationSequence"] = doses
    for tag, name in (
        (PHILIPS_SUV, "PhilipsSUVScaleFactor"),
        (PHILIPS_ACTIVITY, "PhilipsActivityConcentrationScaleFactor"),
    ):
        if tag in header and "Philips PET" in header.text(PHILIPS):
            text = (header.raw(tag) or b"").decode("latin_1").strip(" \0")
            try:
                found[name] = float(text)
            except ValueError:
                header.warn(tag, f"{text[:40]!r} is no number")
    if GE_SCAN in header and "GEMS_PETD_01" in header.text(GE_PET):
        found["GEScanDateTime"] = (header.raw(GE_SCAN) or b"").decode("latin_1").strip(" \0")
    return found


def subtraction_masks(header: Header) -> Values:
    """How frames are subtracted from others (PS3.3 C.7.6.10)."""
    masks = []
    for item in header.items(TAG["MaskSubtractionSequence"]):
        mask: Values = {k: v for k in MASK_NUMBERS.split() if (v := item.numbers(TAG[k]))}
        mask["MaskOperation"] = item.text(TAG["MaskOperation"])
        masks.append(mask)
    return {"MaskSubtractionSequence": masks} if masks else {}


def overlays(header: Header) -> Values:
    """Overlay planes (PS3.3 C.9.2): size, origin, and offset and length of the data in the scanned bytes."""
    planes: list[Values] = []
    for group in range(0x6000, 0x6020, 2):
        base = group << 16
        if base | 0x0010 not in header:
            continue
        sizes = [_short(header, base | e) for e in (0x0010, 0x0011, 0x0015, 0x0100, 0x0102)]
        origin = header.raw(base | 0x0050) or b"\1\0\1\0"
        place = header.place(base | 0x3000)
        planes.append({
            "Group": group, "Rows": sizes[0], "Columns": sizes[1], "Frames": sizes[2] or 1,
            "BitsAllocated": sizes[3] or 1, "BitPosition": sizes[4],
            "Origin": [int.from_bytes(origin[i : i + 2], "little", signed=True) for i in (0, 2)],
            "Type": (header.raw(base | 0x0040) or b"").decode("latin_1").strip(" \0"),
            "Description": (header.raw(base | 0x0022) or b"").decode("latin_1").strip(" \0"),
            "FrameOrigin": _short(header, base | 0x0051) or 1,
            "Offset": place[0] if place else None, "Length": place[1] if place else 0,
        })  # fmt: skip
        data = _small(header, base | 0x3000)
        if data:
            planes[-1]["Data"] = data
    return {"Overlays": planes} if planes else {}


MOST_PACKED = 1 << 16


def _small(header: Header, tag: int) -> str:
    """The value as `packed` text where it packs small, so that it reaches a viewer without the file."""
    raw = header.raw(tag)
    text = packed(raw) if raw else ""
    return text if len(text) <= MOST_PACKED else ""


def icc_profile(header: Header) -> Values:
    """The profile of a colour image's input (PS3.3 C.11.15), packed; none where it is longer than 64 kB."""
    data = _small(header, TAG["ICCProfile"])
    return {"ICCProfile": data} if data else {}


def _short(header: Header, tag: int) -> int:
    raw = header.raw(tag) or b""
    if tag & 0xFFFF == 0x0015:  # Number of Frames in Overlay is an IS
        text = raw.decode("latin_1").strip(" \0")
        return int(text) if text.isdecimal() else 0
    return int.from_bytes(raw[:2], "little")


def requests(header: Header) -> list[Values]:
    """The requests this object was made or reported for: series level, SR root and RT alike (PS3.3 10.6)."""
    found: list[Values] = []
    for keyword in ("RequestAttributesSequence", "ReferencedRequestSequence"):
        for item in header.items(TAG[keyword]):
            request = _pick(item, REQUEST_TEXTS)
            codes = [code_of(c) for c in item.items(TAG["RequestedProcedureCodeSequence"])]
            if codes:
                request["RequestedProcedureCodeSequence"] = codes
            found.append(request)
    return found


def references(header: Header) -> Values:
    """The SOP Instance UIDs this object refers to, by where they stand; evidence flattened (PS3.3 C.17.2)."""
    found: Values = {}
    for keyword in ("ReferencedImageSequence", "SourceImageSequence", "ReferencedInstanceSequence"):
        uids = _referenced(header, keyword)
        if uids:
            found[keyword] = uids
    for keyword in (
        "ReferencedSeriesSequence",
        "CurrentRequestedProcedureEvidenceSequence",
        "PertinentOtherEvidenceSequence",
    ):
        uids = []
        for outer in header.items(TAG[keyword]):
            for item in [outer, *outer.items(TAG["ReferencedSeriesSequence"])]:
                for inner in (
                    "ReferencedImageSequence",
                    "ReferencedInstanceSequence",
                    "ReferencedSOPSequence",
                ):
                    uids += _referenced(item, inner)
        if uids:
            found[keyword] = uids
    return found


def _referenced(header: Header, keyword: str) -> list[str]:
    tag = TAG["ReferencedSOPInstanceUID"]
    return [uid for item in header.items(TAG[keyword]) if (uid := item.text(tag))]


def segments(header: Header) -> Values:
    """The segments of a segmentation (PS3.3 C.8.20.2): number and label."""
    found = [
        {"SegmentNumber": item.integer(TAG["SegmentNumber"]), "SegmentLabel": item.text(TAG["SegmentLabel"])}
        for item in header.items(TAG["SegmentSequence"])
    ]
    return {"SegmentSequence": found} if found else {}


def real_world_values(header: Header) -> list[Values]:
    """Real world value mappings (PS3.3 C.7.6.16.2.11): slope, intercept, units and the stored values they
    hold for."""
    found = []
    for item in header.items(TAG["RealWorldValueMappingSequence"]):
        mapping = _pick(item, "LUTLabel", REAL_WORLD_NUMBERS)
        units = [code_of(c) for c in item.items(TAG["MeasurementUnitsCodeSequence"])]
        if units:
            mapping["Units"] = units[0]
        found.append(mapping)
    return found
