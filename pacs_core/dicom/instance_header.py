"""Building the domain's InstanceHeader from a readable data set."""

from __future__ import annotations

from typing import Any

from pacs_core.dicom.attributes import (
    Reader,
    Values,
    lookup_tables,
    merged,
    palette,
    read_date,
    read_time,
    simple_attributes,
)
from pacs_core.dicom.charset import canonical_name
from pacs_core.dicom.dictionary import TAG, name_of
from pacs_core.dicom.fragments import Span, frame_fragments, native_frames
from pacs_core.dicom.functional_groups import derived_positions, functional_groups
from pacs_core.dicom.headers import Header
from pacs_core.dicom.modules import (
    icc_profile,
    overlays,
    radiopharmaceuticals,
    real_world_values,
    references,
    requests,
    segments,
    subtraction_masks,
    ultrasound_regions,
)
from pacs_core.dicom.sources import DataSet
from pacs_core.dicom.transfer_syntaxes import BIG_ENDIAN, VIDEO
from pacs_core.domain.errors import Damaged
from pacs_core.domain.study import InstanceHeader, PixelLocation

MOST_FRAMES = 1_000_000

FLOAT_KINDS = {TAG["FloatPixelData"]: "float32", TAG["DoubleFloatPixelData"]: "float64"}


def _name(header: Header, tag: int) -> str:
    return canonical_name(header.text(tag))


def _fields() -> dict[str, tuple[Reader, int]]:
    kinds: list[tuple[Reader, str]] = [
        (Header.text, """sop_class_uid=SOPClassUID sop_instance_uid=SOPInstanceUID
         study_instance_uid=StudyInstanceUID series_instance_uid=SeriesInstanceUID patient_id=PatientID
         patient_sex=PatientSex accession_number=AccessionNumber study_id=StudyID
         study_description=StudyDescription modality=Modality series_description=SeriesDescription
         body_part=BodyPartExamined station_name=StationName institution=InstitutionName
         manufacturer=Manufacturer"""),
        (_name, "patient_name=PatientName referring_physician=ReferringPhysicianName"),
        (read_date, """patient_birth_date=PatientBirthDate study_date=StudyDate series_date=SeriesDate
         content_date=ContentDate"""),
        (read_time, "study_time=StudyTime series_time=SeriesTime content_time=ContentTime"),
        (Header.integer, "series_number=SeriesNumber instance_number=InstanceNumber"),
    ]  # fmt: skip
    pairs = ((read, pair.partition("=")) for read, names in kinds for pair in names.split())
    return {name: (read, TAG[keyword]) for read, (name, _, keyword) in pairs}


FIELDS = _fields()
"""Fields of the header that are one value each: how it is read and its tag."""


def build_header(found: DataSet, shift: int) -> InstanceHeader:
    """The header of a checked data set; `shift` turns offsets in the scanned bytes into those of the
    stored file."""
    header = found.header
    text = header.text
    frames = _number_of_frames(header)
    asked = requests(header)
    attributes = _attributes(found, frames, asked, shift)
    location = _locations(found, frames, shift)
    place = found.pixels if found.located else None
    fields: dict[str, Any] = {name: read(header, tag) for name, (read, tag) in FIELDS.items()}
    return InstanceHeader(
        **fields,
        transfer_syntax_uid=found.transfer_syntax_uid,
        issuer_of_patient_id=text(TAG["IssuerOfPatientID"])
        or _issuer(header, "IssuerOfPatientIDQualifiersSequence"),
        accession_issuer=_issuer(header, "IssuerOfAccessionNumberSequence"),
        laterality=text(TAG["Laterality"]) or text(TAG["ImageLaterality"]),
        rows=header.integer(TAG["Rows"]) or 0,
        columns=header.integer(TAG["Columns"]) or 0,
        number_of_frames=frames,
        character_set=header.character_set,
        requested_procedure_ids=_named(asked, "RequestedProcedureID"),
        step_ids=_named(asked, "ScheduledProcedureStepID"),
        request_accessions=_named(asked, "AccessionNumber"),
        pixel_offset=place[2] + shift if place else None,
        pixel_length=place[3] if place else None,
        frames=location,
        attributes=attributes,
        warnings=tuple(header.warnings),
    )


