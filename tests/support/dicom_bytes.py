"""Small whole DICOM files, made here, for tests that need real ones by the dozen."""

from __future__ import annotations

from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"


def dicom_file(study: str = "1.2.3", number: int = 1, **values: object) -> bytes:
    """A 4x4 CT image of the patient P1 and the accession A1; `values` are further elements by keyword."""
    found = Dataset()
    found.SOPClassUID = CT_STORAGE
    found.SOPInstanceUID = f"{study}.1.{number}"
    found.StudyInstanceUID = study
    found.SeriesInstanceUID = f"{study}.1"
    found.PatientID, found.PatientName = "P1", "DOE^JANE"
    found.PatientBirthDate, found.PatientSex = "19700102", "F"
    found.AccessionNumber, found.StudyID, found.Modality = "A1", "1", "CT"
    found.StudyDate, found.StudyTime = "20260302", "110000"
    found.SeriesNumber, found.InstanceNumber = 1, number
    found.Rows = found.Columns = 4
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.BitsAllocated, found.BitsStored, found.HighBit, found.PixelRepresentation = 16, 16, 15, 0
    found.PixelData = bytes([number % 256, 0]) * 16
    for keyword, value in values.items():
        setattr(found, keyword, value)
    found.file_meta = FileMetaDataset()
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    whole = BytesIO()
    found.save_as(whole, enforce_file_format=True)
    return whole.getvalue()
