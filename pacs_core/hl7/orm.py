"""ORM^O01 to order commands (HL7 v2.5.1 §4.4; IHE RAD TF-2 4.2, 4.4, 4.13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from pacs_core.domain.errors import NeedsPerson
from pacs_core.domain.field_map import FieldMap
from pacs_core.domain.order import CancelOrder, OrderReference, PlaceOrder
from pacs_core.domain.patient import RegisterPatient
from pacs_core.hl7.message import Message, Segment
from pacs_core.hl7.order import OrderReader
from pacs_core.hl7.patient import register
from pacs_core.hl7.scope import Scope
from pacs_core.hl7.status import AckCode, Condition, MessageRefused

PLACING = frozenset({"NW", "XO"})
CANCELLING = frozenset({"CA", "DC"})
_OF_EVERY_ORDER = frozenset({"MSH", "EVN", "PID", "PD1", "PV1", "PV2", "AL1", "IAM"})

Command = PlaceOrder | CancelOrder


@dataclass(frozen=True, slots=True)
class OrderGroup:
    """One ORC with one OBR and what belongs to it."""

    control: Segment
    details: tuple[Segment, ...]

    @property
    def code(self) -> str:
        """ORC-1 (table 0119)."""
        return (self.control.text(1) or "").upper()


@dataclass(frozen=True, slots=True)
class Context:
    """What reading an order needs beside the message; `zone` and `today` are the site's, `sent` the
    instant of MSH-7."""

    field_map: FieldMap
    zone: ZoneInfo
    source: str
    notes: list[str]
    sent: str = ""
    today: str = ""


def commands(message: Message, context: Context) -> tuple[tuple[Command, ...], tuple[str, ...]]:
    """What an ORM asks for, and the reasons why some of it waits for a person.

    Raises MessageRefused where the message as a whole cannot be carried out: one order that is at fault
    refuses all, so that a sender never has to guess which of them were taken.
    """
    header = _shared(message)
    patient = register(Scope(message.segments, context.notes, context.today), context.field_map, "ORM^O01")
    found: list[Command] = []
    parked: list[str] = []
    for group in groups(message.segments):
        try:
            found.append(_command(group, header, patient, context))
        except NeedsPerson as reason:
            parked.append(reason.message)
    return tuple(_joined(found)), tuple(parked)


def _shared(message: Message) -> list[Segment]:
    """What speaks of every order: patient and visit, and a Z segment that came once (ZDS at the very end)."""
    names = [segment.name for segment in message.segments]
    return [
        segment
        for segment in message.segments
        if segment.name in _OF_EVERY_ORDER or (segment.name[0] == "Z" and names.count(segment.name) == 1)
    ]


def groups(segments: Sequence[Segment]) -> list[OrderGroup]:
    """The order groups: each ORC begins one, so does each further OBR under it. Raises MessageRefused."""
    control: Segment | None = None
    gathered: list[tuple[Segment, list[Segment]]] = []
    for segment in segments:
        if segment.name == "ORC":
            control = segment
            gathered.append((control, []))
        elif control is not None:
            details = gathered[-1][1]
            if segment.name == "OBR" and any(one.name == "OBR" for one in details):
                gathered.append((control, [segment]))
            else:
                details.append(segment)
    if not gathered:
        raise MessageRefused(
            AckCode.AE, Condition.SEGMENT_SEQUENCE, "the message has no ORC segment", "ORC^1"
        )
    return [OrderGroup(orc, tuple(details)) for orc, details in gathered]


def _command(
    group: OrderGroup, header: Sequence[Segment], patient: RegisterPatient, context: Context
) -> Command:
    where = f"ORC^{group.control.sequence}^1"
    if not group.code:
        raise MessageRefused(AckCode.AE, Condition.REQUIRED_FIELD_MISSING, "no order control code", where)
    if group.code not in PLACING | CANCELLING:
        raise NeedsPerson(f"order control code {group.code[:8]} is left to a person", where)
    own = [group.control, *group.details]
    reader = OrderReader(Scope([*own, *header], context.notes), context.field_map, context.zone)
    if group.code in CANCELLING:
        return _cancel(reader, group, patient, context)
    return _place(reader, group, patient, context)


def _cancel(
    reader: OrderReader, group: OrderGroup, patient: RegisterPatient, context: Context
) -> CancelOrder:
    reference = OrderReference(
        placer_number=reader.number("placer_number"),
        filler_number=reader.number("filler_number"),
        accession=reader.number("accession_number"),
        procedure_id=reader.number("procedure_id"),
        patient=patient.identifier,
        source=context.source,
        placer_issuer=reader.issuer("placer_number"),
        filler_issuer=reader.issuer("filler_number"),
    )
    if not (reference.placer_number or reference.filler_number or reference.accession):
        where = f"ORC^{group.control.sequence}^2"
        text = "no placer, filler or accession number names the order"
        raise MessageRefused(AckCode.AE, Condition.REQUIRED_FIELD_MISSING, text, where)
    reason = group.control.text(16, 2) or group.control.text(16) or ""
    return CancelOrder(reference, group.code == "DC", reason, sent=context.sent)


def _place(reader: OrderReader, group: OrderGroup, patient: RegisterPatient, context: Context) -> PlaceOrder:
    if not any(segment.name == "OBR" for segment in group.details):
        where = f"OBR^{group.control.sequence}"
        raise MessageRefused(AckCode.AE, Condition.SEGMENT_SEQUENCE, "an ORC without its OBR segment", where)
    order = reader.order(patient, context.source)
    own_allowed = context.field_map.make_accession_number
    if group.code == "NW" and not order.accession and not own_allowed:
        places = context.field_map.order["accession_number"]
        text = f"no accession number in {', '.join(map(str, places)) or 'any place'}"
        where = places[0].location if places else "OBR^1^18"
        raise MessageRefused(AckCode.AE, Condition.REQUIRED_FIELD_MISSING, text, where)
    return replace(order, allow_own_accession=own_allowed, only_changes=group.code == "XO", sent=context.sent)


def _joined(found: Sequence[Command]) -> list[Command]:
    """Groups that speak of one requested procedure become one order with several steps (IHE RAD-4)."""
    out: list[Command] = []
    for command in found:
        before = next((n for n, one in enumerate(out) if _same_procedure(one, command)), None)
        if before is None:
            out.append(command)
        else:
            out[before] = _with_steps(out[before], command)
    return out


def _same_procedure(one: Command, other: Command) -> bool:
    if not isinstance(one, PlaceOrder) or not isinstance(other, PlaceOrder):
        return False
    if one.procedure_id or other.procedure_id:
        return (one.accession, one.procedure_id) == (other.accession, other.procedure_id)
    numbers = (one.placer_number, one.filler_number, one.accession)
    return any(numbers) and numbers == (other.placer_number, other.filler_number, other.accession)


def _with_steps(order: Command, more: Command) -> Command:
    if not isinstance(order, PlaceOrder) or not isinstance(more, PlaceOrder):
        return order
    return replace(order, steps=order.steps + tuple(step for step in more.steps if step not in order.steps))
