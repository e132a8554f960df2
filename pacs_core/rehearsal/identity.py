"""Whose images these are: what a machine takes from its worklist and writes into every image (PS3.3 C.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pacs_core.domain.identifiers import uid_from_name
from pacs_core.rehearsal.headers import injected_minutes, set_injection, set_times

UTF8 = "ISO_IR 192"


@dataclass(frozen=True, slots=True)
class Identity:
    """Patient, study and request; `name` is a DICOM PN, `birth_date` a DA, `charset` is (0008,0005)."""

    study_uid: str
    name: str = ""
    patient_id: str = ""
    issuer: str = ""
    birth_date: str = ""
    sex: str = ""
    accession: str = ""
    study_id: str = ""
    study_description: str = ""
    referring_physician: str = ""
    procedure_id: str = ""
    procedure_description: str = ""
    step_id: str = ""
    step_description: str = ""
    charset: str = UTF8

    @staticmethod
    def from_worklist(answer: Mapping[str, object]) -> Identity:
        """The identity that a modality worklist answer (by keyword) gives (PS3.4 table K.6-1)."""

        def text(keyword: str) -> str:
            return _text(answer, keyword)

        steps = answer.get("ScheduledProcedureStepSequence")
        step = steps[0] if isinstance(steps, list) and steps else {}
        return Identity(
            study_uid=text("StudyInstanceUID"),
            name=text("PatientName"),
            patient_id=text("PatientID"),
            issuer=text("IssuerOfPatientID"),
            birth_date=text("PatientBirthDate"),
            sex=text("PatientSex"),
            accession=text("AccessionNumber"),
            study_id=text("RequestedProcedureID"),
            study_description=text("RequestedProcedureDescription"),
            referring_physician=text("ReferringPhysicianName"),
            procedure_id=text("RequestedProcedureID"),
            procedure_description=text("RequestedProcedureDescription"),
            step_id=_text(step, "ScheduledProcedureStepID"),
            step_description=_text(step, "ScheduledProcedureStepDescription"),
            charset=text("SpecificCharacterSet") or UTF8,
        )


def stamp(
    image: Dataset, identity: Identity, date: str, time: str, station: tuple[str, str] = ("", "")
) -> None:
    """Make an image one of this study, in place: new UIDs under the study's, taken on civil `date`, `time`.

    `station` is (AE title, station name). The same image under the same study always gets the same UIDs.
    """
    _new_uids(image, identity.study_uid)
    image.SpecificCharacterSet = (identity.charset or UTF8).split("\\")
    image.PatientName, image.PatientID = identity.name, identity.patient_id
    image.PatientBirthDate, image.PatientSex = identity.birth_date, identity.sex
    if identity.issuer:
        image.IssuerOfPatientID = identity.issuer
    image.AccessionNumber, image.StudyID = identity.accession, identity.study_id[:16]
    image.StudyDescription = identity.study_description[:64]
    image.ReferringPhysicianName = identity.referring_physician
    image.StationName = station[1][:16]
    _set_moment(image, date, time)
    _set_request(image, identity)


def _new_uids(image: Dataset, study_uid: str) -> None:
    image.StudyInstanceUID = study_uid
    for keyword in ("SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        if image.get(keyword):
            setattr(image, keyword, uid_from_name(f"{study_uid}/{image[keyword].value}"))
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID


def _set_moment(image: Dataset, date: str, time: str) -> None:
    """The civil moment; a tracer keeps its distance from the scan, so that uptakes stay what they are."""
    minutes = injected_minutes(image) if "RadiopharmaceuticalInformationSequence" in image else None
    set_times(image, date, time)
    if minutes is not None:
        set_injection(image, date, time, minutes)


def _set_request(image: Dataset, identity: Identity) -> None:
    """Request Attributes Sequence (0040,0275): which step of which procedure this fulfils."""
    if not identity.step_id and not identity.procedure_id:
        return
    request = Dataset()
    request.RequestedProcedureID = identity.procedure_id
    request.RequestedProcedureDescription = identity.procedure_description[:64]
    request.ScheduledProcedureStepID = identity.step_id
    request.ScheduledProcedureStepDescription = identity.step_description[:64]
    request.AccessionNumber = identity.accession
    image.RequestAttributesSequence = Sequence([request])


def _text(data: Mapping[str, object], keyword: str) -> str:
    """A value as text, several as DICOM writes them."""
    value = data.get(keyword)
    if isinstance(value, (list, tuple)):
        return "\\".join(str(one) for one in value)
    return "" if value is None else str(value)
