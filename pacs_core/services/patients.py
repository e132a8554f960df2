"""Registering, updating and merging patients (HL7 v2 chapter 3; IHE RAD-1, RAD-12)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pacs_core.domain.errors import Conflict, MissingValue
from pacs_core.domain.events import Event
from pacs_core.domain.identifiers import PatientIdentifier, check_short_string
from pacs_core.domain.patient import Demographics, MergePatients, Patient, RegisterPatient, completed
from pacs_core.domain.times import instant
from pacs_core.ports import Clock, Index, Transaction
from pacs_core.services.reconciling import Reconciling

_FIELDS = (
    "name",
    "birth_date",
    "sex",
    "address",
    "phone",
    "weight_kg",
    "height_m",
    "allergies",
    "alerts",
    "pregnancy",
)


class Patients:
    """Patient identity: what is registered here reaches orders, worklist, windows and what is retrieved."""

    def __init__(self, index: Index, clock: Clock, reconciling: Reconciling) -> None:
        self._index = index
        self._clock = clock
        self._reconciling = reconciling

    def register(self, command: RegisterPatient, actor: str) -> Patient:
        """Create or update a patient; raises MissingValue without an identifier."""
        return self._index.write(lambda tx: self.apply(tx, command, actor))

    def register_by_hand(self, command: RegisterPatient, actor: str) -> Patient:
        """As `register`; without an identifier the patient gets one of our own."""

        def register(tx: Transaction) -> Patient:
            if command.identifier.value:
                return self.apply(tx, command, actor)
            made = PatientIdentifier(f"RR{tx.orders.next_number('patient'):06d}", "")
            return self.apply(tx, replace(command, identifier=made), actor)

        return self._index.write(register)

    def merge(self, command: MergePatients, actor: str) -> Patient:
        """Make one patient an alias of another; raises Conflict for a merge with itself or against an earlier
        one.
        """
        return self._index.write(lambda tx: self.apply_merge(tx, command, actor))

    def merge_rows(self, survivor_id: int, subsumed_id: int, actor: str) -> Patient:
        """Merge by row, as a person asks for it."""

        def merge(tx: Transaction) -> Patient:
            survivor, subsumed = tx.patients.current(survivor_id), tx.patients.current(subsumed_id)
            return self._merge(tx, survivor, subsumed, subsumed.identifier, actor)

        return self._index.write(merge)

    def apply(
        self, tx: Transaction, command: RegisterPatient, actor: str, *, of_order: bool = False
    ) -> Patient:
        """Create or update within a transaction.

        `of_order`: under an identifier that is not the patient's first it only fills gaps; who still orders
        under a number that was merged away knows the patient as of before the merge.
        """
        identifier = _checked(command.identifier)
        known = tx.patients.find(identifier)
        if of_order and known is not None and known.identifier != identifier:
            command = _gaps(known.demographics, command)
        if known is None:
            patient = tx.patients.add(identifier, _updated(Demographics(), command))
            kind = "patient.registered"
        else:
            demographics = _updated(known.demographics, command)
            patient = (
                known if demographics == known.demographics else tx.patients.save(known.id, demographics)
            )
            kind = "patient.updated"
        own = {patient.identifier, *patient.other_identifiers, identifier}
        more = [one for one in command.other_identifiers if one.value and one not in own]
        for other in more:
            if tx.patients.find(other) is None:
                tx.patients.add_identifier(patient.id, other)
        if command.visit_number is not None or command.location is not None:
            tx.patients.visit(
                patient.id,
                command.visit_number or "",
                command.patient_class or "",
                command.location or "",
                instant(self._clock.now()),
            )
        if more:
            patient = tx.patients.get(patient.id)
        if known is None or known != patient:  # who is unchanged can release nothing that still waits
            changed = _changed_fields(known, patient)
            tx.record(_event(kind, patient, actor, {"event": command.event, "fields": changed}))
            if known is not None:
                self._touch_studies(tx, patient)
            self._reconciling.release_for_patient(tx, patient, actor)
        return patient

    def apply_merge(self, tx: Transaction, command: MergePatients, actor: str) -> Patient:
        """Merge within a transaction; an unknown subsumed identifier becomes the survivor's alias."""
        subsumed_id = _checked(command.subsumed, "MRG-1")
        if subsumed_id == command.survivor.identifier:
            raise Conflict("a patient cannot be merged with itself", "MRG-1")
        before = tx.patients.find(subsumed_id)
        already = tx.patients.find(command.survivor.identifier)
        if before is not None and already is not None and before.id == already.id:
            if before.identifier == subsumed_id:
                raise Conflict("these two were merged the other way round", "MRG-1")
            return self.apply(tx, command.survivor, actor)
        survivor = self.apply(tx, command.survivor, actor)
        if before is None:
            tx.patients.add_identifier(survivor.id, subsumed_id)
            tx.record(_event("patient.merged", survivor, actor, {"subsumed": "alias only"}))
            survivor = tx.patients.get(survivor.id)
            self._reconciling.release_for_patient(tx, survivor, actor)
            return survivor
        return self._merge(tx, survivor, before, subsumed_id, actor)

    def _merge(
        self,
        tx: Transaction,
        survivor: Patient,
        subsumed: Patient,
        subsumed_id: PatientIdentifier,
        actor: str,
    ) -> Patient:
        if survivor.id == subsumed.id:
            raise Conflict("a patient cannot be merged with itself", "MRG-1")
        image = {
            "subsumed_row": subsumed.id,
            "orders": [o.id for o in tx.orders.of_patient(subsumed.id)],
            "studies": [s.study_uid for s in tx.studies.of_patient(subsumed.id)],
            "reports": [r.id for r in tx.reports.of_patient(subsumed.id)],
        }
        tx.patients.merge(survivor.id, subsumed.id)
        tx.patients.save(survivor.id, completed(survivor.demographics, subsumed.demographics))
        tx.record(replace(_event("patient.merged", survivor, actor, image), subject=f"patient:{subsumed.id}"))
        merged = tx.patients.get(survivor.id)
        self._touch_studies(tx, merged)
        self._reconciling.release_for_patient(tx, merged, actor)
        return merged

    def _touch_studies(self, tx: Transaction, patient: Patient) -> None:
        for study in tx.studies.of_patient(patient.id):
            tx.studies.update(study.study_uid)


def _checked(identifier: PatientIdentifier, where: str = "PID-3") -> PatientIdentifier:
    if not identifier.value.strip():
        raise MissingValue("there is no patient identifier", where)
    return PatientIdentifier(
        check_short_string(identifier.value, "patient ID", 64),
        check_short_string(identifier.issuer, "issuer", 64),
    )


def _updated(known: Demographics, command: RegisterPatient) -> Demographics:
    changes = {name: getattr(command, name) for name in _FIELDS if getattr(command, name) is not None}
    return replace(known, **changes)


def _gaps(known: Demographics, command: RegisterPatient) -> RegisterPatient:
    kept: dict[str, Any] = {name: None for name in _FIELDS if getattr(known, name)}
    return replace(command, **kept)


def _changed_fields(before: Patient | None, after: Patient) -> list[str]:
    if before is None:
        return []
    return [n for n in _FIELDS if getattr(before.demographics, n) != getattr(after.demographics, n)]


def _event(kind: str, patient: Patient, actor: str, detail: dict[str, object]) -> Event:
    return Event(kind, 1, patient_id=patient.id, subject=f"patient:{patient.id}", actor=actor, detail=detail)
