"""The query and viewing attributes of a header as JSON-able values by DICOM keyword.

Numbers are numbers, multi-valued attributes lists, codes ``{"value", "scheme", "meaning"}``, UIDs and
texts strings, dates and times civil (see ``dicom.civil``), lookup tables ``{"Descriptor", "Explanation",
"Type", "Data"}`` with the data packed by `packed` (unsigned little-endian values, of the palettes 8 or 16
bits wide, else 16). Offsets are those of the scanned bytes.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Mapping

from pacs_core.dicom.civil import civil_date, civil_time
from pacs_core.dicom.dictionary import KEYWORD, TAG
from pacs_core.dicom.headers import Header

Values = dict[str, object]
Reader = Callable[[Header, int], object]

TEXTS = """PatientBirthTime OtherPatientNames EthnicGroup PatientComments PatientAge Occupation
 AdditionalPatientHistory MedicalAlerts Allergies PatientIdentityRemoved AdmittingDiagnosesDescription
 NameOfPhysiciansReadingStudy PhysiciansOfRecord ProtocolName OperatorsName PerformingPhysicianName
 PatientPosition InstitutionalDepartmentName ManufacturerModelName DeviceSerialNumber SoftwareVersions
 PerformedProcedureStepID InstitutionAddress PerformedProcedureStepDescription RequestingPhysician
 FrameOfReferenceUID PositionReferenceIndicator ViewPosition ImageLaterality PhotometricInterpretation
 PresentationLUTShape PixelIntensityRelationship PixelPresentation
 LossyImageCompression LossyImageCompressionMethod
 BurnedInAnnotation RecognizableVisualFeatures PixelSpacingCalibrationType
 PixelSpacingCalibrationDescription RescaleType VOILUTFunction ConvolutionKernel ScanOptions
 ContrastBolusAgent ScanningSequence SequenceVariant SequenceName MRAcquisitionType Units
 DecayCorrection CountsSource SUVType RandomsCorrectionMethod AttenuationCorrectionMethod
 ReconstructionMethod ScatterCorrectionMethod ReprojectionMethod ImageComments DerivationDescription
 ConversionType PresentationIntentType TypeOfDetectorMotion ImageID CompletionFlag VerificationFlag
 ContentLabel ContentDescription ContentCreatorName DocumentTitle MIMETypeOfEncapsulatedDocument
 StructureSetLabel StructureSetName RTPlanLabel RTPlanName DoseUnits DoseType DoseSummationType
 SegmentationType StackID ComplexImageComponent TimezoneOffsetFromUTC RecommendedViewingMode PatientSex
 Manufacturer DecayCorrected PixelIntensityRelationship"""
LISTS = """OtherPatientIDs ImageType PatientOrientation CorrectedImage SeriesType WindowCenterWidthExplanation
 EchoNumbers FrameType ShutterShape"""
NUMBERS = """PatientSize PatientWeight SliceThickness SpacingBetweenSlices SliceLocation GantryDetectorTilt
 RescaleIntercept RescaleSlope KVP XRayTubeCurrent Exposure ExposureTime CTDIvol EchoTime RepetitionTime
 FlipAngle InversionTime MagneticFieldStrength TriggerTime DiffusionBValue FrameTime CineRate
 RecommendedDisplayFrameRate HeartRate ReconstructionDiameter DistanceSourceToDetector
 DistanceSourceToPatient PositionerPrimaryAngle PositionerSecondaryAngle
 EstimatedRadiographicMagnificationFactor LossyImageCompressionRatio ActualFrameDuration
 FrameReferenceTime TemporalPositionTimeOffset NominalPercentageOfCardiacPhase
 NominalCardiacTriggerDelayTime DecayFactor DoseGridScaling ImagingFrequency NumberOfAverages
 EffectiveEchoTime FrameDelay"""
NUMBER_LISTS = """ImagePositionPatient ImageOrientationPatient PixelSpacing ImagerPixelSpacing
 NominalScannedPixelSpacing
 WindowCenter WindowWidth FrameTimeVector GridFrameOffsetVector DiffusionGradientOrientation"""
INTEGERS = """AcquisitionNumber TemporalPositionIdentifier NumberOfTemporalPositions SamplesPerPixel
 PlanarConfiguration BitsAllocated BitsStored HighBit PixelRepresentation PixelPaddingValue
 PixelPaddingRangeLimit SmallestImagePixelValue LargestImagePixelValue NumberOfSlices ImageIndex
 PregnancyStatus InStackPositionNumber TemporalPositionIndex ImagesInAcquisition StartTrim StopTrim
 PreferredPlaybackSequencing ShutterLeftVerticalEdge ShutterRightVerticalEdge ShutterUpperHorizontalEdge
 ShutterLowerHorizontalEdge RadiusOfCircularShutter ShutterPresentationValue ShutterOverlayGroup"""
INTEGER_LISTS = """PixelAspectRatio SliceVector FrameIncrementPointer AcquisitionMatrix DimensionIndexValues
 CenterOfCircularShutter VerticesOfThePolygonalShutter"""
DATES = """AcquisitionDate InstanceCreationDate PerformedProcedureStepStartDate PresentationCreationDate
 StructureSetDate RTPlanDate SeriesDate"""
TIMES = """AcquisitionTime ContentTime InstanceCreationTime PerformedProcedureStepStartTime
 PresentationCreationTime StructureSetTime RTPlanTime SeriesTime"""
INSTANTS = """AcquisitionDateTime VerificationDateTime FrameReferenceDateTime FrameAcquisitionDateTime
 DecayCorrectionDateTime"""
CODES = """ProcedureCodeSequence AnatomicRegionSequence ConceptNameCodeSequence ViewCodeSequence
 RequestedProcedureCodeSequence PerformedProtocolCodeSequence"""


def read_date(header: Header, tag: int) -> str:
    """A civil date, or "" with a warning where the value is none."""
    text = header.text(tag)
    found = civil_date(text)
    if found is None:
        header.warn(tag, f"{text[:40]!r} is no date")
    return found or ""


def read_time(header: Header, tag: int) -> str:
    """A civil time, or "" with a warning where the value is none."""
    text = header.text(tag)
    found = civil_time(text)
    if found is None:
        header.warn(tag, f"{text[:40]!r} is no time")
    return found or ""


def _integers(header: Header, tag: int) -> list[int]:
    if header.vr(tag) == "AT":
        raw = header.raw(tag) or b""
        words = struct.unpack_from(f"<{len(raw) // 4 * 2}H", raw)
        return [a << 16 | b for a, b in zip(words[::2], words[1::2], strict=True)]
    return header.integers(tag)


def code_of(item: Header) -> dict[str, str]:
    """A code sequence item (PS3.3 8.8): value (short, long or URN), scheme and meaning."""
    value = next((v for k in ("CodeValue", "LongCodeValue", "URNCodeValue") if (v := item.text(TAG[k]))), "")
    scheme, meaning = item.text(TAG["CodingSchemeDesignator"]), item.text(TAG["CodeMeaning"])
    return {"value": value, "scheme": scheme, "meaning": meaning}


def _codes(header: Header, tag: int) -> list[dict[str, str]]:
    return [code_of(item) for item in header.items(tag)]


def _plan() -> dict[int, Reader]:
    kinds: list[tuple[str, Reader]] = [
        (TEXTS, Header.text), (INSTANTS, Header.text), (LISTS, Header.texts), (NUMBERS, Header.number),
        (NUMBER_LISTS, Header.numbers), (INTEGERS, Header.integer), (INTEGER_LISTS, _integers),
        (DATES, read_date), (TIMES, read_time), (CODES, _codes),
    ]  # fmt: skip
    return {TAG[keyword]: reader for keywords, reader in kinds for keyword in keywords.split()}


PLAN = _plan()


def simple_attributes(header: Header, keywords: frozenset[str] | None = None) -> Values:
    """The attributes of `PLAN` that the header has with a value, all or only those named."""
    found: Values = {}
    for tag in header.tags():
        reader = PLAN.get(tag)
        if reader is None or (keywords is not None and KEYWORD[tag] not in keywords):
            continue
        value = reader(header, tag)
        if value is not None and value not in ("", []):
            found[KEYWORD[tag]] = value
    return found


def packed(data: bytes) -> str:
    """Bytes as text for JSON: base64 of a zlib stream."""
    return base64.b64encode(zlib.compress(data)).decode("ascii")


def unpacked(text: str) -> bytes:
    """The bytes that `packed` was given."""
    return zlib.decompress(base64.b64decode(text))


def lookup_table(item: Header) -> Values | None:
    """A Modality or VOI LUT item (PS3.3 C.11.1, C.11.2); None where its data is missing."""
    descriptor = item.integers(TAG["LUTDescriptor"])
    data = item.raw(TAG["LUTData"])
    if len(descriptor) != 3 or not data:
        return None
    count = descriptor[0] % 0x10000 or 0x10000
    if len(data) < 2 * count:  # one byte an entry, as old systems wrote it
        data = b"".join(bytes((b, 0)) for b in data[:count])
    return {
        "Descriptor": [count, *descriptor[1:]],
        "Explanation": item.text(TAG["LUTExplanation"]),
        "Type": item.text(TAG["ModalityLUTType"]),
        "Data": packed(data[: 2 * count]),
    }


def lookup_tables(header: Header) -> Values:
    """Modality, VOI and presentation lookup tables, where there are any."""
    found: Values = {}
    for keyword in ("ModalityLUTSequence", "VOILUTSequence", "PresentationLUTSequence"):
        if TAG[keyword] in header:
            tables = [table for item in header.items(TAG[keyword]) if (table := lookup_table(item))]
            if tables:
                found[keyword] = tables
    return found


def palette(header: Header) -> Values:
    """The palette of PALETTE COLOR images (PS3.3 C.7.6.3.1.5): per colour the descriptor and base64 of the
    data."""
    colours: Values = {}
    for colour in ("Red", "Green", "Blue"):
        descriptor = header.integers(TAG[f"{colour}PaletteColorLookupTableDescriptor"])
        data = header.raw(TAG[f"{colour}PaletteColorLookupTableData"])
        segmented = header.raw(TAG[f"Segmented{colour}PaletteColorLookupTableData"])
        if len(descriptor) != 3 or not (data or segmented):
            return {}
        whole = data or expand_segments(segmented or b"", descriptor[2])
        colours[colour] = {"Descriptor": descriptor, "Data": packed(whole)}
    return {"Palette": colours}


def expand_segments(data: bytes, bits: int) -> bytes:
    """Expand segmented palette data (PS3.3 C.7.9.2): discrete, linear and indirect segments."""
    code = "H" if bits > 8 else "B"
    words = list(struct.unpack_from(f"<{len(data) // struct.calcsize(code)}{code}", data))
    out: list[int] = []
    _segments(words, 0, None, out)
    return struct.pack(f"<{len(out)}{code}", *out)


def _segments(words: list[int], at: int, count: int | None, out: list[int]) -> None:
    while at + 1 < len(words) and (count is None or count > 0) and len(out) <= 0x10000:
        kind, length = words[at], words[at + 1]
        if kind == 0:
            out += words[at + 2 : at + 2 + length]
            at += 2 + length
        elif kind == 1 and at + 2 < len(words) and out and length:
            first, last = out[-1], words[at + 2]
            out += [round(first + (last - first) * (i + 1) / length) for i in range(length)]
            at += 3
        elif kind == 2 and count is None and at + 3 < len(words):
            _segments(words, words[at + 2] | words[at + 3] << 16, length, out)
            at += 4
        else:
            return
        count = None if count is None else count - 1


def merged(*parts: Mapping[str, object]) -> Values:
    """One mapping of several; earlier ones win."""
    found: Values = {}
    for part in parts:
        for key, value in part.items():
            found.setdefault(key, value)
    return found
