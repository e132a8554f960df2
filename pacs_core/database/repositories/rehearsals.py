"""Everything of rehearsals in the index, found by their reserved marks, and taken away."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, delete, func, or_, select

from pacs_core.database import schema as t
from pacs_core.database.rows import Rows
from pacs_core.domain.records import StudyRecord
from pacs_core.domain.rehearsal import ISSUER, PREFIX, Removed, is_temporary


class RehearsalRows:
    """Implements `ports.Rehearsals`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._studies = Rows(connection, t.study, StudyRecord)

    def strangers(self) -> Sequence[StudyRecord]:
        """Studies that are no rehearsal's own, and are linked to an order of one."""
        linked = (
            select(t.series.c.study_id)
            .join(t.series_request, t.series_request.c.series_id == t.series.c.id)
            .where(t.series_request.c.order_id.in_(self._orders()))
        )
        s = t.study.c
        return self._studies.all(
            s.received_issuer != ISSUER, or_(s.order_id.in_(self._orders()), s.id.in_(linked))
        )

    def borrowed_orders(self) -> Sequence[int]:
        """Orders that are no rehearsal's own, and have a study of one."""
        s = t.study.c
        found = select(s.order_id).where(
            s.received_issuer == ISSUER, s.order_id.is_not(None), s.order_id.not_in(self._orders())
        )
        return [order_id for order_id in self._connection.scalars(found) if order_id is not None]

    def any_left(self) -> bool:
        """Say whether a rehearsal was begun and not ended."""
        found = select(t.hl7_source.c.name).where(t.hl7_source.c.name.startswith(f"{PREFIX}-"))
        return any(is_temporary(name) for name in self._connection.scalars(found))

    def remove(self) -> Removed:
        """Delete the rows; the blobs named in the answer are the caller's to remove after the commit."""
        s, i = t.study.c, t.instance.c
        own = select(s.id, s.study_uid).where(s.received_issuer == ISSUER)
        studies = {row.id: row.study_uid for row in self._connection.execute(own)}
        ids, uids = list(studies), list(studies.values())
        orders = list(self._connection.scalars(self._orders()))
        blobs = list(self._connection.scalars(select(i.blob_key).where(i.study_id.in_(ids))))
        rows = {
            **self._reports(uids),
            **self._images(ids),
            "performed step": self._performed(orders),
            **self._ordered(orders),
            "message": self._delete(t.message_log, _marked(t.message_log.c.source)),
            "patient": self._patients(),
            **self._temporary(),
        }
        return Removed(tuple(uids), tuple(blobs), rows)

    def _orders(self) -> Select[int]:
        """Orders that came from a rehearsing source, or were made by hand for a rehearsal's patient."""
        o, i, p = t.imaging_order.c, t.patient_identifier.c, t.patient.c
        grown = select(p.merged_into).where(p.merged_into.is_not(None))
        own = select(i.patient_id).where(i.issuer == ISSUER, i.main.is_(True), i.patient_id.not_in(grown))
        return select(o.id).where(or_(_marked(o.source), o.patient_id.in_(own)))

    def _reports(self, uids: Sequence[str]) -> dict[str, int]:
        reports = select(t.report.c.id).where(t.report.c.study_uid.in_(uids))
        return {
            "delivery": self._delete(t.delivery, t.delivery.c.report_id.in_(reports)),
            "signature": self._delete(t.report_version, t.report_version.c.report_id.in_(reports)),
            "draft": self._delete(t.draft, t.draft.c.report_id.in_(reports)),
            "report": self._delete(t.report, t.report.c.study_uid.in_(uids)),
            "measurement": self._delete(t.measurement, t.measurement.c.study_uid.in_(uids)),
            "hold": self._delete(t.hold, t.hold.c.study_uid.in_(uids)),
        }

    def _images(self, ids: Sequence[int]) -> dict[str, int]:
        series = select(t.series.c.id).where(t.series.c.study_id.in_(ids))
        self._delete(t.series_request, t.series_request.c.series_id.in_(series))
        images = self._delete(t.instance, t.instance.c.study_id.in_(ids))
        self._delete(t.series, t.series.c.study_id.in_(ids))
        return {"image": images, "study": self._delete(t.study, t.study.c.id.in_(ids))}

    def _performed(self, orders: Sequence[int]) -> int:
        p, r = t.performed_procedure_step.c, t.performed_request.c
        own = select(p.id).where(
            or_(p.patient_issuer == ISSUER, p.id.in_(select(r.performed_id).where(r.order_id.in_(orders))))
        )
        rows = list(self._connection.scalars(own))
        self._delete(t.performed_request, r.performed_id.in_(rows))
        return self._delete(t.performed_procedure_step, p.id.in_(rows))

    def _ordered(self, orders: Sequence[int]) -> dict[str, int]:
        for table in (t.series_request, t.scheduled_procedure_step, t.requested_procedure):
            self._delete(table, table.c.order_id.in_(orders))
        return {"order": self._delete(t.imaging_order, t.imaging_order.c.id.in_(orders))}

    def _patients(self) -> int:
        """Patients under the reserved issuer that nothing of anybody else hangs on."""
        i = t.patient_identifier.c
        own = select(i.patient_id).where(i.issuer == ISSUER, i.main.is_(True))
        marked = set(self._connection.scalars(own))
        hanging = (
            t.imaging_order.c.patient_id,
            t.study.c.patient_id,
            t.report.c.patient_id,
            t.patient.c.merged_into,
        )
        used = {
            patient_id
            for column in hanging
            for patient_id in self._connection.scalars(select(column).where(column.in_(marked)))
        }
        gone = list(marked - used)
        self._delete(t.visit, t.visit.c.patient_id.in_(gone))
        self._delete(t.patient_identifier, i.patient_id.in_(gone))
        return self._delete(t.patient, t.patient.c.id.in_(gone))

    def _temporary(self) -> dict[str, int]:
        counts = {}
        for what, table, column in (
            ("account", t.account, t.account.c.name),
            ("scanner", t.application_entity, t.application_entity.c.title),
            ("HL7 source", t.hl7_source, t.hl7_source.c.name),
        ):
            found = select(column).where(column.startswith(f"{PREFIX}-"))
            names = [name for name in self._connection.scalars(found) if is_temporary(name)]
            if table is t.account:
                self._delete(t.token, t.token.c.account.in_(names))
            counts[what] = self._delete(table, column.in_(names))
        return counts

    def _delete(self, table: Table, where: ColumnElement[bool]) -> int:
        return self._connection.execute(delete(table).where(where)).rowcount


def _marked(column: Column[str]) -> ColumnElement[bool]:
    return func.upper(column).startswith(PREFIX)
