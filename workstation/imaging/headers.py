"""What the imaging needs of one frame, read from the archive's manifest; tolerant, never raising.

A value that is absent or unusable is None or empty here; `display_sets` says in words what that means.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from pacs_core.archive.models import InstanceManifest, LocalFile, Url
from workstation.imaging.dimensions import Dimensions, dimensions_of, merged_dimensions
from workstation.imaging.geometry import GeometryError, PlaneGeometry
from workstation.imaging.greyscale import greyscale_of, windows
from workstation.imaging.luts import Rescale, TableLut, VoiWindow
from workstation.imaging.spacing import Calibration, SpacingFacts, calibration
from workstation.imaging.ultrasound import Region, regions_of
from workstation.imaging.values import Attributes, integer, number, numbers, pair, text, texts


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """How the bytes of a frame are to be read (PS3.3 C.7.6.3.1)."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    pixel_representation: int
    photometric: str
    planar: int
    float_kind: str = ""
    words_swapped: bool = False
    high_bit: int | None = None

    @property
    def usable_bits(self) -> int:
        """Bits Stored where it can be true, else Bits Allocated."""
        return self.bits_stored if 0 < self.bits_stored <= self.bits_allocated else self.bits_allocated

    @property
    def is_low_aligned(self) -> bool:
        """Whether values begin at bit 0, as they must since 1993 (PS3.5 8.1.1)."""
        return self.high_bit is None or self.high_bit == self.usable_bits - 1

    @property
    def is_colour(self) -> bool:
        return self.samples > 1 or self.photometric == "PALETTE COLOR"

    @property
    def contradiction(self) -> str:
        """What cannot be true of the bits, and what is done about it; empty where all fits."""
        if self.bits_stored > self.bits_allocated:
            whole = f"all {self.bits_allocated} are read"
            return f"{self.bits_stored} bits stored in {self.bits_allocated} allocated: {whole}"
        if self.bits_stored < 1:
            return f"{self.bits_stored} bits stored: all {self.bits_allocated} are read"
        return ""


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """One frame of one instance, all its facts resolved (multi-frame functional groups included).

    `warnings` say in words what of the greyscale could not be used. `attributes` are the frame's own over
    those shared, for what only some images have (shutters, overlays, doses, masks, timing).
    `frame` counts from 1 as DICOM does. `plane` is None where the image has no place in a patient,
    `why_no_plane` then says what is wrong with it, or is empty where the kind of image has none.
    """

    sop_instance_uid: str
    sop_class_uid: str
    frame: int
    instance_number: int | None
    locator: LocalFile | Url
    layout: PixelLayout
    plane: PlaneGeometry | None
    why_no_plane: str
    calibration: Calibration
    frame_of_reference_uid: str
    modality: str
    modality_lut: Rescale | TableLut
    windows: tuple[VoiWindow, ...]
    voi_lut: TableLut | None
    inverse: bool
    padding: tuple[int, int] | None
    palette: Attributes | None
    patient_orientation: tuple[str, ...]
    image_type: tuple[str, ...]
    thickness: float | None
    gantry_tilt: float | None
    frame_time: float | None
    dimensions: Dimensions
    content_time: str
    laterality: str
    lossy: bool
    regions: tuple[Region, ...]
    frames_of_instance: int = 1
    frames_promised: int = 1
    cardiac_percent: bool = False
    key: bool = False
    presentation: TableLut | None = None
    warnings: tuple[str, ...] = ()
    attributes: Attributes = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_localizer(self) -> bool:
        return "LOCALIZER" in self.image_type

    @property
    def own_order(self) -> tuple[int, int, str]:
        """The order the modality gave: Instance Number (last where there is none), frame, UID."""
        number = 1 << 30 if self.instance_number is None else self.instance_number
        return number, self.frame, self.sop_instance_uid

    @property
    def source(self) -> tuple[str, int, str, int]:
        """Whose bytes these are: the same UID may come again from another file with other pixels."""
        where = self.locator
        place = (where.path, where.offset) if isinstance(where, LocalFile) else ("", 0)
        return (self.sop_instance_uid, self.frame, *place)

    @property
    def grid(self) -> tuple[int, int, int, bool]:
        """What has to be equal for frames to share one array."""
        return self.layout.rows, self.layout.columns, self.layout.samples, self.layout.is_colour


