"""What a message may not do to an order: reopen an ended one when it is old, end one that has results.

Messages arrive late, twice and out of order; what was decided later stays, and a person looks at the rest.
"""

from __future__ import annotations

from pacs_core.domain.errors import NeedsPerson
from pacs_core.domain.order import CancelOrder, Order, OrderState, PlaceOrder
from pacs_core.domain.performed import PerformedState
from pacs_core.ports import Transaction
from pacs_core.services.order_numbers import order_named

ENDED = (OrderState.CANCELLED, OrderState.DISCONTINUED)
ENDINGS = tuple(f"order.{state.value}" for state in ENDED)
_CHANGES = ("order.placed", "order.changed", "order.rescheduled", *ENDINGS)


def check_reopening(tx: Transaction, order: Order, command: PlaceOrder, now: str) -> None:
    """Raise NeedsPerson where this ended order is changed, or placed again by what is older than its end."""
    if command.only_changes:
        raise NeedsPerson(f"the order {named(order)} was {order.state}: a change does not reopen it", "ORC-1")
    if not _newer(tx, order, command, now):
        raise NeedsPerson(
            f"the order {named(order)} was {order.state}: this message is older than that", "ORC-1"
        )


def check_ending(tx: Transaction, order: Order, command: CancelOrder) -> None:
    """Raise NeedsPerson where an end would take something from people: images, a report, a finished exam, or
    one that a modality says it is at work on or has done, though no image came yet.

    An exam that was broken off (discontinued) has images, which stay linked.
    """
    studies = tx.studies.of_order(order.id)
    reports = [report for study in studies for report in tx.reports.of_study(study.study_uid)]
    what = ""
    if any(tx.reports.versions(report.id) for report in reports):
        what = "has a signed report"
    elif order.state is OrderState.COMPLETED:
        what = "is completed"
    elif not command.discontinue and any(study.instance_count for study in studies):
        what = "has images"
    elif not command.discontinue and (state := _performed(tx, order)) is not None:
        what = f"has a performed procedure step that is {state}"
    if what:
        raise NeedsPerson(f"the order {named(order)} {what}: it is not cancelled by a message", "ORC-1")


def changed_since(tx: Transaction, command: PlaceOrder | CancelOrder) -> str:
    """Which order was changed after the message came, in words; empty where none was."""
    order = order_named(tx, command.reference)
    change = tx.journal.newest_on(f"order:{order.id}", _CHANGES) if order is not None else None
    if order is None or change is None or change.at <= command.received:
        return ""
    return f"the order {named(order)} was changed since and is left as it is"


def named(order: Order) -> str:
    """The number people know the order by."""
    return str(order.accession) or order.placer_number or order.filler_number


def _performed(tx: Transaction, order: Order) -> PerformedState | None:
    """What a modality says of the order, where it has not given it up."""
    states = (step.state for step in tx.performed.of_order(order.id))
    return next((state for state in states if state is not PerformedState.DISCONTINUED), None)


def _newer(tx: Transaction, order: Order, command: PlaceOrder, now: str) -> bool:
    """Whether it was written after the end was, where both say so; else, and at the same time, came after."""
    end = tx.journal.newest_on(f"order:{order.id}", ENDINGS)
    if end is None:
        return True
    ended_at = str(end.detail.get("received") or end.at)
    written = str(end.detail.get("sent") or ("" if end.detail.get("received") else end.at))
    if command.sent and written and command.sent != written:
        return command.sent > written
    return (command.received or now) >= ended_at