def _attributes(found: DataSet, frames: int, asked: list[Values], shift: int) -> Values:
    header = found.header
    shared, per_frame = functional_groups(header)
    attributes = merged(
        simple_attributes(header),
        shared,
        lookup_tables(header),
        palette(header),
        icc_profile(header),
        ultrasound_regions(header),
        radiopharmaceuticals(header),
        subtraction_masks(header),
        references(header),
        segments(header),
        overlays(header) if found.located else {},
    )
    if asked:
        attributes["RequestAttributesSequence"] = asked
    mappings = real_world_values(header)
    if mappings:
        attributes.setdefault("RealWorldValueMappingSequence", mappings)
    others = _other_patient_ids(header)
    if others:
        attributes["OtherPatientIDsSequence"] = others
    if per_frame:
        attributes["Frames"] = per_frame
    elif frames > 1:
        positions = derived_positions(header, attributes, frames)
        if positions:
            attributes["Frames"] = positions
    if found.pixels and found.pixels[0] in FLOAT_KINDS:
        attributes["FloatPixels"] = FLOAT_KINDS[found.pixels[0]]
    if found.pixels and _words_swapped(found):
        attributes["PixelWordsSwapped"] = True
    _shift_places(found, attributes, shift)
    return attributes


def _words_swapped(found: DataSet) -> bool:
    """8-bit pixels in big-endian words (VR OW) lie pairwise swapped (PS3.5 8.1.1)."""
    return (
        found.transfer_syntax_uid == BIG_ENDIAN
        and found.pixels is not None
        and found.pixels[1] == "OW"
        and found.header.integer(TAG["BitsAllocated"]) == 8
    )


def _shift_places(found: DataSet, attributes: Values, shift: int) -> None:
    planes = attributes.get("Overlays")
    for plane in planes if isinstance(planes, list) else []:
        if plane["Offset"] is not None:
            plane["Offset"] += shift
    document = found.header.place(TAG["EncapsulatedDocument"]) if found.located else None
    if document:
        length = found.header.integer(TAG["EncapsulatedDocumentLength"]) or document[1]
        attributes["EncapsulatedDocument"] = {
            "Offset": document[0] + shift,
            "Length": min(length, document[1]),
        }


def _number_of_frames(header: Header) -> int:
    said = header.integer(TAG["NumberOfFrames"])
    if said is not None and not 0 < said <= MOST_FRAMES:
        header.warn(TAG["NumberOfFrames"], f"{said} is no usable number of frames")
        return 1
    return said or 1


def _issuer(header: Header, keyword: str) -> str:
    for item in header.items(TAG[keyword]):
        return item.text(TAG["LocalNamespaceEntityID"]) or item.text(TAG["UniversalEntityID"])
    return ""


def _named(asked: list[Values], keyword: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(request[keyword]) for request in asked if keyword in request))


def _other_patient_ids(header: Header) -> list[Values]:
    return [
        {"PatientID": value, "IssuerOfPatientID": item.text(TAG["IssuerOfPatientID"])}
        for item in header.items(TAG["OtherPatientIDsSequence"])
        if (value := item.text(TAG["PatientID"]))
    ]


def _locations(found: DataSet, frames: int, shift: int) -> tuple[PixelLocation, ...]:
    if found.pixels is None or not found.located:
        return ()
    fragments = found.pixels[4]
    if fragments is None:
        return _native_locations(found, frames, shift)
    header = found.header
    try:
        groups = frame_fragments(
            found.data,
            fragments,
            1 if found.transfer_syntax_uid in VIDEO else frames,
            header.integers(TAG["ExtendedOffsetTable"]),
            header.integers(TAG["ExtendedOffsetTableLengths"]),
        )
    except Damaged as damage:
        header.warnings.append(f"{damage.where}: {damage.message}")
        return ()
    return tuple(_encapsulated([(at + shift, size) for at, size in group]) for group in groups)


def _encapsulated(spans: list[Span]) -> PixelLocation:
    last = spans[-1]
    return PixelLocation(spans[0][0], last[0] + last[1] - spans[0][0], tuple(spans))


def _native_locations(found: DataSet, frames: int, shift: int) -> tuple[PixelLocation, ...]:
    header, pixels = found.header, found.pixels
    assert pixels is not None
    samples = header.integer(TAG["SamplesPerPixel"]) or 1
    if samples == 3 and header.text(TAG["PhotometricInterpretation"]) == "YBR_FULL_422":
        samples = 2  # two pixels share one pair of chrominance values (PS3.3 C.7.6.3.1.2)
    rows, columns = header.integer(TAG["Rows"]) or 0, header.integer(TAG["Columns"]) or 0
    bits = rows * columns * samples * (header.integer(TAG["BitsAllocated"]) or 0)
    spans = native_frames(pixels[2] + shift, pixels[3], frames, bits)
    if _words_swapped(found):  # the last byte of an odd frame lies in the padding's place
        spans = [(at, size + size % 2) for at, size in spans]
    expected = -(-bits * frames // 8)
    if len(spans) < frames or expected + 1 < pixels[3]:
        wanted = f"where rows, columns, samples, bits and frames make {expected}"
        header.warnings.append(f"{name_of(pixels[0])}: {pixels[3]} bytes, {wanted}")
    return tuple(PixelLocation(at, size) for at, size in spans)