def _palette(attributes: Attributes) -> Attributes | None:
    given = attributes.get("Palette")
    return given if isinstance(given, Mapping) else None


def _layout(instance: InstanceManifest, attributes: Attributes) -> PixelLayout:
    bits = integer(attributes.get("BitsAllocated"), 16)
    return PixelLayout(
        rows=instance.rows,
        columns=instance.columns,
        samples=integer(attributes.get("SamplesPerPixel"), 1),
        bits_allocated=bits,
        bits_stored=integer(attributes.get("BitsStored"), bits),
        pixel_representation=integer(attributes.get("PixelRepresentation")),
        photometric=text(attributes.get("PhotometricInterpretation")).upper() or "MONOCHROME2",
        planar=integer(attributes.get("PlanarConfiguration")),
        float_kind=text(attributes.get("FloatPixels")),
        words_swapped=attributes.get("PixelWordsSwapped") is True,
        high_bit=None if number(attributes.get("HighBit")) is None else integer(attributes.get("HighBit")),
    )


def _plane(attributes: Attributes, layout: PixelLayout) -> tuple[PlaneGeometry | None, str]:
    position, orientation = (
        numbers(attributes.get("ImagePositionPatient")),
        numbers(attributes.get("ImageOrientationPatient")),
    )
    if not position and not orientation:
        return None, ""
    spacing = numbers(attributes.get("PixelSpacing"))
    try:
        return PlaneGeometry.from_attributes(position, orientation, spacing, layout.rows, layout.columns), ""
    except GeometryError as error:
        return None, str(error)


def _calibration(
    modality: str, attributes: Attributes, in_patient: bool, regions: tuple[Region, ...]
) -> Calibration:
    spacings = {region.spacing for region in regions if region.spacing is not None}
    magnification = number(attributes.get("EstimatedRadiographicMagnificationFactor"))
    return calibration(
        SpacingFacts(
            modality=modality,
            in_patient=in_patient,
            pixel_spacing=pair(attributes.get("PixelSpacing")),
            imager_spacing=pair(attributes.get("ImagerPixelSpacing")),
            nominal_spacing=pair(attributes.get("NominalScannedPixelSpacing")),
            calibration_type=text(attributes.get("PixelSpacingCalibrationType")),
            calibration_description=text(attributes.get("PixelSpacingCalibrationDescription")),
            magnification=magnification,
            region_spacing=spacings.pop() if len(spacings) == 1 else None,
            aspect=pair(attributes.get("PixelAspectRatio")),
        )
    )


FIELDS = tuple(field.name for field in fields(FrameHeader))
EVERY = attrgetter(*FIELDS)
PLACING = frozenset({"ImagePositionPatient", "ImageOrientationPatient"})
DIMENSIONAL = frozenset(
    """StackID ReferencedSegmentNumber FrameType ComplexImageComponent DiffusionBValue SequenceName
    DiffusionGradientOrientation EffectiveEchoTime EchoTime InversionTime FlipAngle TemporalPositionIndex
    TemporalPositionIdentifier NominalPercentageOfCardiacPhase NominalCardiacTriggerDelayTime TriggerTime KVP
    ConvolutionKernel AcquisitionNumber TemporalPositionTimeOffset FrameReferenceTime
    FrameAcquisitionDateTime AcquisitionDateTime AcquisitionTime ContentTime""".split()
)
WINDOWING = frozenset({"WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction"})
IDLE = frozenset(
    """InStackPositionNumber DimensionIndexValues FrameReferenceDateTime SliceLocation InstanceCreationDate
    InstanceCreationTime SmallestImagePixelValue LargestImagePixelValue ImageIndex XRayTubeCurrent Exposure
    ExposureTime ImageComments SourceImageSequence ReferencedImageSequence AcquisitionDate Frames""".split()
)
"""Attributes that may differ and change nothing here."""
OWN = PLACING | DIMENSIONAL | WINDOWING | IDLE
"""What may differ between images that otherwise have all in common."""
FREE = IDLE | {"ImagePositionPatient"}
UID, NUMBER, LOCATOR, PLANE, ATTRIBUTES = (
    FIELDS.index(name) for name in ("sop_instance_uid", "instance_number", "locator", "plane", "attributes")
)
KEPT = 8


