"""Files of one series as the archive would hand them over, without an archive: headers first, as few bytes as
possible.

A plain image (one frame, uncompressed, no tables, no overlays) is described by the fast scan; every other
file is read the whole way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pacs_core.archive.models import InstanceManifest, LocalFile, SeriesManifest, Url
from pacs_core.dicom.file_scan import SURPRISES, Wanted, scan_file, values_of
from pacs_core.dicom.intake import intake_file
from pacs_core.dicom.transfer_syntaxes import EXPLICIT, IMPLICIT
from pacs_core.domain.identifiers import is_uid

PLAIN = Wanted.of(
    *"""ImageType SOPClassUID SOPInstanceUID AcquisitionTime ContentTime Modality SeriesDescription
    SequenceName BodyPartExamined KVP SliceThickness EchoTime InversionTime TriggerTime GantryDetectorTilt
    FlipAngle ConvolutionKernel DiffusionBValue StudyInstanceUID SeriesInstanceUID SeriesNumber
    AcquisitionNumber InstanceNumber ImagePositionPatient ImageOrientationPatient FrameOfReferenceUID
    TemporalPositionIdentifier Laterality PatientOrientation SamplesPerPixel PhotometricInterpretation
    PlanarConfiguration NumberOfFrames Rows Columns PixelSpacing BitsAllocated BitsStored HighBit
    PixelRepresentation WindowCenter WindowWidth RescaleIntercept RescaleSlope RescaleType
    WindowCenterWidthExplanation VOILUTFunction LossyImageCompression Units PresentationLUTShape
    ImagerPixelSpacing PixelAspectRatio""".split()
)
MORE = Wanted.of(
    *"""SequenceOfUltrasoundRegions PixelPaddingValue ModalityLUTSequence VOILUTSequence
    SharedFunctionalGroupsSequence RealWorldValueMappingSequence
    RadiopharmaceuticalInformationSequence""".split()
)
"""What a plain image does not have: where it is there, the whole header is read."""

IDENTITY = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
OF_THE_IMAGE_ALONE = frozenset({*IDENTITY, "InstanceNumber"})
OVERLAY = 0x60000010
BOTH = Wanted(tuple(sorted({*PLAIN.tags, *MORE.tags, OVERLAY})), ())
PLACE = {tag: n for n, tag in enumerate(BOTH.tags)}
PLAIN_PLACES = tuple(PLACE[tag] for tag in PLAIN.tags)
MORE_PLACES = tuple(PLACE[tag] for tag in (*MORE.tags[:-1], OVERLAY))
PIXELS = PLACE[PLAIN.tags[-1]]


def series_of_files(paths: Iterable[Path]) -> SeriesManifest:
    """One series of these files, in the order given; raises what `intake_file` raises."""
    described = [_instance(path) for path in paths]
    first = described[0][1] if described else {}
    return SeriesManifest(
        series_uid=str(first.get("SeriesInstanceUID", "")),
        modality=str(first.get("Modality", "")),
        number=_whole(first.get("SeriesNumber")),
        description=str(first.get("SeriesDescription", "")),
        body_part=str(first.get("BodyPartExamined", "")),
        laterality=str(first.get("Laterality", "")),
        instances=tuple(instance for instance, _ in described),
    )


def _instance(path: Path) -> tuple[InstanceManifest, Mapping[str, object]]:
    try:
        return _plain(str(path))
    except SURPRISES:
        return _read_whole(path)


def _plain(path: str) -> tuple[InstanceManifest, Mapping[str, object]]:
    """By the fast scan; raises ValueError where the image is not plain."""
    syntax, raw = scan_file(path, BOTH)
    if any(raw[n] is not None for n in MORE_PLACES) or syntax not in (EXPLICIT, IMPLICIT):
        raise ValueError("not a plain image")
    values = values_of(PLAIN, [raw[n] for n in PLAIN_PLACES])
    pixels = raw[PIXELS]
    rows, columns, bits = (_whole(values.get(k)) or 0 for k in ("Rows", "Columns", "BitsAllocated"))
    length = rows * columns * bits // 8
    grey = values.get("SamplesPerPixel") == 1 and values.get("PhotometricInterpretation") != "PALETTE COLOR"
    plain = grey and bits in (8, 16) and values.get("NumberOfFrames", 1) == 1 and _has_identity(values)
    if not (plain and isinstance(pixels, tuple) and length and pixels[1] >= length):
        raise ValueError("not a plain image")
    instance = InstanceManifest(
        sop_instance_uid=str(values["SOPInstanceUID"]),
        sop_class_uid=str(values["SOPClassUID"]),
        transfer_syntax=syntax,
        instance_number=_whole(values.get("InstanceNumber")),
        rows=rows,
        columns=columns,
        number_of_frames=1,
        attributes={k: v for k, v in values.items() if k not in OF_THE_IMAGE_ALONE},
        frames=(LocalFile(path, pixels[0], length, syntax),),
    )
    return instance, values


def _has_identity(values: Mapping[str, object]) -> bool:
    return all(len(uid := str(values.get(k, ""))) <= 64 and is_uid(uid) for k in IDENTITY)


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _read_whole(path: Path) -> tuple[InstanceManifest, Mapping[str, object]]:
    header = intake_file(path).header
    uid = header.transfer_syntax_uid
    frames: tuple[LocalFile | Url, ...] = tuple(
        LocalFile(str(path), f.offset, f.length, uid, f.fragments) for f in header.frames
    )
    if not frames and header.rows:
        frames = tuple(Url(header.sop_instance_uid, n + 1, uid) for n in range(header.number_of_frames))
    instance = InstanceManifest(
        sop_instance_uid=header.sop_instance_uid,
        sop_class_uid=header.sop_class_uid,
        transfer_syntax=uid,
        instance_number=header.instance_number,
        rows=header.rows,
        columns=header.columns,
        number_of_frames=header.number_of_frames,
        attributes=header.attributes,
        frames=frames if header.rows else (),
    )
    series = {
        "SeriesInstanceUID": header.series_instance_uid,
        "Modality": header.modality,
        "SeriesNumber": header.series_number,
        "SeriesDescription": header.series_description,
        "BodyPartExamined": header.body_part,
        "Laterality": header.laterality,
    }
    return instance, series
