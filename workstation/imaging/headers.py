"""What the imaging needs of one frame, read from the archive's manifest; tolerant, never raising.

A value that is absent or unusable is None or empty here; `display_sets` says in words what that means.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from pacs_core.archive.models import InstanceManifest, LocalFile, Url
from pacs_core.dicom.attributes import unpacked
from workstation.imaging.dimensions import Dimensions, dimensions_of, merged_dimensions
from workstation.imaging.geometry import GeometryError, PlaneGeometry
from workstation.imaging.luts import LINEAR, LINEAR_EXACT, SIGMOID, Rescale, TableLut, VoiWindow
from workstation.imaging.spacing import Calibration, SpacingFacts, calibration

Attributes = Mapping[str, object]
Numbers = tuple[float, ...]


def numbers(value: object) -> Numbers:
    """Every number in a value that may be a number, a text such as "0.5\\0.5", or a list of either."""
    if value is None or isinstance(value, bool):
        return ()
    if isinstance(value, int | float):
        return (float(value),) if math.isfinite(value) else ()
    if isinstance(value, str):
        return _numbers_of_text(value)
    if isinstance(value, Sequence):
        if all(type(part) is float and math.isfinite(part) for part in value):
            return tuple(value)
        parts = [numbers(part) for part in value]
        return tuple(p[0] for p in parts) if all(parts) else ()
    return ()


def _numbers_of_text(text: str) -> Numbers:
    try:
        found = tuple(float(part) for part in text.split("\\") if part.strip())
    except ValueError:
        return ()
    return found if all(math.isfinite(v) for v in found) else ()


def number(value: object) -> float | None:
    """The first number of a value, or None."""
    found = numbers(value)
    return found[0] if found else None


def integer(value: object, default: int = 0) -> int:
    """The first number of a value as a whole one, or the default."""
    found = number(value)
    return default if found is None else int(found)


def texts(value: object) -> tuple[str, ...]:
    """The texts of a value that may be a text with backslashes, or a list."""
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split("\\"))
    if isinstance(value, Sequence):
        return tuple(str(part).strip() for part in value)
    return (str(value),)


def text(value: object) -> str:
    """The first text of a value, or an empty one."""
    found = texts(value)
    return found[0] if found else ""


def pair(value: object) -> tuple[float, float] | None:
    """Two positive numbers, or None."""
    found = numbers(value)
    return (found[0], found[1]) if len(found) == 2 and found[0] > 0 and found[1] > 0 else None


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
class Region:
    """One ultrasound region: its pixel box and mm of a pixel (between rows, between columns) (PS3.3
    C.8.5.5).
    """

    left: int
    top: int
    right: int
    bottom: int
    spacing: tuple[float, float]


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """One frame of one instance, all its facts resolved (multi-frame functional groups included).

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


def _table(value: object, unit: str = "", signed: bool = False) -> TableLut | None:
    """The first of some LUT items {Descriptor: [n, first, bits], Data: packed}, None where it is no usable
    table.
    """
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    item = items[0] if items else None
    if not isinstance(item, Mapping):
        return None
    descriptor = numbers(item.get("Descriptor"))
    entries = _unpacked(item.get("Data"))
    if len(descriptor) != 3 or not entries:
        return None
    size = int(descriptor[0]) or 65536
    if len(entries) < size:
        return None
    bits = int(descriptor[2]) if 8 <= descriptor[2] <= 16 else 16
    return TableLut(_first_mapped(descriptor[1], signed), entries[:size], bits, unit)


def _first_mapped(value: float, signed: bool) -> int:
    """The descriptor's second value is written as unsigned even where stored values are signed."""
    return int(value) - 65536 if signed and value > 32767 else int(value)


