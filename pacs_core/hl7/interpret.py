"""From a message to what the archive is asked to do: header checks, then ADT or ORM."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pacs_core.domain.errors import NeedsPerson
from pacs_core.domain.field_map import FieldMap
from pacs_core.domain.order import CancelOrder, PlaceOrder
from pacs_core.domain.patient import MergePatients, RegisterPatient
from pacs_core.hl7 import adt, fields, orm
from pacs_core.hl7.message import Message
from pacs_core.hl7.status import AckCode, Condition, MessageRefused

Command = RegisterPatient | MergePatients | PlaceOrder | CancelOrder

TYPES = ("ADT", "ORM")


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The commands of one message in order, why parts of it wait for a person, and what was tolerated."""

    kind: str
    commands: tuple[Command, ...] = ()
    parked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def interpret(
    message: Message, field_map: FieldMap, zone: ZoneInfo, source: str = "", today: str = ""
) -> Interpretation:
    """Say what a message asks for. Raises MessageRefused with AE or AR and the place that is at fault.

    `zone` is the site's, `today` its civil day: nobody was born later, where it is given. A message whose
    bytes do not decode is left to a person as a whole: a name with holes in it must not reach a patient.
    """
    check_header(message)
    code, event = message.kind
    kind = f"{code}^{event}"
    notes = list(message.notes)
    if message.undecoded:
        named = ", ".join(message.undecoded[:5])
        reason = f"bytes in {named} are not {message.character_set}; MSH-18 or the source's map is wrong"
        return Interpretation(kind, parked=(reason,), notes=tuple(notes))
    sender = ZoneInfo(field_map.time_zone) if field_map.time_zone else zone
    sent = fields.moment(message.text("MSH-7") or "", sender)
    try:
        if code == "ADT":
            return Interpretation(kind, adt.commands(message, field_map, notes, today), (), tuple(notes))
        commands, parked = orm.commands(message, orm.Context(field_map, zone, source, notes, sent, today))
        return Interpretation(kind, commands, parked, tuple(notes))
    except NeedsPerson as reason:
        return Interpretation(kind, parked=(reason.message,), notes=tuple(notes))


def check_header(message: Message) -> None:
    """Refuse what MSH alone tells (HL7 v2.5.1 §2.9.2.2): type and version with AR, the rest with AE."""
    code, event = message.kind
    if not code:
        raise MessageRefused(AckCode.AR, Condition.UNSUPPORTED_TYPE, "no message type", "MSH^1^9")
    if code not in TYPES:
        text = f"messages of type {code[:8]} are not received here, only {' and '.join(TYPES)}"
        raise MessageRefused(AckCode.AR, Condition.UNSUPPORTED_TYPE, text, "MSH^1^9^1^1")
    if code == "ORM" and event not in ("O01", ""):
        text = f"ORM event {event[:8]} is not known here"
        raise MessageRefused(AckCode.AR, Condition.UNSUPPORTED_EVENT, text, "MSH^1^9^1^2")
    version = message.text("MSH-12") or ""
    if version and not version.startswith("2"):
        raise MessageRefused(
            AckCode.AR, Condition.UNSUPPORTED_VERSION, "only HL7 version 2 is read here", "MSH^1^12"
        )
    if not message.text("MSH-10"):
        raise MessageRefused(
            AckCode.AE, Condition.REQUIRED_FIELD_MISSING, "no message control ID", "MSH^1^10"
        )
