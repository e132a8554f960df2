"""Studies that wait for a person, in the index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from pacs_core.database.rows import Rows, in_parts
from pacs_core.database.schema import hold
from pacs_core.domain.errors import NotFound
from pacs_core.domain.records import HoldRecord

_H = hold.c


class HoldRows:
    """Implements `ports.Holds`."""

    def __init__(self, connection: Connection) -> None:
        self._rows = Rows(connection, hold, HoldRecord)

    def open_for(self, study_uid: str) -> Sequence[HoldRecord]:
        """Open holds of a study."""
        return self._rows.all(_H.study_uid == study_uid, _H.resolved_at == "", order_by=(_H.id,))

    def open_of(self, study_uids: Iterable[str]) -> dict[str, list[HoldRecord]]:
        """Open holds of many studies."""
        found: dict[str, list[HoldRecord]] = {}
        for part in in_parts(study_uids):
            for one in self._rows.all(_H.study_uid.in_(part), _H.resolved_at == "", order_by=(_H.id,)):
                found.setdefault(one.study_uid, []).append(one)
        return found

    def get(self, hold_id: int) -> HoldRecord:
        """One hold; raises NotFound."""
        found = self._rows.first(_H.id == hold_id)
        if found is None:
            raise NotFound(f"no hold in row {hold_id}", "hold")
        return found

    def add(self, study_uid: str, kind: str, reason: str, at: str) -> HoldRecord:
        """Open a hold; the same kind again on a study is the same hold with the newer reason."""
        same = self._rows.first(_H.study_uid == study_uid, _H.kind == kind, _H.resolved_at == "")
        if same is None:
            return self.get(self._rows.insert(HoldRecord(0, study_uid, kind, reason, at)))
        self._rows.change(_H.id == same.id, reason=reason)
        return self.get(same.id)

    def resolve(self, hold_id: int, **changes: object) -> HoldRecord:
        """Change named columns of a hold."""
        self._rows.change(_H.id == hold_id, **changes)
        return self.get(hold_id)

    def all_open(self) -> Sequence[HoldRecord]:
        """Every open hold, oldest first."""
        return self._rows.all(_H.resolved_at == "", order_by=(_H.since, _H.id))

    def of_decision(self, hold: HoldRecord) -> Sequence[HoldRecord]:
        """The holds of a study that were resolved together with this one."""
        same = (_H.study_uid == hold.study_uid, _H.how == hold.how, _H.resolved_at == hold.resolved_at)
        return self._rows.all(*same, _H.undone_at == "", order_by=(_H.id,))

    def standing_decision(self, study_uid: str) -> HoldRecord | None:
        """The newest hold of a study that a person resolved by link or acceptance, and nobody has undone."""
        by_hand = (_H.study_uid == study_uid, _H.how.in_(("linked", "accepted")), _H.undone_at == "")
        return self._rows.first(*by_hand, order_by=(_H.resolved_at.desc(), _H.id.desc()))

    def resolved(self, limit: int) -> Sequence[HoldRecord]:
        """Holds that were resolved and not undone, newest first."""
        return self._rows.all(
            _H.resolved_at != "",
            _H.undone_at == "",
            order_by=(_H.resolved_at.desc(), _H.id.desc()),
            limit=limit,
        )
