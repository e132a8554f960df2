"""Reports, signed versions, drafts and measurements in the index."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select, update

from pacs_core.database.rows import Rows, in_parts
from pacs_core.database.schema import draft, measurement, report, report_version
from pacs_core.domain.errors import NotFound
from pacs_core.domain.measurement import Measurement, Quantity
from pacs_core.domain.records import DraftRecord, ReportRecord, VersionRecord

_R = report.c
_V = report_version.c
_D = draft.c
_M = measurement.c


class ReportRows:
    """Implements `ports.Reports`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reports = Rows(connection, report, ReportRecord)
        self._versions = Rows(connection, report_version, VersionRecord)
        self._drafts = Rows(connection, draft, DraftRecord)

    def of_study(self, study_uid: str) -> Sequence[ReportRecord]:
        """Reports of a study, oldest first."""
        return self._reports.all(_R.study_uid == study_uid, order_by=(_R.id,))

    def of_studies(self, study_uids: Iterable[str]) -> dict[str, list[ReportRecord]]:
        """Reports of many studies, oldest first."""
        found: dict[str, list[ReportRecord]] = {}
        for part in in_parts(study_uids):
            for one in self._reports.all(_R.study_uid.in_(part), order_by=(_R.id,)):
                found.setdefault(one.study_uid, []).append(one)
        return found

    def drafting(self, study_uids: Iterable[str]) -> set[str]:
        """Which of these studies somebody has a draft on."""
        found: set[str] = set()
        for part in in_parts(study_uids):
            found.update(self._connection.scalars(select(_D.study_uid).where(_D.study_uid.in_(part))))
        return found

    def of_patient(self, patient_id: int) -> Sequence[ReportRecord]:
        """Reports of a patient, newest first."""
        return self._reports.all(_R.patient_id == patient_id, order_by=(_R.id.desc(),))

    def get(self, report_id: int) -> ReportRecord:
        """One report; raises NotFound."""
        found = self._reports.first(_R.id == report_id)
        if found is None:
            raise NotFound(f"no report in row {report_id}", "report")
        return found

    def add(self, record: ReportRecord) -> ReportRecord:
        """Insert a report."""
        return self.get(self._reports.insert(record))

    def update(self, report_id: int, **changes: object) -> ReportRecord:
        """Change named columns of a report."""
        self._reports.change(_R.id == report_id, **changes)
        return self.get(report_id)

    def versions(self, report_id: int) -> Sequence[VersionRecord]:
        """Signed versions, oldest first."""
        return self._versions.all(_V.report_id == report_id, order_by=(_V.version,))

    def version(self, version_id: int) -> VersionRecord:
        """One version; raises NotFound."""
        found = self._versions.first(_V.id == version_id)
        if found is None:
            raise NotFound(f"no report version in row {version_id}", "report")
        return found

    def add_version(self, record: VersionRecord) -> VersionRecord:
        """Insert a signed version; there is no way to change one."""
        return self.version(self._versions.insert(record))

    def drafts(self, study_uid: str) -> Sequence[DraftRecord]:
        """Drafts on a study, whoever writes them."""
        return self._drafts.all(_D.study_uid == study_uid, order_by=(_D.id,))

    def draft(self, study_uid: str, author: str) -> DraftRecord | None:
        """The author's draft on a study."""
        return self._drafts.first(_D.study_uid == study_uid, _D.author == author)

    def save_draft(self, record: DraftRecord) -> DraftRecord:
        """Put the author's draft, counting its revision up."""
        before = self.draft(record.study_uid, record.author)
        if before is None:
            self._drafts.insert(record)
        else:
            self._drafts.change(
                _D.id == before.id,
                report_id=record.report_id,
                template=record.template,
                content=record.content,
                revision=before.revision + 1,
                saved_at=record.saved_at,
            )
        saved = self.draft(record.study_uid, record.author)
        if saved is None:
            raise NotFound("the draft was not kept", "draft")
        return saved

    def drop_draft(self, study_uid: str, author: str) -> None:
        """Take the author's draft away."""
        self._connection.execute(delete(draft).where(_D.study_uid == study_uid, _D.author == author))


class MeasurementRows:
    """Implements `ports.Measurements`; the whole stroke is kept as JSON beside its search columns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_study(self, study_uid: str) -> Sequence[Measurement]:
        """Strokes on a study that are not deleted, oldest first."""
        query = (
            select(_M.content)
            .where(_M.study_uid == study_uid, _M.deleted.is_(False))
            .order_by(_M.made_at, _M.tracking_uid)
        )
        return [read_measurement(row.content) for row in self._connection.execute(query)]

    def find(self, tracking_uid: str) -> Measurement | None:
        """The stroke with that tracking UID, deleted or not."""
        row = self._connection.execute(select(_M.content).where(_M.tracking_uid == tracking_uid)).first()
        return None if row is None else read_measurement(row.content)

    def put(self, stroke: Measurement) -> None:
        """Insert or replace a stroke."""
        values = {
            "study_uid": stroke.study_uid,
            "series_uid": stroke.series_uid,
            "instance_uid": stroke.instance_uid,
            "author": stroke.author,
            "made_at": stroke.made_at,
            "changed_at": stroke.changed_at,
            "deleted": stroke.deleted,
            "content": json.dumps(asdict(stroke), ensure_ascii=False),
        }
        changed = self._connection.execute(
            update(measurement).where(_M.tracking_uid == stroke.tracking_uid).values(**values)
        ).rowcount
        if not changed:
            self._connection.execute(insert(measurement), {"tracking_uid": stroke.tracking_uid, **values})


def read_measurement(text: str) -> Measurement:
    """A stroke from its JSON text."""
    values = json.loads(text)
    values["points"] = tuple((p[0], p[1], p[2]) for p in values["points"])
    values["quantities"] = tuple(Quantity(**q) for q in values["quantities"])
    return Measurement(**values)
