"""Studies, series and instances in the index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from pacs_core.database.prepared import Prepared
from pacs_core.database.repositories.patients import OWNERS, may_be_named
from pacs_core.database.rows import AT_ONCE, Rows, in_parts
from pacs_core.database.schema import (
    draft,
    imaging_order,
    instance,
    patient,
    patient_identifier,
    report,
    series,
    series_request,
    study,
)
from pacs_core.domain import records as r
from pacs_core.domain.errors import NotFound
from pacs_core.domain.matching import folded_name

_T = study.c
_OF_OWNERS = _T.patient_id.in_(OWNERS)
_WILD = ("*", "?")

_DIGESTS = Prepared(select(instance.c.digest).where(instance.c.sop_instance_uid == bindparam("uid")))
_COUNT_IN_SERIES = Prepared(
    update(series).where(series.c.id == bindparam("row")).values(instance_count=series.c.instance_count + 1)
)


@lru_cache(maxsize=64)
def _count_in_study(names: tuple[str, ...]) -> Prepared:
    """Count an instance on its study and set these columns, built once for each set of them."""
    return Prepared(
        update(study)
        .where(_T.id == bindparam("row"))
        .values(
            instance_count=_T.instance_count + bindparam("counted", type_=Integer),
            revision=_T.revision + 1,
            **{name: bindparam(f"to_{name}", type_=_T[name].type) for name in names},
        )
    )


_LAST_REPORT = (
    select(report.c.state)
    .where(report.c.study_uid == _T.study_uid)
    .order_by(report.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_STANDINGS = select(
    _T.id,
    _T.study_uid,
    _T.locked_by,
    _T.last_received_at,
    _T.study_date,
    func.coalesce(imaging_order.c.priority, ""),
    func.coalesce(_LAST_REPORT, ""),
    exists().where(draft.c.study_uid == _T.study_uid),
).join_from(study, imaging_order, imaging_order.c.id == _T.order_id, isouter=True)


class StudyRows:
    """Implements `ports.Studies`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._studies = Rows(connection, study, r.StudyRecord)
        self._series = Rows(connection, series, r.SeriesRecord)
        self._instances = Rows(connection, instance, r.InstanceRecord)

    def find(self, study_uid: str) -> r.StudyRecord | None:
        """The study with that UID."""
        return self._studies.one(study_uid=study_uid)

    def get(self, study_uid: str) -> r.StudyRecord:
        """The study with that UID; raises NotFound."""
        found = self.find(study_uid)
        if found is None:
            raise NotFound(f"no study {study_uid}", "StudyInstanceUID")
        return found

    def add(self, record: r.StudyRecord) -> r.StudyRecord:
        """Insert a study."""
        self._studies.insert(record)
        return self.get(record.study_uid)

    def update(self, study_uid: str, **changes: object) -> r.StudyRecord:
        """Change named columns and count the revision up."""
        self._studies.change(_T.study_uid == study_uid, revision=_T.revision + 1, **changes)
        return self.get(study_uid)

    def find_series(self, study_id: int, series_uid: str) -> r.SeriesRecord | None:
        """The series with that UID in that study."""
        return self._series.one(series_uid=series_uid, study_id=study_id)

    def update_series(self, series_id: int, **changes: object) -> None:
        """Change named columns of a series."""
        self._series.change(series.c.id == series_id, **changes)

    def add_series(self, record: r.SeriesRecord) -> r.SeriesRecord:
        """Insert a series and count it on its study."""
        self._series.insert(record)
        self._connection.execute(
            update(study).where(_T.id == record.study_id).values(series_count=_T.series_count + 1)
        )
        found = self.find_series(record.study_id, record.series_uid)
        if found is None:
            raise NotFound(f"the series {record.series_uid} was not kept", "SeriesInstanceUID")
        return found

    def series_of(self, study_id: int) -> Sequence[r.SeriesRecord]:
        """Series of a study by number."""
        return self._series.all(series.c.study_id == study_id, order_by=(series.c.series_number, series.c.id))

    def find_instance(self, sop_instance_uid: str) -> r.InstanceRecord | None:
        """The served instance with that UID."""
        return self._instances.first(
            instance.c.sop_instance_uid == sop_instance_uid, instance.c.current.is_(True)
        )

    def versions_of(self, sop_instance_uid: str) -> Sequence[r.InstanceRecord]:
        """Every set of bytes that came under that UID, oldest first."""
        return self._instances.all(instance.c.sop_instance_uid == sop_instance_uid, order_by=(instance.c.id,))

    def digests_of(self, sop_instance_uid: str) -> Sequence[str]:
        """The digests of every set of bytes that came under that UID."""
        return [digest for (digest,) in _DIGESTS.rows(self._connection, {"uid": sop_instance_uid})]

    def add_instance(self, record: r.InstanceRecord, **of_study: object) -> None:
        """Insert an instance; where it is the served one, count it on series and study."""
        self._instances.insert(record)
        counted = int(record.current)
        if counted:
            _COUNT_IN_SERIES.run(self._connection, {"row": record.series_id})
        values = {f"to_{name}": value for name, value in of_study.items()}
        count = _count_in_study(tuple(of_study))
        count.run(self._connection, {"row": record.study_id, "counted": counted, **values})

    def instances_of(self, study_id: int, series_id: int | None = None) -> Sequence[r.InstanceRecord]:
        """Served instances in order of arrival."""
        where = [instance.c.study_id == study_id, instance.c.current.is_(True)]
        if series_id is not None:
            where.append(instance.c.series_id == series_id)
        return self._instances.all(*where, order_by=(instance.c.id,))

    def link_request(self, study_id: int, order_id: int) -> None:
        """Link every series of a study to an order's procedure."""
        linked = select(series_request.c.series_id).where(series_request.c.order_id == order_id)
        wanted = select(series.c.id).where(series.c.study_id == study_id, series.c.id.not_in(linked))
        rows = [{"series_id": row.id, "order_id": order_id} for row in self._connection.execute(wanted)]
        if rows:
            self._connection.execute(insert(series_request), rows)

    def requests_of(self, study_id: int) -> Sequence[int]:
        """The orders that a study's series are linked to."""
        own = select(series.c.id).where(series.c.study_id == study_id)
        query = select(series_request.c.order_id).where(series_request.c.series_id.in_(own)).distinct()
        return [row.order_id for row in self._connection.execute(query.order_by(series_request.c.order_id))]

    def unlink_requests(self, study_id: int) -> None:
        """Take every link of a study's series away."""
        own = select(series.c.id).where(series.c.study_id == study_id)
        self._connection.execute(delete(series_request).where(series_request.c.series_id.in_(own)))

    def of_patient(self, patient_id: int) -> Sequence[r.StudyRecord]:
        """Studies of a patient, newest first."""
        return self._studies.all(
            _T.patient_id == patient_id, order_by=(_T.study_date.desc(), _T.study_time.desc(), _T.id.desc())
        )

    def of_order(self, order_id: int) -> Sequence[r.StudyRecord]:
        """Studies linked to an order, by themselves or through a series."""
        through = (
            select(series.c.study_id)
            .join(series_request, series_request.c.series_id == series.c.id)
            .where(series_request.c.order_id == order_id)
        )
        return self._studies.all(or_(_T.order_id == order_id, _T.id.in_(through)), order_by=(_T.id,))

    def held_for(self, accession: str, patient_id: str, study_uid: str) -> Sequence[r.StudyRecord]:
        """Studies without an order that one with these numbers might release."""
        fits: list[ColumnElement[bool]] = []
        if accession:
            fits.append(_names(accession))
        if patient_id:
            fits.append(_T.received_patient_id == patient_id)
        if study_uid:
            fits.append(_T.study_uid == study_uid)
        waiting = _T.reconciliation.in_(("held", "none"))
        return self._studies.all(waiting, or_(*fits), order_by=(_T.id,)) if fits else []

    def naming(self, accession: str) -> Sequence[r.StudyRecord]:
        """Studies whose images name that accession number."""
        return self._studies.all(_names(accession), order_by=(_T.id,))

    def search(self, keys: r.StudyKeys, limit: int = 0) -> Sequence[r.StudyRecord]:
        """Studies by the keys the index can answer exactly or as a superset."""
        where = [*_patient_terms(keys), *_study_terms(keys), *_below_study_terms(keys)]
        newest = (_T.study_date.desc(), _T.id.desc())
        return self._studies.all(*where, order_by=newest, limit=limit, identifier=keys.patient_id.strip())

    def standings(
        self, text: str, modality: str, dates: tuple[str, str], patient_id: int | None, limit: int
    ) -> Sequence[r.StandingRecord]:
        """What decides where a study stands in the reading worklist; the newest arrivals first."""
        where: list[ColumnElement[bool]] = []
        if patient_id is not None:
            where.append(_T.patient_id == patient_id)
        if modality:
            where.append(_T.modalities.contains(modality, autoescape=True))
        if dates[0]:
            where.append(_T.study_date >= dates[0])
        if dates[1]:
            where.append(_T.study_date <= dates[1])
        where += [_word_term(word) for word in text.split()]
        newest = _STANDINGS.where(*where).order_by(_T.last_received_at.desc(), _T.id.desc()).limit(limit)
        return [r.StandingRecord(*row) for row in Prepared(newest).rows(self._connection, {})]

    def of_rows(self, study_ids: Iterable[int]) -> dict[int, r.StudyRecord]:
        """Many studies by their row."""
        return {s.id: s for part in in_parts(study_ids) for s in self._studies.all(_T.id.in_(part))}

    def expected_of(self, study_ids: Iterable[int]) -> dict[int, int]:
        """How many images the series of these studies say they will have."""
        found: dict[int, int] = {}
        for part in in_parts(study_ids):
            total = func.sum(series.c.expected_count)
            query = select(series.c.study_id, total).where(series.c.study_id.in_(part))
            rows = self._connection.execute(query.group_by(series.c.study_id))
            found.update((int(row[0]), int(row[1] or 0)) for row in rows)
        return found

    def count(self) -> tuple[int, int]:
        """How many studies and served instances there are."""
        totals = self._connection.execute(
            select(func.count(), func.sum(_T.instance_count)).select_from(study)
        ).one()
        return int(totals[0]), int(totals[1] or 0)

    def has_blob(self, key: str) -> bool:
        """Say whether an instance's row names that blob."""
        return bool(self.known_blobs([key]))

    def known_blobs(self, keys: Sequence[str]) -> set[str]:
        """Which of these blob keys have a row."""
        return set(self._connection.scalars(select(instance.c.blob_key).where(instance.c.blob_key.in_(keys))))

    def count_known(self, sop_instance_uids: Sequence[str]) -> int:
        """How many of these UIDs are served; asked some hundreds at a time."""
        total = 0
        for start in range(0, len(sop_instance_uids), AT_ONCE):
            some = sop_instance_uids[start : start + AT_ONCE]
            served = instance.c.sop_instance_uid.in_(some) & instance.c.current
            total += int(
                self._connection.execute(
                    select(func.count(func.distinct(instance.c.sop_instance_uid))).where(served)
                ).scalar_one()
            )
        return total

    def count_blobs(self) -> int:
        """How many blob keys have a row."""
        return int(self._connection.execute(select(func.count()).select_from(instance)).scalar_one())

    def blob_keys(self) -> Iterator[str]:
        """Every blob key that has a row."""
        for row in self._connection.execute(select(instance.c.blob_key)):
            yield row.blob_key


