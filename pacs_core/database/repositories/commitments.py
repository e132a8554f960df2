"""Storage commitment transactions in the index."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from pacs_core.database.schema import commitment
from pacs_core.domain.commitment import Commitment, CommitmentState, Reference
from pacs_core.domain.errors import NotFound

_C = commitment.c
_OPEN = (CommitmentState.WAITING.value, CommitmentState.ASKED.value)


class CommitmentRows:
    """Implements `ports.Commitments`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, commitment_id: int) -> Commitment:
        """One transaction; raises NotFound."""
        for found in self._all(_C.id == commitment_id):
            return found
        raise NotFound(f"no storage commitment in row {commitment_id}", "commitment")

    def find(self, peer: str, transaction_uid: str, *, ours: bool) -> Commitment | None:
        """The transaction with a peer, by its UID."""
        where = (_C.peer == peer, _C.transaction_uid == transaction_uid, _C.ours.is_(ours))
        return next(iter(self._all(*where)), None)

    def add(self, record: Commitment) -> Commitment:
        """Insert a transaction."""
        values = _values({f: getattr(record, f) for f in Commitment.__dataclass_fields__ if f != "id"})
        return self.get(int(self._connection.execute(insert(commitment), values).lastrowid))

    def update(self, commitment_id: int, **changes: object) -> Commitment:
        """Change named fields."""
        self._connection.execute(update(commitment).where(_C.id == commitment_id).values(**_values(changes)))
        return self.get(commitment_id)

    def due(self, now: str, limit: int, without: Collection[str] = ()) -> Sequence[Commitment]:
        """Transactions to be tried now, oldest first."""
        return self._all(*_waiting(without), _C.due_at <= now, limit=limit)

    def next_due(self, without: Collection[str] = ()) -> str:
        """The instant of the next attempt, empty where none waits."""
        return str(
            self._connection.execute(select(func.min(_C.due_at)).where(*_waiting(without))).scalar() or ""
        )

    def _all(self, *where: ColumnElement[bool], limit: int = 0) -> list[Commitment]:
        query = select(commitment).where(*where).order_by(_C.due_at, _C.id)
        rows = self._connection.execute(query.limit(limit) if limit else query).mappings()
        return [_record(row) for row in rows]


def _waiting(without: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return _C.state.in_(_OPEN), _C.peer.not_in(list(without))


def _values(fields: Mapping[str, object]) -> dict[str, Any]:
    values = dict(fields)
    references = values.pop("references", None)
    if isinstance(references, tuple):
        values["objects"] = json.dumps(
            [(one.sop_class_uid, one.sop_instance_uid, one.failure) for one in references]
        )
    return values


def _record(row: Mapping[Any, Any]) -> Commitment:
    values = {str(name): value for name, value in row.items()}
    objects = json.loads(values.pop("objects"))
    values["state"] = CommitmentState(values["state"])
    return Commitment(**values, references=tuple(Reference(*one) for one in objects))