@dataclass(frozen=True, slots=True)
class _Alike:
    """An image, and what others have to have in common with it to be like it."""

    common: dict[str, object]
    dimensions: Dimensions
    header: FrameHeader
    said: tuple[str, ...]


class FrameHeaders:
    """The headers of the frames of one series, instance by instance.

    What images have in common is worked out once and kept: series of thousands of images and objects of tens
    of thousands of frames are ordinary.
    """

    def __init__(self, modality: str) -> None:
        self._modality = modality
        self._alike: list[_Alike] = []
        self._last: tuple[InstanceManifest, FrameHeader] | None = None

    def of(self, instance: InstanceManifest) -> tuple[FrameHeader, ...]:
        """A header for every frame that has a locator; per-frame attributes win over shared ones."""
        alike = self._next(instance)
        found = self._all(instance) if alike is None else (alike,)
        alone = len(found) == 1 and not _has_frames(instance)
        self._last = (instance, found[0]) if alone else None
        return found

    def _next(self, instance: InstanceManifest) -> FrameHeader | None:
        """The header of an image that differs from the one before in its place alone; else None."""
        if self._last is None or _has_frames(instance):
            return None
        before, header = self._last
        plane, theirs = header.plane, before.attributes
        if plane is None or _whole(instance) != _whole(before) or len(theirs) != len(instance.attributes):
            return None
        for keyword, value in instance.attributes.items():
            other = theirs.get(keyword, self)
            if other is not value and keyword not in FREE and other != value:
                return None
        return _elsewhere(header, plane, instance)

    def _all(self, instance: InstanceManifest) -> tuple[FrameHeader, ...]:
        shared = instance.attributes
        per_frame = shared.get("Frames")
        groups = per_frame if isinstance(per_frame, Sequence) and not isinstance(per_frame, str) else ()
        common: dict[str, object] = {k: v for k, v in shared.items() if k not in OWN}
        common["Instance"] = _whole(instance)
        whole: Attributes = {k: v for k, v in shared.items() if k in OWN and k not in IDLE}
        found = []
        for place, locator in enumerate(instance.frames):
            group = groups[place] if place < len(groups) else None
            group = group if isinstance(group, Mapping) else {}
            rest = {k: v for k, v in group.items() if k not in OWN}
            own = {**whole, **group}
            found.append(
                self._header(instance, {**common, **rest} if rest else common, own, place + 1, locator)
            )
        return tuple(found)

    def _header(
        self,
        instance: InstanceManifest,
        common: dict[str, object],
        own: dict[str, object],
        frame: int,
        locator: LocalFile | Url,
    ) -> FrameHeader:
        for known in self._alike:
            if known.common is common or known.common == common:
                found = _at(known, instance, own, frame, locator)
                if (found.plane is None) == (known.header.plane is None):
                    return found
        merged = {**instance.attributes, **common, **own}
        found = _frame_header(instance, self._modality, frame, locator, merged)
        of_windows: list[str] = []
        windows(merged, of_windows)
        said = tuple(words for words in found.warnings if words not in of_windows)
        self._alike.insert(0, _Alike(common, dimensions_of(common), found, said))
        del self._alike[KEPT:]
        return found


def _has_frames(instance: InstanceManifest) -> bool:
    return "Frames" in instance.attributes


def _whole(instance: InstanceManifest) -> tuple[object, ...]:
    """What an image is beside its attributes, without what is its alone."""
    return (instance.rows, instance.columns, instance.number_of_frames, len(instance.frames),
            instance.sop_class_uid, instance.key)  # fmt: skip


