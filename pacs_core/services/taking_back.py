"""Results that were delivered under an order their study no longer belongs to are taken back there.

The other side hears of each once, after everything else that order's results said (OBR-25 X, OBX-11 W).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from pacs_core.domain.delivery import DeliveryState
from pacs_core.domain.events import Event
from pacs_core.domain.records import DeliveryRecord, ReportRecord
from pacs_core.domain.times import instant
from pacs_core.ports import Transaction


def standing(deliveries: Sequence[DeliveryRecord]) -> list[DeliveryRecord]:
    """Deliveries that tell of a result: neither withdrawn, nor taken back, nor a taking back."""
    last: dict[tuple[str, str], int] = {}
    for one in deliveries:
        if one.takes_back:
            last[one.stream, one.destination] = one.takes_back
    return [
        d
        for d in deliveries
        if not d.takes_back
        and d.state != DeliveryState.WITHDRAWN
        and d.id > last.get((d.stream, d.destination), 0)
    ]


def take_back(
    tx: Transaction, report: ReportRecord, answered: Collection[str], now: datetime, actor: str
) -> None:
    """Queue a taking back for each destination that has results of the report under other orders' streams.

    A destination that is no longer configured cannot be told; that is recorded.
    """
    newest: dict[tuple[str, str], DeliveryRecord] = {}
    for one in standing(tx.deliveries.of_report(report.id)):
        if one.state == DeliveryState.DELIVERED and one.stream not in answered:
            newest[one.stream, one.destination] = one
    known = {destination.name for destination in tx.configuration.destinations()}
    for wrong in newest.values():
        event = Event(
            "delivery.queued",
            7,
            report.patient_id,
            wrong.order_id,
            report.study_uid,
            f"delivery:{wrong.id}",
            actor,
            {"destination": wrong.destination, "takes_back": wrong.control_id},
        )
        if wrong.destination not in known:
            tx.record(
                replace(event, kind="delivery.stays", detail={**event.detail, "text": "not configured"})
            )
            continue
        control = f"RR{now:%y%m%d}{tx.orders.next_number('control'):08d}"
        row = tx.deliveries.add(
            replace(
                wrong,
                id=0,
                control_id=control,
                payload=b"",
                state=DeliveryState.WAITING.value,
                attempts=0,
                silent_attempts=0,
                refused_attempts=0,
                created_at=instant(now),
                due_at=instant(now),
                last_attempt_at="",
                answer_code="",
                answer="",
                alerted=False,
                takes_back=wrong.id,
            )
        )
        tx.record(
            replace(event, subject=f"delivery:{row.id}", detail={**event.detail, "control_id": control})
        )
