"""Answering study, series and instance queries by the archive's own truth (PS3.4 C.4.1; PS3.18 10.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pacs_core.domain.matching import matches_name, matches_range, matches_text, matches_uids
from pacs_core.domain.order import Order
from pacs_core.domain.patient import Demographics, Patient, answers_to
from pacs_core.domain.reconciliation import owns
from pacs_core.domain.records import InstanceRecord, SeriesRecord, StudyKeys, StudyRecord
from pacs_core.ports import Index, Transaction


@dataclass(frozen=True, slots=True)
class StudyAnswer:
    """A study with the patient and order it belongs to now; `accession` is the one to show."""

    study: StudyRecord
    patient: Patient
    order: Order | None
    accession: str
    sop_classes: tuple[str, ...] = ()
    linked_accessions: frozenset[str] = frozenset()

    @property
    def of_another(self) -> bool:
        """Whether the images bear the number of somebody else than the patient they are filed under."""
        return self.not_of_patient(said_by(self.study))

    def not_of_patient(self, said: Mapping[str, str]) -> bool:
        """Whether a header that says this (by DICOM keyword) bears the number of somebody else."""
        number, issuer = said["PatientID"], said["IssuerOfPatientID"]
        return bool(number) and not owns(self.patient, number, issuer)

    @property
    def person(self) -> Demographics:
        """The patient's demographics; what is not known is as the images say, unless they are of another."""
        known, study = self.patient.demographics, self.study
        if self.of_another:
            return known
        return replace(
            known,
            name=known.name or study.received_name,
            birth_date=known.birth_date or study.received_birth_date,
            sex=known.sex or study.received_sex,
        )


@dataclass(frozen=True, slots=True)
class SeriesAnswer:
    """A series of a found study."""

    of: StudyAnswer
    series: SeriesRecord


@dataclass(frozen=True, slots=True)
class InstanceAnswer:
    """An instance of a found series."""

    of: SeriesAnswer
    instance: InstanceRecord


class Querying:
    """Queries at each level; the index narrows, the matching rules of the standard decide."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def patients(self, keys: StudyKeys, limit: int = 0) -> list[tuple[Patient, int]]:
        """Patients that have studies which fit, each with the number of those studies."""
        counted: dict[int, tuple[Patient, int]] = {}
        for answer in self.studies(keys):
            patient, count = counted.get(answer.patient.id, (answer.patient, 0))
            counted[patient.id] = (patient, count + 1)
        found = list(counted.values())
        return found[:limit] if limit else found

    def studies(self, keys: StudyKeys, limit: int = 0, offset: int = 0) -> list[StudyAnswer]:
        """Studies that fit, newest first."""
        with self._index.read() as tx:
            found = self._studies(tx, keys)
        return found[offset : offset + limit] if limit else found[offset:]

    def series(self, keys: StudyKeys, limit: int = 0, offset: int = 0) -> list[SeriesAnswer]:
        """Series that fit, of studies that fit."""
        with self._index.read() as tx:
            found = [
                SeriesAnswer(answer, series)
                for answer in self._studies(tx, keys)
                for series in tx.studies.series_of(answer.study.id)
                if _series_fits(keys, series)
            ]
        return found[offset : offset + limit] if limit else found[offset:]

    def instances(self, keys: StudyKeys, limit: int = 0, offset: int = 0) -> list[InstanceAnswer]:
        """Instances that fit, of series and studies that fit."""
        with self._index.read() as tx:
            found = [
                InstanceAnswer(SeriesAnswer(answer, series), instance)
                for answer in self._studies(tx, keys)
                for series in tx.studies.series_of(answer.study.id)
                if _series_fits(keys, series)
                for instance in tx.studies.instances_of(answer.study.id, series.id)
                if _instance_fits(keys, instance)
            ]
        return found[offset : offset + limit] if limit else found[offset:]

    def study(self, study_uid: str) -> StudyAnswer:
        """One study by UID; raises NotFound."""
        with self._index.read() as tx:
            return answer_of(tx, tx.studies.get(study_uid))

    def _studies(self, tx: Transaction, keys: StudyKeys) -> list[StudyAnswer]:
        answers = (answer_of(tx, study) for study in tx.studies.search(keys))
        return [a for a in answers if _study_fits(keys, a)]


def answer_of(tx: Transaction, study: StudyRecord) -> StudyAnswer:
    """A study with its surviving patient and its order."""
    patient = tx.patients.current(study.patient_id)
    order = tx.orders.get(study.order_id) if study.order_id is not None else None
    accession = order.accession.value if order and order.accession.value else study.received_accession
    linked: frozenset[str] = frozenset()
    if study.further_accessions:  # one study may answer several orders, each series under its own number
        linked = frozenset(tx.orders.get(row).accession.value for row in tx.studies.requests_of(study.id))
    return StudyAnswer(study, patient, order, accession, linked_accessions=linked)


def said_by(study: StudyRecord) -> dict[str, str]:
    """What the first image of a study says of its patient and order, by DICOM keyword."""
    return {
        "PatientName": study.received_name,
        "PatientID": study.received_patient_id,
        "IssuerOfPatientID": study.received_issuer,
        "PatientBirthDate": study.received_birth_date,
        "PatientSex": study.received_sex,
        "AccessionNumber": study.received_accession,
    }


def _study_fits(keys: StudyKeys, answer: StudyAnswer) -> bool:
    study, person = answer.study, answer.person
    return (
        answers_to(answer.patient, keys.patient_id, keys.issuer)
        and matches_name(keys.patient_name, person.name)
        and matches_range(*keys.birth_date, person.birth_date)
        and matches_text(keys.sex, person.sex)
        and matches_text(keys.accession, answer.accession)
        and matches_uids(keys.study_uids, study.study_uid)
        and matches_range(*keys.study_date, study.study_date)
        and matches_range(*keys.study_time, study.study_time)
        and matches_text(keys.study_id, study.study_id)
        and matches_text(keys.study_description, study.description, fold=True)
        and matches_name(keys.referring_physician, study.referring_physician)
        and _modalities_fit(keys.modalities, study.modalities)
    )


def _modalities_fit(wanted: Sequence[str], present: str) -> bool:
    return not wanted or any(matches_text(w, m) for w in wanted for m in present.split("\\"))


def _series_fits(keys: StudyKeys, series: SeriesRecord) -> bool:
    number = "" if series.series_number is None else str(series.series_number)
    return (
        matches_uids(keys.series_uids, series.series_uid)
        and matches_text(keys.modality, series.modality)
        and matches_text(keys.series_number, number)
        and matches_text(keys.series_description, series.description, fold=True)
        and matches_text(keys.body_part, series.body_part)
    )


def _instance_fits(keys: StudyKeys, instance: InstanceRecord) -> bool:
    number = "" if instance.instance_number is None else str(instance.instance_number)
    return (
        matches_uids(keys.instance_uids, instance.sop_instance_uid)
        and matches_uids(keys.sop_classes, instance.sop_class_uid)
        and matches_text(keys.instance_number, number)
    )
