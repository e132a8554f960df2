"""Headers of the pictures that the rehearsal makes: the modules of PS3.3 that a real machine would fill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from pacs_core.domain.identifiers import uid_from_name

IMPLEMENTATION_UID = UID(uid_from_name("reading-room/rehearsal"))
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2.1"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
PET_IMAGE = "1.2.840.10008.5.1.4.1.1.128"
CR_IMAGE = "1.2.840.10008.5.1.4.1.1.1"
US_IMAGE = "1.2.840.10008.5.1.4.1.1.6.1"
US_MULTIFRAME_IMAGE = "1.2.840.10008.5.1.4.1.1.3.1"

CIVIL = "%Y%m%d%H%M%S"
CT_WINDOWS = (("MEDIASTINUM", 40, 400), ("LUNG", -600, 1500), ("BONE", 480, 2500))


@dataclass(frozen=True, slots=True)
class SeriesHeader:
    """What every image of a series says alike; `name` makes its UIDs, so equal names mean equal series."""

    name: str
    modality: str
    number: int = 1
    description: str = ""
    body_part: str = ""
    patient_position: str = "HFS"
    frame_of_reference: str = ""
    manufacturer: str = "Reading Room rehearsal"
    model: str = "Simulated scanner"
    date: str = "20260101"
    time: str = "090000"
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "AXIAL")
    extra: tuple[tuple[str, Any], ...] = ()

    @property
    def uid(self) -> str:
        """Series Instance UID."""
        return uid_from_name(f"rehearsal/series/{self.name}")

    @property
    def study_uid(self) -> str:
        """Study Instance UID as long as no order has given another."""
        return uid_from_name(f"rehearsal/study/{self.name}")

    @property
    def frame_uid(self) -> str:
        """Frame of Reference UID; series with the same `frame_of_reference` share it."""
        return uid_from_name(f"rehearsal/frame/{self.frame_of_reference or self.name}")

    def instance_uid(self, number: int) -> str:
        """SOP Instance UID of an image."""
        return uid_from_name(f"rehearsal/instance/{self.name}/{number}")


def new_image(sop_class: str, series: SeriesHeader, number: int) -> Dataset:
    """A data set with its file meta, SOP common, series and equipment modules, and nobody's name in it."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    image.file_meta.MediaStorageSOPInstanceUID = UID(series.instance_uid(number))
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.ImplementationClassUID = IMPLEMENTATION_UID
    image.file_meta.ImplementationVersionName = "RR_REHEARSAL"
    image.SpecificCharacterSet = "ISO_IR 192"
    image.SOPClassUID = sop_class
    image.SOPInstanceUID = series.instance_uid(number)
    image.ImageType = list(series.image_type)
    image.Modality = series.modality
    image.SeriesInstanceUID = series.uid
    image.StudyInstanceUID = series.study_uid
    image.SeriesNumber = series.number
    image.InstanceNumber = number
    image.SeriesDescription = series.description
    image.BodyPartExamined = series.body_part
    image.Manufacturer = series.manufacturer
    image.ManufacturerModelName = series.model
    image.SoftwareVersions = "rehearsal"
    nobody(image)
    set_times(image, series.date, series.time)
    for keyword, value in series.extra:
        setattr(image, keyword, value)
    return image


def nobody(image: Dataset) -> None:
    """Empty patient and study identity (type 2 of PS3.3 C.7.1.1 and C.7.2.1)."""
    for keyword in (
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "AccessionNumber",
        "StudyID",
    ):
        setattr(image, keyword, "")
    image.ReferringPhysicianName = ""
    image.InstitutionName = "Demo Hospital"


def set_times(image: Dataset, date: str, time: str) -> None:
    """Study, series, acquisition and content date (YYYYMMDD) and time (HHMMSS), civil."""
    for what in ("Study", "Series", "Acquisition", "Content"):
        setattr(image, f"{what}Date", date)
        setattr(image, f"{what}Time", time)


def set_injection(image: Dataset, date: str, time: str, minutes: float) -> None:
    """When the tracer was given, so many minutes before a civil date and time (PS3.3 C.8.9.2)."""
    when = civil_moment(date + time[:6]) - timedelta(minutes=minutes)
    tracer = image.RadiopharmaceuticalInformationSequence[0]
    tracer.RadiopharmaceuticalStartTime = when.strftime("%H%M%S")
    tracer.RadiopharmaceuticalStartDateTime = when.strftime(CIVIL)


def injected_minutes(image: Dataset) -> float:
    """How many minutes before the series the tracer was given."""
    start = str(image.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartDateTime)
    series = civil_moment(image.SeriesDate + image.SeriesTime[:6])
    return (series - civil_moment(start)).total_seconds() / 60


def civil_moment(text: str) -> datetime:
    """YYYYMMDDHHMMSS as a civil (naive) datetime."""
    return datetime.fromisoformat(f"{text[:8]}T{text[8:14]}")


def place(
    image: Dataset,
    origin: tuple[float, ...],
    right: tuple[float, ...],
    down: tuple[float, ...],
    thickness: float,
) -> None:
    """Image plane of one slice (PS3.3 C.7.6.2): LPS mm, direction cosines, thickness in mm."""
    image.ImagePositionPatient = [decimal(v) for v in origin]
    image.ImageOrientationPatient = [decimal(v) for v in (*right, *down)]
    image.SliceThickness = decimal(thickness)
    image.SliceLocation = decimal(float(np.dot(np.cross(right, down), origin)))


def set_frame(image: Dataset, series: SeriesHeader) -> None:
    """Frame of reference module (PS3.3 C.7.4.1)."""
    image.FrameOfReferenceUID = series.frame_uid
    image.PositionReferenceIndicator = ""
    image.PatientPosition = series.patient_position


def set_pixels(image: Dataset, pixels: NDArray[Any], spacing: tuple[float, float] | None = None) -> None:
    """Grey pixels of 16 bits (PS3.3 C.7.6.3), signed where the array is; `spacing` is (row, column) mm."""
    signed = pixels.dtype.kind == "i"
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = pixels.shape[-2:]
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
    image.PixelRepresentation = int(signed)
    if spacing is not None:
        image.PixelSpacing = [decimal(v) for v in spacing]
    image.add_new("PixelData", "OW", np.ascontiguousarray(pixels, dtype="<i2" if signed else "<u2").tobytes())


def set_ct(image: Dataset) -> None:
    """CT image module (PS3.3 C.8.2.1): stored values are HU + 1024, signed."""
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = "-1024", "1", "HU"
    image.KVP = "120"
    image.AcquisitionNumber = 1
    image.ConvolutionKernel = "STANDARD"
    image.WindowCenterWidthExplanation = [name for name, _, _ in CT_WINDOWS]
    image.WindowCenter = [str(centre) for _, centre, _ in CT_WINDOWS]
    image.WindowWidth = [str(width) for _, _, width in CT_WINDOWS]


def stored_ct(hu: NDArray[np.float32]) -> NDArray[np.int16]:
    """HU as stored values of `set_ct`."""
    return np.asarray(np.clip(np.rint(hu) + 1024, -2000, 32767), np.int16)


def decimal(value: float) -> str:
    """A Decimal String: at most 16 characters, as exact as they allow (PS3.5 6.2)."""
    if abs(value) < 1e-10:
        return "0"
    for digits in range(15, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    raise ValueError(f"{value} does not fit a Decimal String")
