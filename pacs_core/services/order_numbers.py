"""Which order the numbers of a message mean: one accession number may stand for several requested procedures.

An accession number names an imaging service request; its procedures, and the orders that were grouped under
it, may each have a placer number of their own (IHE RAD TF-2 4.4). Each is an order here with its own worklist
entry, and the images belong to all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pacs_core.domain.errors import Conflict, NeedsPerson
from pacs_core.domain.order import CancelOrder, Order, OrderReference, PlaceOrder
from pacs_core.ports import Transaction

_MADE = "RRP"


def made_procedure_id(tx: Transaction) -> str:
    """A requested procedure ID of our own, where a source gives none."""
    return f"{_MADE}{tx.orders.next_number('procedure')}"


def order_to_change(tx: Transaction, command: PlaceOrder) -> Order | None:
    """The order that a placing or change is about, None where it makes a new one.

    A further requested procedure on known numbers is an order of its own. Raises Conflict where the placer
    number, or the accession number of that source, is known as another patient's.
    """
    orders = tx.orders.with_numbers(command.reference)
    patient = tx.patients.find(command.patient.identifier) if orders else None
    own = [o for o in orders if patient and tx.patients.current(o.patient_id).id == patient.id]
    known = _meant(orders, command.reference)
    for other in (o for o in orders if o not in own):
        if other == known and command.placer_number and other.placer_number == command.placer_number:
            raise Conflict("this placer order number belongs to another patient", "ORC-2")
        if _same_accession(other, command) and (other == known or other.source == command.source):
            raise Conflict("this accession number belongs to another patient", "accession number")
    return None if known not in own or _another_procedure(known, command) else known


def order_to_end(tx: Transaction, command: CancelOrder) -> Order | None:
    """The order that a cancellation is about; raises NeedsPerson where its numbers fit several."""
    orders = tx.orders.with_numbers(command.order)
    known = _meant(orders, command.order)
    named = command.order.placer_number or command.order.filler_number or command.order.procedure_id
    several = [o for o in orders if known and o.patient_id == known.patient_id]
    if known and not named and len(several) > 1:
        raise NeedsPerson(
            f"{len(several)} orders have the accession number {known.accession}, and no other number is said",
            "ORC-2",
        )
    return known


def order_named(tx: Transaction, reference: OrderReference) -> Order | None:
    """The order that the numbers name: by placer, then filler, then accession number."""
    return _meant(tx.orders.with_numbers(reference), reference)


def another_placer(known: Order, command: PlaceOrder) -> bool:
    """Whether both have a placer number, and not the same."""
    return bool(known.placer_number and command.placer_number not in ("", known.placer_number))


def _another_procedure(known: Order, command: PlaceOrder) -> bool:
    """Whether a new order speaks of another procedure than the known one; a number made here is none."""
    if command.only_changes or not command.procedure_id or re.fullmatch(rf"{_MADE}\d+", known.procedure_id):
        return False
    return command.procedure_id != known.procedure_id


def _same_accession(order: Order, command: PlaceOrder) -> bool:
    issuers = {order.accession.issuer, command.accession_issuer} - {""}
    return bool(command.accession) and order.accession.value == command.accession and len(issuers) < 2


def _meant(orders: Sequence[Order], reference: OrderReference) -> Order | None:
    """The order that the numbers name; of several the procedure's own, then the source's, then the newest."""
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
            return found[-1]
    return None


def _contradicted(order: Order, reference: OrderReference) -> bool:
    """Whether a number of the reference is not the order's.

    A step of the same procedure may have a placer and filler number of its own.
    """
    procedure = (reference.accession, reference.procedure_id)
    if all(procedure) and procedure == (order.accession.value, order.procedure_id):
        return False
    pairs = [(reference.placer_number, order.placer_number), (reference.filler_number, order.filler_number)]
    if reference.placer_number:
        pairs.append((reference.placer_issuer, order.placer_issuer))
    if reference.filler_number:
        pairs.append((reference.filler_issuer, order.filler_issuer))
    return any(asked and known and asked != known for asked, known in pairs)
