"""Finding the files behind UIDs and the corrections that go over them on the way out (contract, promise
2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pacs_core.domain.errors import NotFound
from pacs_core.domain.records import InstanceRecord, StudyKeys
from pacs_core.domain.times import dicom_date
from pacs_core.ports import BlobStore, Index, Transaction
from pacs_core.services.querying import Querying, StudyAnswer, answer_of


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
                corrections_of(found.of.of),
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
            corrections_of(answer_of(tx, study)),
        )


def corrections_of(answer: StudyAnswer) -> dict[str, str]:
    """What the archive knows better than the headers; a name that only differs in case or padding is no
    correction. Images that bore another person's number keep nothing of that person.
    """
    study, patient, order = answer.study, answer.patient, answer.order
    if patient.provisional:
        return {}
    person, identifier = answer.person, patient.identifier
    corrections: dict[str, str] = {}
    if not _same_name(person.name, study.received_name):
        corrections["PatientName"] = person.name
    if identifier.value != study.received_patient_id:
        corrections["PatientID"] = identifier.value
    if ("PatientID" in corrections or answer.of_another) and identifier.issuer != study.received_issuer:
        corrections["IssuerOfPatientID"] = identifier.issuer
    if person.birth_date != study.received_birth_date:
        corrections["PatientBirthDate"] = dicom_date(person.birth_date)
    if person.sex != study.received_sex:
        corrections["PatientSex"] = person.sex
    if order is not None and order.accession.value and order.accession.value != study.received_accession:
        corrections["AccessionNumber"] = order.accession.value
    return corrections


def _same_name(one: str, other: str) -> bool:
    return _plain_name(one) == _plain_name(other)


def _plain_name(name: str) -> str:
    """A PN without case and without padding of its components and groups (PS3.5 6.2.1)."""
    groups = ("^".join(part.strip() for part in group.split("^")) for group in name.casefold().split("="))
    return "=".join(group.rstrip("^") for group in groups).rstrip("=")