def _names(accession: str) -> ColumnElement[bool]:
    further = "\\" + _T.further_accessions + "\\"
    among = further.contains(f"\\{accession}\\", autoescape=True)
    return or_(_T.received_accession == accession, and_(_T.further_accessions > "", among))


def _word_term(word: str) -> ColumnElement[bool]:
    folded = folded_name(word)
    named = select(patient.c.id).where(patient.c.name_folded.contains(folded, autoescape=True))
    identified = select(patient_identifier.c.patient_id).where(
        patient_identifier.c.value.icontains(word, autoescape=True)
    )
    return or_(
        _T.patient_id.in_(named),
        _T.patient_id.in_(identified),
        _T.received_accession.icontains(word, autoescape=True),
        _T.description.icontains(word, autoescape=True),
    )


def _exact(value: str) -> bool:
    return bool(value.strip()) and not any(c in value for c in _WILD)


def _patient_terms(keys: r.StudyKeys) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = []
    if _exact(keys.patient_id):
        terms.append(_OF_OWNERS)
    named = may_be_named(keys.patient_name)
    if named is not None:
        terms.append(_T.patient_id.in_(select(patient.c.id).where(named)))
    return terms


def _study_terms(keys: r.StudyKeys) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = []
    if keys.study_uids:
        terms.append(_T.study_uid.in_(keys.study_uids))
    if _exact(keys.accession):
        number = keys.accession.strip()
        orders = select(imaging_order.c.id).where(imaging_order.c.accession == number)
        terms.append(or_(_T.received_accession == number, _T.order_id.in_(orders)))
    low, high = keys.study_date
    if low:
        terms.append(_T.study_date >= low)
    if high:
        terms.append(_T.study_date <= high)
    return terms


def _below_study_terms(keys: r.StudyKeys) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = []
    if keys.series_uids:
        terms.append(exists().where(series.c.study_id == _T.id, series.c.series_uid.in_(keys.series_uids)))
    if keys.instance_uids:
        terms.append(
            exists().where(instance.c.study_id == _T.id, instance.c.sop_instance_uid.in_(keys.instance_uids))
        )
    return terms
