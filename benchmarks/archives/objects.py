"""Synthetic CT and MR objects of the size that scanners send, each under UIDs of its own."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT = "1.2.840.10008.1.2.1"

_numbers = itertools.count(1)


def fresh_uid() -> str:
    """A UID that no object had before in this run, always 30 characters long."""
    return f"2.25.{1000000000000000000000000 + next(_numbers):d}"


@dataclass(frozen=True, slots=True)
class Template:
    """The bytes of a data set in explicit VR little endian, and where its UIDs lie in them."""

    sop_class: str
    data: bytes
    study: int
    series: int
    instance: int

    def another(self, study: str, series: str, instance: str) -> bytearray:
        """The data set as another instance."""
        made = bytearray(self.data)
        for at, uid in ((self.study, study), (self.series, series), (self.instance, instance)):
            made[at : at + len(uid)] = uid.encode()
        return made


def _made(sop_class: str, modality: str, rows: int, columns: int, **more: object) -> Template:
    import numpy as np
    from pydicom.dataset import Dataset
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import UID

    study, series, instance = "2.25." + "1" * 25, "2.25." + "2" * 25, "2.25." + "3" * 25
    found = Dataset()
    found.SpecificCharacterSet, found.ImageType = "ISO_IR 100", ["ORIGINAL", "PRIMARY", "AXIAL"]
    found.SOPClassUID, found.SOPInstanceUID = UID(sop_class), instance
    found.StudyInstanceUID, found.SeriesInstanceUID = study, series
    found.StudyDate = found.SeriesDate = found.AcquisitionDate = found.ContentDate = "20260302"
    found.StudyTime = found.SeriesTime = found.AcquisitionTime = found.ContentTime = "110000"
    found.AccessionNumber, found.Modality, found.Manufacturer = "", modality, "MAKER"
    found.InstitutionName, found.ReferringPhysicianName, found.StationName = "HOSPITAL", "ROE^R", "STATION"
    found.StudyDescription, found.SeriesDescription = "CHEST", "AXIAL 5.0"
    found.ManufacturerModelName = "MODEL"
    found.PatientName, found.PatientID = "BENCH^MARK", "P00000000"
    found.PatientBirthDate, found.PatientSex, found.PatientAge = "19700102", "F", "056Y"
    found.BodyPartExamined, found.SliceThickness, found.PatientPosition = "CHEST", "5", "HFS"
    found.ProtocolName, found.DeviceSerialNumber, found.SoftwareVersions = "PROTOCOL", "1234", "1.0"
    found.StudyID, found.SeriesNumber, found.AcquisitionNumber, found.InstanceNumber = "1", 1, 1, "000001"
    found.ImagePositionPatient = ["-250", "-250", "100"]
    found.ImageOrientationPatient, found.FrameOfReferenceUID = ["1", "0", "0", "0", "1", "0"], "2.25.4"
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.Rows, found.Columns, found.PixelSpacing = rows, columns, ["0.9765625", "0.9765625"]
    found.BitsAllocated, found.BitsStored, found.HighBit, found.PixelRepresentation = 16, 16, 15, 0
    found.WindowCenter, found.WindowWidth = "40", "400"
    for keyword, value in more.items():
        setattr(found, keyword, value)
    noise = np.random.default_rng(20260302).integers(0, 4096, rows * columns, dtype="<u2")
    found.PixelData = noise.tobytes()
    whole = BytesIO()
    dcmwrite(whole, found, implicit_vr=False, little_endian=True)
    data = whole.getvalue()
    return Template(sop_class, data, *(data.index(uid.encode()) for uid in (study, series, instance)))


@lru_cache
def ct() -> Template:
    """A CT slice of 512x512, 16 bit: 525 kB."""
    return _made(
        CT, "CT", 512, 512, RescaleIntercept="-1024", RescaleSlope="1", KVP="120", XRayTubeCurrent="200",
        ExposureTime="500", ConvolutionKernel="B30f", GantryDetectorTilt="0", SliceLocation="100",
    )  # fmt: skip


@lru_cache
def mr() -> Template:
    """An MR slice of 160x200, 16 bit: 65 kB."""
    return _made(
        MR, "MR", 160, 200, ScanningSequence="SE", SequenceVariant="SK", MRAcquisitionType="2D",
        RepetitionTime="500", EchoTime="10", MagneticFieldStrength="1.5", FlipAngle="90", SliceLocation="100",
    )  # fmt: skip


@lru_cache
def header_only() -> Template:
    """A CT header with 2x2 pixels, to fill an archive with studies."""
    return _made(CT, "CT", 2, 2, RescaleIntercept="-1024", RescaleSlope="1")


def dated(template: Template, patient: int, date: str, name: str) -> Template:
    """The template of another patient and study date; `name` and `date` as long as those it has."""
    data = template.data.replace(b"P00000000", f"P{patient:08d}".encode())
    data = data.replace(b"20260302", date.encode()).replace(b"BENCH^MARK", name.encode())
    return replace(template, data=data)


def part10(template: Template, data_set: bytes | bytearray) -> bytes:
    """The data set as a file, for senders that read files (PS3.10 7.1)."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_file_meta_info
    from pydicom.uid import UID

    meta, whole = FileMetaDataset(), DicomBytesIO()
    whole.is_little_endian, whole.is_implicit_VR = True, False
    meta.MediaStorageSOPClassUID = UID(template.sop_class)
    meta.MediaStorageSOPInstanceUID = UID(data_set[template.instance : template.instance + 30].decode())
    meta.TransferSyntaxUID = UID(EXPLICIT)
    write_file_meta_info(whole, meta, enforce_standard=True)
    return bytes(128) + b"DICM" + whole.getvalue() + data_set