def _elsewhere(header: FrameHeader, plane: PlaneGeometry, instance: InstanceManifest) -> FrameHeader | None:
    """The header of a single image in all like another but for its place; None where it has no usable one."""
    try:
        there = plane.at(numbers(instance.attributes.get("ImagePositionPatient")))
    except GeometryError:
        return None
    values: list[Any] = list(EVERY(header))
    values[UID], values[NUMBER] = instance.sop_instance_uid, instance.instance_number
    values[LOCATOR], values[PLANE], values[ATTRIBUTES] = instance.frames[0], there, instance.attributes
    return FrameHeader(*values)


def _at(
    known: _Alike, instance: InstanceManifest, own: dict[str, object], frame: int, locator: LocalFile | Url
) -> FrameHeader:
    """The header of an image that differs from another in place, dimensions and window only."""
    base, common = known.header, known.common
    spacing = common.get("PixelSpacing")
    said: list[str] = []
    changed: dict[str, object] = {
        "sop_instance_uid": instance.sop_instance_uid,
        "instance_number": instance.instance_number,
        "frame": frame,
        "locator": locator,
        "dimensions": merged_dimensions(known.dimensions, dimensions_of(own)),
        "image_type": texts(own.get("FrameType")) or texts(common.get("ImageType")),
        "windows": () if base.layout.is_colour else windows(own, said),
        "content_time": text(own.get("ContentTime")),
        "cardiac_percent": "NominalPercentageOfCardiacPhase" in own,
        "attributes": ChainMap(own, common) if _has_frames(instance) else instance.attributes,
    }
    changed["warnings"] = (*known.said, *said)
    changed["plane"], changed["why_no_plane"] = _plane({**own, "PixelSpacing": spacing}, base.layout)
    values: list[Any] = [changed.get(n, v) for n, v in zip(FIELDS, EVERY(base), strict=True)]
    return FrameHeader(*values)


def _frame_header(
    instance: InstanceManifest,
    modality: str,
    frame: int,
    locator: LocalFile | Url,
    attributes: Attributes,
) -> FrameHeader:
    layout = _layout(instance, attributes)
    plane, why = _plane(attributes, layout)
    regions = regions_of(attributes)
    grey = greyscale_of(
        modality, attributes, layout.photometric, layout.pixel_representation == 1, layout.is_colour
    )
    return FrameHeader(
        sop_instance_uid=instance.sop_instance_uid,
        sop_class_uid=instance.sop_class_uid,
        frame=frame,
        instance_number=instance.instance_number,
        locator=locator,
        layout=layout,
        plane=plane,
        why_no_plane=why,
        calibration=_calibration(modality, attributes, plane is not None, regions),
        frame_of_reference_uid=text(attributes.get("FrameOfReferenceUID")),
        modality=modality,
        modality_lut=grey.modality_lut,
        windows=grey.windows,
        voi_lut=grey.voi_luts[0] if grey.voi_luts else None,
        inverse=grey.inverse,
        padding=grey.padding,
        palette=_palette(attributes) if layout.photometric == "PALETTE COLOR" else None,
        patient_orientation=texts(attributes.get("PatientOrientation")),
        image_type=texts(attributes.get("FrameType")) or texts(attributes.get("ImageType")),
        thickness=number(attributes.get("SliceThickness")),
        gantry_tilt=number(attributes.get("GantryDetectorTilt")),
        frame_time=number(attributes.get("FrameTime")),
        dimensions=dimensions_of(attributes),
        content_time=text(attributes.get("ContentTime")),
        laterality=text(attributes.get("ImageLaterality")) or text(attributes.get("Laterality")),
        lossy=text(attributes.get("LossyImageCompression")) == "01",
        regions=regions,
        frames_of_instance=len(instance.frames),
        frames_promised=max(instance.number_of_frames, len(instance.frames)),
        cardiac_percent=attributes.get("NominalPercentageOfCardiacPhase") is not None,
        key=instance.key,
        presentation=grey.presentation,
        warnings=(*((layout.contradiction,) if layout.contradiction else ()), *grey.warnings),
        attributes=attributes,
    )