def _unpacked(value: object) -> tuple[int, ...]:
    """The 16-bit entries of packed table data; none where it is damaged."""
    if not isinstance(value, str):
        return ()
    try:
        raw = unpacked(value)
    except (ValueError, zlib.error):
        return ()
    return struct.unpack(f"<{len(raw) // 2}H", raw[: len(raw) // 2 * 2])


def _unit(modality: str, attributes: Attributes) -> str:
    given = text(attributes.get("RescaleType")) or text(attributes.get("Units"))
    if modality == "CT" and given in ("", "US"):
        return "HU"
    return "" if given == "US" else given


def _is_signed(attributes: Attributes) -> bool:
    return integer(attributes.get("PixelRepresentation")) == 1


def _values_go_below_zero(attributes: Attributes) -> bool:
    return _is_signed(attributes) or (number(attributes.get("RescaleIntercept")) or 0.0) < 0.0


def _modality_lut(modality: str, attributes: Attributes) -> Rescale | TableLut:
    unit = _unit(modality, attributes)
    # of angiography it leads to beam intensity, not to what is displayed (PS3.3 C.8.7.1.1.2)
    table = (
        None
        if modality in ("XA", "RF")
        else _table(attributes.get("ModalityLUTSequence"), unit, _is_signed(attributes))
    )
    if table is not None:
        return table
    slope, intercept = number(attributes.get("RescaleSlope")), number(attributes.get("RescaleIntercept"))
    if slope is None or slope == 0.0:
        return Rescale(1.0, intercept or 0.0, unit)
    return Rescale(slope, intercept or 0.0, unit)


def _windows(attributes: Attributes) -> tuple[VoiWindow, ...]:
    centres, widths = numbers(attributes.get("WindowCenter")), numbers(attributes.get("WindowWidth"))
    labels = texts(attributes.get("WindowCenterWidthExplanation"))
    function = text(attributes.get("VOILUTFunction")).upper()
    function = function if function in (LINEAR_EXACT, SIGMOID) else LINEAR
    found = []
    for place, (centre, width) in enumerate(zip(centres, widths, strict=False)):
        if width >= 1.0 or (width > 0.0 and function != LINEAR):
            found.append(VoiWindow(centre, width, function, labels[place] if place < len(labels) else ""))
    return tuple(found)


def _padding(attributes: Attributes, layout: PixelLayout) -> tuple[int, int] | None:
    """Pixel Padding Value and Range Limit as a closed range (PS3.3 C.7.5.1.1.2)."""
    value = number(attributes.get("PixelPaddingValue"))
    if value is None or layout.is_colour:
        return None
    limit = number(attributes.get("PixelPaddingRangeLimit"))
    ends = sorted((int(value), int(value if limit is None else limit)))
    if layout.pixel_representation == 1:
        ends = [v - 65536 if v > 32767 else v for v in ends]
        ends.sort()
    return ends[0], ends[1]


def _palette(attributes: Attributes) -> Attributes | None:
    given = attributes.get("Palette")
    return given if isinstance(given, Mapping) else None


def _regions(attributes: Attributes) -> tuple[Region, ...]:
    """Ultrasound regions of 2D images measured in centimetres; others have no millimetres to give."""
    items = attributes.get("SequenceOfUltrasoundRegions")
    found = []
    for item in items if isinstance(items, Sequence) and not isinstance(items, str) else ():
        if not isinstance(item, Mapping) or integer(item.get("RegionSpatialFormat")) != 1:
            continue
        if (
            integer(item.get("PhysicalUnitsXDirection")) != 3
            or integer(item.get("PhysicalUnitsYDirection")) != 3
        ):
            continue
        across, down = number(item.get("PhysicalDeltaX")), number(item.get("PhysicalDeltaY"))
        if not across or not down:
            continue
        box = [integer(item.get(name)) for name in _REGION_BOX]
        found.append(Region(box[0], box[1], box[2], box[3], (abs(down) * 10.0, abs(across) * 10.0)))
    return tuple(found)


_REGION_BOX = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")


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
    spacings = {region.spacing for region in regions}
    magnification = number(attributes.get("EstimatedRadiographicMagnificationFactor"))
    return calibration(
        SpacingFacts(
            modality=modality,
            in_patient=in_patient,
            pixel_spacing=pair(attributes.get("PixelSpacing")),
            imager_spacing=pair(attributes.get("ImagerPixelSpacing")),
            nominal_spacing=pair(attributes.get("NominalScannedPixelSpacing")),
            calibration_type=text(attributes.get("PixelSpacingCalibrationType")),
            magnification=magnification,
            region_spacing=spacings.pop() if len(spacings) == 1 else None,
            aspect=pair(attributes.get("PixelAspectRatio")),
        )
    )


def _inverse(attributes: Attributes, layout: PixelLayout) -> bool:
    shape = text(attributes.get("PresentationLUTShape")).upper()
    if shape in ("IDENTITY", "INVERSE"):
        return shape == "INVERSE"
    return layout.photometric == "MONOCHROME1"


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
KEPT = 8


@dataclass(frozen=True, slots=True)
class _Alike:
    """An image, and what others have to have in common with it to be like it."""

    common: Attributes
    dimensions: Dimensions
    header: FrameHeader


class FrameHeaders:
    """The headers of the frames of one series, instance by instance.

    What images have in common is worked out once and kept: series of thousands of images and objects of tens
    of thousands of frames are ordinary.
    """

    def __init__(self, modality: str) -> None:
        self._modality = modality
        self._alike: list[_Alike] = []

    def of(self, instance: InstanceManifest) -> tuple[FrameHeader, ...]:
        """A header for every frame that has a locator; per-frame attributes win over shared ones."""
        shared = instance.attributes
        per_frame = shared.get("Frames")
        groups = per_frame if isinstance(per_frame, Sequence) and not isinstance(per_frame, str) else ()
        common: dict[str, object] = {k: v for k, v in shared.items() if k not in OWN}
        common["Instance"] = (instance.rows, instance.columns, instance.number_of_frames,
                              len(instance.frames), instance.sop_class_uid, instance.key)  # fmt: skip
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
        common: Attributes,
        own: Attributes,
        frame: int,
        locator: LocalFile | Url,
    ) -> FrameHeader:
        for known in self._alike:
            if known.common is common or known.common == common:
                found = _at(known, instance, own, frame, locator)
                if (found.plane is None) == (known.header.plane is None):
                    return found
        found = _frame_header(
            instance, self._modality, frame, locator, {**instance.attributes, **common, **own}
        )
        self._alike.insert(0, _Alike(common, dimensions_of(common), found))
        del self._alike[KEPT:]
        return found


def frame_headers(instance: InstanceManifest, modality: str) -> tuple[FrameHeader, ...]:
    """The headers of every frame of one instance that has a locator."""
    return FrameHeaders(modality).of(instance)


def _at(
    known: _Alike, instance: InstanceManifest, own: Attributes, frame: int, locator: LocalFile | Url
) -> FrameHeader:
    """The header of an image that differs from another in place, dimensions and window only."""
    base, common = known.header, known.common
    spacing = common.get("PixelSpacing")
    changed: dict[str, object] = {
        "sop_instance_uid": instance.sop_instance_uid,
        "instance_number": instance.instance_number,
        "frame": frame,
        "locator": locator,
        "dimensions": merged_dimensions(known.dimensions, dimensions_of(own)),
        "image_type": texts(own.get("FrameType")) or texts(common.get("ImageType")),
        "windows": _windows(own),
        "content_time": text(own.get("ContentTime")),
        "cardiac_percent": "NominalPercentageOfCardiacPhase" in own,
    }
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
    regions = _regions(attributes)
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
        modality_lut=_modality_lut(modality, attributes),
        windows=_windows(attributes),
        voi_lut=_table(attributes.get("VOILUTSequence"), "", _values_go_below_zero(attributes)),
        inverse=_inverse(attributes, layout),
        padding=_padding(attributes, layout),
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
    )
