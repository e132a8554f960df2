"""Which order the numbers of a message mean: one accession number may stand for several requested procedures.

An accession number names an imaging service request; its procedures, and the orders that were grouped under
it, may each have a placer number of their own (IHE RAD TF-2 4.4). Each is an order here with its own worklist
entry, and the images belong to all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pacs_core.domain.errors import Conflict, NeedsPerson
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import BY_HAND, CancelOrder, Order, OrderReference, PlaceOrder
from pacs_core.ports import Transaction

_MADE = "RRP"


def made_procedure_id(tx: Transaction) -> str:
    """A requested procedure ID of our own, where a source gives none."""
    return f"{_MADE}{tx.orders.next_number('procedure')}"


def order_to_change(tx: Transaction, command: PlaceOrder) -> Order | None:
    """The order that a placing or change is about, None where it makes a new one.

    A further requested procedure on known numbers is an order of its own. Raises Conflict where the placer
    number, or the accession number of that source, is known as another patient's; NeedsPerson where the
    numbers fit several orders, or a change names another procedure than the order's.
    """
    orders = tx.orders.with_numbers(command.reference)
    named = _named(orders, command.reference)
    own = _of_patient(tx, orders, command.patient.identifier)
    for other in (o for o in orders if o not in own):
        if other in named and command.placer_number and other.placer_number == command.placer_number:
            raise Conflict("this placer order number belongs to another patient", "ORC-2")
        if _same_accession(other, command) and (other in named or other.source == command.source):
            raise Conflict("this accession number belongs to another patient", "accession number")
    known = _named(own, command.reference)
    if command.procedure_id and not command.only_changes:
        known = [o for o in known if not _another_procedure(o, command.reference)]
    found = _only(known, command.reference)
    for order in [found] if found else [o for o in own if _same_accession(o, command)]:
        _check_source(order, command.reference)
    return found


def order_to_end(tx: Transaction, command: CancelOrder) -> Order | None:
    """The order that a cancellation is about.

    Raises Conflict where it is another patient's, NeedsPerson where the numbers fit several orders or
    contradict the one they name.
    """
    known = _named(tx.orders.with_numbers(command.order), command.order)
    own = _of_patient(tx, known, command.order.patient) if command.order.patient else known
    if known and not own:
        raise Conflict("this order belongs to another patient", "PID-3")
    found = _only(own, command.order)
    if found is not None and another_placer(found, command.order):
        raise NeedsPerson(
            f"the order {found.accession} has the placer number {found.placer_number}, "
            f"the message says {command.order.placer_number}",
            "ORC-2",
        )
    if found is not None:
        _check_source(found, command.order)
    return found


def order_named(tx: Transaction, reference: OrderReference) -> Order | None:
    """The order that the numbers name, the newest of several."""
    return next(reversed(_named(tx.orders.with_numbers(reference), reference)), None)


def another_placer(known: Order, said: PlaceOrder | OrderReference) -> bool:
    """Whether both have a placer number, and not the same."""
    return bool(known.placer_number and said.placer_number not in ("", known.placer_number))


def made_here(procedure_id: str) -> bool:
    """Whether the requested procedure ID is one of our own."""
    return re.fullmatch(rf"{_MADE}\d+", procedure_id) is not None


def _check_source(order: Order, reference: OrderReference) -> None:
    """Raise NeedsPerson where another source speaks of the order, and not by its placer number.

    An order made by hand is taken over by the source that names it.
    """
    if order.source in ("", BY_HAND, reference.source) or not reference.source:
        return
    if order.placer_number and order.placer_number == reference.placer_number:
        return
    raise NeedsPerson(
        f"the accession number {order.accession} is already {order.source}'s, for "
        f"{order.procedure_description or order.procedure_id}",
        "accession number",
    )


def _another_procedure(known: Order, reference: OrderReference) -> bool:
    """Whether another procedure is named than the order's; a number made here is none."""
    said = reference.procedure_id
    return bool(said) and said != known.procedure_id and not made_here(known.procedure_id)


def _only(orders: Sequence[Order], reference: OrderReference) -> Order | None:
    """The one order; raises NeedsPerson where there are several, or it is of another procedure."""
    if len(orders) > 1:
        numbers = " ".join(filter(None, (reference.placer_number, reference.accession)))
        raise NeedsPerson(
            f"{len(orders)} orders have the number {numbers}, nothing tells them apart", "ORC-2"
        )
    if orders and _another_procedure(orders[0], reference):
        raise NeedsPerson(
            f"the order {orders[0].accession} is for the procedure {orders[0].procedure_id}, "
            f"the message says {reference.procedure_id}",
            "OBR-19",
        )
    return orders[0] if orders else None


def _of_patient(tx: Transaction, orders: Sequence[Order], identifier: PatientIdentifier) -> list[Order]:
    patient = tx.patients.find(identifier) if orders else None
    return [o for o in orders if patient and tx.patients.current(o.patient_id).id == patient.id]


def _same_accession(order: Order, command: PlaceOrder) -> bool:
    issuers = {order.accession.issuer, command.accession_issuer} - {""}
    return bool(command.accession) and order.accession.value == command.accession and len(issuers) < 2


def _named(orders: Sequence[Order], reference: OrderReference) -> list[Order]:
    """The orders that the numbers name: by placer, else filler, else accession number.

    Of several those of the procedure, then those of the source.
    """
    fitting = [o for o in orders if not _contradicted(o, reference)]
    for name, value in (
        ("placer_number", reference.placer_number),
        ("filler_number", reference.filler_number),
        ("accession", reference.accession),
    ):
        found = [o for o in fitting if value and str(getattr(o, name)) == value]
        found = [o for o in found if o.procedure_id == reference.procedure_id] or found
        found = [o for o in found if reference.source in ("", o.source)] or found
        if found:
            return found
    return []


def _contradicted(order: Order, reference: OrderReference) -> bool:
    """Whether a number of the reference is not the order's.

    A step of the same procedure may have a placer and filler number of its own from the source of the order.
    """
    procedure = (reference.source, reference.accession, reference.procedure_id)
    if all(procedure) and procedure == (order.source, order.accession.value, order.procedure_id):
        return False
    pairs = [(reference.placer_number, order.placer_number), (reference.filler_number, order.filler_number)]
    if reference.placer_number:
        pairs.append((reference.placer_issuer, order.placer_issuer))
    if reference.filler_number:
        pairs.append((reference.filler_issuer, order.filler_issuer))
    return any(asked and known and asked != known for asked, known in pairs)
