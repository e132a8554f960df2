"""Performed procedure steps in the index."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from pacs_core.database.schema import performed_procedure_step, performed_request
from pacs_core.domain.errors import NotFound
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import Code
from pacs_core.domain.performed import (
    PerformedProcedureStep,
    PerformedSeries,
    PerformedState,
    ScheduledStepReference,
)

_P = performed_procedure_step.c
_R = performed_request.c

_PLAIN = (
    "sop_instance_uid",
    "performed_id",
    "station_aet",
    "start_date",
    "start_time",
    "modality",
    "patient_name",
    "station_name",
    "end_date",
    "end_time",
    "description",
    "calling_aet",
)


class PerformedRows:
    """Implements `ports.Performed`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, sop_instance_uid: str) -> PerformedProcedureStep | None:
        """The step with that UID, or None."""
        return next(iter(self._steps(_P.sop_instance_uid == sop_instance_uid)), None)

    def get(self, sop_instance_uid: str) -> PerformedProcedureStep:
        """The step with that UID; raises NotFound."""
        found = self.find(sop_instance_uid)
        if found is None:
            raise NotFound(f"no performed procedure step has the UID {sop_instance_uid}", "SOP Instance UID")
        return found

    def add(self, step: PerformedProcedureStep, at: str) -> PerformedProcedureStep:
        """Insert a step with what it refers to."""
        values = {**_values(step), "created_at": at, "changed_at": at}
        row = int(self._connection.execute(insert(performed_procedure_step), values).lastrowid)
        self._connection.execute(
            insert(performed_request), [{"performed_id": row, **asdict(one)} for one in step.scheduled]
        )
        return self.get(step.sop_instance_uid)

    def save(self, step: PerformedProcedureStep, at: str) -> PerformedProcedureStep:
        """Replace a step by row id, and what its requests were found to be."""
        self._connection.execute(
            update(performed_procedure_step).where(_P.id == step.id).values(**_values(step), changed_at=at)
        )
        self._connection.execute(delete(performed_request).where(_R.performed_id == step.id))
        self._connection.execute(
            insert(performed_request), [{"performed_id": step.id, **asdict(one)} for one in step.scheduled]
        )
        return self.get(step.sop_instance_uid)

    def of_order(self, order_id: int) -> Sequence[PerformedProcedureStep]:
        """Steps that belong to an order, oldest first."""
        return self._referring(_R.order_id == order_id)

    def of_study(self, study_uid: str) -> Sequence[PerformedProcedureStep]:
        """Steps that name a study, oldest first."""
        return self._referring(_R.study_uid == study_uid)

    def waiting_for(self, accession: str, study_uid: str) -> Sequence[PerformedProcedureStep]:
        """Steps that name this accession number or study, and no order was found for."""
        named = [_R.study_uid == study_uid]
        if accession:
            named.append(_R.accession == accession)
        return self._referring(_R.order_id.is_(None), or_(*named))

    def naming(self, accession: str) -> Sequence[PerformedProcedureStep]:
        """Steps that name an accession number, oldest first."""
        return self._referring(_R.accession == accession) if accession else []

    def _referring(self, *where: ColumnElement[bool]) -> list[PerformedProcedureStep]:
        return self._steps(_P.id.in_(select(_R.performed_id).where(*where)))

    def _steps(self, *where: ColumnElement[bool]) -> list[PerformedProcedureStep]:
        query = select(performed_procedure_step).where(*where).order_by(_P.id)
        rows = [dict(row) for row in self._connection.execute(query).mappings()]
        return [_step(row, self._scheduled(row["id"])) for row in rows]

    def _scheduled(self, row: int) -> tuple[ScheduledStepReference, ...]:
        query = select(performed_request).where(_R.performed_id == row).order_by(_R.id)
        return tuple(
            ScheduledStepReference(
                r["study_uid"], r["accession"], r["procedure_id"], r["step_id"], r["order_id"]
            )
            for r in self._connection.execute(query).mappings()
        )


def _values(step: PerformedProcedureStep) -> dict[str, Any]:
    return {
        **{name: getattr(step, name) for name in _PLAIN},
        "state": step.state.value,
        "patient_value": step.patient.value,
        "patient_issuer": step.patient.issuer,
        "reason_value": step.reason.value,
        "reason_scheme": step.reason.scheme,
        "reason_meaning": step.reason.meaning,
        "series": json.dumps([asdict(one) for one in step.series], ensure_ascii=False),
        "attributes": json.dumps(dict(step.attributes), ensure_ascii=False),
    }


def _step(m: Mapping[str, Any], scheduled: tuple[ScheduledStepReference, ...]) -> PerformedProcedureStep:
    series = (PerformedSeries(**{**one, "instance_uids": tuple(one["instance_uids"])})
              for one in json.loads(m["series"] or "[]"))  # fmt: skip
    return PerformedProcedureStep(
        **{name: m[name] for name in _PLAIN},
        id=m["id"],
        state=PerformedState(m["state"]),
        patient=PatientIdentifier(m["patient_value"], m["patient_issuer"]),
        reason=Code(m["reason_value"], m["reason_scheme"], m["reason_meaning"]),
        series=tuple(series),
        scheduled=scheduled,
        attributes=json.loads(m["attributes"] or "{}"),
    )
