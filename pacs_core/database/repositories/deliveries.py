"""Results on their way, in the index."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, case, exists, func, select

from pacs_core.database.rows import Rows, in_parts
from pacs_core.database.schema import delivery, destination
from pacs_core.domain.delivery import DeliveryState
from pacs_core.domain.errors import NotFound
from pacs_core.domain.records import DeliveryRecord

_D = delivery.c
_OVER = (DeliveryState.DELIVERED.value, DeliveryState.WITHDRAWN.value)
_TRYING = (DeliveryState.WAITING.value, DeliveryState.SILENT.value, DeliveryState.REFUSED.value)


class DeliveryRows:
    """Implements `ports.Deliveries`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows = Rows(connection, delivery, DeliveryRecord)

    def add(self, record: DeliveryRecord) -> DeliveryRecord:
        """Insert a delivery."""
        return self.get(self._rows.insert(record))

    def get(self, delivery_id: int) -> DeliveryRecord:
        """One delivery; raises NotFound."""
        found = self._rows.first(_D.id == delivery_id)
        if found is None:
            raise NotFound(f"no delivery in row {delivery_id}", "delivery")
        return found

    def update(self, delivery_id: int, **changes: object) -> DeliveryRecord:
        """Change named columns of a delivery."""
        self._rows.change(_D.id == delivery_id, **changes)
        return self.get(delivery_id)

    def due(self, now: str, limit: int, without: Collection[str] = ()) -> Sequence[DeliveryRecord]:
        """To be tried now: due, first undelivered of their stream and destination, destination not paused."""
        where = (*_first_in_line(), _D.due_at <= now, _D.destination.not_in(without))
        return self._rows.all(*where, order_by=(_D.due_at, _D.id), limit=limit)

    def is_due(self, delivery_id: int, now: str) -> bool:
        """Say whether this one is to be tried now."""
        return self._rows.first(*_first_in_line(), _D.due_at <= now, _D.id == delivery_id) is not None

    def next_due(self, without: Collection[str] = ()) -> str:
        """The instant of the next attempt, empty where none waits."""
        earliest = select(func.min(_D.due_at)).where(*_first_in_line(), _D.destination.not_in(without))
        return str(self._connection.execute(earliest).scalar() or "")

    def of_report(self, report_id: int) -> Sequence[DeliveryRecord]:
        """Deliveries of a report, oldest first."""
        return self._rows.all(_D.report_id == report_id, order_by=(_D.id,))

    def of_reports(self, report_ids: Iterable[int]) -> dict[int, list[DeliveryRecord]]:
        """Deliveries of many reports, oldest first."""
        found: dict[int, list[DeliveryRecord]] = {}
        for part in in_parts(report_ids):
            for one in self._rows.all(_D.report_id.in_(part), order_by=(_D.id,)):
                found.setdefault(one.report_id, []).append(one)
        return found

    def open(self) -> Sequence[DeliveryRecord]:
        """Everything neither delivered nor withdrawn, what needs a person first."""
        dead_first = case((_D.state == DeliveryState.DEAD.value, 0), else_=1)
        return self._rows.all(_D.state.not_in(_OVER), order_by=(dead_first, _D.id))

    def waiting_for(self, name: str) -> int:
        """How many results a destination has not taken yet."""
        query = (
            select(func.count()).select_from(delivery).where(_D.destination == name, _D.state.not_in(_OVER))
        )
        return int(self._connection.execute(query).scalar_one())


def _first_in_line() -> tuple[ColumnElement[bool], ...]:
    """What may be tried at all: open, first undelivered of its stream and destination, that not paused."""
    earlier = delivery.alias()
    blocked = exists().where(
        earlier.c.stream == _D.stream,
        earlier.c.destination == _D.destination,
        earlier.c.id < _D.id,
        earlier.c.state.not_in(_OVER),
    )
    paused = exists().where(destination.c.name == _D.destination, destination.c.paused.is_(True))
    return _D.state.in_(_TRYING), ~blocked, ~paused
