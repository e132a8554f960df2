"""Finding the files behind UIDs and the corrections that go over them on the way out (contract, promise
2).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from pacs_core.domain.errors import NotFound
from pacs_core.domain.patient import fitted_name
from pacs_core.domain.records import InstanceRecord, StudyKeys
from pacs_core.domain.times import dicom_date
from pacs_core.ports import BlobStore, Index, Transaction
from pacs_core.services.querying import Querying, StudyAnswer, answer_of, said_by

OF_THE_PERSON = tuple(
    """PatientBirthTime PatientBirthDateInAlternativeCalendar PatientDeathDateInAlternativeCalendar
    PatientAlternativeCalendar IssuerOfPatientIDQualifiersSequence TypeOfPatientID OtherPatientIDs
    OtherPatientIDsSequence OtherPatientNames PatientBirthName PatientMotherBirthName MedicalRecordLocator
    ReferencedPatientPhotoSequence PatientAge PatientAddress PatientTelephoneNumbers PatientTelecomInformation
    RegionOfResidence CountryOfResidence PatientInsurancePlanCodeSequence
    PatientPrimaryLanguageCodeSequence MilitaryRank BranchOfService EthnicGroup EthnicGroupCodeSequence
    PatientReligiousPreference Occupation SmokingStatus MedicalAlerts Allergies PregnancyStatus
    LastMenstrualDate AdditionalPatientHistory PatientComments PatientState SpecialNeeds ResponsiblePerson
    ResponsiblePersonRole ResponsibleOrganization GroupOfPatientsIdentificationSequence
    SourcePatientGroupIdentificationSequence AdmissionID IssuerOfAdmissionIDSequence
    AdmittingDiagnosesDescription AdmittingDiagnosesCodeSequence ServiceEpisodeID
    IssuerOfServiceEpisodeIDSequence ServiceEpisodeDescription""".split()
)
"""What else a header says of a person and their stay (PS3.3 C.2.2 to C.2.4, C.3, C.7.1.1, C.7.2.2): of
somebody else nothing of it leaves. Size and weight are of the body that was scanned."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored instance to hand out: where it lies and the corrections to lay over it (DICOM keyword →
    value).

    An empty `corrections` means: give the bytes as they are.
    """

    instance: InstanceRecord
    study_uid: str
    series_uid: str
    path: Path | None
    corrections: Mapping[str, str]


class Retrieving:
    """What may leave: stored bytes, identity corrected by overlay, the original on request."""

    def __init__(self, index: Index, blobs: BlobStore) -> None:
        self._index = index
        self._blobs = blobs
        self._querying = Querying(index)

    def files(self, keys: StudyKeys) -> list[StoredFile]:
        """Every served instance that fits the keys, in order of arrival within its series."""
        return [
            StoredFile(
                found.instance,
                found.of.of.study.study_uid,
                found.of.series.series_uid,
                self._blobs.path(found.instance.blob_key),
                corrections_of(found.of.of, found.instance),
            )
            for found in self._querying.instances(keys)
        ]

    def file(self, sop_instance_uid: str) -> StoredFile:
        """One served instance; raises NotFound."""
        with self._index.read() as tx:
            return self._file(tx, sop_instance_uid)

    def open(self, file: StoredFile) -> BinaryIO:
        """Open the stored bytes; raises NotFound."""
        return self._blobs.open(file.instance.blob_key)

    def read(self, file: StoredFile, offset: int = 0, length: int = -1) -> bytes:
        """Stored bytes from an offset."""
        return self._blobs.read(file.instance.blob_key, offset, length)

    def _file(self, tx: Transaction, sop_instance_uid: str) -> StoredFile:
        instance = tx.studies.find_instance(sop_instance_uid)
        if instance is None:
            raise NotFound(f"no instance {sop_instance_uid}", "SOPInstanceUID")
        found = tx.studies.search(StudyKeys(instance_uids=(sop_instance_uid,)))
        study = next(s for s in found if s.id == instance.study_id)
        series = next(s for s in tx.studies.series_of(study.id) if s.id == instance.series_id)
        return StoredFile(
            instance,
            study.study_uid,
            series.series_uid,
            self._blobs.path(instance.blob_key),
            corrections_of(answer_of(tx, study), instance),
        )


def corrections_of(answer: StudyAnswer, instance: InstanceRecord | None = None) -> dict[str, str]:
    """What the archive knows better than the header of this instance (of the study's first one where none is
    named); a name that only differs in case or padding is no correction.

    An image that bore another person's number keeps nothing of that person.
    """
    if answer.patient.provisional:
        return {}
    said = json.loads(instance.identity) if instance and instance.identity else said_by(answer.study)
    another, identifier = answer.not_of_patient(said), answer.patient.identifier
    person = answer.person
    if not another:
        person = replace(
            person,
            name=person.name or said["PatientName"],
            birth_date=person.birth_date or said["PatientBirthDate"],
            sex=person.sex or said["PatientSex"],
        )
    corrections: dict[str, str] = {}
    name = fitted_name(person.name)
    if not _same_name(name, said["PatientName"]):
        corrections["PatientName"] = name
    if identifier.value != said["PatientID"]:
        corrections["PatientID"] = identifier.value
    if ("PatientID" in corrections or another) and identifier.issuer != said["IssuerOfPatientID"]:
        corrections["IssuerOfPatientID"] = identifier.issuer
    if person.birth_date != said["PatientBirthDate"]:
        corrections["PatientBirthDate"] = dicom_date(person.birth_date)
    if person.sex != said["PatientSex"]:
        corrections["PatientSex"] = person.sex
    accession = answer.order.accession.value if answer.order else ""
    if accession and said["AccessionNumber"] not in {accession, *answer.linked_accessions}:
        corrections["AccessionNumber"] = accession
    return corrections | dict.fromkeys(OF_THE_PERSON, "") if another else corrections


def _same_name(one: str, other: str) -> bool:
    return _plain_name(one) == _plain_name(other)


def _plain_name(name: str) -> str:
    """A PN without case and without padding of its components and groups (PS3.5 6.2.1)."""
    groups = ("^".join(part.strip() for part in group.split("^")) for group in name.casefold().split("="))
    return "=".join(group.rstrip("^") for group in groups).rstrip("=")
