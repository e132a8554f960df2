"""Files of one series as the archive would hand them over, without an archive: headers first, as few bytes as
possible.

A plain image (one frame, uncompressed, no tables, no overlays) is described by the fast scan; every other
file is read the whole way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from pacs_core.archive.models import InstanceManifest, LocalFile, SeriesManifest, Url
from pacs_core.dicom.file_scan import SURPRISES, Wanted, scan_beside, values_of
from pacs_core.dicom.intake import intake_file
from pacs_core.dicom.scan_fallback import Picked
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
KEYWORDS = {PLACE[tag]: keyword for tag, keyword in zip(PLAIN.tags, PLAIN.keywords, strict=False)}
DECIDING = frozenset(
    """SOPClassUID StudyInstanceUID SeriesInstanceUID SamplesPerPixel PhotometricInterpretation NumberOfFrames
    Rows Columns BitsAllocated""".split()
)
"""What makes an image plain, and of which size."""
CHANGING = frozenset({PIXELS, *(place for place, keyword in KEYWORDS.items() if keyword not in DECIDING)})


def series_of_files(paths: Iterable[Path]) -> SeriesManifest:
    """One series of these files, in the order given; raises what `intake_file` raises."""
    plain = PlainImages()
    described = [_instance(path, plain) for path in paths]
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


def _instance(path: Path, plain: PlainImages) -> tuple[InstanceManifest, Mapping[str, object]]:
    try:
        return plain.read(str(path))
    except SURPRISES:
        return _read_whole(path)


class PlainImages:
    """Plain images by the fast scan, one after the other.

    Files of a series are alike: what one has in common with the one before is not decoded again.
    """

    def __init__(self) -> None:
        self._syntax = ""
        self._raw: list[Picked] | None = None
        self._values: dict[str, object] = {}
        self._attributes: dict[str, object] = {}
        self._size = (0, 0, 0)

    def read(self, path: str) -> tuple[InstanceManifest, Mapping[str, object]]:
        """One file; raises ValueError where the image is not plain, and what `scan_file` raises."""
        syntax, raw, changed = scan_beside(path, BOTH, self._raw)
        if syntax != self._syntax or not CHANGING.issuperset(changed):
            self._begin(syntax, raw)
        else:
            self._take_over(raw, changed)
        return self._described(path, raw[PIXELS]), self._values

    def _begin(self, syntax: str, raw: list[Picked]) -> None:
        """An image unlike the one before."""
        self._syntax = ""
        if any(raw[n] is not None for n in MORE_PLACES) or syntax not in (EXPLICIT, IMPLICIT):
            raise ValueError("not a plain image")
        values = dict(values_of(PLAIN, [raw[n] for n in PLAIN_PLACES]))
        rows, columns, bits = (_whole(values.get(k)) or 0 for k in ("Rows", "Columns", "BitsAllocated"))
        colours = values.get("PhotometricInterpretation") == "PALETTE COLOR"
        grey = values.get("SamplesPerPixel") == 1 and not colours
        plain = grey and bits in (8, 16) and values.get("NumberOfFrames", 1) == 1 and _has_identity(values)
        length = rows * columns * bits // 8
        if not (plain and length):
            raise ValueError("not a plain image")
        self._syntax, self._raw, self._values, self._size = syntax, raw, values, (rows, columns, length)
        self._attributes = {k: v for k, v in values.items() if k not in OF_THE_IMAGE_ALONE}

    def _take_over(self, raw: list[Picked], changed: list[int]) -> None:
        """An image that differs from the one before in nothing that makes it plain."""
        syntax, self._syntax = self._syntax, ""
        self._values, self._attributes = dict(self._values), dict(self._attributes)
        wanted = _these(tuple(changed))
        fresh = values_of(wanted, [raw[n] for n in changed])
        for keyword in wanted.keywords if len(fresh) < len(wanted.keywords) else ():
            for known in (self._values, self._attributes):
                known.pop(keyword, None)
        self._values.update(fresh)
        self._attributes.update((k, v) for k, v in fresh.items() if k not in OF_THE_IMAGE_ALONE)
        if not _is_uid(self._values.get("SOPInstanceUID")):
            raise ValueError("not a plain image")
        self._syntax, self._raw = syntax, raw

    def _described(self, path: str, pixels: Picked) -> InstanceManifest:
        rows, columns, length = self._size
        if not (isinstance(pixels, tuple) and pixels[1] >= length):
            raise ValueError("not a plain image")
        values = self._values
        return InstanceManifest(
            sop_instance_uid=str(values["SOPInstanceUID"]),
            sop_class_uid=str(values["SOPClassUID"]),
            transfer_syntax=self._syntax,
            instance_number=_whole(values.get("InstanceNumber")),
            rows=rows,
            columns=columns,
            number_of_frames=1,
            attributes=self._attributes,
            frames=(LocalFile(path, pixels[0], length, self._syntax),),
        )


def _has_identity(values: Mapping[str, object]) -> bool:
    return all(_is_uid(values.get(k)) for k in IDENTITY)


def _is_uid(value: object) -> bool:
    return is_uid(str(value or ""))


@lru_cache(maxsize=256)
def _these(places: tuple[int, ...]) -> Wanted:
    """The attributes at these of the places that are read, the pixel data last where it is among them."""
    return Wanted(tuple(BOTH.tags[n] for n in places), tuple(KEYWORDS[n] for n in places if n != PIXELS))


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
