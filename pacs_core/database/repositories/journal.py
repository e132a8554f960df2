"""The journal: facts numbered in the order of their commits."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select

from pacs_core.database.prepared import Prepared
from pacs_core.database.schema import journal
from pacs_core.domain.events import Change, Event
from pacs_core.domain.times import instant

COALESCED = frozenset({"images.stored"})
"""Facts of which one row per study and commit is enough; their `count`s are added up."""


_INSERT = Prepared(insert(journal), journal.c.keys())
_ONE_OF = Prepared(
    select(journal.c.sequence)
    .where(journal.c.kind == bindparam("kind"), journal.c.subject == bindparam("subject"))
    .limit(1)
)
_NEWEST = Prepared(select(func.max(journal.c.sequence)))


class JournalRows:
    """Implements `ports.Journal`; `append` is for the writer alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, events: Sequence[Event], now: datetime) -> int:
        """Write the facts with the next numbers and return the last one."""
        number = self.newest()
        rows = []
        for event in _coalesced(events):
            number += 1
            rows.append(
                {
                    "sequence": number,
                    "at": instant(now),
                    "kind": event.kind,
                    "stage": event.stage,
                    "patient_id": event.patient_id,
                    "order_id": event.order_id,
                    "study_uid": event.study_uid,
                    "subject": event.subject,
                    "actor": event.actor,
                    "detail": json.dumps(dict(event.detail), ensure_ascii=False) if event.detail else "",
                }
            )
        for row in rows:
            _INSERT.run(self._connection, row)
        return number

    def newest(self) -> int:
        """The newest number, 0 for an empty journal."""
        return int(_NEWEST.rows(self._connection, {})[0][0] or 0)

    def since(self, sequence: int, limit: int) -> Sequence[Change]:
        """Facts after a number, in order."""
        query = select(journal).where(journal.c.sequence > sequence).order_by(journal.c.sequence).limit(limit)
        return [_change(row) for row in self._connection.execute(query)]

    def of_exam(
        self, order_ids: Sequence[int], study_uids: Sequence[str], patient_ids: Sequence[int]
    ) -> Sequence[Change]:
        """Everything on these orders and studies, and the patients' own stage-1 facts."""
        query = (
            select(journal)
            .where(
                or_(
                    journal.c.order_id.in_(order_ids),
                    and_(journal.c.study_uid.in_(study_uids), journal.c.study_uid != ""),
                    and_(journal.c.patient_id.in_(patient_ids), journal.c.stage == 1),
                )
            )
            .order_by(journal.c.sequence)
        )
        return [_change(row) for row in self._connection.execute(query)]

    def newest_on(self, subject: str, kinds: Collection[str]) -> Change | None:
        """The newest fact of these kinds on that subject."""
        query = (
            select(journal)
            .where(journal.c.kind.in_(kinds), journal.c.subject == subject)
            .order_by(journal.c.sequence.desc())
            .limit(1)
        )
        row = self._connection.execute(query).first()
        return None if row is None else _change(row)

    def has(self, kind: str, subject: str) -> bool:
        """Say whether a fact of that kind on that subject was recorded before."""
        return bool(_ONE_OF.rows(self._connection, {"kind": kind, "subject": subject}))


def _coalesced(events: Sequence[Event]) -> list[Event]:
    """One fact per study of those that only count up, the last one's detail with the counts added."""
    merged: list[Event] = []
    place: dict[tuple[str, str], int] = {}
    for event in events:
        key = (event.kind, event.study_uid)
        if event.kind not in COALESCED or key not in place:
            place[key] = len(merged)
            merged.append(event)
            continue
        before = merged[place[key]]
        counts = [int(str(e.detail.get("count", 1))) for e in (before, event)]
        detail = {**before.detail, **event.detail, "count": sum(counts)}
        merged[place[key]] = Event(
            event.kind,
            event.stage,
            event.patient_id,
            event.order_id,
            event.study_uid,
            event.subject,
            event.actor,
            detail,
        )
    return merged


def _change(row: Row[tuple[object, ...]]) -> Change:
    m = row._mapping
    return Change(
        sequence=m["sequence"],
        at=m["at"],
        kind=m["kind"],
        stage=m["stage"],
        patient_id=m["patient_id"],
        order_id=m["order_id"],
        study_uid=m["study_uid"],
        subject=m["subject"],
        actor=m["actor"],
        detail=json.loads(m["detail"]) if m["detail"] else {},
    )
